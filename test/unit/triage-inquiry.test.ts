/** What triage does to an inquiry on its way: on arrival, again where its facts change, and at later triggers. */
import { beforeEach, describe, expect, it } from 'vitest';
import { sendMail } from '../../functions/notify/send-mail.ts';
import { contactPk, inquiryPk } from '../../shared/data/keys.ts';
import { released } from '../../shared/domain/inquiry/review.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { type Happened, withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import type { CloseReason, Stage } from '../../shared/domain/stages.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { coordinators, createPipeline, digest, enable, hours, minutes } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
});

const rule = (id: string, change: object): Rule => ruleSchema.parse({ id, name: id, ...change });
const withRules =
  (...rules: Rule[]) =>
  (practice: Practice): void => {
    practice.rules = rules;
  };
const recordOf = async (id: string) => {
  const record = await pipeline.inquiries.find(id);
  if (!record) throw new Error(`no inquiry ${id}`);
  return record;
};
const entriesOf = (id: string, kind: string) =>
  table.rows().filter((row) => row['inquiryId'] === id && row['kind'] === kind);
const scoresOf = (id: string) =>
  table.rows().filter(({ pk, sk }) => pk === inquiryPk(id) && sk.startsWith('SCORE#'));
const personOf = async (id: string) => {
  const { contactId } = await pipeline.head(id);
  const contact = await pipeline.contacts.find(contactId);
  if (!contact) throw new Error('no contact');
  return contact;
};
/** As the API changes a stage. */
async function setStage(id: string, to: Stage, closeReason?: CloseReason): Promise<void> {
  const head = await pipeline.head(id);
  const now = pipeline.environment.now();
  const listening = listeningFor(pipeline.state.practice, head, now, 'stage_change');
  const change = changeStage(head, to, closeReason, now, listening);
  if (change.outcome !== 'changed') throw new Error(`not to ${to}`);
  expect(await table.write(pipeline.inquiries.save(change.next))).toMatchObject({ committed: true });
}
/** As the API records a call or an answer. */
async function happens(id: string, happened: Happened): Promise<void> {
  const head = await pipeline.head(id);
  const now = pipeline.environment.now();
  const listening = listeningFor(pipeline.state.practice, head, now, happened.kind);
  const next = withTrigger({ ...head, version: head.version + 1 }, happened, now, listening);
  expect(await table.write(pipeline.inquiries.save(next))).toMatchObject({ committed: true });
}
/** Adds a phone number to the person of an inquiry, as a later inquiry of theirs would. */
async function addPhone(id: string): Promise<void> {
  const { contactId } = await pipeline.head(id);
  const value = '+16505550199';
  const point = { kind: 'phone' as const, value, digest: digest('phone', value) };
  await table.write(pipeline.contacts.addPoint(contactId, point, pipeline.environment.now()));
}
/** Came without a phone number. */
const phoneless = {
  phone: undefined,
  fields: { name: 'Maria Lopez', email: 'maria@example.com', service: 'acne' },
};

