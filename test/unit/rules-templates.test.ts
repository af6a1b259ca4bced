import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readPracticeFile } from '../../ops/practice-file.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { checkRules } from '../../shared/domain/rules/check.ts';
import { compileRules } from '../../shared/domain/rules/compile.ts';
import { type Facts, triggers } from '../../shared/domain/rules/facts.ts';
import { fieldNames } from '../../shared/domain/rules/fields.ts';
import { operators } from '../../shared/domain/rules/operators.ts';
import type { Action, Rule } from '../../shared/domain/rules/rule.ts';
import {
  fillTemplate,
  type RuleTemplate,
  ruleTemplates,
  type SlotValue,
} from '../../shared/domain/rules/templates.ts';
import { actionSchema } from '../../shared/domain/schema/action.ts';
import { rulesSchema } from '../../shared/domain/schema/rule.ts';
import { smallPractice } from '../support/fixtures.ts';
import { factsOf } from '../support/rules.ts';

const practices: [string, Practice][] = [
  ['a small practice', smallPractice],
  ...['demo', 'dermatology', 'dental', 'physical-therapy'].map((name): [string, Practice] => [
    `practices/${name}.yaml`,
    readPracticeFile(readFileSync(`practices/${name}.yaml`, 'utf8')).practice as Practice,
  ]),
];
const template = (id: string): RuleTemplate => {
  const found = ruleTemplates.find((each) => each.id === id);
  if (!found) throw new Error(`no template ${id}`);
  return found;
};
const filled = (id: string, slots: Record<string, SlotValue> = {}, practice = smallPractice): Rule => {
  const { rule, issues } = fillTemplate(template(id), slots, practice);
  if (!rule) throw new Error(JSON.stringify(issues));
  return rule;
};

