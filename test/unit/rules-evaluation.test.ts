import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, rulesOf } from '../../shared/domain/rules/compile.ts';
import type { Facts } from '../../shared/domain/rules/facts.ts';
import { fieldNames, fields, operatorNamesOf } from '../../shared/domain/rules/fields.ts';
import type { Comparison, Condition, Rule } from '../../shared/domain/rules/rule.ts';
import { foldWording } from '../../shared/domain/wording.ts';
import { conditionArb, factsArb, factsOf, ruleOf } from '../support/rules.ts';

const holds = (when: Condition, facts: Facts): boolean =>
  compileRules([ruleOf({ when })]).evaluate(facts).held.length === 1;

/** The meaning of every operator once more, as plainly as it can be said. */
function means({ field, operator, value }: Comparison, facts: Facts): boolean {
  const { arrival } = facts;
  const byName: Record<string, unknown> = {
    ...facts,
    arrivalDate: arrival.date,
    arrivalTime: arrival.time,
    arrivalWeekday: arrival.weekday,
    arrivalOpen: arrival.open,
  };
  const fact = byName[field];
  const wanted = Array.isArray(value) ? value : [value];
  const first = wanted[0] as never;
  const second = wanted[1] as never;
  const type = fields[field as keyof typeof fields].type;
  switch (operator) {
    case 'is_not':
      return !means({ field, operator: 'is', value }, facts);
    case 'contains_not':
      return !means({ field, operator: 'contains', value }, facts);
    case 'not_in':
      return !means({ field, operator: 'in', value }, facts);
    case 'has_none':
      return !means({ field, operator: 'has_any', value }, facts);
    case 'absent':
      return type === 'list' ? facts.tags.length === 0 : fact === undefined;
    case 'present':
      return !means({ field, operator: 'absent', value }, facts);
    default:
  }
  if (fact === undefined) return false;
  const words = (text: unknown): string[] => foldWording(String(text)).split(' ');
  const isOne = (each: unknown): boolean =>
    type === 'text'
      ? foldWording(String(fact)) === foldWording(String(each))
      : type === 'language'
        ? `${String(fact)}-`.toLowerCase().startsWith(`${String(each)}-`.toLowerCase())
        : fact === each;
  switch (operator) {
    case 'is':
    case 'in':
      return wanted.some(isOne);
    case 'contains':
      return foldWording(String(fact)).includes(foldWording(String(first)));
    case 'starts_with':
      return foldWording(String(fact)).startsWith(foldWording(String(first)));
    case 'has_words':
      return wanted.some((phrase) => {
        const [here, there] = [words(fact), words(phrase)];
        return here.some((_, i) => there.every((word, j) => here[i + j] === word));
      });
    case 'has':
    case 'has_any':
      return wanted.some((tag) => (fact as unknown[]).includes(tag));
    case 'has_all':
      return wanted.every((tag) => (fact as unknown[]).includes(tag));
    case 'equals':
    case 'on':
      return fact === first;
    case 'less_than':
    case 'before':
      return (fact as never) < first;
    case 'at_most':
      return (fact as never) <= first;
    case 'more_than':
      return (fact as never) > first;
    case 'at_least':
      return (fact as never) >= first;
    case 'after':
      return type === 'time' ? (fact as never) >= first : (fact as never) > first;
    case 'between':
      if (type !== 'time') return (fact as never) >= first && (fact as never) <= second;
      if (first < second) return (fact as never) >= first && (fact as never) < second;
      return (fact as never) >= first || (fact as never) < second;
    default:
      throw new Error(operator);
  }
}

const refers = (condition: Condition, facts: Facts): boolean =>
  'all' in condition
    ? condition.all.every((part) => refers(part, facts))
    : 'any' in condition
      ? condition.any.some((part) => refers(part, facts))
      : 'not' in condition
        ? !refers(condition.not, facts)
        : means(condition, facts);

