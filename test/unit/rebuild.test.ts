import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignInquiry, type WantedAssignment } from '../../functions/api/assign-inquiry.ts';
import { changeAppointment, makeAppointment } from '../../functions/api/change-appointment.ts';
import { changeContact, versionTag } from '../../functions/api/change-contact.ts';
import { type Change, changeInquiry } from '../../functions/api/change-inquiry.ts';
import { changeTask, makeTask, type WantedTaskChange } from '../../functions/api/change-task.ts';
import { correctCall } from '../../functions/api/correct-call.ts';
import { mergeContacts, unmergeContacts } from '../../functions/api/link-contacts.ts';
import { recordEntry } from '../../functions/api/record-entry.ts';
import type { WantedEntry } from '../../functions/api/wanted-entry.ts';
import { followChange } from '../../functions/people/follow-change.ts';
import {
  byTime,
  contactConsent,
  contactEntry,
  inquiryHead,
  memberLoad,
  timelineOf,
} from '../../shared/data/keys.ts';
import { takeBack } from '../../shared/data/opt-out.ts';
import type { Row } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { minorFrom } from '../../shared/domain/age.ts';
import type { AppointmentChange } from '../../shared/domain/appointment.ts';
import { takeDue } from '../../shared/domain/inquiry/due.ts';
import { type Inquiry, isOpen, nextActionAt, owesCall } from '../../shared/domain/inquiry/state.ts';
import { clockFor } from '../../shared/domain/listening.ts';
import { consentPurposes } from '../../shared/domain/messages/template.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { rebuild } from '../../shared/domain/rebuild.ts';
import { dispositions, lifecycles } from '../../shared/domain/rules/facts.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { closeReasons, stages } from '../../shared/domain/stages.ts';
import { Problem } from '../../shared/http/problem.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { coordinators, createPipeline, enable, minutes, smallPractice } from '../support/fixtures.ts';

/** Rules of every trigger, with everything that they can change. */
const ruledPractice: Practice = practiceSchema.parse({
  ...structuredClone(smallPractice),
  rules: [
    {
      id: 'cheap-pills',
      name: 'Cheap pills',
      when: { field: 'message', operator: 'has_words', value: ['pills'] },
      actions: [{ do: 'mark_spam' }],
    },
    {
      id: 'consult-at-once',
      name: 'Consult at once',
      when: { field: 'message', operator: 'has_words', value: ['consult'] },
      actions: [
        { do: 'set_stage', stage: 'consult' },
        { do: 'tag', tag: 'hot' },
        { do: 'raise_tier' },
        { do: 'make_task', title: 'Look at the pictures', dueInMinutes: 60 },
        { do: 'notify', whom: 'managers' },
      ],
    },
    {
      id: 'tag-stage',
      name: 'Tag by stage',
      on: ['stage_change'],
      actions: [{ do: 'tag', tag: 'moved' }, { do: 'lower_tier' }],
    },
    {
      id: 'wrong-number',
      name: 'Wrong number',
      on: ['disposition'],
      when: { field: 'disposition', operator: 'is', value: 'wrong_number' },
      actions: [{ do: 'set_stage', stage: 'closed', closeReason: 'not_eligible' }],
    },
    {
      id: 'reply-up',
      name: 'A reply raises',
      on: ['reply'],
      actions: [
        { do: 'set_tier', tier: 'A' },
        { do: 'respond_within', minutes: 5 },
      ],
    },
    {
      id: 'silent',
      name: 'Silent',
      on: ['silence'],
      silentHours: 4,
      actions: [{ do: 'set_stage', stage: 'closed', closeReason: 'no_response' }],
    },
  ],
});

