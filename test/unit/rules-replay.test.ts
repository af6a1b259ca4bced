import { describe, expect, it } from 'vitest';
import { findUrgency } from '../../shared/domain/clinical-urgency.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { compileRules } from '../../shared/domain/rules/compile.ts';
import { explainRules } from '../../shared/domain/rules/explain.ts';
import { gatherFacts, writtenText } from '../../shared/domain/rules/gather.ts';
import { type PastInquiry, replayOne, summarizeReplay } from '../../shared/domain/rules/replay.ts';
import type { Action, Condition, Rule } from '../../shared/domain/rules/rule.ts';
import { triage } from '../../shared/domain/rules/triage.ts';
import { score, scoredFacts } from '../../shared/domain/scoring.ts';
import type { Told } from '../../shared/domain/timeline.ts';
import { friday, smallPractice } from '../support/fixtures.ts';
import { factsOf, ruleOf } from '../support/rules.ts';

const spanish: Condition = { field: 'language', operator: 'is', value: 'es' };
const withRules = (...rules: Rule[]): Practice => ({ ...smallPractice, rules });

/** Maria's inquiry, scored and triaged by the rules of a practice, and routed. */
function past(
  practice: Practice,
  change: { head?: Partial<Inquiry>; person?: PastInquiry['person']; decided?: boolean } = {},
): PastInquiry {
  const head: Inquiry = {
    ...captured(
      {
        id: 'inquiry_1',
        contactId: 'contact_1',
        locationId: 'main-street',
        channel: 'web_form',
        sourceId: 'website',
        serviceId: 'acne',
        quarantine: [],
      } as Parameters<typeof captured>[0],
      friday,
    ),
    poolId: 'skin',
    assignedTo: 'ana',
    ...change.head,
  };
  const body = {
    sourceId: head.sourceId,
    serviceId: head.serviceId,
    fields: {
      name: 'Maria Lopez',
      email: 'maria@example.com',
      phone: '(650) 555-0188',
      service: 'acne',
      language: 'es',
      message: 'My skin hurts.',
    },
  };
  const model = score(scoredFacts(body), practice);
  const urgency = findUrgency(practice.urgency, { serviceId: head.serviceId, text: writtenText(body) });
  const facts = gatherFacts(practice, {
    trigger: 'arrival',
    head,
    body,
    person: change.person,
    score: model,
    urgency: urgency.level,
  });
  const triaged = triage(practice, { facts, score: model, urgency });
  return {
    head,
    body,
    person: change.person,
    // Before there were rules, the model's score was stored as it was.
    score: change.decided === false ? model : { ...triaged.score, decision: triaged.decision },
  };
}
const does = (...actions: Action[]): Rule => ruleOf({ id: 'spanish', when: spanish, actions });
const replay = (rules: Rule[], published: Rule[] = [], change: Parameters<typeof past>[1] = {}) =>
  replayOne(withRules(...published), compileRules(rules), past(withRules(...published), change));

