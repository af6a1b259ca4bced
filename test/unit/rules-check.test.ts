import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Practice } from '../../shared/domain/practice.ts';
import { checkRules } from '../../shared/domain/rules/check.ts';
import { compileRules } from '../../shared/domain/rules/compile.ts';
import type { Facts } from '../../shared/domain/rules/facts.ts';
import { fieldNames, fields, isWrong, literalOf, operatorNamesOf } from '../../shared/domain/rules/fields.ts';
import { canHold, isImplied, waysOf, waysToFail } from '../../shared/domain/rules/normal-form.ts';
import type { Action, Condition, Rule } from '../../shared/domain/rules/rule.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { smallPractice } from '../support/fixtures.ts';
import { conditionArb, conditionOn, factsArb, ruleOf } from '../support/rules.ts';

const withRules = (...rules: Rule[]): Practice => ({ ...smallPractice, rules });
const issuesOf = (...rules: Rule[]): string[] =>
  checkRules(withRules(...rules)).map(({ path, message }) => `${path.join('.')}: ${message}`);
/** Compiled once for many facts. */
const tester = (when: Condition): ((facts: Facts) => boolean) => {
  const rules = compileRules([ruleOf({ when })]);
  return (facts) => rules.evaluate(facts).held.length === 1;
};

type When = Condition;
const is = (field: string, value: string | boolean): When => ({ field, operator: 'is', value });
const number = (operator: 'at_least' | 'less_than' | 'equals', value: number, field = 'score'): When => ({
  field,
  operator,
  value,
});