const names = [undefined, 'Maria Lopez', 'lopez, MARÍA', 'Leo Lopez', '!!!'] as const;
const arrival = fc.record({
  do: fc.constant('capture' as const),
  name: fc.constantFrom(...names),
  patientName: fc.constantFrom(undefined, undefined, ...names),
  email: fc.constantFrom(undefined, 'maria@example.com', 'leo@example.com'),
  phone: fc.constantFrom(undefined, '+16505550188', '+16505550199'),
  message: fc.constantFrom('acne', 'pills', 'consult', 'chest pain'),
  language: fc.constantFrom(undefined, 'es'),
  insurance: fc.constantFrom(undefined, 'Aetna'),
  age: fc.constantFrom(undefined, undefined, '9', '17', '30'),
  timeZone: fc.constantFrom(undefined, 'Europe/Berlin', 'Asia/Tokyo'),
  wantedLocationId: fc.constantFrom(undefined, 'main-street'),
  consentEmail: fc.boolean(),
  quarantined: fc.constantFrom(false, false, true),
  drains: fc.boolean(),
});
const work = fc.oneof(
  fc.record({
    do: fc.constant('stage' as const),
    which: fc.nat(9),
    stage: fc.constantFrom(...stages),
    closeReason: fc.constantFrom(...closeReasons),
  }),
  fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }),
  fc.record({
    do: fc.constant('red flag' as const),
    which: fc.nat(9),
    redFlag: fc.constantFrom('confirmed' as const, 'false_alarm' as const),
  }),
  fc.record({
    do: fc.constant('call' as const),
    which: fc.nat(9),
    disposition: fc.constantFrom(...dispositions),
    minutesAgo: fc.constantFrom(undefined, 0, 1, 30),
  }),
  fc.record({ do: fc.constant('reply' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('stop' as const), which: fc.nat(9) }),
  fc.record({
    do: fc.constant('consent' as const),
    which: fc.nat(9),
    given: fc.boolean(),
    purpose: fc.constantFrom(undefined, ...consentPurposes),
    minutesAgo: fc.constantFrom(undefined, 0, 1),
  }),
  fc.record({
    do: fc.constant('unsubscribe' as const),
    which: fc.nat(9),
    purpose: fc.constantFrom(...consentPurposes),
  }),
  fc.record({
    do: fc.constant('correct' as const),
    which: fc.nat(9),
    disposition: fc.constantFrom(...dispositions),
  }),
  fc.record({
    do: fc.constant('task' as const),
    which: fc.nat(9),
    owner: fc.constantFrom(undefined, 'ana', 'ben'),
    change: fc.constantFrom<WantedTaskChange>(
      { done: true },
      { done: false },
      { owner: 'ben' },
      { dueAt: '2026-11-25T18:00:00.000Z' },
    ),
  }),
  fc.record({
    do: fc.constant('appointment' as const),
    which: fc.nat(9),
    change: fc.constantFrom<AppointmentChange>(
      { at: '2026-11-26T18:00:00.000Z' },
      { outcome: 'kept', valueCents: 52_000 },
      { outcome: 'no_show' },
      { outcome: 'cancelled' },
      { valueCents: 1_000 },
      { correct: 'kept', valueCents: 7_000 },
      { correct: 'no_show' },
      { correct: 'cancelled' },
      { correct: 'made' },
    ),
  }),
  fc.record({
    do: fc.constant('aside' as const),
    which: fc.nat(9),
    how: fc.constantFrom('snooze', 'park', 'wake', 'unpark', 'call', 'hang up'),
    minutes: fc.constantFrom(1, 60, 1_440),
  }),
  fc.record({
    do: fc.constant('assign' as const),
    which: fc.nat(9),
    wanted: fc.constantFrom<WantedAssignment>(
      { assignTo: 'ana' },
      { assignTo: 'ben' },
      { claim: true },
      { returnToPool: true },
      { returnToPool: 'intake' },
    ),
  }),
  fc.record({
    do: fc.constant('enable' as const),
    members: fc.constantFrom<readonly string[]>(['ana'], ['ben'], coordinators),
    enabled: fc.boolean(),
    drains: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('contact' as const),
    which: fc.nat(9),
    patch: fc.record(
      {
        name: fc.constantFrom('Mary Lopez', 'Maria Lopez'),
        lifecycle: fc.constantFrom(...lifecycles),
        tags: fc.constantFrom([], ['vip'], ['vip', 'hot']),
        languages: fc.constantFrom(['en'], ['es', 'en']),
        insurances: fc.constantFrom([], ['Cigna']),
        locations: fc.constantFrom([], ['main-street']),
        owner: fc.constantFrom(undefined, 'ana', 'ben'),
        age: fc.constantFrom({ at: '2026-11-30T00:00:00.000Z' }, minorFrom('2026-11-30T00:00:00.000Z')),
        timeZone: fc.constantFrom(
          { at: '2026-11-30T00:00:00.000Z' },
          { at: '2026-11-30T00:00:00.000Z', zone: 'America/New_York' },
        ),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    do: fc.constantFrom('merge' as const, 'unmerge' as const),
    which: fc.nat(9),
    other: fc.nat(9),
  }),
  fc.record({ do: fc.constantFrom('drain' as const, 'sweep' as const, 'follow' as const) }),
  fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 59, 240, 1_440) }),
);
const operation = fc.oneof({ arbitrary: arrival, weight: 1 }, { arbitrary: work, weight: 3 });
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What is refused changes nothing, and says so. */
function refused(error: unknown): void {
  if (!(error instanceof Problem)) throw error;
}