describe('on arrival', () => {
  it('stores score and decision in one plain write, and leaves the head alone', async () => {
    const id = await pipeline.captured();

    await pipeline.score(id);

    const { head, score, scores } = await recordOf(id);
    expect(head.version).toBe(1);
    expect(scores).toBe(1);
    expect(score?.decision).toEqual({ respondWithinMinutes: 60, clock: 'tier B' });
  });

  it('rules set tier, clock, urgency, pool and member, and the routing follows', async () => {
    pipeline.change(
      withRules(
        rule('vip', {
          when: { field: 'service', operator: 'is', value: 'acne' },
          actions: [
            { do: 'raise_tier' },
            { do: 'set_urgency', urgency: 'same_day' },
            { do: 'respond_within', minutes: 30 },
            { do: 'send_to_pool', pool: 'intake' },
            { do: 'send_to_member', member: 'elena' },
          ],
        }),
      ),
    );

    const id = await pipeline.mailed();

    const { head, score } = await recordOf(id);
    expect(score).toMatchObject({ tier: 'A', total: 54, decision: { modelTier: 'B', clock: 'rule vip' } });
    expect(score?.parts.reduce((sum, { points }) => sum + points, 0)).toBe(54);
    expect(score?.parts.at(-1)).toMatchObject({ name: 'rule:vip', points: 0 });
    expect(head).toMatchObject({
      tier: 'A',
      urgency: 'same_day',
      poolId: 'intake',
      assignedTo: 'elena',
      respondBy: '2026-11-20T17:30:00.000Z',
      receipt: { strategy: 'fixed_member' },
    });
    expect(pipeline.mailer.sent[0]?.mail.subject).toBe(
      'New inquiry: tier A, same day, call by Fri 20 Nov, 9:30 AM PST',
    );
    const states = await pipeline.routingStates.read();
    expect([states.load('elena').open, states.rotation('intake').version]).toEqual([1, 0]);
  });

  it('urgency criteria set clock and pool beside the score', async () => {
    pipeline.change((practice) => {
      practice.urgency.criteria = [
        { id: 'mole', level: 'same_day', services: [], words: ['changing mole'], pool: 'intake' },
      ];
    });

    const id = await pipeline.mailed({ fields: { message: 'A changing mole on my back' } });

    expect(await pipeline.head(id)).toMatchObject({
      tier: 'C',
      urgency: 'same_day',
      poolId: 'intake',
      respondBy: '2026-11-20T17:15:00.000Z',
    });
  });

  it('a perishable channel has its own clock', async () => {
    const id = await pipeline.mailed({ channel: 'missed_call' });

    expect(await pipeline.head(id)).toMatchObject({ tier: 'B', respondBy: '2026-11-20T17:05:00.000Z' });
  });

  it('suspected spam is set aside before anybody is told, and goes its way once released', async () => {
    pipeline.change(withRules(rule('junk', { actions: [{ do: 'mark_spam' }, { do: 'tag', tag: 'junk' }] })));

    const id = await pipeline.captured();
    expect(await pipeline.score(id)).toBe('scored_as_spam');
    await pipeline.drain();

    const head = await pipeline.head(id);
    expect(head).toMatchObject({ progress: 'quarantined', quarantine: ['rule'], version: 2 });
    expect(head.timers).toEqual({ review: '2026-11-21T16:00:00.000Z' });
    expect(entriesOf(id, 'rules_applied')).toMatchObject([
      { actor: 'rule:junk', details: { trigger: 'arrival', spam: true } },
    ]);
    expect([pipeline.mailer.sent, (await personOf(id)).tags]).toEqual([[], []]);

    const genuine = released(head, pipeline.environment.now());
    await table.write(pipeline.inquiries.save(genuine ?? head));
    await pipeline.sweep();
    await pipeline.drain();
    expect((await pipeline.head(id)).progress).toBe('notified');
  });

  it('tags stay with the person, once', async () => {
    pipeline.change(withRules(rule('tag', { actions: [{ do: 'tag', tag: 'self-referred' }] })));

    const [first, second] = [await pipeline.mailed(), await pipeline.mailed()];

    expect((await personOf(first)).id).toBe((await personOf(second)).id);
    expect((await personOf(first)).tags).toEqual(['self-referred']);
    expect(entriesOf(first, 'contact_changed')).toHaveLength(1);
    expect(entriesOf(second, 'contact_changed')).toHaveLength(0);
    // The head was not in it, so its routing is its first change.
    expect((await pipeline.head(first)).version).toBe(4);
  });

  it('a rule that closes it keeps it from being routed', async () => {
    pipeline.change(
      withRules(
        rule('elsewhere', { actions: [{ do: 'set_stage', stage: 'closed', closeReason: 'not_eligible' }] }),
      ),
    );

    const id = await pipeline.mailed();

    expect(await pipeline.head(id)).toMatchObject({
      stage: 'closed',
      closeReason: 'not_eligible',
      timers: {},
    });
    expect(entriesOf(id, 'rules_applied')).toMatchObject([
      { details: { stage: { from: 'new', to: 'closed', closeReason: 'not_eligible' } } },
    ]);
    expect(pipeline.mailer.sent).toEqual([]);
  });

  it('delivered many times at once, a decision that changes more than the score is stored once', async () => {
    pipeline.change(withRules(rule('junk', { actions: [{ do: 'mark_spam' }] })));
    const id = await pipeline.captured();

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => pipeline.score(id)));

    expect(outcomes.filter((outcome) => outcome === 'scored_as_spam')).toHaveLength(1);
    expect([scoresOf(id).length, entriesOf(id, 'rules_applied').length]).toEqual([1, 1]);
  });

  it('what was set aside as spam and released is triaged by the other rules, once', async () => {
    pipeline.change(
      withRules(
        rule('junk', { actions: [{ do: 'mark_spam' }, { do: 'stop' }] }),
        rule('others', {
          actions: [
            { do: 'raise_tier' },
            { do: 'respond_within', minutes: 30 },
            { do: 'send_to_pool', pool: 'intake' },
            { do: 'tag', tag: 'vip' },
            { do: 'set_stage', stage: 'consult' },
          ],
        }),
      ),
    );
    const id = await pipeline.captured();
    expect(await pipeline.score(id)).toBe('scored_as_spam');
    const genuine = released(await pipeline.head(id), pipeline.environment.now());
    if (genuine) await table.write(pipeline.inquiries.save(genuine));

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => pipeline.score(id)));

    expect(outcomes.filter((outcome) => outcome === 'rescored')).toHaveLength(1);
    expect(scoresOf(id)).toHaveLength(2);
    const { score } = await recordOf(id);
    expect(score).toMatchObject({
      tier: 'A',
      decision: { clock: 'rule others', hits: [{ rule: 'others' }] },
    });
    expect(score?.decision).not.toHaveProperty('spam');
    expect((await personOf(id)).tags).toEqual(['vip']);
    expect(entriesOf(id, 'rules_applied').at(-1)).toMatchObject({
      details: { trigger: 'arrival', stage: { from: 'new', to: 'consult' } },
    });
    await pipeline.drain();
    expect(await pipeline.head(id)).toMatchObject({
      stage: 'consult',
      tier: 'A',
      poolId: 'intake',
      progress: 'notified',
      // Half of its half hour.
      timers: { respond: '2026-11-20T17:15:00.000Z' },
    });
  });

  it('what was released before rules looked at it is no spam to them', async () => {
    pipeline.change(
      withRules(
        rule('junk', { actions: [{ do: 'mark_spam' }, { do: 'stop' }] }),
        rule('others', { actions: [{ do: 'raise_tier' }] }),
      ),
    );
    const id = await pipeline.captured({ quarantine: ['honeypot'] });
    const genuine = released(await pipeline.head(id), pipeline.environment.now());
    if (genuine) await table.write(pipeline.inquiries.save(genuine));

    expect(await pipeline.score(id)).toBe('scored');

    expect((await recordOf(id)).score).toMatchObject({ tier: 'A', decision: { hits: [{ rule: 'others' }] } });
  });

  it('a rule that cannot be looked at loses nobody, and is told of', async () => {
    const broken = {
      ...rule('odd', { actions: [{ do: 'raise_tier' }] }),
      when: { field: 'no', operator: 'is', value: 1 },
    };
    pipeline.change(withRules(broken as Rule));

    const id = await pipeline.mailed();

    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', tier: 'B' });
    expect(pipeline.ruleFaults).toEqual(['odd']);
  });
});