describe('a rule is refused', () => {
  it.each<[string, Partial<Omit<Rule, 'when'>> & { when?: When }, string]>([
    [
      'for a field that is none',
      { when: is('servise', 'acne') },
      'rules.0.when.field: rule r: no field is called servise; did you mean service?',
    ],
    [
      'for a field like no other',
      { when: is('zzzzzz', 'acne') },
      'rules.0.when.field: rule r: no field is called zzzzzz',
    ],
    [
      "for a field of every object's",
      { when: { field: '__proto__', operator: 'present' } },
      'rules.0.when.field: rule r: no field is called __proto__',
    ],
    [
      'for an operator of another type',
      { when: { field: 'score', operator: 'contains', value: 'x' } },
      'rules.0.when.operator: rule r: score does not take contains; it takes equals, less_than, at_most, more_than, at_least, between',
    ],
    [
      'for presence of what is always there',
      { when: { field: 'tier', operator: 'absent' } },
      'rules.0.when.operator: rule r: tier does not take absent; it takes is, is_not, in, not_in',
    ],
    [
      'for a value of another type',
      { when: { field: 'score', operator: 'at_least', value: '70' } },
      'rules.0.when.value: rule r: the value must be a number',
    ],
    [
      'for a missing value',
      { when: { field: 'service', operator: 'is' } },
      'rules.0.when.value: rule r: the value must be one of the known values',
    ],
    [
      'for a value where none is taken',
      { when: { field: 'service', operator: 'present', value: true } },
      'rules.0.when.value: rule r: the value must be left out',
    ],
    [
      'for an empty list',
      { when: { field: 'service', operator: 'in', value: [] } },
      'rules.0.when.value: rule r: the value must not be an empty list',
    ],
    [
      'for a text of nothing',
      { when: { field: 'message', operator: 'contains', value: '?!' } },
      'rules.0.when.value: rule r: the value needs a letter or a digit',
    ],
    [
      'for a range upside down',
      { when: { field: 'score', operator: 'between', value: [70, 40] } },
      'rules.0.when.value: rule r: the value has its lowest above its highest',
    ],
    [
      'for no language',
      { when: is('language', 'Spanish!') },
      'rules.0.when.value: rule r: the value must be a language tag such as es or en-US',
    ],
    [
      'for no date',
      { when: { field: 'arrivalDate', operator: 'on', value: '2026-02-30' } },
      'rules.0.when.value: rule r: the value must be a date such as 2026-11-20',
    ],
    [
      'for no time',
      { when: { field: 'arrivalTime', operator: 'before', value: '8am' } },
      'rules.0.when.value: rule r: the value must be a 24-hour time such as 08:00, in quotation marks',
    ],
    [
      'for a time that is no span',
      { when: { field: 'arrivalTime', operator: 'between', value: ['08:00', '08:00'] } },
      'rules.0.when.value: rule r: the value has the same time twice',
    ],
    [
      'for no yes or no',
      { when: is('returning', 'yes') },
      'rules.0.when.value: rule r: the value must be true or false',
    ],
    [
      'for an unknown service, deep inside',
      { when: { all: [{ not: is('service', 'implnt') }] } },
      'rules.0.when.all.0.not.value: rule r: no service has the id implnt; did you mean implant?',
    ],
    [
      'for an unknown source in a list',
      { when: { field: 'source', operator: 'in', value: ['website', 'fax'] } },
      'rules.0.when.value.1: rule r: no source has the id fax',
    ],
    [
      'for an unknown location',
      { when: is('location', 'mars') },
      'rules.0.when.value: rule r: no location has the id mars',
    ],
    [
      'for an unknown owner',
      { when: is('owner', 'zoe') },
      'rules.0.when.value: rule r: no member has the id zoe',
    ],
    [
      'for a choice that is none',
      { when: is('tier', 'D') },
      'rules.0.when.value: rule r: D is no tier: it is one of A, B, C',
    ],
    [
      'for a field of another trigger',
      { when: is('disposition', 'voicemail') },
      'rules.0.when.field: rule r: disposition is known at disposition only, not at arrival',
    ],
    [
      'for a field of one of its triggers only',
      { on: ['arrival', 'stage_change'], when: is('previousStage', 'new') },
      'rules.0.when.field: rule r: previousStage is known at stage_change only, not at arrival',
    ],
    [
      'for silence without its hours',
      { on: ['silence'] },
      'rules.0.silentHours: rule r: silence needs silentHours, the opening hours without anything happening',
    ],
    [
      'for hours without silence',
      { silentHours: 18 },
      'rules.0.silentHours: rule r: only rules on silence take silentHours',
    ],
    ['for a trigger twice', { on: ['arrival', 'arrival'] }, 'rules.0.on.1: rule r: arrival is there twice'],
    [
      'for an unknown pool',
      { actions: [{ do: 'send_to_pool', pool: 'skinn' }] },
      'rules.0.actions.0.pool: rule r: no pool has the id skinn; did you mean skin?',
    ],
    [
      'for an unknown member',
      { actions: [{ do: 'send_to_member', member: 'zoe' }] },
      'rules.0.actions.0.member: rule r: no member has the id zoe',
    ],
    [
      'for nobody to notify',
      { actions: [{ do: 'notify', whom: 'zoe' }] },
      'rules.0.actions.0.whom: rule r: no member has the id zoe',
    ],
    [
      'for closing without a reason',
      { actions: [{ do: 'set_stage', stage: 'closed' }] },
      'rules.0.actions.0.closeReason: rule r: closed needs a closeReason',
    ],
    [
      'for a reason without closing',
      { actions: [{ do: 'set_stage', stage: 'contacted', closeReason: 'spam' }] },
      'rules.0.actions.0.closeReason: rule r: only closed takes a closeReason, not contacted',
    ],
    [
      'for going back to new',
      { actions: [{ do: 'set_stage', stage: 'new' }] },
      'rules.0.actions.0.stage: rule r: no inquiry goes back to new',
    ],
    [
      'for two tiers',
      { actions: [{ do: 'set_tier', tier: 'A' }, { do: 'raise_tier' }] },
      'rules.0.actions.1.do: rule r: raise_tier contradicts set_tier: a rule says one thing about the tier',
    ],
    [
      'for two pools',
      {
        actions: [
          { do: 'send_to_pool', pool: 'skin' },
          { do: 'send_to_pool', pool: 'intake' },
        ],
      },
      'rules.0.actions.1.do: rule r: send_to_pool contradicts send_to_pool: a rule says one thing about the pool',
    ],
    [
      'for two people',
      { actions: [{ do: 'send_to_owner' }, { do: 'send_to_member', member: 'ana' }] },
      'rules.0.actions.1.do: rule r: send_to_member contradicts send_to_owner: a rule says one thing about who it goes to',
    ],
    [
      'for the same twice',
      {
        actions: [
          { do: 'tag', tag: 'x' },
          { do: 'tag', tag: 'x' },
        ],
      },
      'rules.0.actions.1: rule r: tag is there twice',
    ],
    [
      'for a signature of nobody',
      { managerReason: { member: 'zoe', reason: 'because it is so and so' } },
      'rules.0.managerReason.member: rule r: no member has the id zoe',
    ],
    [
      'for a signature of no manager',
      { managerReason: { member: 'ana', reason: 'because it is so and so' } },
      'rules.0.managerReason.member: rule r: ana is no manager, and only one may sign',
    ],
  ])('%s', (_, change, expected) => {
    expect(issuesOf(ruleOf({ id: 'r', ...change }))).toEqual([expected]);
  });

  it('for the signature of a manager who is gone', () => {
    const practice = structuredClone(smallPractice);
    for (const member of practice.members) if (member.id === 'mia') member.enabled = false;
    practice.rules = [
      ruleOf({ id: 'r', managerReason: { member: 'mia', reason: 'because it is so and so' } }),
    ];

    expect(checkRules(practice).map(({ message }) => message)).toEqual([
      'rule r: mia is no manager who is enabled, and only one may sign',
    ]);
  });

  it('for an id that is there twice', () => {
    expect(issuesOf(ruleOf({ id: 'r' }), ruleOf({ id: 'r' }))).toEqual([
      'rules.1.id: rule r: r is there twice',
    ]);
  });

  it('for more than anybody reads', () => {
    const many: When = {
      any: Array.from({ length: 40 }, () => ({ any: [is('tier', 'A'), is('tier', 'B'), is('tier', 'C')] })),
    };
    let deep: When = is('tier', 'A');
    for (let i = 0; i < 12; i++) deep = { not: deep };

    expect(issuesOf(ruleOf({ id: 'r', when: many }))).toEqual([
      'rules.0.when: rule r: has 120 comparisons; a rule takes 100 at most',
    ]);
    expect(issuesOf(ruleOf({ id: 'r', when: deep }))[0]).toContain('is nested deeper than 8 levels');
  });

  it('with every issue, not only the first', () => {
    const when: When = { all: [is('servise', 'x'), is('tier', 'D')] };

    expect(issuesOf(ruleOf({ when, actions: [{ do: 'set_stage', stage: 'closed' }] }))).toHaveLength(3);
  });
});