describe('the evaluation of a condition', () => {
  it('agrees with a naive evaluator, whatever the condition and the facts', () => {
    fc.assert(
      fc.property(conditionArb, fc.array(factsArb, { minLength: 1, maxLength: 5 }), (when, many) => {
        const rules = compileRules([ruleOf({ when })]);
        for (const facts of many) expect(rules.evaluate(facts).held.length === 1).toBe(refers(when, facts));
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees for many rules in one set, stops among them', () => {
    const ruleArb = fc.record({ when: conditionArb, stops: fc.boolean(), enabled: fc.boolean() });
    fc.assert(
      fc.property(fc.array(ruleArb, { maxLength: 12 }), factsArb, (drawn, facts) => {
        const rules = drawn.map(({ when, stops, enabled }) =>
          ruleOf({ when, enabled, actions: [stops ? { do: 'stop' } : { do: 'auto_reply', template: 'x' }] }),
        );
        const expected: string[] = [];
        for (const [i, { when, stops, enabled }] of drawn.entries()) {
          if (!enabled || !refers(when, facts)) continue;
          expected.push(rules[i]?.id ?? '');
          if (stops) break;
        }

        const { held, faults } = compileRules(rules).evaluate(facts);

        expect(held.map(({ rule }) => rule.id)).toEqual(expected);
        expect(faults).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('an operator', () => {
  const message = (text: string) => factsOf({ message: text });
  const at = (time: string) => factsOf({ arrival: { ...factsOf().arrival, time } });
  const on = (date: string) => factsOf({ arrival: { ...factsOf().arrival, date } });
  it.each<[string, Comparison, Facts, boolean]>([
    [
      'text, folded',
      { field: 'message', operator: 'is', value: 'Changing mole' },
      message('CHANGING MÓLE!'),
      true,
    ],
    ['text, only part of it', { field: 'message', operator: 'is', value: 'mole' }, message('a mole'), false],
    ['text that is not known', { field: 'message', operator: 'is_not', value: 'mole' }, factsOf(), true],
    [
      'any of several texts',
      { field: 'message', operator: 'in', value: ['x', 'mole'] },
      message('Mole'),
      true,
    ],
    ['part of a word', { field: 'message', operator: 'contains', value: 'pain' }, message('Spain'), true],
    [
      'no part of a word',
      { field: 'message', operator: 'contains_not', value: 'pain' },
      message('Spain'),
      false,
    ],
    ['whole words', { field: 'message', operator: 'has_words', value: ['pain'] }, message('Spain'), false],
    [
      'a phrase',
      { field: 'message', operator: 'has_words', value: ['x', 'chest pain'] },
      message('my chest   pain.'),
      true,
    ],
    [
      'the words of a phrase, apart',
      { field: 'message', operator: 'has_words', value: ['chest pain'] },
      message('pain in my chest'),
      false,
    ],
    [
      'one phrase, not in a list',
      { field: 'message', operator: 'has_words', value: 'pain' },
      message('pain'),
      true,
    ],
    [
      'a start',
      { field: 'postalCode', operator: 'starts_with', value: '940' },
      factsOf({ postalCode: '94040-1234' }),
      true,
    ],
    [
      'no start',
      { field: 'postalCode', operator: 'starts_with', value: '404' },
      factsOf({ postalCode: '94040' }),
      false,
    ],
    [
      'a language of a country',
      { field: 'language', operator: 'is', value: 'es' },
      factsOf({ language: 'es-MX' }),
      true,
    ],
    [
      'a language of all countries',
      { field: 'language', operator: 'is', value: 'es-MX' },
      factsOf({ language: 'es' }),
      false,
    ],
    [
      'a language with the same start',
      { field: 'language', operator: 'is', value: 'en' },
      factsOf({ language: 'eng' }),
      false,
    ],
    [
      'languages',
      { field: 'language', operator: 'in', value: ['fr', 'ES'] },
      factsOf({ language: 'es' }),
      true,
    ],
    ['languages, none of them', { field: 'language', operator: 'not_in', value: ['fr'] }, factsOf(), true],
    ['a choice', { field: 'service', operator: 'is', value: 'acne' }, factsOf({ service: 'acne' }), true],
    ['a choice that is not known', { field: 'service', operator: 'is', value: 'acne' }, factsOf(), false],
    ['none of the choices', { field: 'service', operator: 'not_in', value: ['acne'] }, factsOf(), true],
    ['a known choice', { field: 'service', operator: 'present' }, factsOf({ service: 'gone' }), true],
    ['an unknown choice', { field: 'service', operator: 'absent' }, factsOf(), true],
    ['a number', { field: 'score', operator: 'equals', value: 54 }, factsOf(), true],
    ['less, not equal', { field: 'score', operator: 'less_than', value: 54 }, factsOf(), false],
    ['at most', { field: 'score', operator: 'at_most', value: 54 }, factsOf(), true],
    ['more, not equal', { field: 'score', operator: 'more_than', value: 54 }, factsOf(), false],
    ['at least', { field: 'score', operator: 'at_least', value: 54 }, factsOf(), true],
    ['at least, of what is not known', { field: 'age', operator: 'at_least', value: 0 }, factsOf(), false],
    [
      'between, the lowest',
      { field: 'age', operator: 'between', value: [18, 64] },
      factsOf({ age: 18 }),
      true,
    ],
    [
      'between, the highest',
      { field: 'age', operator: 'between', value: [18, 64] },
      factsOf({ age: 64 }),
      true,
    ],
    ['between, above', { field: 'age', operator: 'between', value: [18, 64] }, factsOf({ age: 65 }), false],
    ['a tag', { field: 'tags', operator: 'has', value: 'vip' }, factsOf({ tags: ['vip', 'x'] }), true],
    [
      'any tag of some',
      { field: 'tags', operator: 'has_any', value: ['a', 'vip'] },
      factsOf({ tags: ['vip'] }),
      true,
    ],
    [
      'all tags of some',
      { field: 'tags', operator: 'has_all', value: ['a', 'vip'] },
      factsOf({ tags: ['vip'] }),
      false,
    ],
    [
      'no tag of some',
      { field: 'tags', operator: 'has_none', value: ['a'] },
      factsOf({ tags: ['vip'] }),
      true,
    ],
    ['tags at all', { field: 'tags', operator: 'present' }, factsOf({ tags: [] }), false],
    ['no tags', { field: 'tags', operator: 'absent' }, factsOf({ tags: [] }), true],
    ['yes', { field: 'returning', operator: 'is', value: false }, factsOf(), true],
    ['not yes', { field: 'returning', operator: 'is_not', value: true }, factsOf(), true],
    ['a day', { field: 'arrivalDate', operator: 'on', value: '2026-11-20' }, on('2026-11-20'), true],
    [
      'before a day',
      { field: 'arrivalDate', operator: 'before', value: '2026-11-20' },
      on('2026-11-20'),
      false,
    ],
    ['after a day', { field: 'arrivalDate', operator: 'after', value: '2026-11-20' }, on('2026-11-21'), true],
    [
      'between days',
      { field: 'arrivalDate', operator: 'between', value: ['2026-11-01', '2026-11-20'] },
      on('2026-11-20'),
      true,
    ],
    ['before a time', { field: 'arrivalTime', operator: 'before', value: '08:00' }, at('08:00'), false],
    ['at a time', { field: 'arrivalTime', operator: 'after', value: '08:00' }, at('08:00'), true],
    [
      'between times',
      { field: 'arrivalTime', operator: 'between', value: ['08:00', '17:00'] },
      at('17:00'),
      false,
    ],
    [
      'across midnight, late',
      { field: 'arrivalTime', operator: 'between', value: ['17:00', '08:00'] },
      at('23:59'),
      true,
    ],
    [
      'across midnight, early',
      { field: 'arrivalTime', operator: 'between', value: ['17:00', '08:00'] },
      at('07:59'),
      true,
    ],
    [
      'across midnight, at noon',
      { field: 'arrivalTime', operator: 'between', value: ['17:00', '08:00'] },
      at('12:00'),
      false,
    ],
    [
      'a weekday',
      { field: 'arrivalWeekday', operator: 'in', value: ['saturday', 'friday'] },
      factsOf(),
      true,
    ],
    ['opening hours', { field: 'arrivalOpen', operator: 'is', value: true }, factsOf(), true],
  ])('asks for %s', (_, comparison, facts, expected) => {
    expect(holds(comparison, facts)).toBe(expected);
  });

  it('is tried above for every field type', () => {
    const types = new Set(fieldNames.map((name) => fields[name].type));

    expect([...types].sort()).toEqual([
      'choice',
      'date',
      'language',
      'list',
      'number',
      'text',
      'time',
      'yes_no',
    ]);
  });

  it('for presence is one of those fields that may be absent', () => {
    expect(operatorNamesOf(fields.service)).toContain('absent');
    expect(operatorNamesOf(fields.source)).not.toContain('absent');
    expect(operatorNamesOf(fields.tags)).toContain('absent');
  });
});

describe('rules', () => {
  const tier = (value: string): Condition => ({ field: 'tier', operator: 'is', value });
  const ids = (rules: readonly Rule[], facts: Facts): string[] =>
    compileRules(rules)
      .evaluate(facts)
      .held.map(({ rule }) => rule.id);

  it('see the tier, the urgency and the tags as those before them left them', () => {
    const rules = [
      ruleOf({ id: 'raise', actions: [{ do: 'raise_tier' }, { do: 'tag', tag: 'vip' }] }),
      ruleOf({ id: 'of-a', when: tier('A'), actions: [{ do: 'set_urgency', urgency: 'soon' }] }),
      ruleOf({ id: 'of-b', when: tier('B') }),
      ruleOf({ id: 'of-soon', when: { field: 'urgency', operator: 'is', value: 'soon' } }),
      ruleOf({ id: 'of-vip', when: { field: 'tags', operator: 'has', value: 'vip' } }),
    ];

    expect(ids(rules, factsOf({ tier: 'B' }))).toEqual(['raise', 'of-a', 'of-soon', 'of-vip']);
  });

  it.each([
    ['raise_tier' as const, 'A' as const, 'A'],
    ['raise_tier' as const, 'C' as const, 'B'],
    ['lower_tier' as const, 'B' as const, 'C'],
    ['lower_tier' as const, 'C' as const, 'C'],
  ])('that %s from %s come to %s', (action, before, after) => {
    const rules = compileRules([ruleOf({ actions: [{ do: action }] })]);

    expect(rules.evaluate(factsOf({ tier: before })).tier).toBe(after);
  });

  it('without a condition hold always; those switched off and those of other triggers never', () => {
    const rules = [
      ruleOf({ id: 'always' }),
      ruleOf({ id: 'off', enabled: false }),
      ruleOf({ id: 'reply', on: ['reply'] }),
    ];

    expect(ids(rules, factsOf())).toEqual(['always']);
    expect(compileRules(rules).has('reply')).toBe(true);
    expect(compileRules(rules).has('silence')).toBe(false);
    expect(compileRules([ruleOf({ enabled: false })]).has('arrival')).toBe(false);
  });

  it('for silence are looked at once: at the longest silence that has been reached', () => {
    const rules = compileRules([
      ruleOf({ id: 'long', on: ['silence'], silentHours: 36 }),
      ruleOf({ id: 'short', on: ['silence'], silentHours: 18 }),
      ruleOf({ id: 'short-too', on: ['silence'], silentHours: 18 }),
    ]);
    const heldAfter = (silentHours: number): string[] =>
      rules.evaluate(factsOf({ trigger: 'silence', silentHours })).held.map(({ rule }) => rule.id);

    expect(rules.silentHours).toEqual([18, 36]);
    expect(heldAfter(17)).toEqual([]);
    expect(heldAfter(18)).toEqual(['short', 'short-too']);
    expect(heldAfter(20)).toEqual(['short', 'short-too']);
    expect(heldAfter(36)).toEqual(['long']);
  });

  it('need the person where they look at the profile, and only at their trigger', () => {
    const owned = ruleOf({ on: ['reply'], when: { not: { field: 'owner', operator: 'present' } } });
    const rules = compileRules([owned, ruleOf({ when: tier('A') })]);

    expect(rules.needsPerson('reply')).toBe(true);
    expect(rules.needsPerson('arrival')).toBe(false);
  });

  it('of a practice are compiled once for each that is read', () => {
    const practice = { rules: [ruleOf()], rulesVersion: 7 };

    expect(rulesOf(practice)).toBe(rulesOf(practice));
    expect(rulesOf({ ...practice })).not.toBe(rulesOf(practice));
    expect(rulesOf(practice).version).toBe(7);
  });

  it.each<[string, Comparison]>([
    ['an unknown field', { field: 'nonsense', operator: 'is', value: 'x' }],
    ["a field of every object's", { field: '__proto__', operator: 'present' }],
    ["a method of every object's", { field: 'constructor', operator: 'present' }],
    ['an operator that its field does not take', { field: 'tier', operator: 'less_than', value: 3 }],
    ['a value of another type', { field: 'score', operator: 'at_least', value: 'seventy' }],
    ['no value', { field: 'service', operator: 'is' }],
  ])('with %s do not hold, are named, and keep no other from being looked at', (_, when) => {
    const rules = compileRules([ruleOf({ id: 'broken', when }), ruleOf({ id: 'sound' })]);

    const { held, faults } = rules.evaluate(factsOf());

    expect(held.map(({ rule }) => rule.id)).toEqual(['sound']);
    expect(faults).toEqual([{ rule: 'broken', reason: expect.stringMatching(/\w/) }]);
  });

  it('whose evaluation fails do not hold, and keep no other from being looked at', () => {
    const tags = Object.defineProperty([], 'includes', {
      value: () => {
        throw new Error('no such luck');
      },
    });
    const rules = compileRules([
      ruleOf({ id: 'failing', when: { field: 'tags', operator: 'has', value: 'x' } }),
      ruleOf({ id: 'sound', actions: [{ do: 'raise_tier' }] }),
    ]);

    const { held, faults } = rules.evaluate(factsOf({ tags }));

    expect(held.map(({ rule }) => rule.id)).toEqual(['sound']);
    expect(faults).toEqual([{ rule: 'failing', reason: 'its condition could not be evaluated' }]);
  });

  it('take what they are written with as data, never as code', () => {
    const nasty = [
      '"+process.exit()+"',
      `$${'{globalThis}'}`,
      '`',
      "');throw 1;('x",
      'constructor',
      '__proto__',
      '\\',
      '\u2028a',
    ];
    const rules = compileRules(
      nasty.map((value) => ruleOf({ when: { field: 'message', operator: 'contains', value: `${value} a` } })),
    );

    const { held, faults } = rules.evaluate(factsOf({ message: nasty.map((each) => `${each} a`).join(' ') }));

    expect(held).toHaveLength(nasty.length);
    expect(faults).toEqual([]);
  });
});
