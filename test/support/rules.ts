/** What tests of rules share: facts, and conditions over all of them, drawn from few enough values to meet. */
import fc from 'fast-check';
import type { Facts } from '../../shared/domain/rules/facts.ts';
import { type FieldName, fieldNames, fields } from '../../shared/domain/rules/fields.ts';
import type { Action, Comparison, Condition, Rule } from '../../shared/domain/rules/rule.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';

const plainFacts: Facts = {
  trigger: 'arrival',
  channel: 'web_form',
  source: 'website',
  location: 'main-street',
  insuranceKind: 'unknown',
  hasPhone: true,
  hasEmail: true,
  hasName: true,
  writtenForPatient: false,
  returning: false,
  tags: [],
  score: 54,
  tier: 'B',
  urgency: 'routine',
  redFlag: false,
  stage: 'new',
  arrival: { date: '2026-11-20', time: '16:30', weekday: 'friday', open: true },
};

/** A web form on a Friday afternoon, with what a test is about. */
export const factsOf = (change: Partial<Facts> = {}): Facts => ({ ...plainFacts, ...change });

let rules = 0;
/** A rule that tags, unless the test says more. */
export const ruleOf = (
  change: Partial<Omit<Rule, 'when' | 'actions'>> & { when?: Condition | undefined; actions?: Action[] } = {},
): Rule => {
  rules += 1;
  return ruleSchema.parse({
    id: `rule-${rules}`,
    name: `Rule ${rules}`,
    actions: [{ do: 'tag', tag: 'seen' }],
    ...change,
  });
};

const one = <Value>(...values: Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);
const maybe = <Value>(arb: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arb, { nil: undefined });

const vocabulary = [
  'mole',
  'changing mole',
  'MOLE',
  'Móle!',
  'pain',
  'ain',
  'Spain',
  'my changing pain',
  '?!',
];
const texts = fc.oneof(
  one(...vocabulary),
  fc.array(one(...vocabulary, 'x'), { maxLength: 5 }).map((words) => words.join(' ')),
  one('__proto__', 'constructor', '{"var":"x"}', '`$', '"); throw 1; ("', '\u2028', '../x'),
);
const searchable = one(...vocabulary.slice(0, -1), 'chang', 'm', 'constructor', '"); throw 1; ("x');
const tagsArb = one('a', 'b', 'c', 'constructor');
const ids: Readonly<Record<string, readonly [string, ...string[]]>> = {
  services: ['acne', 'implant', 'gone'],
  sources: ['website', 'search-ad', '__proto__'],
  locations: ['main-street', 'elsewhere'],
  members: ['ana', 'ben'],
};
const times = ['00:00', '07:59', '08:00', '08:01', '16:59', '17:00', '23:59'] as const;
const dates = ['2026-11-19', '2026-11-20', '2026-11-21', '2027-01-01'] as const;
const languages = ['es', 'es-MX', 'ES-mx', 'en', 'eng', 'zh-Hant'] as const;
const numbers = one(0, 17, 18, 40, 41.5, 70);

/** Facts of the trigger arrival. */
export const factsArb: fc.Arbitrary<Facts> = fc.record({
  trigger: fc.constant('arrival' as const),
  channel: one('web_form' as const, 'missed_call' as const, 'referral' as const),
  source: one(...(ids['sources'] ?? [])),
  campaign: maybe(texts),
  service: maybe(one(...(ids['services'] ?? []))),
  serviceWording: maybe(texts),
  serviceValueCents: maybe(numbers),
  location: one(...(ids['locations'] ?? [])),
  language: maybe(one(...languages)),
  insurance: maybe(texts),
  insuranceKind: one('public' as const, 'private' as const, 'self_pay' as const, 'unknown' as const),
  postalCode: maybe(texts),
  age: maybe(numbers),
  ageBand: maybe(one('minor' as const, 'adult' as const, 'senior' as const)),
  message: maybe(texts),
  preferredTime: maybe(texts),
  hasPhone: fc.boolean(),
  hasEmail: fc.boolean(),
  hasName: fc.boolean(),
  writtenForPatient: fc.boolean(),
  returning: fc.boolean(),
  lifecycle: maybe(one('lead' as const, 'patient' as const)),
  tags: fc.uniqueArray(tagsArb),
  owner: maybe(one(...(ids['members'] ?? []))),
  score: numbers,
  tier: one('A' as const, 'B' as const, 'C' as const),
  urgency: one('same_day' as const, 'soon' as const, 'routine' as const),
  redFlag: fc.boolean(),
  stage: one('new' as const, 'contacted' as const),
  previousStage: maybe(one('new' as const, 'contacted' as const)),
  disposition: maybe(one('reached' as const, 'voicemail' as const)),
  silentHours: maybe(numbers),
  arrival: fc.record({
    date: one(...dates),
    time: one(...times),
    weekday: one('monday' as const, 'friday' as const, 'sunday' as const),
    open: fc.boolean(),
  }),
});