describe('a replay', () => {
  it('of the rules that were in force changes nothing', () => {
    const rules = [does({ do: 'raise_tier' }, { do: 'send_to_pool', pool: 'intake' })];

    expect(replay(rules, rules)).toBeUndefined();
    expect(replay(rules, rules, { decided: false })).toBeUndefined();
    expect(replay([], [])).toBeUndefined();
  });

  it('tells what a new rule would change, and that it is the rule', () => {
    expect(replay([does({ do: 'raise_tier' }, { do: 'send_to_pool', pool: 'intake' })])).toEqual({
      inquiryId: 'inquiry_1',
      receivedAt: friday.toISOString(),
      tier: { from: 'B', to: 'A' },
      pool: { from: 'skin', to: 'intake' },
      // Opening is at nine: an hour before it 60 minutes become 5.
      respondBy: { from: '2026-11-20T18:00:00.000Z', to: '2026-11-20T17:05:00.000Z' },
      rules: ['spanish'],
      because: ['spanish: tier from B to A, to the pool intake'],
    });
  });

  it('tells what would no longer happen without a rule', () => {
    expect(replay([], [does({ do: 'raise_tier' })])).toMatchObject({
      tier: { from: 'A', to: 'B' },
      rules: ['spanish'],
      because: ['no longer spanish: tier from B to A'],
    });
  });

  it('is compared with the present rules where no decision was stored', () => {
    const rules = [does({ do: 'raise_tier' })];

    expect(replay([], rules, { decided: false })).toMatchObject({ tier: { from: 'A', to: 'B' } });
  });

  it('says nothing of rules that change nothing that counts', () => {
    expect(replay([does({ do: 'tag', tag: 'es' })])).toBeUndefined();
  });

  it('counts from when the clock started', () => {
    const head = { clockFrom: '2026-11-20T20:00:00.000Z' };

    expect(replay([does({ do: 'respond_within', minutes: 10 })], [], { head })?.respondBy).toEqual({
      from: '2026-11-20T21:00:00.000Z',
      to: '2026-11-20T20:10:00.000Z',
    });
  });

  it.each<[string, Action, Parameters<typeof past>[1], object | undefined]>([
    ['whom a rule names', { do: 'send_to_member', member: 'ben' }, {}, { from: 'ana', to: 'ben' }],
    ['nobody else where a rule names who had it', { do: 'send_to_member', member: 'ana' }, {}, undefined],
    ['nobody else where whom it names is gone', { do: 'send_to_member', member: 'zoe' }, {}, undefined],
    [
      'who knows the person',
      { do: 'send_to_owner' },
      { person: { owner: 'carla' } },
      { from: 'ana', to: 'carla' },
    ],
    ['nobody else where nobody knows the person', { do: 'send_to_owner' }, {}, undefined],
    [
      'whoever had it, where they are in the other pool',
      { do: 'send_to_pool', pool: 'intake' },
      {},
      undefined,
    ],
    [
      'the next of a pool that they are not in',
      { do: 'send_to_pool', pool: 'intake' },
      { head: { assignedTo: 'mia' } },
      { from: 'mia', to: 'next of intake' },
    ],
    [
      'whom a rule names, where nobody had it',
      { do: 'send_to_member', member: 'ben' },
      { head: { assignedTo: undefined } as never },
      { to: 'ben' },
    ],
  ])('gives it to %s', (_, action, change, expected) => {
    expect(replay([does(action)], [], change)?.member).toEqual(expected);
  });

  it('gives it to the next of the pool where a rule no longer names who had it', () => {
    const named = does({ do: 'send_to_member', member: 'ana' });

    expect(replay([], [named])?.member).toEqual({ from: 'ana', to: 'next of skin' });
  });

  it('tells of stages and of what would be set aside', () => {
    expect(
      replay([does({ do: 'mark_spam' }, { do: 'set_stage', stage: 'closed', closeReason: 'spam' })]),
    ).toMatchObject({ spam: { from: false, to: true }, stage: { from: 'new', to: 'closed' } });
  });

  it('does not blame rules for what the configuration has changed since', () => {
    const before = past(smallPractice);
    const now = structuredClone(smallPractice);
    now.scoring.respondWithinMinutes.B = 120;

    expect(replayOne(now, compileRules([]), before)).toMatchObject({
      respondBy: { from: '2026-11-20T18:00:00.000Z', to: '2026-11-20T19:00:00.000Z' },
      rules: [],
      because: ['the configuration has changed since'],
    });
  });

  it('sums up', () => {
    const raised = replay([does({ do: 'raise_tier' })]);
    const moved = replay([
      does({ do: 'send_to_pool', pool: 'intake' }, { do: 'respond_within', minutes: 90 }),
    ]);
    const changes = [raised, moved].filter((change) => change !== undefined);

    expect(summarizeReplay(changes, 500)).toEqual({
      looked: 500,
      changed: 2,
      raised: 1,
      lowered: 0,
      pool: 1,
      member: 0,
      earlier: 1,
      later: 1,
      stage: 0,
      moved: 0,
      spam: 0,
      byConfiguration: 0,
      byRule: { spanish: 2 },
    });
  });
});

describe('an explanation', () => {
  const explain = (when: Condition, facts = factsOf({ language: 'en', score: 54, tags: ['x'] })) =>
    explainRules(compileRules([ruleOf({ id: 'r', name: 'R', when })]), facts)[0];

  it.each<[string, Condition, object]>([
    [
      'the first that failed of all',
      {
        all: [
          { field: 'tier', operator: 'is', value: 'B' },
          spanish,
          { field: 'score', operator: 'at_least', value: 70 },
        ],
      },
      {
        path: ['when', 'all', 1],
        field: 'language',
        operator: 'is',
        wanted: 'es',
        actual: 'en',
        negated: false,
      },
    ],
    [
      'the first of any',
      { any: [{ field: 'score', operator: 'at_least', value: 70 }, spanish] },
      {
        path: ['when', 'any', 0],
        field: 'score',
        operator: 'at_least',
        wanted: 70,
        actual: 54,
        negated: false,
      },
    ],
    [
      'what held and should not',
      { not: { any: [spanish, { field: 'tags', operator: 'has', value: 'x' }] } },
      {
        path: ['when', 'not', 'any', 1],
        field: 'tags',
        operator: 'has',
        wanted: 'x',
        actual: ['x'],
        negated: true,
      },
    ],
    [
      'what is not known',
      { field: 'age', operator: 'at_least', value: 18 },
      { path: ['when'], field: 'age', operator: 'at_least', wanted: 18, negated: false },
    ],
    [
      'when it came',
      { field: 'arrivalTime', operator: 'before', value: '08:00' },
      {
        path: ['when'],
        field: 'arrivalTime',
        operator: 'before',
        wanted: '08:00',
        actual: '16:30',
        negated: false,
      },
    ],
  ])('of a rule that does not hold names %s', (_, when, failed) => {
    expect(explain(when)).toEqual({ rule: 'r', name: 'R', state: 'not_held', failed });
  });

  it('tells what became of each rule, by what those before it moved', () => {
    const tierA: Condition = { field: 'tier', operator: 'is', value: 'A' };
    const rules = compileRules([
      ruleOf({ id: 'off', enabled: false }),
      ruleOf({ id: 'reply', on: ['reply'] }),
      ruleOf({ id: 'before', when: tierA }),
      ruleOf({ id: 'raise', actions: [{ do: 'raise_tier' }] }),
      ruleOf({ id: 'broken', when: { field: 'gone', operator: 'present' } }),
      ruleOf({ id: 'not-a', when: { not: tierA } }),
      ruleOf({ id: 'stops', when: tierA, actions: [{ do: 'stop' }] }),
      ruleOf({ id: 'later' }),
    ]);

    const explained = explainRules(rules, factsOf());

    expect(explained.map(({ rule, state }) => [rule, state])).toEqual([
      ['off', 'off'],
      ['reply', 'elsewhere'],
      ['before', 'not_held'],
      ['raise', 'held'],
      ['broken', 'broken'],
      ['not-a', 'not_held'],
      ['stops', 'held'],
      ['later', 'skipped'],
    ]);
    expect(explained[2]?.failed?.actual).toBe('B');
    expect(explained[3]?.did).toEqual(['tier from B to A']);
    expect(explained[4]?.did).toEqual(['passed over: no field is called gone']);
    expect(explained[5]?.failed).toMatchObject({ actual: 'A', negated: true });
  });
});

