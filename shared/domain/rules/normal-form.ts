/**
 * What can be said about conditions without any inquiry: whether one can hold at
 * all, and whether one holds wherever another does. Both look at a condition as
 * the ways in which it can hold: each way a list of literals that all hold.
 *
 * The answers are sound, not complete: what is called impossible is impossible,
 * and where there is too much to look at, nothing is said.
 */
import type { Field } from './facts.ts';
import { type FieldName, fields, isWrong, type Literal, literalOf, prepareFact, testOf } from './fields.ts';
import type { Condition } from './rule.ts';

/** Literals that hold together. */
export type Way = readonly Literal[];

/** The most ways that are kept, and the most checks for one condition. */
const mostWays = 500;
const mostChecks = 20_000;

/** A value that no condition names: another id, another language. */
const anything = 'q-anything-else';

/** The days beside a date. */
function daysAround(date: string): string[] {
  const day = 86_400_000;
  const at = Date.parse(`${date}T00:00:00Z`);
  return [at - day, at, at + day].map((each) => new Date(each).toISOString().slice(0, 10));
}

/** The minutes beside a time of day. */
function minutesAround(time: string): string[] {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return [-1, 0, 1]
    .map((step) => hours * 60 + minutes + step)
    .filter((minute) => minute >= 0 && minute < 24 * 60)
    .map(
      (minute) =>
        `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`,
    );
}

/** Each number named, one between each two neighbours, and one beyond either end. */
function numbersAround(named: readonly number[]): number[] {
  const sorted = [...new Set(named)].sort((a, b) => a - b);
  const [first, last] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const between = sorted.slice(1).map((each, i) => ((sorted[i] ?? 0) + each) / 2);
  return [first - 1, ...sorted, ...between, last + 1];
}

/** All sets of a few tags, with and without one that nothing names. */
function setsOf(tags: readonly string[]): string[][] | undefined {
  if (tags.length > 8) return undefined;
  const sets = Array.from({ length: 2 ** tags.length }, (_, bits) => tags.filter((_, i) => bits & (1 << i)));
  return sets.flatMap((set) => [set, [...set, anything]]);
}

/**
 * Facts of which one satisfies the literals of a field, if any fact at all does;
 * undefined where there would be too many.
 */
function candidatesOf(field: Field, literals: Way): unknown[] | undefined {
  const named = literals.flatMap(({ value }) =>
    Array.isArray(value) ? value : value === undefined ? [] : [value],
  );
  const known = ((): unknown[] | undefined => {
    switch (field.type) {
      case 'choice':
        return Array.isArray(field.values) ? [...field.values] : [...named, anything];
      case 'yes_no':
        return [true, false];
      case 'number':
        return numbersAround(named);
      case 'date':
        return named.flatMap(daysAround);
      case 'time':
        // With no time named, any will do.
        return [...named.flatMap(minutesAround), '00:00'];
      case 'language':
        return [...named, anything];
      case 'list':
        return setsOf([...new Set<string>(named)]);
      case 'text':
        return undefined;
    }
  })();
  const mayBeAbsent = field.optional === true || field.at !== undefined;
  return known && (mayBeAbsent ? [...known, undefined] : known);
}

/** Whether wherever a text has `a`, it has `b`; both are literals that are to hold. */
function textImplies(a: Literal, b: Literal): boolean {
  if (b.operator === 'present') return true;
  if (a.operator === 'present') return false;
  const exact =
    a.operator === 'is' ? [a.value as string] : a.operator === 'in' ? (a.value as string[]) : undefined;
  if (exact !== undefined) {
    const test = testOf({ ...b, holds: true });
    return exact.every((text) => test(prepareFact('text', text)));
  }
  // Of each phrase of a list, one of which is there.
  const parts = a.operator === 'has_words' ? (a.value as string[]) : [a.value as string];
  const wanted = b.value as string;
  switch (b.operator) {
    case 'contains':
      return parts.every((part) => part.includes(wanted));
    case 'has_words':
      return (
        a.operator === 'has_words' &&
        parts.every((part) => (b.value as string[]).some((phrase) => ` ${part} `.includes(` ${phrase} `)))
      );
    case 'starts_with':
      return a.operator === 'starts_with' && parts.every((part) => part.startsWith(wanted));
    default:
      return false;
  }
}

/** Whether no text satisfies these literals. */
function isImpossibleText(literals: Way): boolean {
  const held = literals.filter(({ holds }) => holds);
  const refused = literals.filter(({ holds }) => !holds);
  const exact = held.find(({ operator }) => operator === 'is' || operator === 'in');
  if (exact !== undefined) {
    const tests = literals.map(testOf);
    const texts = exact.operator === 'is' ? [exact.value as string] : (exact.value as string[]);
    return !texts.some((text) => {
      const fact = prepareFact('text', text);
      return tests.every((test) => test(fact));
    });
  }
  const starts = held
    .filter(({ operator }) => operator === 'starts_with')
    .map(({ value }) => value as string);
  const apart = starts.some((a) => starts.some((b) => !a.startsWith(b) && !b.startsWith(a)));
  if (apart) return true;
  return held.some((a) => {
    // Of a list of phrases, those go that the text may not have; with none left, it is impossible.
    const each = a.operator === 'has_words' ? (a.value as string[]).map((phrase) => [phrase]) : [a.value];
    return each.every((value) => refused.some((b) => textImplies({ ...a, value }, b)));
  });
}