describe('the templates', () => {
  it('are the twelve, each with what it is for', () => {
    expect(ruleTemplates.map(({ id }) => id)).toEqual([
      'referral-first',
      'same-day',
      'out-of-network-parked',
      'spanish-pool',
      'after-hours-reply',
      'missed-call-first',
      'high-value-service',
      'unknown-service',
      'returning-to-coordinator',
      'minor-needs-guardian',
      'suspected-spam',
      'silent-two-days',
    ]);
    for (const { title, purpose, slots } of ruleTemplates) {
      expect(title).toMatch(/\w/);
      expect(purpose).toMatch(/\.$/);
      expect(slots.every(({ description }) => description !== '')).toBe(true);
    }
  });

  it.each(practices)('all make rules that pass in %s, with no more than a pool given', (_, practice) => {
    const pool = practice.pools[0]?.id ?? '';
    const rules = ruleTemplates.map((each) =>
      filled(each.id, each.slots.some(({ name }) => name === 'pool') ? { pool } : {}, practice),
    );

    expect(checkRules({ ...practice, rules })).toEqual([]);
  });

  it('make rules with the values given, as a command line gives them', () => {
    const rule = filled('same-day', { services: 'acne, implant', words: 'swelling', pool: 'skin' });

    expect(rule).toEqual({
      id: 'same-day',
      name: 'Seen the same day',
      enabled: true,
      on: ['arrival'],
      when: {
        any: [
          { field: 'service', operator: 'in', value: ['acne', 'implant'] },
          { field: 'message', operator: 'has_words', value: ['swelling'] },
        ],
      },
      actions: [
        { do: 'set_urgency', urgency: 'same_day' },
        { do: 'send_to_pool', pool: 'skin' },
      ],
    });
    expect(filled('high-value-service', { cents: '500000' }).when).toMatchObject({ value: 500_000 });
  });

  it('make rules of another id and name', () => {
    const { rule } = fillTemplate(template('spanish-pool'), { pool: 'skin' }, smallPractice, {
      id: 'es',
      name: 'Spanish',
    });

    expect(rule).toMatchObject({ id: 'es', name: 'Spanish' });
  });

  it.each<[string, Record<string, SlotValue>, { slot: string; message: string }[]]>([
    ['spanish-pool', {}, [{ slot: 'pool', message: 'needs a value: the pool whose members speak it' }]],
    [
      'spanish-pool',
      { pool: 'mars' },
      [{ slot: 'pool', message: 'no pool has the id mars; there are skin, intake' }],
    ],
    [
      'spanish-pool',
      { pool: 'skin', languages: 'Spanish language' },
      [{ slot: 'languages', message: 'must be language tags such as es or zh-Hant' }],
    ],
    [
      'spanish-pool',
      { pool: 'skin', minutes: 5 },
      [{ slot: 'minutes', message: 'spanish-pool has no slot minutes; it has pool, languages' }],
    ],
    [
      'spanish-pool',
      { pool: 'skin', constructor: 'x' },
      [{ slot: 'constructor', message: 'spanish-pool has no slot constructor; it has pool, languages' }],
    ],
    [
      'same-day',
      { services: 'acne, moles' },
      [{ slot: 'services', message: 'no service has the id moles; there are acne, implant' }],
    ],
    [
      'same-day',
      { services: '', words: '?!' },
      [
        { slot: 'services', message: 'must name at least one' },
        { slot: 'words', message: 'must be words with a letter or a digit each' },
      ],
    ],
    [
      'referral-first',
      { sources: ['fax'] },
      [{ slot: 'sources', message: 'no source has the id fax; there are search-ad, website' }],
    ],
    [
      'missed-call-first',
      { minutes: 0 },
      [{ slot: 'minutes', message: 'must be a whole number from 1 to 10080' }],
    ],
    [
      'missed-call-first',
      { minutes: '5 minutes' },
      [{ slot: 'minutes', message: 'must be a whole number from 1 to 10080' }],
    ],
    [
      'silent-two-days',
      { hours: 2.5 },
      [{ slot: 'hours', message: 'must be a whole number from 1 to 1000' }],
    ],
    [
      'high-value-service',
      { cents: -1 },
      [{ slot: 'cents', message: 'must be a whole number from 1 to 100000000' }],
    ],
    [
      'minor-needs-guardian',
      { tag: 'Needs Guardian' },
      [{ slot: 'tag', message: 'must be lower-case letters, digits and single hyphens' }],
    ],
    [
      'returning-to-coordinator',
      { pool: 'skin' },
      [{ slot: 'pool', message: 'returning-to-coordinator has no slot pool; it has none' }],
    ],
  ])('of %s with %j name the slots that are wrong', (id, slots, issues) => {
    expect(fillTemplate(template(id), slots, smallPractice)).toEqual({ issues });
  });

  it('refuse an id that is none', () => {
    expect(fillTemplate(template('same-day'), {}, smallPractice, { id: 'No Id' }).issues).toEqual([
      { slot: 'id', message: 'must be lower-case letters, digits and single hyphens' },
    ]);
  });

  it('take two working days of the practice for silence', () => {
    expect(filled('silent-two-days').silentHours).toBe(16);
  });

  const friday = factsOf().arrival;
  it.each<[string, Record<string, SlotValue>, Partial<Facts>, Partial<Facts>, Action['do'][]]>([
    ['referral-first', {}, { channel: 'referral' }, { channel: 'web_form' }, ['set_tier', 'respond_within']],
    [
      'referral-first',
      {},
      { channel: 'referral', urgency: 'soon' },
      { channel: 'referral', urgency: 'same_day' },
      ['set_tier', 'respond_within'],
    ],
    [
      'referral-first',
      { sources: 'website' },
      { source: 'website' },
      { source: 'search-ad' },
      ['set_tier', 'respond_within'],
    ],
    ['same-day', {}, { message: 'My SWOLLEN jaw' }, { message: 'a check' }, ['set_urgency']],
    [
      'out-of-network-parked',
      {},
      { insurance: 'Blue HMO', insuranceKind: 'private' },
      { insurance: 'Medicare HMO', insuranceKind: 'public' },
      ['set_tier', 'tag', 'make_task'],
    ],
    [
      'out-of-network-parked',
      {},
      { insurance: 'Blue HMO', insuranceKind: 'private' },
      { insurance: 'Blue HMO', insuranceKind: 'private', channel: 'referral' },
      ['set_tier', 'tag', 'make_task'],
    ],
    ['spanish-pool', { pool: 'skin' }, { language: 'es-MX' }, { language: 'en' }, ['send_to_pool']],
    ['after-hours-reply', {}, { arrival: { ...friday, open: false } }, {}, ['auto_reply']],
    [
      'missed-call-first',
      {},
      { channel: 'missed_call' },
      { channel: 'phone_call' },
      ['set_tier', 'respond_within'],
    ],
    [
      'high-value-service',
      {},
      { serviceValueCents: 300_000 },
      { serviceValueCents: 299_999 },
      ['raise_tier'],
    ],
    ['unknown-service', {}, {}, { service: 'acne' }, ['send_to_pool', 'make_task']],
    ['returning-to-coordinator', {}, { returning: true }, {}, ['send_to_owner']],
    [
      'minor-needs-guardian',
      {},
      { ageBand: 'minor' },
      { ageBand: 'minor', writtenForPatient: true },
      ['tag', 'make_task'],
    ],
    [
      'suspected-spam',
      {},
      { message: 'We do SEO', hasPhone: false },
      { message: 'We do SEO' },
      ['mark_spam', 'stop'],
    ],
    [
      'silent-two-days',
      {},
      { trigger: 'silence', silentHours: 16, stage: 'contacted' },
      { trigger: 'silence', silentHours: 16, stage: 'new' },
      ['tag', 'make_task'],
    ],
  ])('hold for what they are for: %s', (id, slots, meant, other, actions) => {
    const rule = filled(id, slots);
    const holds = (facts: Partial<Facts>) => compileRules([rule]).evaluate(factsOf(facts)).held.length === 1;

    expect([holds(meant), holds(other)]).toEqual([true, false]);
    expect(rule.actions.map((action) => action.do)).toEqual(actions);
  });
});

describe('the documentation of rules', () => {
  const text = readFileSync('docs/rules.md', 'utf8');
  const examples = [...text.matchAll(/```yaml\n(rules:\n[\s\S]*?)```/g)].map(([, yaml]) => yaml ?? '');

  it.each([
    ['field', fieldNames],
    ['operator', operators],
    ['action', actionSchema.unwrap().options.map((option) => option.shape.do.value)],
    ['trigger', triggers],
    ['template', ruleTemplates.map(({ id }) => id)],
  ] as const)('names every %s', (_, names) => {
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('has examples that pass', () => {
    const practice = structuredClone(smallPractice);
    practice.pools.push({
      id: 'spanish',
      name: 'Spanish',
      services: [],
      fallback: false,
      members: [{ id: 'ana', weight: 1 }],
    });
    const rules = examples.flatMap((yaml) => rulesSchema.parse(parse(yaml).rules));

    expect(rules.length).toBeGreaterThan(1);
    expect(checkRules({ ...practice, rules })).toEqual([]);
  });
});
