/**
 * What a condition may ask, in one place: every field with its type, and for
 * every type its operators, the values they take and what they mean. Validation,
 * evaluation, explanations and editors all read these tables.
 */
import { channels } from '../channels.ts';
import { urgencies } from '../clinical-urgency.ts';
import { stages, tiers } from '../stages.ts';
import { weekdays } from '../weekdays.ts';
import { foldWording } from '../wording.ts';
import {
  ageBands,
  dispositions,
  type Facts,
  type Field,
  type FieldType,
  insuranceKinds,
  lifecycles,
} from './facts.ts';
import type { Operator } from './operators.ts';
import type { Comparison } from './rule.ts';

const catalogue = {
  source: { type: 'choice', label: 'lead source', values: 'sources' },
  campaign: { type: 'text', label: 'campaign', optional: true },
  service: { type: 'choice', label: 'service', values: 'services', optional: true },
  serviceWording: { type: 'text', label: 'service as the person wrote it', optional: true },
  serviceValueCents: {
    type: 'number',
    label: 'expected first-year value of the service',
    unit: 'US cents',
    optional: true,
  },
  location: { type: 'choice', label: 'location', values: 'locations' },
  language: { type: 'language', label: 'language', optional: true, sensitive: true },
  insurance: { type: 'text', label: 'insurance', optional: true, sensitive: true },
  insuranceKind: {
    type: 'choice',
    label: 'kind of insurance',
    values: insuranceKinds,
    sensitive: true,
  },
  postalCode: { type: 'text', label: 'postal code', optional: true, sensitive: true },
  age: { type: 'number', label: 'age of the patient', unit: 'years', optional: true, sensitive: true },
  ageBand: { type: 'choice', label: 'age band', values: ageBands, optional: true, sensitive: true },
  message: { type: 'text', label: 'message and answers', optional: true },
  preferredTime: { type: 'text', label: 'preferred time', optional: true },
  hasPhone: { type: 'yes_no', label: 'has a phone number', ofPerson: true },
  hasEmail: { type: 'yes_no', label: 'has an e-mail address', ofPerson: true },
  hasName: { type: 'yes_no', label: 'has a name', ofPerson: true },
  writtenForPatient: { type: 'yes_no', label: 'somebody else wrote for the patient' },
  returning: { type: 'yes_no', label: 'known before' },
  lifecycle: { type: 'choice', label: 'lifecycle', values: lifecycles, optional: true, ofPerson: true },
  tags: { type: 'list', label: 'tags', ofPerson: true },
  owner: { type: 'choice', label: 'owner', values: 'members', optional: true, ofPerson: true },
  score: { type: 'number', label: 'score', unit: 'points' },
  tier: { type: 'choice', label: 'tier', values: tiers },
  channel: { type: 'choice', label: 'channel', values: channels },
  urgency: { type: 'choice', label: 'clinical urgency', values: urgencies },
  redFlag: { type: 'yes_no', label: 'red flag' },
  stage: { type: 'choice', label: 'stage', values: stages },
  previousStage: { type: 'choice', label: 'stage before', values: stages, at: ['stage_change'] },
  disposition: { type: 'choice', label: 'outcome of the call', values: dispositions, at: ['disposition'] },
  silentHours: {
    type: 'number',
    label: 'opening hours since anything happened',
    unit: 'hours',
    at: ['silence'],
  },
  arrivalDate: { type: 'date', label: 'date of arrival' },
  arrivalTime: { type: 'time', label: 'time of arrival' },
  arrivalWeekday: { type: 'choice', label: 'weekday of arrival', values: weekdays },
  arrivalOpen: { type: 'yes_no', label: 'arrived during opening hours' },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof catalogue;
/** Every field that a condition may name. */
export const fields: Readonly<Record<FieldName, Field>> = catalogue;
export const fieldNames = Object.keys(fields) as readonly FieldName[];

/** Whether a name is that of a field; `constructor` and the like are not. */
export const isField = (name: string): name is FieldName => Object.hasOwn(fields, name);

/** What of the facts a field stands for; undefined where it is not known. */
export function factOf(facts: Facts, name: FieldName): unknown {
  switch (name) {
    case 'arrivalDate':
      return facts.arrival.date;
    case 'arrivalTime':
      return facts.arrival.time;
    case 'arrivalWeekday':
      return facts.arrival.weekday;
    case 'arrivalOpen':
      return facts.arrival.open;
    default:
      return facts[name];
  }
}

/** A text as conditions look at it: folded, a space at either end, so that whole words can be asked for. */
interface Wording {
  readonly padded: string;
  words(): ReadonlySet<string>;
}

function wordingOf(text: string): Wording {
  const padded = ` ${foldWording(text)} `;
  let words: Set<string> | undefined;
  return {
    padded,
    words: () => {
      words ??= new Set(padded.split(' '));
      return words;
    },
  };
}

/** Puts a fact into the form in which its type is compared; done once for all rules. */
export function prepareFact(type: FieldType, fact: unknown): unknown {
  if (fact === undefined || fact === null) return undefined;
  if (type === 'text') return wordingOf(String(fact));
  if (type === 'language') return String(fact).toLowerCase();
  return fact;
}

/** What is wrong with a value, for the person who wrote it. */
export interface WrongValue {
  readonly wrong: string;
}
export const isWrong = (value: unknown): value is WrongValue =>
  typeof value === 'object' && value !== null && 'wrong' in value;

/** Reads a value as its operator takes it, or says what is wrong with it. */
type Reader<Value> = (value: unknown) => Value | WrongValue;

const nothing: Reader<undefined> = (value) =>
  value === undefined ? undefined : { wrong: 'must be left out' };

const folded: Reader<string> = (value) => {
  if (typeof value !== 'string') return { wrong: 'must be text' };
  const text = foldWording(value);
  return text === '' ? { wrong: 'needs a letter or a digit' } : text;
};
const id: Reader<string> = (value) =>
  typeof value === 'string' && value !== '' ? value : { wrong: 'must be one of the known values' };
const languageRange: Reader<string> = (value) =>
  typeof value === 'string' && /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(value)
    ? value.toLowerCase()
    : { wrong: 'must be a language tag such as es or en-US' };
const number: Reader<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : { wrong: 'must be a number' };
const yesOrNo: Reader<boolean> = (value) =>
  typeof value === 'boolean' ? value : { wrong: 'must be true or false' };
const date: Reader<string> = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  new Date(`${value}T00:00:00Z`).toJSON()?.startsWith(value) === true
    ? value
    : { wrong: 'must be a date such as 2026-11-20' };
const time: Reader<string> = (value) =>
  typeof value === 'string' && /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(value)
    ? value
    : { wrong: 'must be a 24-hour time such as 08:00, in quotation marks' };

/** A list of at least one; a single value counts as a list of it. */
const some =
  <Value>(reader: Reader<Value>): Reader<readonly Value[]> =>
  (value) => {
    const read = (Array.isArray(value) ? value : [value]).map(reader);
    const bad = read.find(isWrong);
    if (bad !== undefined) return { wrong: `${bad.wrong}, or a list of such` };
    return read.length === 0 ? { wrong: 'must not be an empty list' } : (read as Value[]);
  };
/** Two values, the lower first. */
const range =
  <Value extends string | number>(reader: Reader<Value>): Reader<readonly [Value, Value]> =>
  (value) => {
    if (!Array.isArray(value) || value.length !== 2)
      return { wrong: 'must be a list of two: the lowest and the highest' };
    const [low, high] = [reader(value[0]), reader(value[1])];
    if (isWrong(low)) return low;
    if (isWrong(high)) return high;
    return low <= high ? [low, high] : { wrong: 'has its lowest above its highest' };
  };
/** Two local times; where the second is the earlier one, it is of the next day. */
const hoursOfDay: Reader<readonly [string, string]> = (value) => {
  if (!Array.isArray(value) || value.length !== 2) return { wrong: 'must be a list of two times' };
  const [from, to] = [time(value[0]), time(value[1])];
  if (isWrong(from)) return from;
  if (isWrong(to)) return to;
  return from === to ? { wrong: 'has the same time twice' } : [from, to];
};

/** Whether a language tag is in a range: `es` takes `es-MX` (basic filtering of RFC 4647). */
export const isInLanguage = (tag: string, wanted: string): boolean =>
  tag === wanted || tag.startsWith(`${wanted}-`);

const holdsWords = (wording: Wording, phrase: string): boolean => {
  const space = phrase.indexOf(' ');
  const first = space === -1 ? phrase : phrase.slice(0, space);
  return wording.words().has(first) && (space === -1 || wording.padded.includes(` ${phrase} `));
};

/** What an operator takes, by name; for editors and messages. */
export type ValueKind =
  | 'nothing'
  | 'text'
  | 'texts'
  | 'phrases'
  | 'language'
  | 'languages'
  | 'choice'
  | 'choices'
  | 'number'
  | 'numbers'
  | 'tag'
  | 'tags'
  | 'yes_no'
  | 'date'
  | 'dates'
  | 'time'
  | 'times';

/** An operator of a type. A fact that is not known makes none of them hold but `absent` and negations. */
export type OperatorSpec = AskingOperator | NegatingOperator;
export interface AskingOperator {
  readonly label: string;
  readonly takes: ValueKind;
  readonly read: Reader<unknown>;
  /** The question, from a value that was read; it is asked of prepared facts that are known. */
  readonly test: (value: never) => (fact: never) => boolean;
}
export interface NegatingOperator {
  readonly label: string;
  /** Holds just where that operator does not. */
  readonly not: Operator;
}

/** Ties the types of a reader and of its test together. */
const asks = <Value, Fact>(
  label: string,
  takes: ValueKind,
  read: Reader<Value>,
  test: (value: Value) => (fact: Fact) => boolean,
): AskingOperator => ({ label, takes, read, test });

const present = asks('is known', 'nothing', nothing, () => () => true);
const absent: NegatingOperator = { label: 'is not known', not: 'present' };
const presence = { present, absent };

const equality = {
  is: asks('is', 'choice', id, (wanted: string) => (fact: string) => fact === wanted),
  is_not: { label: 'is not', not: 'is' },
  in: asks('is one of', 'choices', some(id), (wanted: readonly string[]) => {
    const set = new Set(wanted);
    return (fact: string) => set.has(fact);
  }),
  not_in: { label: 'is none of', not: 'in' },
} as const satisfies Partial<Record<Operator, OperatorSpec>>;

const operatorsByType: Readonly<Record<FieldType, Partial<Readonly<Record<Operator, OperatorSpec>>>>> = {
  /** Case, accents, punctuation and spacing do not count. */
  text: {
    is: asks('is', 'text', folded, (wanted: string) => {
      const padded = ` ${wanted} `;
      return (fact: Wording) => fact.padded === padded;
    }),
    is_not: { label: 'is not', not: 'is' },
    in: asks('is one of', 'texts', some(folded), (wanted: readonly string[]) => {
      const padded = new Set(wanted.map((text) => ` ${text} `));
      return (fact: Wording) => padded.has(fact.padded);
    }),
    not_in: { label: 'is none of', not: 'in' },
    contains: asks(
      'contains',
      'text',
      folded,
      (wanted: string) => (fact: Wording) => fact.padded.includes(wanted),
    ),
    contains_not: { label: 'does not contain', not: 'contains' },
    starts_with: asks('starts with', 'text', folded, (wanted: string) => {
      const start = ` ${wanted}`;
      return (fact: Wording) => fact.padded.startsWith(start);
    }),
    has_words: asks(
      'has the words',
      'phrases',
      some(folded),
      (wanted: readonly string[]) => (fact: Wording) => wanted.some((phrase) => holdsWords(fact, phrase)),
    ),
    ...presence,
  },
  /** `es` stands for every Spanish, `es-MX` for that of Mexico alone. */
  language: {
    is: asks(
      'is',
      'language',
      languageRange,
      (wanted: string) => (fact: string) => isInLanguage(fact, wanted),
    ),
    is_not: { label: 'is not', not: 'is' },
    in: asks(
      'is one of',
      'languages',
      some(languageRange),
      (wanted: readonly string[]) => (fact: string) => wanted.some((each) => isInLanguage(fact, each)),
    ),
    not_in: { label: 'is none of', not: 'in' },
    ...presence,
  },
  choice: { ...equality, ...presence },
  number: {
    equals: asks('is', 'number', number, (wanted: number) => (fact: number) => fact === wanted),
    less_than: asks('is less than', 'number', number, (limit: number) => (fact: number) => fact < limit),
    at_most: asks('is at most', 'number', number, (limit: number) => (fact: number) => fact <= limit),
    more_than: asks('is more than', 'number', number, (limit: number) => (fact: number) => fact > limit),
    at_least: asks('is at least', 'number', number, (limit: number) => (fact: number) => fact >= limit),
    /** Both ends count. */
    between: asks(
      'is between',
      'numbers',
      range(number),
      ([low, high]: readonly [number, number]) =>
        (fact: number) =>
          fact >= low && fact <= high,
    ),
    ...presence,
  },
  list: {
    has: asks('has', 'tag', id, (wanted: string) => (fact: readonly string[]) => fact.includes(wanted)),
    has_any: asks(
      'has any of',
      'tags',
      some(id),
      (wanted: readonly string[]) => (fact: readonly string[]) => wanted.some((each) => fact.includes(each)),
    ),
    has_all: asks(
      'has all of',
      'tags',
      some(id),
      (wanted: readonly string[]) => (fact: readonly string[]) => wanted.every((each) => fact.includes(each)),
    ),
    has_none: { label: 'has none of', not: 'has_any' },
    present: asks('has any', 'nothing', nothing, () => (fact: readonly string[]) => fact.length > 0),
    absent: { label: 'has none', not: 'present' },
  },
  yes_no: {
    is: asks('is', 'yes_no', yesOrNo, (wanted: boolean) => (fact: boolean) => fact === wanted),
    is_not: { label: 'is not', not: 'is' },
  },
  date: {
    on: asks('is on', 'date', date, (wanted: string) => (fact: string) => fact === wanted),
    before: asks('is before', 'date', date, (limit: string) => (fact: string) => fact < limit),
    after: asks('is after', 'date', date, (limit: string) => (fact: string) => fact > limit),
    /** Both days count. */
    between: asks(
      'is between',
      'dates',
      range(date),
      ([from, to]: readonly [string, string]) =>
        (fact: string) =>
          fact >= from && fact <= to,
    ),
  },
  time: {
    before: asks('is before', 'time', time, (limit: string) => (fact: string) => fact < limit),
    /** That minute counts: after 17:00 and before 17:00 leave nothing out. */
    after: asks('is at or after', 'time', time, (limit: string) => (fact: string) => fact >= limit),
    /** The first counts, the second does not; across midnight where the second is the earlier one. */
    between: asks(
      'is between',
      'times',
      hoursOfDay,
      ([from, to]: readonly [string, string]) =>
        (fact: string) =>
          from < to ? fact >= from && fact < to : fact >= from || fact < to,
    ),
  },
};

/** An operator of a field's type; undefined where the field does not take it. */
export function operatorOf(field: Field, operator: Operator): OperatorSpec | undefined {
  const asked = operator === 'present' || operator === 'absent';
  if (asked && field.type !== 'list' && field.optional !== true) return undefined;
  const ofType = operatorsByType[field.type];
  return Object.hasOwn(ofType, operator) ? ofType[operator] : undefined;
}

/** The names of the operators that a field takes. */
export const operatorNamesOf = (field: Field): Operator[] =>
  (Object.keys(operatorsByType[field.type]) as Operator[]).filter(
    (operator) => operatorOf(field, operator) !== undefined,
  );

/** A comparison in its plain form: a question that is not a negation, and whether it has to hold. */
export interface Literal {
  readonly field: FieldName;
  readonly operator: Operator;
  /** As its operator reads it. */
  readonly value: unknown;
  readonly holds: boolean;
}

/** The plain form of a comparison, or what is wrong with it and where. */
export function literalOf({
  field: name,
  operator,
  value,
}: Comparison): Literal | (WrongValue & { readonly part: 'field' | 'operator' | 'value' }) {
  if (!isField(name)) return { wrong: `no field is called ${name}`, part: 'field' };
  const field = fields[name];
  const spec = operatorOf(field, operator);
  if (spec === undefined)
    return {
      wrong: `${name} does not take ${operator}; it takes ${operatorNamesOf(field).join(', ')}`,
      part: 'operator',
    };
  const plain = 'not' in spec ? spec.not : operator;
  const asking = 'not' in spec ? operatorOf(field, plain) : spec;
  if (asking === undefined || 'not' in asking) throw new Error(`${plain} of ${field.type} is no question`);
  const read = asking.read(value);
  if (isWrong(read)) return { ...read, part: 'value' };
  return { field: name, operator: plain, value: read, holds: !('not' in spec) };
}

/** Whether a literal holds of a prepared fact. */
export function testOf({ field, operator, value, holds }: Literal): (fact: unknown) => boolean {
  const spec = operatorOf(fields[field], operator);
  if (spec === undefined || 'not' in spec) throw new Error(`${operator} of ${field} is no question`);
  const test = spec.test(value as never) as (fact: unknown) => boolean;
  return holds ? (fact) => fact !== undefined && test(fact) : (fact) => fact === undefined || !test(fact);
}