function setUp() {
  const table = createMemoryTable();
  const pipeline = createPipeline(table, ruledPractice);
  const { now, advance } = pipeline.environment;
  // Two steps of one person are never in the same millisecond: between them lies a call to the table.
  Object.assign(pipeline.environment, {
    now: () => {
      advance(1);
      return now();
    },
  });
  const by = {
    memberId: 'ana',
    get practice() {
      return pipeline.state.practice;
    },
  };
  const ids = (prefix: string, sk: string): string[] =>
    table
      .rows()
      .filter((row) => row.pk.startsWith(prefix) && row.sk === sk)
      .map(({ pk }) => pk.slice(prefix.length));
  const pick = (list: readonly string[], which: number): string | undefined =>
    list[which % (list.length || 1)];

  async function change(which: number, wanted: Change): Promise<void> {
    const id = pick(ids('INQ#', 'HEAD'), which);
    if (id) await changeInquiry(pipeline, id, (await pipeline.head(id)).version, wanted, by);
  }
  async function record(which: number, wanted: WantedEntry): Promise<void> {
    const id = pick(ids('INQ#', 'HEAD'), which);
    if (!id) return;
    const { contactId } = await pipeline.head(id);
    await recordEntry(pipeline, contactId, { ...wanted, inquiryId: id }, by, undefined);
  }

  async function apply(op: Operation): Promise<unknown> {
    const contactsNow = ids('CON#', 'PROFILE');
    switch (op.do) {
      case 'capture': {
        const { quarantined, drains, message, consentEmail, ...came } = op;
        if (came.email === undefined && came.phone === undefined) return;
        const { name, patientName, email, phone, language, insurance, age, timeZone, wantedLocationId } =
          came;
        await pipeline.capture({
          ...came,
          fields: Object.fromEntries(
            Object.entries({
              name,
              patientName,
              email,
              phone,
              language,
              insurance,
              age,
              timeZone,
              message,
              consentEmail,
            }).filter(([, value]) => value),
          ) as Record<string, string | boolean>,
          redFlags: message === 'chest pain' ? ['chest-pain'] : [],
          quarantine: quarantined ? ['honeypot'] : [],
          wantedLocationId,
        });
        return drains ? await pipeline.drain() : undefined;
      }
      case 'stage':
        return await change(op.which, {
          stage: op.stage,
          ...(op.stage === 'closed' && { closeReason: op.closeReason }),
        });
      case 'release':
        return await change(op.which, { release: true });
      case 'correct': {
        const calls = table.rows().filter(({ kind }) => kind === 'call');
        const call = calls[op.which % (calls.length || 1)];
        if (!call) return;
        const { contactId, entryId } = call as unknown as { contactId: string; entryId: string };
        const { disposition } = op;
        return await correctCall(pipeline, contactId, entryId, { disposition }, by);
      }
      case 'red flag':
        return await change(op.which, { redFlag: op.redFlag });
      case 'call': {
        const { disposition, minutesAgo } = op;
        const now = pipeline.environment.now().getTime();
        const at = minutesAgo === undefined ? undefined : new Date(now - minutes(minutesAgo)).toISOString();
        return await record(op.which, { kind: 'call', details: { disposition }, at });
      }
      case 'aside': {
        const until = new Date(pipeline.environment.now().getTime() + minutes(op.minutes)).toISOString();
        const changes: Record<typeof op.how, Change> = {
          snooze: { snoozeUntil: until },
          park: { park: { reason: 'records', until } },
          wake: { wake: true },
          unpark: { unpark: true },
          call: { calling: true },
          'hang up': { calling: false },
        };
        return await change(op.which, changes[op.how] as Change);
      }
      case 'assign': {
        const id = pick(ids('INQ#', 'HEAD'), op.which);
        return id && (await assignInquiry(pipeline, id, (await pipeline.head(id)).version, op.wanted, by));
      }
      case 'enable':
        pipeline.change(enable(op.enabled, ...op.members));
        for (const id of op.members)
          await table.write({ update: memberLoad(id), set: { disabled: !op.enabled }, add: { version: 1 } });
        await pipeline.queues.route.send({ kind: 'configuration_changed', version: 1 });
        return op.drains ? await pipeline.drain() : undefined;
      // One is made, and the change is of another: whatever was made before.
      case 'task': {
        const inquiryId = pick(ids('INQ#', 'HEAD'), op.which);
        if (!inquiryId) return;
        const dueAt = pipeline.environment.now().toISOString();
        await makeTask(pipeline, { inquiryId, title: 'Ask', dueAt, owner: op.owner }, by);
        const { contactId } = await pipeline.head(inquiryId);
        const task = (await pipeline.tasks.ofContact(contactId)).at(0);
        return task && (await changeTask(pipeline, contactId, task.id, task.version, op.change, by));
      }
      case 'appointment': {
        const inquiryId = pick(ids('INQ#', 'HEAD'), op.which);
        if (!inquiryId) return;
        const { contactId } = await pipeline.head(inquiryId);
        const one = (await pipeline.appointments.ofContact(contactId)).at(-1);
        if (one)
          await changeAppointment(pipeline, contactId, one.id, one.version, op.change, by).catch(refused);
        return await makeAppointment(pipeline, { inquiryId, at: '2026-11-25T18:00:00.000Z' }, by);
      }
      case 'stop':
        return await record(op.which, { kind: 'email', details: { direction: 'received', text: 'Stop!' } });
      case 'consent': {
        const { given, purpose, minutesAgo } = op;
        const now = pipeline.environment.now().getTime();
        const at = minutesAgo === undefined ? undefined : new Date(now - minutes(minutesAgo)).toISOString();
        const details = { channel: 'email' as const, given, source: 'told us', purpose };
        return await record(op.which, { kind: 'consent', details, at });
      }
      case 'unsubscribe': {
        const id = pick(contactsNow, op.which);
        return id && (await takeBack(pipeline.dependencies, id, op.purpose, 'unsubscribe link'));
      }
      case 'reply':
        return await record(op.which, { kind: 'email', details: { direction: 'received' } });
      case 'contact': {
        const id = pick(contactsNow, op.which);
        const whole = id && (await pipeline.contacts.findWhole(id));
        return whole && (await changeContact(pipeline, id, versionTag(whole), op.patch, 'ana'));
      }
      case 'merge':
      case 'unmerge': {
        const [id, other] = [pick(contactsNow, op.which), pick(contactsNow, op.other)];
        if (!id || !other) return;
        if (op.do === 'merge') return await mergeContacts(pipeline, id, other, undefined, 'ana');
        return await unmergeContacts(pipeline, id, other, 'ana');
      }
      case 'follow':
        for (const row of table.rows()) await followChange({ ...pipeline, onBroken: () => {} }, row);
        return;
      case 'drain':
        return await pipeline.drain();
      case 'sweep':
        return await pipeline.sweep();
      case 'wait':
        return pipeline.environment.advance(minutes(op.minutes));
    }
  }

  return {
    table,
    pipeline,
    contactIds: () => ids('CON#', 'PROFILE'),
    /** What is counted of members and pools, as it is stored and as the inquiries say. */
    async counts() {
      const heads = await Promise.all(ids('INQ#', 'HEAD').map(pipeline.head));
      const states = await pipeline.routingStates.read();
      const count = (counts: (head: Inquiry) => boolean) => heads.filter(counts).length;
      const poolIds = pipeline.state.practice.pools.map(({ id }) => id);
      const waits = (head: Inquiry, poolId: string) =>
        isOpen(head) && head.progress === 'waiting' && head.poolId === poolId;
      return {
        stored: [
          ...coordinators.map(states.load).map(({ open, uncalled }) => ({ open, uncalled })),
          ...poolIds.map((id) => states.rotation(id).waiting),
        ],
        counted: [
          ...coordinators.map((id) => ({
            open: count((head) => head.assignedTo === id && isOpen(head)),
            uncalled: count((head) => head.assignedTo === id && owesCall(head)),
          })),
          ...poolIds.map((id) => count((head) => waits(head, id))),
        ],
      };
    },
    /** Open inquiries that no sweep would ever take on, or that one would take on again and again. */
    async stuck(): Promise<string[]> {
      const heads = await Promise.all(ids('INQ#', 'HEAD').map(pipeline.head));
      return heads
        .filter((head) => {
          const at = nextActionAt(head);
          if (at === undefined) return isOpen(head);
          const later = [at, pipeline.environment.now().toISOString()].sort()[1] ?? at;
          const due = takeDue(head, new Date(later), clockFor(pipeline.state.practice, head));
          return due === undefined || (nextActionAt(due.next) ?? '~') <= later;
        })
        .map(({ id }) => id);
    },
    /** Applies an operation; what is refused changes nothing, and says so. */
    async attempt(op: Operation): Promise<void> {
      try {
        await apply(op);
      } catch (error) {
        refused(error);
      }
    },
  };
}