it('takes rules that use every field with every operator it has', () => {
  const values: Record<string, unknown> = {
    source: 'website',
    service: 'acne',
    location: 'main-street',
    owner: 'ana',
    language: 'es',
    arrivalDate: '2026-11-20',
    arrivalTime: '08:00',
  };
  const rules = fieldNames.flatMap((field) =>
    operatorNamesOf(fields[field]).map((operator) => {
      const { type, values: choices } = fields[field];
      const single =
        values[field] ??
        (typeof choices === 'object'
          ? choices[0]
          : type === 'number'
            ? 20
            : type === 'yes_no'
              ? true
              : 'word');
      const value =
        operator === 'present' || operator === 'absent'
          ? undefined
          : operator === 'between'
            ? type === 'time'
              ? ['08:00', '09:00']
              : [single, single]
            : single;
      // On arrival every stage is new.
      const on = fields[field].at ?? ([field === 'stage' ? 'reply' : 'arrival'] as const);
      const when = { field, operator, ...(value !== undefined && { value }) } as When;
      return ruleOf({ when, on: [...on], ...(on.includes('silence' as never) && { silentHours: 18 }) });
    }),
  );

  expect(rules.length).toBeGreaterThan(100);
  expect(issuesOf(...rules)).toEqual([]);
  expect(practiceSchema.safeParse(withRules(...rules)).success).toBe(true);
});