describe('somebody who came back', () => {
  it('is scored by what they are known by, and not read where they left nothing out', async () => {
    await pipeline.mailed();
    const reads: string[] = [];
    const { query } = table;
    table.query = async (wanted) => {
      reads.push(wanted.pk);
      return query(wanted);
    };

    const whole = await pipeline.captured();
    await pipeline.score(whole);
    expect(reads.filter((pk) => pk.startsWith(contactPk('')))).toEqual([]);

    const known = await pipeline.captured(phoneless);
    reads.length = 0;
    await pipeline.score(known);
    expect(reads.filter((pk) => pk.startsWith(contactPk('')))).toHaveLength(1);
    const { score } = await recordOf(known);
    expect(score?.parts.find(({ name }) => name === 'phone')).toEqual({
      name: 'phone',
      points: 8,
      reason: 'known from before',
    });
  });

  it('goes to the coordinator who knows them, by a rule, as long as that one is there', async () => {
    pipeline.change(withRules(rule('theirs', { actions: [{ do: 'send_to_owner' }] })));
    const first = await pipeline.mailed();
    await Promise.all(
      pipeline.contacts
        .change(await personOf(first), { owner: 'dev' }, pipeline.environment.now())
        .map((write) => table.write(write)),
    );

    const second = await pipeline.mailed();
    expect(await pipeline.head(second)).toMatchObject({ assignedTo: 'dev', receipt: { strategy: 'owner' } });

    pipeline.change(enable(false, 'dev'));
    const third = await pipeline.mailed();
    const { assignedTo, receipt } = await pipeline.head(third);
    expect(assignedTo).toBe('ben');
    expect(receipt?.strategy).toBe('weighted_round_robin');
    expect(receipt?.candidates[0]).toMatchObject({ memberId: 'dev', reason: 'knows the person: disabled' });
  });
});