describe('what happened after its arrival', () => {
  const voicemail: Rule = ruleOf({
    id: 'voicemail',
    on: ['disposition'],
    when: {
      all: [
        { field: 'disposition', operator: 'is', value: 'voicemail' },
        { field: 'stage', operator: 'is', value: 'contacted' },
      ],
    },
    actions: [{ do: 'send_to_pool', pool: 'intake' }],
  });
  const told = (kind: Told['kind'], minute: number, details: object): Told => ({
    kind,
    at: new Date(friday.getTime() + minute * 60_000).toISOString(),
    actor: 'ana',
    contactId: 'contact_1',
    inquiryId: 'inquiry_1',
    entryId: `entry_${minute}`,
    details: { ...details },
  });
  const call = (minute: number, disposition: string): Told => told('call', minute, { disposition });
  const contacted = told('stage_changed', 10, { from: 'new', to: 'contacted' });
  const look = (rules: Rule[], ...entries: Told[]) =>
    replayOne(smallPractice, compileRules(rules), {
      ...past(smallPractice),
      later: { told: entries, person: undefined },
    });

  it('shows when rules would have taken it elsewhere first, by its stage of then', () => {
    const change = look(
      [voicemail],
      call(5, 'voicemail'),
      contacted,
      call(20, 'voicemail'),
      call(30, 'voicemail'),
    );

    expect(change).toMatchObject({
      moved: { at: '2026-11-20T16:20:00.000Z', trigger: 'disposition', where: 'to the pool intake' },
      rules: ['voicemail'],
      because: ['voicemail: to the pool intake'],
    });
    expect(change && summarizeReplay([change], 1)).toMatchObject({
      changed: 1,
      moved: 1,
      byRule: { voicemail: 1 },
    });
  });

  it('shows nothing where they would not have, or did', () => {
    expect(look([voicemail], contacted, call(20, 'reached'))).toBeUndefined();
    expect(look([voicemail], contacted, told('email', 20, { direction: 'received' }))).toBeUndefined();
    const applied = told('rules_applied', 21, {
      trigger: 'disposition',
      hits: [{ rule: 'before', did: ['to the pool intake'] }],
    });
    expect(look([voicemail], contacted, call(20, 'voicemail'), applied)).toBeUndefined();
    // What rules did at another call says nothing of this one.
    const afterwards = { ...applied, at: new Date(friday.getTime() + 26 * 60_000).toISOString() };
    expect(
      look([voicemail], contacted, call(20, 'voicemail'), call(25, 'reached'), afterwards),
    ).toBeDefined();
  });

  it('looks at a tier and a stage as rules left them, and at changes of the stage and answers', () => {
    const onStage = ruleOf({
      id: 'consult',
      on: ['stage_change', 'reply'],
      when: {
        all: [
          { field: 'tier', operator: 'is', value: 'A' },
          { field: 'stage', operator: 'is', value: 'consult' },
        ],
      },
      actions: [{ do: 'send_to_member', member: 'elena' }],
    });
    const raised = told('rules_applied', 5, { trigger: 'reply', hits: [], tier: { from: 'B', to: 'A' } });
    const consult = told('stage_changed', 10, { from: 'new', to: 'consult' });
    expect(look([onStage], raised, consult)?.moved).toMatchObject({
      trigger: 'stage_change',
      where: 'to elena',
    });
    const byRules = told('rules_applied', 6, {
      trigger: 'reply',
      hits: [],
      stage: { from: 'new', to: 'consult' },
    });
    expect(
      look([onStage], raised, byRules, told('email', 20, { direction: 'received' }))?.moved,
    ).toMatchObject({
      trigger: 'reply',
    });
    expect(look([onStage], consult)).toBeUndefined();
  });
});