/** Whether no fact of a field satisfies these literals of it. */
function isImpossibleOfField(name: FieldName, literals: Way): boolean {
  const field = fields[name];
  if (field.type === 'text') return isImpossibleText(literals);
  const candidates = candidatesOf(field, literals);
  if (candidates === undefined) return false;
  const tests = literals.map(testOf);
  return !candidates.some((candidate) => {
    const fact = prepareFact(field.type, candidate);
    return tests.every((test) => test(fact));
  });
}

/** Literals that exclude each other, as few as explain why the way is impossible; undefined where it is possible. */
export function clashOf(way: Way): Way | undefined {
  for (const name of new Set(way.map(({ field }) => field))) {
    const own = way.filter(({ field }) => field === name);
    if (!isImpossibleOfField(name, own)) continue;
    const alone = own.find((literal) => isImpossibleOfField(name, [literal]));
    if (alone !== undefined) return [alone];
    for (const [i, a] of own.entries())
      for (const b of own.slice(i + 1)) if (isImpossibleOfField(name, [a, b])) return [a, b];
    return own;
  }
  return undefined;
}

/** What is spent of the checks that one question may take. */
interface Budget {
  left: number;
}

const isImpossible = (way: Way): boolean => clashOf(way) !== undefined;

/** Every way of the one list together with every way of the other; undefined where they are too many. */
function together(a: readonly Way[], b: readonly Way[], budget: Budget): Way[] | undefined {
  const ways: Way[] = [];
  for (const one of a) {
    for (const other of b) {
      if (budget.left-- <= 0) return undefined;
      const way = [...one, ...other];
      if (isImpossible(way)) continue;
      if (ways.length >= mostWays) return undefined;
      ways.push(way);
    }
  }
  return ways;
}

function waysWithin(
  condition: Condition,
  holds: boolean,
  drops: (name: FieldName) => boolean,
  budget: Budget,
): Way[] | undefined {
  if ('not' in condition) return waysWithin(condition.not, !holds, drops, budget);
  if ('all' in condition || 'any' in condition) {
    const parts = 'all' in condition ? condition.all : condition.any;
    let ways: Way[] | undefined = 'all' in condition === holds ? [[]] : [];
    for (const part of parts) {
      const own = waysWithin(part, holds, drops, budget);
      if (own === undefined) return undefined;
      ways = 'all' in condition === holds ? together(ways, own, budget) : [...ways, ...own];
      if (ways === undefined || ways.length > mostWays) return undefined;
    }
    return ways;
  }
  const literal = literalOf(condition);
  if (isWrong(literal)) return undefined;
  if (drops(literal.field)) return [[]];
  const way: Way = [{ ...literal, holds: literal.holds === holds }];
  return isImpossible(way) ? [] : [way];
}

/**
 * The ways in which a condition can hold; none where it cannot. Undefined where
 * they are too many to look at, or where a comparison of it is not valid.
 *
 * @param drops - fields whose comparisons are left out, as if they always held
 */
export function waysOf(
  condition: Condition | undefined,
  drops: (name: FieldName) => boolean = () => false,
): readonly Way[] | undefined {
  return condition === undefined ? [[]] : waysWithin(condition, true, drops, { left: mostChecks });
}

/** Whether a condition can hold; true where that cannot be told. */
export const canHold = (condition: Condition | undefined): boolean => waysOf(condition)?.length !== 0;

/** Whether two ways, each possible by itself, exclude each other. */
function excludes(a: Way, b: Way): boolean {
  const shared = new Set(b.map(({ field }) => field));
  return [...new Set(a.map(({ field }) => field))].some(
    (name) =>
      shared.has(name) &&
      isImpossibleOfField(
        name,
        [...a, ...b].filter(({ field }) => field === name),
      ),
  );
}

/** Whether two conditions can hold of the same facts, by the ways of each; true where that cannot be told. */
export const canMeet = (a: readonly Way[] | undefined, b: readonly Way[] | undefined): boolean =>
  a === undefined || b === undefined || a.some((one) => b.some((other) => !excludes(one, other)));

/** The ways in which a condition can fail; none where there is no condition. */
export const waysToFail = (condition: Condition | undefined): readonly Way[] | undefined =>
  condition === undefined ? [] : waysOf({ not: condition });

/**
 * Whether something can hold only where something else does; false where that
 * cannot be told.
 *
 * @param holds - the ways in which the one can hold
 * @param fails - the ways in which the other can fail
 */
export const isImplied = (holds: readonly Way[] | undefined, fails: readonly Way[] | undefined): boolean =>
  holds !== undefined && fails !== undefined && holds.every((a) => fails.every((b) => excludes(a, b)));