describe('facts that change', () => {
  it('are scored again, as an entry of their own, and the clock moves to an earlier time only', async () => {
    const id = await pipeline.mailed(phoneless);
    expect(await pipeline.head(id)).toMatchObject({
      score: 46,
      tier: 'B',
      respondBy: '2026-11-20T18:00:00.000Z',
    });
    pipeline.change((practice) => {
      practice.scoring.tiers = { A: 54, B: 40 };
    });
    await addPhone(id);
    pipeline.environment.advance(minutes(30));

    expect(await pipeline.score(id)).toBe('rescored');

    const { head, score, scores } = await recordOf(id);
    expect([scores, score?.total, score?.tier]).toEqual([2, 54, 'A']);
    expect(head).toMatchObject({ score: 54, tier: 'A', respondBy: '2026-11-20T17:05:00.000Z' });
    // Half of its five minutes.
    expect(head.timers.respond).toBe('2026-11-20T17:02:30.000Z');
    expect(scoresOf(id)[0]).not.toHaveProperty('timelinePk');
    expect(scoresOf(id)[1]).toMatchObject({
      timelinePk: `TIMELINE#${head.contactId}`,
      timelineSk: `2026-11-20T16:30:00.000Z#${id}`,
      respondBy: '2026-11-20T17:05:00.000Z',
    });
    expect(await pipeline.score(id)).toBe('score_not_due');
    expect(scoresOf(id)).toHaveLength(2);
  });

  it('are scored again, and what later rules decided stays', async () => {
    pipeline.change(
      withRules(
        rule('answered', {
          on: ['reply'],
          actions: [
            { do: 'set_tier', tier: 'A' },
            { do: 'set_urgency', urgency: 'soon' },
          ],
        }),
      ),
    );
    const id = await pipeline.mailed(phoneless);
    await happens(id, { kind: 'reply' });
    expect(await pipeline.score(id)).toBe('rules_applied');
    await addPhone(id);

    expect(await pipeline.score(id)).toBe('rescored');

    expect(await pipeline.head(id)).toMatchObject({ score: 54, tier: 'A', urgency: 'soon' });
  });

  it('delivered many times at once, are scored again once', async () => {
    const id = await pipeline.mailed(phoneless);
    await addPhone(id);

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => pipeline.score(id)));

    expect(outcomes.filter((outcome) => outcome === 'rescored')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['rescored', 'score_not_due']));
    expect(scoresOf(id)).toHaveLength(2);
  });

  it('are no matter for whom it is over, or suspected', async () => {
    const closed = await pipeline.mailed(phoneless);
    await setStage(closed, 'closed', 'not_interested');
    const suspected = await pipeline.captured({ ...phoneless, quarantine: ['honeypot'] });
    await addPhone(closed);

    for (const id of [closed, suspected]) expect(await pipeline.score(id)).toBe('score_not_due');
    expect(scoresOf(closed)).toHaveLength(1);
  });

  it('before the routing go there with it', async () => {
    const id = await pipeline.captured(phoneless);
    await pipeline.score(id);
    pipeline.queues.route.take();
    await addPhone(id);

    expect(await pipeline.score(id)).toBe('rescored');

    expect(pipeline.queues.route.sent).toEqual([{ inquiryId: id, version: 2 }]);
    await pipeline.drain();
    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', score: 54 });
  });

  it('a new model or new rules alone score nobody again', async () => {
    const id = await pipeline.mailed(phoneless);
    pipeline.change((practice) => {
      practice.scoring.tiers = { A: 30, B: 20 };
      practice.rules = [rule('up', { actions: [{ do: 'set_tier', tier: 'A' }] })];
    });

    expect(await pipeline.score(id)).toBe('score_not_due');
    expect(scoresOf(id)).toHaveLength(1);
  });
});

