import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UrgencyFinding } from '../../shared/domain/clinical-urgency.ts';
import { compileRules } from '../../shared/domain/rules/compile.ts';
import { decisionSchema } from '../../shared/domain/rules/decision.ts';
import type { Facts } from '../../shared/domain/rules/facts.ts';
import { gatherFacts, insuranceKindOf, writtenText } from '../../shared/domain/rules/gather.ts';
import { type Action, type Rule, recordedActions } from '../../shared/domain/rules/rule.ts';
import { applyTrigger, describeAction, triage } from '../../shared/domain/rules/triage.ts';
import { actionSchema } from '../../shared/domain/schema/action.ts';
import { type Score, scoreSchema } from '../../shared/domain/scoring.ts';
import type { Tier } from '../../shared/domain/stages.ts';
import { submissionSchema } from '../../shared/domain/submission.ts';
import { friday, smallPractice } from '../support/fixtures.ts';
import { conditionArb, factsArb, factsOf, ruleOf } from '../support/rules.ts';

const scoreOf = (tier: Tier = 'B'): Score => ({
  total: 54,
  tier,
  modelVersion: '2026-1',
  parts: [
    { name: 'source_quality', points: 28, reason: 'lead source website' },
    { name: 'service_value', points: 10, reason: 'acne' },
    { name: 'phone', points: 8, reason: 'given' },
    { name: 'email', points: 8, reason: 'given' },
  ],
});
const routine: UrgencyFinding = { level: 'routine', reason: 'no criterion' };
const decide = (rules: Rule[], facts: Partial<Facts> = {}, urgency: UrgencyFinding = routine) => {
  const all = factsOf({ urgency: urgency.level, ...facts });
  return triage(smallPractice, {
    facts: all,
    score: scoreOf(all.tier),
    urgency,
    rules: compileRules(rules, 3),
  });
};
const does = (...actions: Action[]): Rule => ruleOf({ id: 'does', name: 'Spanish speakers', actions });

/** Every action, with ids that need not exist. */
const actionArb: fc.Arbitrary<Action> = fc.constantFrom<Action>(
  { do: 'set_tier', tier: 'A' },
  { do: 'set_tier', tier: 'C' },
  { do: 'raise_tier' },
  { do: 'lower_tier' },
  { do: 'set_urgency', urgency: 'same_day' },
  { do: 'set_urgency', urgency: 'routine' },
  { do: 'respond_within', minutes: 30 },
  { do: 'send_to_pool', pool: 'skin' },
  { do: 'send_to_member', member: 'ana' },
  { do: 'send_to_owner' },
  { do: 'send_to_specialty', specialty: 'dermatology' },
  { do: 'tag', tag: 'vip' },
  { do: 'set_stage', stage: 'closed', closeReason: 'not_eligible' },
  { do: 'mark_spam' },
  { do: 'make_task', title: 'Call', dueInMinutes: 60 },
  { do: 'notify', whom: 'managers' },
  { do: 'start_nurture', sequence: 'spring' },
  { do: 'auto_reply', template: 'after-hours' },
  { do: 'stop' },
);