const list = <Value>(arb: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(arb, { minLength: 1, maxLength: 3 });
const valued = (operators: readonly Comparison['operator'][], value: fc.Arbitrary<unknown>) =>
  fc.record({ operator: one(...operators), value }) as fc.Arbitrary<Pick<Comparison, 'operator' | 'value'>>;
const sorted = <Value extends string | number>(arb: fc.Arbitrary<Value>) =>
  fc.tuple(arb, arb).map(([a, b]) => (a <= b ? [a, b] : [b, a]));
const presence: fc.Arbitrary<Pick<Comparison, 'operator' | 'value'>> = fc.record({
  operator: one('present' as const, 'absent' as const),
});

function questionOf(name: FieldName): fc.Arbitrary<Pick<Comparison, 'operator' | 'value'>> {
  const field = fields[name];
  const kinds = ((): fc.Arbitrary<Pick<Comparison, 'operator' | 'value'>>[] => {
    switch (field.type) {
      case 'text':
        return [
          valued(['is', 'is_not', 'contains', 'contains_not', 'starts_with', 'has_words'], searchable),
          valued(['in', 'not_in', 'has_words'], list(searchable)),
        ];
      case 'language':
        return [
          valued(['is', 'is_not'], one(...languages)),
          valued(['in', 'not_in'], list(one(...languages))),
        ];
      case 'choice': {
        const { values } = field;
        const known = one(...((typeof values === 'string' ? ids[values] : values) ?? []));
        return [valued(['is', 'is_not'], known), valued(['in', 'not_in'], list(known))];
      }
      case 'number':
        return [
          valued(['equals', 'less_than', 'at_most', 'more_than', 'at_least'], numbers),
          valued(['between'], sorted(numbers)),
        ];
      case 'list':
        return [valued(['has'], tagsArb), valued(['has_any', 'has_all', 'has_none'], list(tagsArb))];
      case 'yes_no':
        return [valued(['is', 'is_not'], fc.boolean())];
      case 'date':
        return [valued(['on', 'before', 'after'], one(...dates)), valued(['between'], sorted(one(...dates)))];
      case 'time':
        return [
          valued(['before', 'after'], one(...times)),
          valued(
            ['between'],
            fc.tuple(one(...times), one(...times)).filter(([from, to]) => from !== to),
          ),
        ];
    }
  })();
  const asked = field.optional === true || field.type === 'list';
  return fc.oneof(...kinds, ...(asked ? [presence] : []));
}

const comparisonOn = (names: readonly FieldName[]): fc.Arbitrary<Comparison> =>
  one(...names).chain((field) => questionOf(field).map((question) => ({ field, ...question })));

/** Conditions, nested, on these fields. */
export const conditionOn = (names: readonly FieldName[]): fc.Arbitrary<Condition> =>
  fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      comparisonOn(names),
      fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('condition') }),
    ),
  })).condition;

/** Fields that are known on arrival. */
export const arrivalFields = fieldNames.filter((name) => fields[name].at === undefined);
export const conditionArb = conditionOn(arrivalFields);