describe('a contradiction', () => {
  it.each<[string, When, string | undefined]>([
    [
      'two services',
      { all: [is('service', 'acne'), is('service', 'implant')] },
      'when: rule r: can never hold: "service is acne" and "service is implant" exclude each other',
    ],
    [
      'a score below and above',
      { all: [number('less_than', 40), number('at_least', 70)] },
      'when: rule r: can never hold: "score less_than 40" and "score at_least 70" exclude each other',
    ],
    [
      'present and absent',
      {
        all: [
          { field: 'service', operator: 'present' },
          { field: 'service', operator: 'absent' },
        ],
      },
      'when: rule r: can never hold: "service present" and "not service present" exclude each other',
    ],
    [
      'something and its negation',
      { all: [is('tier', 'A'), { not: is('tier', 'A') }] },
      'when: rule r: can never hold: "tier is A" and "not tier is A" exclude each other',
    ],
    [
      'a negation of everything',
      { not: { field: 'tier', operator: 'in', value: ['A', 'B', 'C'] } },
      'when: rule r: can never hold: nothing satisfies "not tier in A, B, C"',
    ],
    [
      'three together',
      {
        all: [
          { field: 'tier', operator: 'is_not', value: 'A' },
          { field: 'tier', operator: 'is_not', value: 'B' },
          { field: 'tier', operator: 'is_not', value: 'C' },
        ],
      },
      'when: rule r: can never hold: "not tier is A" and "not tier is B" and "not tier is C" exclude each other',
    ],
    [
      'a branch of an any',
      { any: [is('returning', true), { all: [is('tier', 'A'), is('tier', 'B')] }] },
      'when.any.1: rule r: can never hold: "tier is A" and "tier is B" exclude each other',
    ],
    [
      'all branches of an any',
      { all: [is('tier', 'A'), { any: [is('tier', 'B'), is('tier', 'C')] }] },
      'when: rule r: can never hold: each of the ways in which it might contradicts itself',
    ],
    [
      'inside a not',
      { not: { all: [is('tier', 'A'), is('tier', 'B')] } },
      'when.not: rule r: can never hold: "tier is A" and "tier is B" exclude each other',
    ],
    [
      'words that a text cannot have',
      {
        all: [
          { field: 'message', operator: 'has_words', value: ['mole', 'a mole'] },
          { not: { field: 'message', operator: 'contains', value: 'mol' } },
        ],
      },
      'when: rule r: can never hold: "message has_words mole, a mole" and "not message contains mol" exclude each other',
    ],
    [
      'two starts',
      {
        all: [
          { field: 'postalCode', operator: 'starts_with', value: '940' },
          { field: 'postalCode', operator: 'starts_with', value: '95' },
        ],
      },
      'when: rule r: can never hold: "postalCode starts_with 940" and "postalCode starts_with 95" exclude each other',
    ],
    [
      'a text that is none of the list',
      {
        all: [
          { field: 'insurance', operator: 'in', value: ['Aetna', 'Cigna'] },
          { field: 'insurance', operator: 'contains', value: 'blue' },
        ],
      },
      'when: rule r: can never hold: "insurance in aetna, cigna" and "insurance contains blue" exclude each other',
    ],
    [
      'a narrower language without the wider',
      { all: [is('language', 'es-MX'), { not: is('language', 'es') }] },
      'when: rule r: can never hold: "language is es-mx" and "not language is es" exclude each other',
    ],
    [
      'a tag and none of it',
      {
        all: [
          { field: 'tags', operator: 'has_all', value: ['x', 'y'] },
          { field: 'tags', operator: 'has_none', value: ['y'] },
        ],
      },
      'when: rule r: can never hold: "tags has_all x, y" and "not tags has_any y" exclude each other',
    ],
    [
      'before opening and after closing',
      {
        all: [
          { field: 'arrivalTime', operator: 'before', value: '08:00' },
          { field: 'arrivalTime', operator: 'after', value: '17:00' },
        ],
      },
      'when: rule r: can never hold: "arrivalTime before 08:00" and "arrivalTime after 17:00" exclude each other',
    ],
    [
      'outside a span across midnight',
      {
        all: [
          { field: 'arrivalTime', operator: 'between', value: ['17:00', '08:00'] },
          { field: 'arrivalTime', operator: 'between', value: ['09:00', '16:00'] },
        ],
      },
      'when: rule r: can never hold: "arrivalTime between 17:00, 08:00" and "arrivalTime between 09:00, 16:00" exclude each other',
    ],
    [
      'another stage than new on arrival',
      { any: [is('stage', 'booked'), { all: [is('stage', 'closed'), is('tier', 'A')] }] },
      'when: rule r: can never hold: on arrival the stage is new',
    ],
    [
      'a day before and after itself',
      {
        all: [
          { field: 'arrivalDate', operator: 'before', value: '2026-11-21' },
          { field: 'arrivalDate', operator: 'after', value: '2026-11-20' },
        ],
      },
      'when: rule r: can never hold: "arrivalDate before 2026-11-21" and "arrivalDate after 2026-11-20" exclude each other',
    ],
    [
      'none: a narrower language',
      { all: [is('language', 'es'), { not: is('language', 'es-MX') }] },
      undefined,
    ],
    [
      'none: neither of two that may be absent',
      { not: { any: [number('less_than', 18, 'age'), number('at_least', 18, 'age')] } },
      undefined,
    ],
    [
      'none: the space between two numbers',
      { all: [number('at_least', 40), number('less_than', 41)] },
      undefined,
    ],
    [
      'none: a condition that always holds',
      { any: [is('returning', true), is('returning', false)] },
      undefined,
    ],
    [
      'none: one way of many',
      { all: [{ any: [is('tier', 'A'), is('tier', 'B')] }, { any: [is('tier', 'B'), is('tier', 'C')] }] },
      undefined,
    ],
  ])('of %s', (_, when, expected) => {
    const found = issuesOf(ruleOf({ id: 'r', when }));

    expect(found).toEqual(expected === undefined ? [] : [`rules.0.${expected}`]);
  });

  it('is none where the stage is asked for at later triggers, too', () => {
    expect(issuesOf(ruleOf({ on: ['arrival', 'reply'], when: is('stage', 'booked') }))).toEqual([]);
  });

  it('that is found is one: what is said never to hold holds of no facts', () => {
    let found = 0;
    const few = conditionOn([
      'message',
      'service',
      'tier',
      'score',
      'tags',
      'language',
      'arrivalTime',
      'returning',
    ]);
    fc.assert(
      fc.property(
        fc.oneof(
          conditionArb,
          few,
          fc.array(few, { minLength: 2, maxLength: 6 }).map((all) => ({ all })),
        ),
        fc.array(factsArb, { minLength: 20, maxLength: 20 }),
        (when, many) => {
          if (canHold(when)) return;
          found += 1;
          expect(many.filter(tester(when))).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(found).toBeGreaterThan(5);
  });

  it('in ways: a condition holds just where one of its ways does', () => {
    fc.assert(
      fc.property(conditionArb, factsArb, (when, facts) => {
        const ways = waysOf(when);
        if (ways === undefined) return;
        const asCondition = (field: string, operator: never, value: never, held: boolean): Condition =>
          held ? { field, operator, value } : { not: { field, operator, value } };
        const some = ways.some((way) =>
          way.every(({ field, operator, value, holds: held }) =>
            tester(asCondition(field, operator as never, value as never, held))(facts),
          ),
        );

        expect(some).toBe(tester(when)(facts));
      }),
      { numRuns: 300 },
    );
  });

  it('is not looked for beyond measure', () => {
    const wide: When = {
      all: Array.from({ length: 14 }, (_, i) => ({
        any: [
          number('equals', i),
          is('returning', i % 2 === 0),
          { field: 'message', operator: 'contains' as const, value: `w${i}` },
        ],
      })),
    };

    expect(canHold(wide)).toBe(true);
  });
});

describe('a rule that is never reached', () => {
  const stopping = (when?: When, change: Partial<Rule> = {}): Rule =>
    ruleOf({ id: 'first', actions: [{ do: 'stop' }], ...change, ...(when && { when }) });
  const tier = (value: string) => is('tier', value);

  it.each<[string, Rule[], boolean]>([
    ['after one that always stops', [stopping(), ruleOf({ id: 'last', when: tier('A') })], true],
    [
      'after one with the same condition',
      [stopping(tier('A')), ruleOf({ id: 'last', when: tier('A') })],
      true,
    ],
    [
      'after a wider one',
      [
        stopping({ any: [tier('A'), tier('B')] }),
        ruleOf({ id: 'last', when: { all: [tier('A'), is('returning', true)] } }),
      ],
      true,
    ],
    [
      'after a wider number',
      [stopping(number('at_least', 40)), ruleOf({ id: 'last', when: number('at_least', 70) })],
      true,
    ],
    [
      'after wider words',
      [
        stopping({ field: 'message', operator: 'contains', value: 'mole' }),
        ruleOf({ id: 'last', when: { field: 'message', operator: 'has_words', value: ['mole', 'a mole'] } }),
      ],
      true,
    ],
    [
      'but it is, after a narrower one',
      [stopping(number('at_least', 70)), ruleOf({ id: 'last', when: number('at_least', 40) })],
      false,
    ],
    ['but it is, after one that does not stop', [ruleOf({ id: 'first' }), ruleOf({ id: 'last' })], false],
    [
      'but it is, after one that is switched off',
      [stopping(undefined, { enabled: false }), ruleOf({ id: 'last' })],
      false,
    ],
    [
      'but it is, after one of another trigger',
      [stopping(undefined, { on: ['reply'] }), ruleOf({ id: 'last' })],
      false,
    ],
    [
      'but it is, at one of its triggers',
      [stopping(undefined, { on: ['reply'] }), ruleOf({ id: 'last', on: ['reply', 'arrival'] })],
      false,
    ],
    [
      'but it is, after another silence',
      [
        stopping(undefined, { on: ['silence'], silentHours: 10 }),
        ruleOf({ id: 'last', on: ['silence'], silentHours: 20 }),
      ],
      false,
    ],
    [
      'after the same silence',
      [
        stopping(undefined, { on: ['silence'], silentHours: 10 }),
        ruleOf({ id: 'last', on: ['silence'], silentHours: 10 }),
      ],
      true,
    ],
    [
      'but it is, where a tier is moved between',
      [
        stopping(tier('A')),
        ruleOf({ actions: [{ do: 'raise_tier' }] }),
        ruleOf({ id: 'last', when: tier('A') }),
      ],
      false,
    ],
    [
      'although a tier is moved between, where it is of no account',
      [
        stopping(is('returning', true)),
        ruleOf({ actions: [{ do: 'raise_tier' }] }),
        ruleOf({ id: 'last', when: { all: [is('returning', true), tier('A')] } }),
      ],
      true,
    ],
    [
      'but it is, where a tag is put on between',
      [
        stopping({ field: 'tags', operator: 'has', value: 'seen' }),
        ruleOf(),
        ruleOf({ id: 'last', when: { field: 'tags', operator: 'has', value: 'seen' } }),
      ],
      false,
    ],
    [
      'but it is, where the urgency is moved between',
      [
        stopping(is('urgency', 'soon')),
        ruleOf({ actions: [{ do: 'set_urgency', urgency: 'soon' }] }),
        ruleOf({ id: 'last', when: is('urgency', 'soon') }),
      ],
      false,
    ],
    [
      'after two that stop only together: not found',
      [
        stopping(tier('A')),
        ruleOf({ actions: [{ do: 'stop' }], when: { not: tier('A') } }),
        ruleOf({ id: 'last', when: is('returning', true) }),
      ],
      false,
    ],
  ])('%s', (_, rules, unreachable) => {
    const index = rules.length - 1;

    expect(issuesOf(...rules)).toEqual(
      unreachable
        ? [
            `rules.${index}: rule last: is never looked at: first stands before it, holds whenever it does, and stops`,
          ]
        : [],
    );
  });

  it('is never looked at and held, whatever the facts', () => {
    const few = conditionOn(['service', 'tier', 'urgency', 'tags', 'score']);
    const moves: Action[][] = [
      [{ do: 'stop' }],
      [{ do: 'raise_tier' }, { do: 'stop' }],
      [{ do: 'raise_tier' }],
      [{ do: 'set_tier', tier: 'B' }],
      [{ do: 'tag', tag: 'a' }],
      [{ do: 'set_urgency', urgency: 'soon' }],
    ];
    const rulesArb = fc.array(
      fc.record({ when: fc.option(few, { nil: undefined }), actions: fc.constantFrom(...moves) }),
      { minLength: 2, maxLength: 6 },
    );
    let found = 0;
    fc.assert(
      fc.property(rulesArb, fc.array(factsArb, { minLength: 10, maxLength: 10 }), (drawn, many) => {
        const rules = drawn.map((change) => ruleOf(change));
        const never = checkRules(withRules(...rules))
          .filter(({ message }) => message.includes('is never looked at'))
          .map(({ rule }) => rule);
        found += never.length;
        const compiled = compileRules(rules);
        for (const facts of many)
          for (const { rule } of compiled.evaluate(facts).held) expect(never).not.toContain(rule.id);
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(5);
  });

  it('is told by implication, which holds wherever it is said to', () => {
    const few = conditionOn(['message', 'service', 'tier', 'score', 'tags', 'language']);
    let found = 0;
    fc.assert(
      fc.property(few, few, fc.array(factsArb, { minLength: 10, maxLength: 10 }), (a, b, many) => {
        const later = { all: [a, b] };
        for (const earlier of [a, b, { any: [b, a] }, { not: { not: a } }]) {
          if (!isImplied(waysOf(later), waysToFail(earlier))) continue;
          found += 1;
          expect(many.filter(tester({ all: [later, { not: earlier }] }))).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(100);
  });
});

describe('a rule that lowers', () => {
  const spanish = is('language', 'es');
  const hmo: When = { field: 'insurance', operator: 'has_words', value: ['hmo'] };
  const kind = (value: string) => is('insuranceKind', value);
  const toC: Action[] = [{ do: 'set_tier', tier: 'C' }];
  const needsReason = (when: When, actions: Action[]): boolean =>
    issuesOf(ruleOf({ id: 'r', when, actions })).some((issue) =>
      issue.startsWith('rules.0.managerReason: rule r: '),
    );

  it.each<[string, When, Action[], boolean]>([
    ['by language', spanish, toC, true],
    ['by postal code', { field: 'postalCode', operator: 'starts_with', value: '940' }, toC, true],
    ['by age', number('at_least', 65, 'age'), [{ do: 'lower_tier' }], true],
    ['by age band', is('ageBand', 'minor'), [{ do: 'set_tier', tier: 'B' }], true],
    [
      'by a trait deep inside',
      { any: [is('returning', true), { not: { all: [spanish, is('tier', 'A')] } }] },
      toC,
      true,
    ],
    ['by the lack of a trait', { field: 'postalCode', operator: 'absent' }, toC, true],
    ['by public insurance', kind('public'), toC, true],
    ['by insurance that may be public', hmo, toC, true],
    ['by any insurance but a private one', { not: kind('private') }, toC, true],
    ['by insurance whose name is public', is('insurance', 'Medi-Cal'), toC, true],
    [
      'by one of several, one of them public',
      { field: 'insurance', operator: 'in', value: ['Aetna', 'Medicare'] },
      toC,
      true,
    ],
    ['not by private insurance', kind('private'), toC, false],
    ['not by insurance that is also private', { all: [hmo, kind('private')] }, toC, false],
    ['not by insurance whose name is private', is('insurance', 'Aetna PPO'), toC, false],
    ['not by no insurance', { field: 'insurance', operator: 'absent' }, toC, false],
    ['not by the service', is('service', 'acne'), toC, false],
    ['with mark_spam', spanish, [{ do: 'mark_spam' }], true],
    ['by closing', spanish, [{ do: 'set_stage', stage: 'closed', closeReason: 'not_eligible' }], true],
    ['by booking', spanish, [{ do: 'set_stage', stage: 'booked' }], true],
    ['not by another stage', spanish, [{ do: 'set_stage', stage: 'contacted' }], false],
    ['with the urgency routine', spanish, [{ do: 'set_urgency', urgency: 'routine' }], true],
    [
      'with the urgency soon, where it may be the same day',
      spanish,
      [{ do: 'set_urgency', urgency: 'soon' }],
      true,
    ],
    [
      'not with the urgency soon, from routine',
      { all: [spanish, is('urgency', 'routine')] },
      [{ do: 'set_urgency', urgency: 'soon' }],
      false,
    ],
    ['with a clock longer than that of tier C', spanish, [{ do: 'respond_within', minutes: 300 }], true],
    [
      'with a clock longer than that of a tier it may have',
      spanish,
      [{ do: 'respond_within', minutes: 60 }],
      true,
    ],
    [
      'not with a clock that is shorter for its tier',
      { all: [spanish, is('tier', 'C'), is('channel', 'web_form'), is('urgency', 'routine')] },
      [{ do: 'respond_within', minutes: 60 }],
      false,
    ],
    [
      'with a clock longer than that of an urgency it may have',
      { all: [spanish, is('tier', 'C'), is('channel', 'web_form')] },
      [{ do: 'respond_within', minutes: 60 }],
      true,
    ],
    [
      'with a clock longer than that of its channel',
      { all: [spanish, is('channel', 'missed_call')] },
      [{ do: 'respond_within', minutes: 6 }],
      true,
    ],
    ['not by raising', spanish, [{ do: 'set_tier', tier: 'A' }], false],
    [
      'not by raising from C to B',
      { all: [spanish, is('tier', 'C')] },
      [{ do: 'set_tier', tier: 'B' }],
      false,
    ],
    ['not by another pool', spanish, [{ do: 'send_to_pool', pool: 'intake' }], false],
  ])('needs a signed reason %s', (_, when, actions, expected) => {
    expect(needsReason(when, actions)).toBe(expected);
  });

  it('says by which trait, and is taken with the reason of a manager', () => {
    const rule = ruleOf({ id: 'r', when: spanish, actions: toC });
    const managerReason = { member: 'mia', reason: 'The Spanish desk calls within the day.' };

    expect(issuesOf(rule)).toEqual([
      'rules.0.managerReason: rule r: set_tier makes people wait by language: a manager has to write and sign why (managerReason with a member and a reason of at least 20 characters)',
    ]);
    expect(issuesOf({ ...rule, managerReason })).toEqual([]);
  });

  const routineOfC: When = {
    all: [spanish, is('tier', 'C'), is('channel', 'web_form'), is('urgency', 'routine')],
  };
  const clock = (minutes: number): Action[] => [{ do: 'respond_within', minutes }];
  const lowering = (...rules: Rule[]): string[] =>
    checkRules(withRules(...rules)).flatMap(({ rule, path }) => (path[2] === 'managerReason' ? [rule] : []));

  it.each<[string, Rule[], boolean]>([
    [
      'a clock longer than that of a rule before it',
      [ruleOf({ actions: clock(5) }), ruleOf({ id: 'r', when: routineOfC, actions: clock(60) })],
      true,
    ],
    [
      'no clock longer than that of a rule for others',
      [
        ruleOf({ when: is('language', 'fr'), actions: clock(5) }),
        ruleOf({ id: 'r', when: routineOfC, actions: clock(60) }),
      ],
      false,
    ],
    [
      'no clock longer than that of a rule at another time, or switched off',
      [
        ruleOf({ on: ['reply'], actions: clock(5) }),
        ruleOf({ enabled: false, actions: clock(5) }),
        ruleOf({ id: 'r', when: routineOfC, actions: clock(60) }),
      ],
      false,
    ],
    [
      'the end before a rule that raises',
      [
        ruleOf({ id: 'r', when: spanish, actions: [{ do: 'stop' }] }),
        ruleOf({ actions: [{ do: 'raise_tier' }] }),
      ],
      true,
    ],
    [
      'the end before a rule that shortens the clock',
      [ruleOf({ id: 'r', when: spanish, actions: [{ do: 'stop' }] }), ruleOf({ actions: clock(5) })],
      true,
    ],
    [
      'no end before rules that do nothing of the kind',
      [
        ruleOf({ id: 'r', when: spanish, actions: [{ do: 'stop' }] }),
        ruleOf({ actions: toC }),
        ruleOf({ when: is('language', 'fr'), actions: [{ do: 'raise_tier' }] }),
      ],
      false,
    ],
    [
      'an urgency that a rule set by a trait',
      [
        ruleOf({
          when: { all: [spanish, is('urgency', 'routine')] },
          actions: [{ do: 'set_urgency', urgency: 'soon' }],
        }),
        ruleOf({ id: 'r', when: is('urgency', 'soon'), actions: toC }),
      ],
      true,
    ],
    [
      'a tier that a rule raised by a trait, at a later trigger',
      [
        ruleOf({ id: 'r', on: ['reply'], when: is('tier', 'B'), actions: toC }),
        ruleOf({ when: spanish, actions: [{ do: 'raise_tier' }] }),
      ],
      true,
    ],
    [
      'no urgency but that',
      [
        ruleOf({ when: spanish, actions: [{ do: 'set_urgency', urgency: 'same_day' }] }),
        ruleOf({
          id: 'r',
          when: { field: 'urgency', operator: 'is_not', value: 'same_day' },
          actions: toC,
        }),
      ],
      false,
    ],
    [
      'no tier of before',
      [
        ruleOf({ id: 'r', when: is('tier', 'B'), actions: toC }),
        ruleOf({ when: spanish, actions: [{ do: 'raise_tier' }] }),
      ],
      false,
    ],
  ])('is looked at beside the others: %s', (_, rules, expected) => {
    expect(lowering(...rules)).toEqual(expected ? ['r'] : []);
  });

  it('needs it, too, by a tag that stands for a trait', () => {
    const byTag = (tag: string): When => ({ field: 'tags', operator: 'has_any', value: [tag, 'other'] });
    const rules = [
      ruleOf({ id: 'marks', when: spanish, actions: [{ do: 'tag', tag: 'marked' }] }),
      ruleOf({ id: 'hides', when: byTag('marked'), actions: [{ do: 'tag', tag: 'hidden' }] }),
      ruleOf({ id: 'lowers', when: byTag('hidden'), actions: toC }),
    ];

    expect(checkRules(withRules(...rules)).map(({ rule, path }) => [rule, path])).toEqual([
      ['lowers', ['rules', 2, 'managerReason']],
    ]);
  });
});

it('reads every comparison that it takes the same way twice', () => {
  fc.assert(
    fc.property(conditionArb, (when) => {
      if ('all' in when || 'any' in when || 'not' in when) return;
      const literal = literalOf(when);
      if (isWrong(literal)) throw new Error(literal.wrong);
      const { field, operator, value } = literal;

      // Folding and reading once more changes nothing.
      expect(literalOf({ field, operator, value } as never)).toEqual({ ...literal, holds: true });
    }),
  );
});