describe('after arrival', () => {
  it('what a rule could not do any more is said in its hit', async () => {
    pipeline.change(
      withRules(
        rule('late', {
          on: ['stage_change'],
          when: { field: 'stage', operator: 'is', value: 'contacted' },
          actions: [
            { do: 'respond_within', minutes: 5 },
            { do: 'set_stage', stage: 'consult' },
            { do: 'tag', tag: 'late' },
          ],
        }),
      ),
    );
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');
    await setStage(id, 'closed', 'not_interested');

    await pipeline.score(id);

    expect(entriesOf(id, 'rules_applied')).toMatchObject([
      {
        details: {
          hits: [
            {
              rule: 'late',
              did: [
                'respond within 5 minutes: not done, its stage is closed',
                'stage consult: not done, its stage is closed',
                'tag late',
              ],
            },
          ],
        },
      },
    ]);
  });

  it('an urgency brings the respond-by forward, and never takes it back', async () => {
    pipeline.change(
      withRules(
        rule('urgent', { on: ['reply'], actions: [{ do: 'set_urgency', urgency: 'same_day' }] }),
        rule('calm', { on: ['disposition'], actions: [{ do: 'set_urgency', urgency: 'routine' }] }),
      ),
    );
    const id = await pipeline.mailed();
    const before = (await pipeline.head(id)).respondBy ?? '';
    await happens(id, { kind: 'reply' });
    await pipeline.score(id);

    const { respondBy, timers } = await pipeline.head(id);
    expect(respondBy).toBe('2026-11-20T17:15:00.000Z');
    expect(respondBy && respondBy < before).toBe(true);
    expect(timers.respond).toBe('2026-11-20T17:07:30.000Z');
    await happens(id, { kind: 'disposition', disposition: 'voicemail' });
    await pipeline.score(id);
    expect(await pipeline.head(id)).toMatchObject({ respondBy });
  });

  const disposition = (value: 'voicemail' | 'reached' | 'not_interested'): Happened => ({
    kind: 'disposition',
    disposition: value,
  });

  it('rules of a disposition are applied with their entry, once, however often the message comes', async () => {
    pipeline.change(
      withRules(
        rule('left-word', {
          on: ['disposition'],
          when: { field: 'disposition', operator: 'is', value: 'voicemail' },
          actions: [
            { do: 'lower_tier' },
            { do: 'respond_within', minutes: 60 },
            { do: 'set_stage', stage: 'contacted' },
            { do: 'tag', tag: 'left-word' },
            { do: 'send_to_pool', pool: 'intake' },
            { do: 'make_task', title: 'Call again', dueInMinutes: 480 },
          ],
        }),
      ),
    );
    const id = await pipeline.mailed();
    pipeline.environment.set('2026-11-20T18:00:00.000Z');
    await happens(id, disposition('voicemail'));

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => pipeline.score(id)));

    expect(outcomes.toSorted()).toEqual([
      'rules_applied',
      ...Array.from({ length: 4 }, () => 'score_not_due'),
    ]);
    const head = await pipeline.head(id);
    expect(head).toMatchObject({
      stage: 'contacted',
      tier: 'C',
      poolId: 'skin',
      assignedTo: 'ana',
      respondBy: '2026-11-20T19:00:00.000Z',
      timers: { respond: '2026-11-20T18:30:00.000Z' },
    });
    // Where it is to go waits for routing.
    expect(head.move).toEqual({ poolId: 'intake', by: 'rule:left-word' });
    expect(pipeline.queues.route.sent).toContainEqual({ inquiryId: id, version: head.version });
    expect(head).not.toHaveProperty('trigger');
    expect((await personOf(id)).tags).toEqual(['left-word']);
    expect(entriesOf(id, 'rules_applied')).toMatchObject([
      {
        actor: 'rule:left-word',
        details: {
          trigger: 'disposition',
          stage: { from: 'new', to: 'contacted' },
          tier: { from: 'B', to: 'C' },
          respondBy: '2026-11-20T19:00:00.000Z',
          tags: ['left-word'],
          recorded: [{ do: 'make_task' }],
        },
      },
    ]);
  });

  it('rules of a stage see the stage as it was set, and set one that triggers no rules again', async () => {
    pipeline.change(
      withRules(
        rule('forth', {
          on: ['stage_change'],
          when: { field: 'stage', operator: 'is', value: 'contacted' },
          actions: [{ do: 'set_stage', stage: 'consult' }],
        }),
        rule('back', {
          on: ['stage_change'],
          when: { field: 'stage', operator: 'is', value: 'consult' },
          actions: [{ do: 'set_stage', stage: 'contacted' }],
        }),
      ),
    );
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');

    expect(await pipeline.score(id)).toBe('rules_applied');
    expect(await pipeline.score(id)).toBe('score_not_due');

    expect((await pipeline.head(id)).stage).toBe('consult');
    expect((await personOf(id)).lifecycle).toBe('consult');
    expect(entriesOf(id, 'contact_changed')).toMatchObject([
      { details: { changes: { lifecycle: { from: 'lead', to: 'consult' } }, because: 'rules' } },
    ]);
  });

  it('what happened twice is looked at twice, in one message', async () => {
    pipeline.change(
      withRules(
        rule('each-call', { on: ['disposition'], actions: [{ do: 'tag', tag: 'called' }] }),
        rule('each-answer', { on: ['reply'], actions: [{ do: 'tag', tag: 'answered' }] }),
      ),
    );
    const id = await pipeline.mailed();
    await happens(id, disposition('reached'));
    await happens(id, { kind: 'reply' });

    expect(await pipeline.score(id)).toBe('rules_applied');

    expect((await personOf(id)).tags).toEqual(['called', 'answered']);
    expect(await pipeline.head(id)).not.toHaveProperty('trigger');
    expect(entriesOf(id, 'rules_applied')).toHaveLength(2);
  });

  it('a rule that closes an inquiry takes it off its assignee', async () => {
    pipeline.change(withRules(rule('no', { on: ['disposition'], actions: [{ do: 'mark_spam' }] })));
    const id = await pipeline.mailed();
    await happens(id, disposition('not_interested'));

    expect(await pipeline.score(id)).toBe('rules_applied');

    expect(await pipeline.head(id)).toMatchObject({ stage: 'closed', closeReason: 'spam', timers: {} });
    expect((await pipeline.routingStates.read()).load('ana').open).toBe(0);
  });

  it('where no rule holds, nothing is written down', async () => {
    pipeline.change(
      withRules(
        rule('never', {
          on: ['stage_change'],
          when: { field: 'stage', operator: 'is', value: 'closed' },
          actions: [{ do: 'raise_tier' }],
        }),
      ),
    );
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');

    expect(await pipeline.score(id)).toBe('rules_without_hit');

    expect(await pipeline.head(id)).not.toHaveProperty('trigger');
    expect(entriesOf(id, 'rules_applied')).toEqual([]);
  });

  it('a lost message is made up for by the sweep', async () => {
    pipeline.change(
      withRules(rule('tagged', { on: ['stage_change'], actions: [{ do: 'tag', tag: 'moved' }] })),
    );
    const id = await pipeline.mailed();
    await setStage(id, 'booked');

    pipeline.environment.advance(minutes(1));
    expect(await pipeline.sweep()).toMatchObject({ score: 1 });
    await pipeline.drain();

    expect((await personOf(id)).tags).toEqual(['moved']);
    expect((await pipeline.head(id)).timers).toEqual({});
  });

  it('rules of silence come in turn, the shortest first, until somebody answers', async () => {
    const silent = (id: string, silentHours: number) =>
      rule(id, { on: ['silence'], silentHours, actions: [{ do: 'tag', tag: id }] });
    pipeline.change(withRules(silent('two-days', 16), silent('one-day', 8), silent('three-days', 24)));
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');
    const sweepAt = async (at: string) => {
      pipeline.environment.set(at);
      // Reminders and follow-ups are due, too.
      for (let i = 0; i < 3; i++) {
        await pipeline.sweep();
        await pipeline.drain();
        pipeline.environment.advance(minutes(2));
      }
      return (await personOf(id)).tags;
    };

    // Friday's eight hours, then Monday's.
    expect(await sweepAt('2026-11-21T00:50:00.000Z')).toEqual([]);
    expect(await sweepAt('2026-11-21T01:00:00.000Z')).toEqual(['one-day']);
    expect(await sweepAt('2026-11-24T01:00:00.000Z')).toEqual(['one-day', 'two-days']);
    await happens(id, { kind: 'reply' });
    expect(await sweepAt('2026-11-24T23:00:00.000Z')).toEqual(['one-day', 'two-days']);
    expect((await pipeline.head(id)).silence).toMatchObject({ hours: 8 });
  });

  it('what is closed is silent for nobody', async () => {
    pipeline.change(
      withRules(rule('quiet', { on: ['silence'], silentHours: 8, actions: [{ do: 'tag', tag: 'quiet' }] })),
    );
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');
    pipeline.environment.set('2026-11-21T01:00:00.000Z');
    await pipeline.sweep();
    await setStage(id, 'closed', 'not_interested');
    await pipeline.drain();

    expect((await personOf(id)).tags).toEqual([]);
    expect(await pipeline.head(id)).toMatchObject({ stage: 'closed', timers: {} });
  });

  it('staff who are faster are not overwritten: rules are looked at again', async () => {
    pipeline.change(
      withRules(
        rule('on', {
          on: ['disposition'],
          actions: [
            { do: 'set_stage', stage: 'contacted' },
            { do: 'tag', tag: 'called' },
          ],
        }),
      ),
    );
    const id = await pipeline.mailed();
    await happens(id, disposition('reached'));
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      await setStage(id, 'booked');
      return transact(writes);
    };

    expect(await pipeline.score(id)).toBe('rules_applied');

    expect((await pipeline.head(id)).stage).toBe('booked');
    expect((await personOf(id)).tags).toEqual(['called']);
    expect(entriesOf(id, 'rules_applied')).toHaveLength(1);
  });

  it('rules of what happens before the routing start from what triage decided', async () => {
    pipeline.change(
      withRules(
        rule('soon', { actions: [{ do: 'set_urgency', urgency: 'soon' }] }),
        rule('up', {
          on: ['reply'],
          when: { field: 'urgency', operator: 'is', value: 'soon' },
          actions: [{ do: 'raise_tier' }],
        }),
      ),
    );
    const id = await pipeline.captured();
    await pipeline.score(id);
    await happens(id, { kind: 'reply' });

    expect(await pipeline.score(id)).toBe('rules_applied');
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({
      progress: 'notified',
      tier: 'A',
      score: 54,
      urgency: 'soon',
    });
    expect(entriesOf(id, 'rules_applied')).toMatchObject([{ details: { tier: { from: 'B', to: 'A' } } }]);
  });

  it('what was closed before it was scored has its score once it is taken back', async () => {
    pipeline.change(
      withRules(rule('up', { on: ['stage_change'], actions: [{ do: 'set_tier', tier: 'A' }] })),
    );
    const id = await pipeline.captured();
    await setStage(id, 'closed', 'duplicate');
    expect(await pipeline.score(id)).toBe('rules_applied');
    expect(scoresOf(id)).toEqual([]);

    await setStage(id, 'contacted');
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', tier: 'A', score: 54 });
  });

  it('staff who changed the stage before the score was made lose neither', async () => {
    pipeline.change(
      withRules(rule('moved', { on: ['stage_change'], actions: [{ do: 'tag', tag: 'moved' }] })),
    );
    const id = await pipeline.captured();
    await setStage(id, 'contacted');

    expect(await pipeline.score(id)).toBe('rules_applied');
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({ stage: 'contacted', progress: 'notified' });
    expect(scoresOf(id)).toHaveLength(1);
    expect((await personOf(id)).tags).toEqual(['moved']);
  });
});