describe('triage', () => {
  it('without rules gives the tier of the model and its clock, and stores no more than that', () => {
    const triaged = decide([]);

    expect(triaged).toEqual({
      score: scoreOf(),
      decision: { respondWithinMinutes: 60, clock: 'tier B' },
      faults: [],
    });
  });

  it('names the version of the rules it looked at', () => {
    const unmet = ruleOf({ when: { field: 'returning', operator: 'is', value: true } });

    expect(decide([unmet]).decision).toEqual({ respondWithinMinutes: 60, clock: 'tier B', rulesVersion: 3 });
    expect(decide([ruleOf({ on: ['reply'] })]).decision).not.toHaveProperty('rulesVersion');
  });

  it('explains each tier a rule moved by a part of 0 points', () => {
    const { score, decision } = decide([
      does({ do: 'raise_tier' }),
      ruleOf({ id: 'again', actions: [{ do: 'raise_tier' }] }),
      ruleOf({ id: 'fixed', name: 'Fixed', actions: [{ do: 'set_tier', tier: 'C' }] }),
    ]);

    expect(score.tier).toBe('C');
    expect(score.parts.slice(4)).toEqual([
      { name: 'rule:does', points: 0, reason: 'raised from B to A by the rule Spanish speakers' },
      { name: 'rule:fixed', points: 0, reason: 'lowered from A to C by the rule Fixed' },
    ]);
    expect(decision).toEqual({
      respondWithinMinutes: 240,
      clock: 'tier C',
      modelTier: 'B',
      hits: [
        { rule: 'does', did: ['tier from B to A'] },
        { rule: 'again', did: ['tier stays A'] },
        { rule: 'fixed', did: ['tier from A to C'] },
      ],
      rulesVersion: 3,
    });
  });

  it('has parts that sum to the total, whatever the rules', () => {
    const rulesArb = fc.array(
      fc.record({ when: conditionArb, actions: fc.array(actionArb, { minLength: 1, maxLength: 4 }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(rulesArb, factsArb, (drawn, facts) => {
        const rules = compileRules(
          drawn.map((change) => ruleOf(change)),
          1,
        );

        const { score, decision } = triage(smallPractice, {
          facts,
          score: scoreOf(facts.tier),
          urgency: { level: facts.urgency, reason: 'x' },
          rules,
        });

        expect(score.parts.reduce((sum, { points }) => sum + points, 0)).toBe(score.total);
        expect(scoreSchema.parse(score)).toEqual(score);
        expect(decisionSchema.parse(decision)).toEqual(decision);
        const moved = score.parts.filter(({ name }) => name.startsWith('rule:'));
        expect(moved.length > 0 || score.tier === facts.tier).toBe(true);
        expect(decision.modelTier ?? score.tier).toBe(facts.tier);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, Partial<Facts>, UrgencyFinding, Rule[], number, string]>([
    ['the tier', { tier: 'A' }, routine, [], 5, 'tier A'],
    [
      'the channel, whatever the tier',
      { tier: 'C', channel: 'missed_call' },
      routine,
      [],
      5,
      'channel missed_call',
    ],
    [
      'the channel, even where it is longer',
      { tier: 'A', channel: 'referral' },
      routine,
      [],
      60,
      'channel referral',
    ],
    ['the urgency, where it is shorter', {}, { level: 'same_day', reason: 'x' }, [], 15, 'urgency same_day'],
    [
      'not the urgency, where it is longer',
      { tier: 'A' },
      { level: 'same_day', reason: 'x' },
      [],
      5,
      'tier A',
    ],
    [
      'the urgency beside a channel',
      { channel: 'referral' },
      { level: 'same_day', reason: 'x' },
      [],
      15,
      'urgency same_day',
    ],
    [
      'a rule, in place of all others',
      { channel: 'missed_call' },
      { level: 'same_day', reason: 'x' },
      [does({ do: 'respond_within', minutes: 90 })],
      90,
      'rule does',
    ],
    ['the tier that rules left', {}, routine, [does({ do: 'raise_tier' })], 5, 'tier A'],
    [
      'the urgency that rules left',
      {},
      routine,
      [does({ do: 'set_urgency', urgency: 'same_day' })],
      15,
      'urgency same_day',
    ],
    [
      'no urgency that rules took away',
      {},
      { level: 'same_day', reason: 'x' },
      [does({ do: 'set_urgency', urgency: 'routine' })],
      60,
      'tier B',
    ],
    [
      'the later of two rules',
      {},
      routine,
      [
        does({ do: 'respond_within', minutes: 90 }),
        ruleOf({ id: 'last', actions: [{ do: 'respond_within', minutes: 10 }] }),
      ],
      10,
      'rule last',
    ],
    [
      'the earlier of two rules, where it stops',
      {},
      routine,
      [
        does({ do: 'respond_within', minutes: 90 }, { do: 'stop' }),
        ruleOf({ id: 'last', actions: [{ do: 'respond_within', minutes: 10 }] }),
      ],
      90,
      'rule does',
    ],
  ])('takes the clock of %s', (_, facts, urgency, rules, minutes, clock) => {
    expect(decide(rules, facts, urgency).decision).toMatchObject({ respondWithinMinutes: minutes, clock });
  });

  it.each<[string, UrgencyFinding, Rule[], object]>([
    ['of none but its service', routine, [], {}],
    [
      'of the urgency criterion',
      { level: 'soon', criterionId: 'moles', reason: 'x', poolId: 'skin' },
      [],
      { poolId: 'skin', poolBecause: 'urgency criterion moles' },
    ],
    [
      'of a rule before that',
      { level: 'soon', criterionId: 'moles', reason: 'x', poolId: 'skin' },
      [does({ do: 'send_to_pool', pool: 'intake' })],
      { poolId: 'intake', poolBecause: 'rule does' },
    ],
    [
      'of no criterion that a rule took away',
      { level: 'soon', criterionId: 'moles', reason: 'x', poolId: 'skin' },
      [does({ do: 'set_urgency', urgency: 'routine' })],
      {},
    ],
  ])('sends to the pool %s', (_, urgency, rules, expected) => {
    const { poolId, poolBecause } = decide(rules, {}, urgency).decision;

    expect({ ...(poolId && { poolId }), ...(poolBecause && { poolBecause }) }).toEqual(expected);
  });

  it('keeps the person apart from the pool: the later rule about each is followed', () => {
    const { decision } = decide([
      does({ do: 'send_to_member', member: 'ana' }, { do: 'send_to_pool', pool: 'skin' }),
      ruleOf({ id: 'owner', actions: [{ do: 'send_to_owner' }] }),
    ]);

    expect(decision).toMatchObject({ poolId: 'skin', toOwner: true });
    expect(decision).not.toHaveProperty('memberId');
  });

  it('gathers what else rules ask for, and records what cannot be done yet', () => {
    const { decision } = decide([
      does(
        { do: 'tag', tag: 'vip' },
        { do: 'mark_spam' },
        { do: 'set_stage', stage: 'closed', closeReason: 'not_eligible' },
        { do: 'send_to_member', member: 'ana' },
        { do: 'make_task', title: 'Call', dueInMinutes: 60 },
        { do: 'set_urgency', urgency: 'soon' },
      ),
      ruleOf({
        id: 'more',
        actions: [
          { do: 'tag', tag: 'vip' },
          { do: 'tag', tag: 'es' },
          { do: 'notify', whom: 'managers' },
          { do: 'stop' },
        ],
      }),
      ruleOf({ id: 'never' }),
    ]);

    expect(decision).toEqual({
      respondWithinMinutes: 60,
      clock: 'tier B',
      urgency: 'soon',
      memberId: 'ana',
      tags: ['vip', 'es'],
      stage: 'closed',
      closeReason: 'not_eligible',
      spam: true,
      recorded: [
        { do: 'make_task', title: 'Call', dueInMinutes: 60 },
        { do: 'notify', whom: 'managers' },
      ],
      hits: [
        {
          rule: 'does',
          did: [
            'tag vip',
            'set aside as suspected spam',
            'stage closed, not_eligible',
            'to ana',
            'task "Call", due in 60 minutes',
            'urgency from routine to soon',
          ],
        },
        { rule: 'more', did: ['tag vip', 'tag es', 'notify managers', 'no later rule'] },
      ],
      rulesVersion: 3,
    });
  });

  it('goes on without a rule that cannot be looked at, and says so', () => {
    const broken = ruleOf({ id: 'broken', when: { field: 'gone', operator: 'is', value: 'x' } });

    const { score, decision, faults } = decide([broken, does({ do: 'raise_tier' })]);

    expect(score.tier).toBe('A');
    expect(decision.hits).toEqual([
      { rule: 'does', did: ['tier from B to A'] },
      { rule: 'broken', did: ['passed over: no field is called gone'] },
    ]);
    expect(faults).toEqual([{ rule: 'broken', reason: 'no field is called gone' }]);
  });
});

describe('rules of a later trigger', () => {
  it('ask for what they do, and change nothing themselves', () => {
    const rules = compileRules([
      ruleOf({
        id: 'quiet',
        on: ['silence'],
        silentHours: 18,
        actions: [
          { do: 'lower_tier' },
          { do: 'tag', tag: 'quiet' },
          { do: 'respond_within', minutes: 60 },
          { do: 'make_task', title: 'Call', dueInMinutes: 60 },
          { do: 'stop' },
        ],
      }),
    ]);

    expect(applyTrigger(rules, factsOf({ trigger: 'silence', silentHours: 18, stage: 'contacted' }))).toEqual(
      {
        hits: [
          {
            rule: 'quiet',
            did: [
              'tier from B to C',
              'tag quiet',
              'respond within 60 minutes',
              'task "Call", due in 60 minutes',
              'no later rule',
            ],
          },
        ],
        faults: [],
        actions: [
          { do: 'lower_tier' },
          { do: 'tag', tag: 'quiet' },
          { do: 'respond_within', minutes: 60 },
          { do: 'make_task', title: 'Call', dueInMinutes: 60 },
        ],
        tier: 'C',
        respondWithin: { minutes: 60, rule: 'quiet' },
        tags: ['quiet'],
        recorded: [{ do: 'make_task', title: 'Call', dueInMinutes: 60 }],
      },
    );
  });

  it('that do not hold ask for nothing', () => {
    expect(applyTrigger(compileRules([ruleOf()]), factsOf({ trigger: 'reply' }))).toEqual({
      hits: [],
      faults: [],
      actions: [],
      tags: [],
      recorded: [],
    });
  });
});

it('has words for every action', () => {
  const words = new Map<string, string>();
  fc.assert(
    fc.property(actionArb, (action) => void words.set(JSON.stringify(action), describeAction(action))),
  );

  expect(actionSchema.unwrap().options).toHaveLength(17);
  expect(recordedActions).toHaveLength(4);
  expect([...words.values()].every((text) => /\w/.test(text))).toBe(true);
  expect(new Set(words.values()).size).toBe(words.size);
});

describe('facts', () => {
  type Gathered = Parameters<typeof gatherFacts>[1];
  const gather = (change: { [Key in keyof Gathered]?: Partial<Gathered[Key]> | Gathered[Key] } = {}): Facts =>
    gatherFacts(smallPractice, {
      trigger: 'arrival',
      score: { total: 54, tier: 'B' },
      urgency: 'routine',
      ...change,
      head: {
        locationId: 'main-street',
        channel: 'web_form',
        sourceId: 'website',
        receivedAt: friday.toISOString(),
        stage: 'new',
        ...(change.head as object),
      },
      body: { fields: {}, ...(change.body as object) },
    } as Gathered);
  const fields = (given: Record<string, string | boolean>): Facts => gather({ body: { fields: given } });

  it('of an inquiry with nothing but an address of none are few', () => {
    expect(JSON.parse(JSON.stringify(gather()))).toEqual({
      trigger: 'arrival',
      channel: 'web_form',
      source: 'website',
      location: 'main-street',
      insuranceKind: 'unknown',
      hasPhone: false,
      hasEmail: false,
      hasName: false,
      writtenForPatient: false,
      returning: false,
      lifecycle: 'lead',
      tags: [],
      score: 54,
      tier: 'B',
      urgency: 'routine',
      redFlag: false,
      stage: 'new',
      arrival: { date: '2026-11-20', time: '08:00', weekday: 'friday', open: false },
    });
  });

  it('of an inquiry with everything are all of it', () => {
    const given = {
      name: 'Maria Lopez',
      email: 'maria@example.com',
      phone: '(650) 555-0188',
      service: 'Breakouts',
      message: 'Since spring.',
      language: 'es-MX',
      insurance: 'Aetna PPO',
      postalCode: '94040',
      age: '17',
      preferredTime: 'evenings',
      utm_campaign: 'Spring sale!',
    };

    expect(
      gather({
        head: { serviceId: 'acne', campaign: 'spring-sale-2e4a1c' },
        body: {
          fields: given,
          answers: [{ question: 'Since when?', answer: 'March' }],
          returning: true,
          writerId: 'contact_1',
          redFlags: ['chest-pain'],
        },
        person: { lifecycle: 'patient', tags: ['vip'], owner: 'ana' },
        urgency: 'soon',
      }),
    ).toMatchObject({
      service: 'acne',
      serviceWording: 'Breakouts',
      serviceValueCents: 45_000,
      campaign: 'Spring sale!',
      language: 'es-MX',
      insurance: 'Aetna PPO',
      insuranceKind: 'private',
      postalCode: '94040',
      age: 17,
      ageBand: 'minor',
      message: 'Since spring.\nMarch',
      preferredTime: 'evenings',
      hasPhone: true,
      hasEmail: true,
      hasName: true,
      writtenForPatient: true,
      returning: true,
      lifecycle: 'patient',
      tags: ['vip'],
      owner: 'ana',
      urgency: 'soon',
      redFlag: true,
    });
  });

  it('count a phone number that cannot be one as none, and one that the person is known by', () => {
    const body = { fields: { phone: '123' }, invalidPoints: ['phone' as const] };

    expect(gather({ body }).hasPhone).toBe(false);
    expect(gather({ body, person: { hasPhone: true } }).hasPhone).toBe(true);
  });

  it.each([
    ['17', 17, 'minor'],
    ['18', 18, 'adult'],
    ['65', 65, 'senior'],
    ['old', undefined, undefined],
    ['999', undefined, undefined],
  ])('take an age of %s as %s, %s', (age, years, band) => {
    expect(fields({ age })).toMatchObject({ age: years, ageBand: band });
  });

  it.each([
    [
      'before opening',
      '2026-11-20T16:59:59.000Z',
      { date: '2026-11-20', time: '08:59', weekday: 'friday', open: false },
    ],
    [
      'at opening',
      '2026-11-20T17:00:00.000Z',
      { date: '2026-11-20', time: '09:00', weekday: 'friday', open: true },
    ],
    [
      'in the last minute',
      '2026-11-21T00:59:59.000Z',
      { date: '2026-11-20', time: '16:59', weekday: 'friday', open: true },
    ],
    [
      'at closing',
      '2026-11-21T01:00:00.000Z',
      { date: '2026-11-20', time: '17:00', weekday: 'friday', open: false },
    ],
    [
      'on a day that is closed',
      '2026-11-21T20:00:00.000Z',
      { date: '2026-11-21', time: '12:00', weekday: 'saturday', open: false },
    ],
    [
      'in summer',
      '2026-07-01T16:00:00.000Z',
      { date: '2026-07-01', time: '09:00', weekday: 'wednesday', open: true },
    ],
  ])('tell the local time of an arrival %s', (_, receivedAt, expected) => {
    expect(gather({ head: { receivedAt } }).arrival).toEqual(expected);
  });

  it('of a later trigger are as it found the inquiry', () => {
    const head = {
      stage: 'consult' as const,
      redFlag: 'false_alarm' as const,
      trigger: {
        kind: 'stage_change' as const,
        at: friday.toISOString(),
        from: 'new' as const,
        stage: 'contacted' as const,
      },
    };

    expect(gather({ trigger: 'stage_change', head })).toMatchObject({
      stage: 'contacted',
      previousStage: 'new',
      redFlag: false,
    });
    expect(gather({ head })).toMatchObject({ stage: 'new', previousStage: undefined, redFlag: true });
  });

  it('of a silence and of a disposition come from what waits', () => {
    const at = friday.toISOString();

    expect(
      gather({ trigger: 'silence', head: { trigger: { kind: 'silence', at, silentHours: 18 } } }).silentHours,
    ).toBe(18);
    expect(
      gather({
        trigger: 'disposition',
        head: { trigger: { kind: 'disposition', at, disposition: 'voicemail' } },
      }).disposition,
    ).toBe('voicemail');
    expect(gather({ silentHours: 18 }).silentHours).toBeUndefined();
  });

  it.each([
    ['Medicaid', 'public'],
    ['medi-cal', 'public'],
    ['MEDICARE Advantage HMO', 'public'],
    ['TRICARE Prime', 'public'],
    ['CHIP', 'public'],
    ['VA', 'public'],
    ['VA benefits', 'public'],
    ['Aetna and Medicare', 'public'],
    ['Anthem VA', 'private'],
    ['Aetna PPO', 'private'],
    ['Cashmere Health', 'private'],
    ['self-pay', 'self_pay'],
    ['Cash', 'self_pay'],
    ['none', 'self_pay'],
    ['no insurance', 'self_pay'],
    ['sin seguro', 'self_pay'],
    ['not sure', 'unknown'],
    ['N/A', 'unknown'],
    [' ?', 'unknown'],
    [undefined, 'unknown'],
  ])('count the insurance %s as %s', (insurance, kind) => {
    expect(insuranceKindOf(insurance)).toBe(kind);
  });

  it('take as written what the person wrote, not what they were asked', () => {
    const body = {
      fields: { message: 'It grows.', service: 'mole', consentEmail: true, name: 'Maria' },
      answers: [{ question: 'Chest pain?', answer: 'No' }],
    };

    expect(writtenText(body)).toBe('It grows.\nmole\nMaria\nNo');
    expect(writtenText({ fields: { message: ' ' } })).toBe('');
  });

  it('take every field for written but those that hold no words', () => {
    const all = Object.fromEntries(Object.keys(submissionSchema.shape).map((field) => [field, field]));

    expect(writtenText({ fields: { ...all, formId: 'x', submittedAt: 'x' } }).split('\n')).toEqual([
      'message',
      'service',
      'name',
      'preferredTime',
      'insurance',
      'location',
      'patientName',
      'postalCode',
      'consentEmail',
      'consentOpenings',
    ]);
  });
});