describe('the state rebuilt from timelines', () => {
  it('is the stored one, with what is counted and due by it, after whatever was done', async () => {
    let entries = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
        const { table, attempt, contactIds, counts, stuck } = setUp();
        for (const op of operations) await attempt(op);

        for (const id of contactIds()) {
          const verified = await verifyContact(table, id);
          expect(verified?.differences).toEqual([]);
          entries += verified?.entries ?? 0;
        }
        const { stored, counted } = await counts();
        expect(stored).toEqual(counted);
        expect(await stuck()).toEqual([]);
      }),
      { numRuns: 150 },
    );
    // A check that reads nothing would find nothing.
    expect(entries).toBeGreaterThan(1_000);
  });

  it('names each value that differs', async () => {
    const { table, pipeline } = setUp();
    const id = await pipeline.mailed();
    const { contactId } = await pipeline.head(id);
    expect((await verifyContact(table, contactId))?.differences).toMatchObject([
      // The sample's fields say no language, though its channel did.
      { of: 'contact', id: contactId, field: 'languages', rebuilt: [], stored: ['es'] },
    ]);

    const head = (await table.get(inquiryHead(id))) as Row;
    await table.write({ put: { ...head, stage: 'booked', assignedTo: undefined } });

    expect((await verifyContact(table, contactId))?.differences).toMatchObject([
      { of: 'inquiry', id, field: 'stage', rebuilt: 'new', stored: 'booked' },
      { field: 'languages' },
    ]);
  });

  it('tells what somebody agreed to, and what they took back, as everybody that they are', async () => {
    const { table, pipeline } = setUp();
    const heads = await Promise.all(
      ['Maria Lopez', 'Leo Lopez'].map(async (name) =>
        pipeline.head(
          await pipeline.mailed({ name, fields: { name, consentEmail: true }, language: undefined }),
        ),
      ),
    );
    const [maria = '', leo = ''] = heads.map(({ contactId }) => contactId);
    await mergeContacts(pipeline, maria, leo, undefined, 'ana');
    expect(await takeBack(pipeline.dependencies, maria, 'inquiry', 'unsubscribe link')).toBe('taken_back');
    await unmergeContacts(pipeline, maria, leo, 'ana');
    for (const id of [maria, leo]) expect((await verifyContact(table, id))?.differences).toEqual([]);

    await table.write({ update: contactConsent(leo, 'inquiry'), set: { given: true } });
    const found = (await verifyContact(table, leo))?.differences;
    expect(found).toMatchObject([{ of: 'contact', id: leo, field: 'consents' }]);
    expect(JSON.stringify(found?.[0]?.rebuilt)).toContain('"purpose":"inquiry","given":false');
  });

  it('knows that nobody has what was given back, and that a call ends where hands change', async () => {
    const { table, pipeline, attempt } = setUp();
    const { contactId, assignedTo } = await pipeline.head(
      await pipeline.mailed({ fields: { name: 'Maria Lopez' }, language: undefined }),
    );
    expect(assignedTo).toBe('ana');
    const found = async () => (await verifyContact(table, contactId))?.differences;

    await attempt({ do: 'aside', which: 0, how: 'call', minutes: 1 });
    await attempt({ do: 'assign', which: 0, wanted: { assignTo: 'ben' } });
    expect(await found()).toEqual([]);

    await attempt({ do: 'assign', which: 0, wanted: { returnToPool: true } });
    expect(await found()).toEqual([]);
  });

  it('does not depend on the order in which entries are read', async () => {
    const { pipeline, attempt } = setUp();
    const id = await pipeline.mailed({ name: 'Maria Lopez' });
    await attempt({ do: 'call', which: 0, disposition: 'reached', minutesAgo: undefined });
    await attempt({ do: 'contact', which: 0, patch: { tags: ['vip'] } });
    await pipeline.drain();
    const told = await pipeline.timelines.all([(await pipeline.head(id)).contactId]);

    expect(rebuild(told.toReversed())).toEqual(rebuild(told));
  });

  it('says of whom it cannot be read, and nothing of what is there', async () => {
    const { table, pipeline } = setUp();
    const { contactId } = await pipeline.head(await pipeline.mailed());
    const entry = { entryId: 'ent_1', kind: 'note', actor: 'ana', at: '+010000-01-01T00:00:00.000Z' };
    const index = { timelinePk: timelineOf(contactId), timelineSk: byTime(entry.at, entry.entryId) };
    const details = { text: 'secret' };
    const row = { ...contactEntry(contactId, 'ent_1'), ...index, ...entry, contactId, details };
    await table.write({ put: row });

    expect(await verifyContact(table, contactId)).toMatchObject({
      contactIds: [contactId],
      differences: [{ of: 'contact', id: contactId, field: 'unreadable', stored: ['at'] }],
    });
  });

  it('of nobody is nothing', async () => {
    expect(await verifyContact(createMemoryTable(), 'con_1')).toBeUndefined();
  });
});