describe('a red flag', () => {
  const flagged = async (quarantine: 'honeypot'[] = []): Promise<string> => {
    const id = await pipeline.captured({ quarantine });
    const head = await pipeline.head(id);
    await table.transact([
      pipeline.inquiries.raiseAlert(id, head.contactId, ['breathing'], pipeline.environment.now()),
      pipeline.inquiries.save({ ...head, version: head.version + 1, redFlag: 'raised' }),
    ]);
    return id;
  };
  const alerts = () => pipeline.mailer.sent.filter(({ mail }) => mail.subject.includes('human now'));

  it('alerts those on duty and the managers at once, beside the way of the inquiry, and says nothing', async () => {
    pipeline.change((practice) => {
      practice.redFlags.onDuty = ['carla', 'dev', 'mia'];
      enable(false, 'dev')(practice);
    });
    const id = await flagged();

    await pipeline.drain();

    const mail = {
      subject: 'An inquiry needs a human now',
      text: `An inquiry needs a human now. Look at it at once.\n\nhttps://console.example/v1/inquiries/${id}\n\nBayview\n`,
    };
    expect(alerts()).toEqual([
      { to: ['carla@bayview.example'], mail },
      { to: ['mia@bayview.example'], mail },
    ]);
    const { head, alert, score } = await recordOf(id);
    expect(head).toMatchObject({ progress: 'notified', redFlag: 'raised' });
    expect(alert).toMatchObject({ state: 'sent', flags: ['breathing'] });
    expect(score?.total).toBe(54);
    pipeline.environment.advance(hours(0.5));
    expect(await pipeline.sweep()).toMatchObject({ alerts: 0 });
  });

  it('is asked for again with every message until somebody has claimed its mail', async () => {
    const id = await flagged();
    await pipeline.score(id);
    pipeline.queues.mail.take();

    expect(await pipeline.score(id)).toBe('scored_before');

    expect(pipeline.queues.mail.sent).toEqual([{ kind: 'alert', inquiryId: id }]);
    await pipeline.drain();
    await pipeline.score(id);
    expect(pipeline.queues.mail.sent).toEqual([]);
    expect(alerts()).toHaveLength(1);
  });

  it('of a quarantined inquiry is alerted by the sweep, once for two at once', async () => {
    const id = await flagged(['honeypot']);
    pipeline.queues.score.take();

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);
    await pipeline.drain();

    expect(swept.map((sweep) => sweep.alerts).toSorted()).toEqual([0, 1]);
    expect(alerts()).toHaveLength(1);
    expect(await pipeline.head(id)).toMatchObject({ progress: 'quarantined', version: 2 });
    expect(table.rows().find(({ sk }) => sk === 'ALERT')).not.toHaveProperty('dueSk');
  });

  it('whose sender crashed is alerted by the sweep, and delivered many times is sent once', async () => {
    const id = await flagged(['honeypot']);
    pipeline.mailer.onSend = async () => {
      pipeline.mailer.onSend = async () => {};
      throw new Error('crash');
    };
    await pipeline.sweep();
    await expect(pipeline.drain()).rejects.toThrow('crash');

    for (let minute = 0; minute < 4; minute++) {
      pipeline.environment.advance(minutes(1));
      await pipeline.sweep();
      pipeline.queues.mail.sent.push({ kind: 'alert', inquiryId: id });
      await pipeline.drain();
    }

    expect(alerts()).toHaveLength(1);
    expect((await recordOf(id)).alert).toMatchObject({ state: 'sent' });
  });

  const everybody = [...coordinators, 'mia', 'max', 'ada'];
  const alertOnly = (id: string) => sendMail(pipeline.dependencies, { kind: 'alert', inquiryId: id });
  const addresses = (ids: readonly string[]) => ids.map((id) => [`${id}@bayview.example`]);

  it.each([
    ['the managers', [], undefined, ['mia']],
    ['whoever is on duty, where no manager is enabled', ['mia'], 'carla', ['carla']],
    ['the admins, where neither is', ['mia'], undefined, ['ada']],
    ['the assignee, where no admin is either', ['mia', 'ada'], undefined, ['ana']],
    [
      'everybody, where the assignee is not',
      ['mia', 'ada', 'ana'],
      undefined,
      ['ben', 'carla', 'dev', 'elena', 'max'],
    ],
  ])('alerts %s', async (_, disabled, onDuty, expected) => {
    const id = await flagged();
    await table.write(
      pipeline.inquiries.save({ ...(await pipeline.head(id)), version: 3, assignedTo: 'ana' }),
    );
    pipeline.change((practice) => {
      enable(false, ...disabled)(practice);
      practice.redFlags.onDuty = onDuty === undefined ? [] : [onDuty];
    });

    expect(await alertOnly(id)).toBe('mailed');

    expect(alerts().map(({ to }) => to)).toEqual(addresses(expected));
    expect((await recordOf(id)).alert).toMatchObject({ state: 'sent' });
  });

  it('that nobody can be told of is put down as such, and asked for until somebody can', async () => {
    pipeline.change(enable(false, ...everybody));
    const id = await flagged(['honeypot']);

    expect(await alertOnly(id)).toBe('mail_without_recipient');
    expect((await recordOf(id)).alert?.state).not.toBe('sent');

    let asked = 0;
    for (let minute = 0; minute < 30; minute++) {
      pipeline.environment.advance(minutes(1));
      asked += (await pipeline.sweep()).alerts;
      await pipeline.drain();
    }
    expect(alerts()).toEqual([]);
    // At last every five minutes.
    expect(asked).toBeGreaterThanOrEqual(5);
    expect(asked).toBeLessThanOrEqual(10);

    pipeline.change(enable(true, 'max'));
    for (let minute = 0; minute < 6; minute++) {
      pipeline.environment.advance(minutes(1));
      await pipeline.sweep();
      await pipeline.drain();
    }
    expect(alerts().map(({ to }) => to)).toEqual(addresses(['max']));
    expect((await recordOf(id)).alert).toMatchObject({ state: 'sent' });
  });

  it('reaches the others where one address is refused, and comes again where all are', async () => {
    pipeline.change((practice) => {
      practice.redFlags.onDuty = ['carla'];
    });
    const id = await flagged();
    const { send } = pipeline.mailer;
    const refuse = (...refused: string[]) => {
      pipeline.mailer.send = async (to, mail) => {
        if (to.some((address) => refused.includes(address))) throw new Error('refused');
        await send(to, mail);
      };
    };

    refuse('carla@bayview.example', 'mia@bayview.example');
    await expect(alertOnly(id)).rejects.toThrow('refused');
    expect((await recordOf(id)).alert?.state).toBe('sending');

    pipeline.environment.advance(minutes(1));
    refuse('carla@bayview.example');
    expect(await alertOnly(id)).toBe('mailed_in_part');
    expect(alerts().map(({ to }) => to)).toEqual(addresses(['mia']));
    expect((await recordOf(id)).alert).toMatchObject({ state: 'sent' });
  });
});
