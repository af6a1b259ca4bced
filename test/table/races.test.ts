/**
 * Two writers at every conditional write that there is, on DynamoDB's own engine. A transaction is refused
 * by any one of its conditions, so each of its writes is raced by itself; what other work writes in the
 * middle of its own is taken from it before it is written. `npm run test:mutation -- --layer table` takes
 * each condition away, and a race must notice.
 */
import { beforeAll, expect, it } from 'vitest';
import { putBack } from '../../ops/rows.ts';
import {
  applyConfiguration,
  type ChangeMark,
  moveVersion,
  rulesWrites,
} from '../../shared/data/apply-configuration.ts';
import { createAppointments } from '../../shared/data/appointments.ts';
import { createAudit } from '../../shared/data/audit.ts';
import { claimMail, claimMails } from '../../shared/data/claim-mail.ts';
import { createConsents } from '../../shared/data/consents.ts';
import { type Contacts, createContacts } from '../../shared/data/contacts.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { askToFollow } from '../../shared/data/follow-again.ts';
import { recordAnswer } from '../../shared/data/idempotency.ts';
import { createInquiries, headRow, parseHead } from '../../shared/data/inquiries.ts';
import {
  configuration,
  contactConsent,
  contactPoint,
  dailyDigest,
  draftRules,
  inquiryAlert,
  inquiryHead,
  inquiryPk,
  type Key,
  memberLoad,
  namelessDigest,
  poolRotation,
  weeklyReport,
} from '../../shared/data/keys.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { reconcile } from '../../shared/data/reconcile.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createRoutingStates, type PoolState } from '../../shared/data/rotation.ts';
import { createRulesStore } from '../../shared/data/rules.ts';
import { queryAll, type Row, type Table, type Write } from '../../shared/data/table.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createWeeklyReports, weeklyReportRow } from '../../shared/data/weekly-reports.ts';
import { alertLeaseMs } from '../../shared/domain/alert.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { unknownMailbox } from '../../shared/domain/messages/consent.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { rulesSchema } from '../../shared/domain/schema/rule.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import type { WeeklyReport } from '../../shared/domain/weekly-report.ts';
import { keyOf } from '../../simulation/memory-table.ts';
import { freshTable } from '../support/dynamodb.ts';
import {
  coordinators,
  createPipeline,
  enable,
  holdEnvironment,
  minutes,
  friday as now,
  smallPractice,
} from '../support/fixtures.ts';
import {
  alertOf,
  appointmentOf,
  digestOf,
  enrolmentOf,
  headOf,
  messageOf,
  noticeOf,
  personOf,
  reportOf,
  scoreOf,
  taskOf,
} from '../support/states.ts';

const at = now.toISOString();
const later = new Date(now.getTime() + minutes(60)).toISOString();
const leaseMs = minutes(1.5);
const leaseOver = new Date(now.getTime() - leaseMs).toISOString();
const mark: ChangeMark = { author: 'ana', updatedAt: at, via: 'file' };

/** Writes, and says whether it was done; a plain write is written as it is. */
type Writer = Write | (() => Promise<boolean>);

interface Race {
  /** What stands before, written one after the other. */
  readonly given?: readonly Write[];
  readonly writers: readonly [Writer, Writer];
  /** How many of the two do it, whoever comes first: one unless told. */
  readonly done?: 0 | 1 | 'one or both';
  /** What must hold afterwards; of two plain writes the item is as the one that was done left it. */
  readonly left?: (done: readonly boolean[]) => Promise<void>;
  /** The table that it is about, where it has one of its own. */
  readonly on?: Table;
}

let table: Table;
beforeAll(async () => {
  ({ table } = await freshTable());
});

let n = 0;
const fresh = (prefix: string): string => `${prefix}_${String(++n).padStart(26, '0')}`;
const next = <State extends { readonly version: number }>(
  state: State,
  change: Partial<State> = {},
): State => ({
  ...state,
  ...change,
  version: state.version + 1,
});

/** Without the rest of what is put. */
const itemOf = (write: Write): Key => {
  const { pk, sk } = keyOf(write);
  return { pk, sk };
};
const isOf = ({ pk, sk }: Key, write: Write): boolean => keyOf(write).pk === pk && keyOf(write).sk === sk;
const rowOf = (key: Key, on = table): Promise<Row | undefined> => on.get(key, { consistent: true });

/** What some work would write to an item if nobody were faster; it is told that somebody was, and writes nothing. */
async function writeOf(on: Table, key: Key, work: (table: Table) => Promise<unknown>): Promise<Write> {
  const writes: Write[] = [];
  await work({
    ...on,
    async write(write) {
      writes.push(write);
      return { committed: false, existing: undefined };
    },
    async transact(all) {
      writes.push(...all);
      return { committed: false, failed: new Map([[0, undefined]]) };
    },
  });
  const found = writes.find((write) => isOf(key, write));
  if (!found) throw new Error(`nothing is written to ${key.pk} ${key.sk}`);
  return found;
}

const orders: Readonly<
  Record<string, (one: () => Promise<boolean>, other: () => Promise<boolean>) => Promise<boolean[]>>
> = {
  'one after the other': async (one, other) => [await one(), await other()],
  'the other way round': async (one, other) => [await other(), await one()].toReversed(),
  'at the same moment': (one, other) => Promise.all([one(), other()]),
  'at the same moment, the other way round': async (one, other) =>
    (await Promise.all([other(), one()])).toReversed(),
};

/** The attributes that a write leaves; none where it removes the item. */
function leftBy(write: Write): Record<string, unknown> | undefined {
  if ('remove' in write) return undefined;
  const set = 'put' in write ? write.put : 'update' in write ? { ...write.set } : {};
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}

async function run(
  { given = [], writers, done: wanted = 1, left, on = table }: Race,
  order: string,
): Promise<void> {
  for (const write of given) expect((await on.write(write)).committed, 'what stands before').toBe(true);
  const [one, other] = writers.map((writer) =>
    typeof writer === 'function' ? writer : async () => (await on.write(writer)).committed,
  ) as [() => Promise<boolean>, () => Promise<boolean>];

  const done = (await orders[order]?.(one, other)) ?? [];

  const count = done.filter(Boolean).length;
  if (wanted === 'one or both') expect(count, order).toBeGreaterThan(0);
  else expect(count, order).toBe(wanted);
  const winner = writers[done.indexOf(true)];
  if (left) await left(done);
  else if (count === 1 && typeof winner === 'object') {
    const attributes = leftBy(winner);
    const row = await rowOf(itemOf(winner), on);
    if (attributes) expect(row, order).toMatchObject(attributes);
    else expect(row, order).toBeUndefined();
  }
}

/** The same write of two transactions. */
const part = (i: number, one: readonly Write[], other: readonly Write[]): readonly [Write, Write] => {
  const pair = [one[i], other[i]];
  if (!pair[0] || !pair[1]) throw new Error(`there is no write ${i}`);
  return [pair[0], pair[1]];
};

/** The same write of two who do the same. */
const byTwo = (
  i: number,
  write: (by: { by: string; now: Date }) => readonly Write[],
): readonly [Write, Write] => part(i, write(done('ana')), write(done('ben')));

// The builders of writes, which keep nothing of the table that they are made with.
const nothing = {} as Table;
const inquiries = createInquiries(nothing);
const contacts: Contacts = createContacts(nothing);
const messages = createMessages(nothing);
const tasks = createTasks(nothing);
const notices = createNotices(nothing);
const digests = createDigests(nothing);
const reports = createWeeklyReports(nothing);
const appointments = createAppointments(nothing);
const mailboxes = createMailboxes(nothing);
const routing = createRoutingStates(nothing);
const consents = createConsents(nothing);

const done = (by: string) => ({ by, now });

/** A state, the two that are made of it, and how each is written. */
function changed<State extends { readonly version: number }>(
  made: (id: string) => State,
  change: readonly [Partial<State>, Partial<State>],
  save: (next: State) => Write,
  create: (state: State) => Write = save,
): () => Race {
  return () => {
    const state = made(fresh('x'));
    return {
      given: [create(state)],
      writers: [save(next(state, change[0])), save(next(state, change[1]))],
    };
  };
}
/** What is made once: by two, under one name. */
const madeOnce =
  (write: (id: string, by: string) => Write): (() => Race) =>
  () => {
    const id = fresh('x');
    return { writers: [write(id, 'ana'), write(id, 'ben')] };
  };

const runOf = (id: string) => ({
  sequence: 'not-reached',
  version: 0,
  steps: 1,
  inquiryId: id,
  openUntil: later,
});
const makeReport = (report: WeeklyReport): Write => ({ put: weeklyReportRow(report) });
/** What is removed while it is taken up does not come back. */
const goneWith = (key: Key, made: Write, taken: Write): Race => ({
  given: [made],
  writers: [{ remove: key }, taken],
  done: 'one or both',
  left: async () => expect(await rowOf(key)).toBeUndefined(),
});
const answerOf = (id: string, inquiryId: string, when = now) =>
  recordAnswer(id, { inquiryId, receivedAt: at, bodyDigest: 'd' }, when);
const dayBefore = new Date(now.getTime() - minutes(60 * 24));
const said = (contactId: string, given: boolean, when: string, source = 'form') =>
  consents.keep({ contactId, purpose: 'inquiry', given, at: when, source });
/** The two of a pair, as they are made. */
const pair = () => {
  const [a, b] = [fresh('con'), fresh('con')];
  return { a, b, made: [contacts.create(personOf(a), now), contacts.create(personOf(b), now)] };
};
const seen = (id: string, version = 1) => ({ id, version });
/** An inquiry that comes to wait in a pool. */
function comingTo(poolId: string) {
  const before = headOf(fresh('inq'), fresh('con'));
  const after: Inquiry = { ...next(before), progress: 'waiting', poolId };
  return { before, after };
}
const begin = (poolId: string, pool: PoolState, able: string): Write => {
  const { before, after } = comingTo(poolId);
  const [write] = routing.beginWaiting(before, after, pool, new Set([able]));
  if (!write) throw new Error('it came to wait');
  return write;
};
const pooled = (news: number): PoolState => ({
  version: 0,
  lags: {},
  waiting: 0,
  news,
  lookedWith: ['ana', 'ben'],
});
const isLookedWith = (poolId: string, ids: readonly string[] | undefined) => async () =>
  expect((await rowOf(poolRotation(poolId)))?.['lookedWith']).toEqual(ids);
const turn = (poolId: string, version: number, lag: number): Write =>
  routing.saveRotation(poolId, { ...pooled(0), version }, { lags: { ana: lag }, waiting: 0 });
const load = (version: number) => ({ version, open: 0, uncalled: 0, today: 0, disabled: false });
const takeOn = (id: string, version: number, given = 1): Write =>
  routing.takeOn(id, load(version), { open: given, uncalled: 1, given, day: '2026-11-20' });
const isClaimed =
  (claim: () => Promise<unknown>): (() => Promise<boolean>) =>
  async () =>
    (await claim()) !== undefined;
/** Two who claim what an item asks for; how many of them may. */
const claims = (mailState: string, mailAt: string, may: 0 | 1) => (): Race => {
  const key = inquiryHead(fresh('inq'));
  const claim = isClaimed(() => claimMail(table, key, now, leaseMs));
  return { given: [{ put: { ...key, mailState, mailAt, version: 1 } }], writers: [claim, claim], done: may };
};
const alertClaims = (change: object, may: 0 | 1) => (): Race => {
  const id = fresh('inq');
  const given: Write[] = [
    inquiries.raiseAlert(id, 'con', ['chest-pain'], now),
    { update: inquiryAlert(id), set: { ...change } },
  ];
  const claim = isClaimed(() => createInquiries(table).claimAlert(id, now, alertLeaseMs));
  return { given, writers: [claim, claim], done: may };
};
const counting = (version: number, inquiryId: string, locationId: string) => async (): Promise<boolean> => {
  const versions = [{ inquiryId, version, locationId, date: '2026-11-20', counts: { inquiries: 1 } }];
  // What was only busy with the other one comes again, as from the stream.
  for (;;) {
    const { outcome } = await createRollups(table).count(versions, now);
    if (outcome !== 'busy') return outcome === 'counted';
  }
};
const correcting = (locationId: string, version: number, by: number) => () =>
  createRollups(table).correct(locationId, '2026-11-20', { inquiries: by }, version);
const isCounted = (locationId: string, count: number) => async () =>
  expect(await createRollups(table).days(locationId, '2026-11-20', '2026-11-20')).toEqual([
    { date: '2026-11-20', counts: { inquiries: count } },
  ]);

/** What is written with each of two people, raced with the one and with the other. */
const onBoth = (
  name: string,
  race: (
    a: string,
    b: string,
  ) => Omit<Race, 'writers'> & { readonly writers: readonly [readonly Write[], readonly Write[]] },
): Readonly<Record<string, () => Race>> =>
  Object.fromEntries(
    ['one', 'the other'].map((side, i) => [
      `${name}, with ${side}`,
      () => {
        const { a, b } = pair();
        const { writers, ...rest } = race(a, b);
        return { ...rest, writers: part(i, ...writers) };
      },
    ]),
  );

const races: Readonly<Record<string, () => Race | Promise<Race>>> = {
  // Inquiries, and what stands beside them.
  'an inquiry that is made': madeOnce((id, by) => inquiries.save({ ...headOf(id, 'con'), sourceId: by })),
  'an inquiry that is changed': changed(
    (id) => headOf(id, 'con'),
    [{ reminders: 1 }, { reminders: 2 }],
    inquiries.save,
  ),
  'a body': madeOnce((inquiryId, contactId) =>
    inquiries.saveBody({ inquiryId, contactId, receivedAt: at } as never),
  ),
  'a score': madeOnce((id, by) => inquiries.saveScore(scoreOf(id, by === 'ana' ? 1 : 2), now)),
  'an alert that is raised': madeOnce((id, by) => inquiries.raiseAlert(id, by, ['chest-pain'], now)),
  'an alert that is changed': () => {
    const state = alertOf(fresh('inq'));
    const [sent, again] = [next(state, { state: 'sent' }), next(state, { stateAt: later })];
    return {
      given: [inquiries.raiseAlert(state.inquiryId, 'con', ['chest-pain'], now)],
      writers: [inquiries.saveAlert(sent), inquiries.saveAlert(again)],
    };
  },
  'the mail of an alert': alertClaims({}, 1),
  'the mail of an alert, taken up and never sent': alertClaims(
    { state: 'sending', stateAt: new Date(now.getTime() - alertLeaseMs).toISOString() },
    1,
  ),
  'the mail of an alert that somebody is sending': alertClaims({ state: 'sending', stateAt: at }, 0),
  'the mail of an alert that is sent': alertClaims({ state: 'sent', stateAt: leaseOver }, 0),
  'a mail': claims('pending', at, 1),
  'a mail, taken up and never sent': claims('sending', leaseOver, 1),
  'a mail that somebody is sending': claims('sending', at, 0),
  'a mail that is sent': claims('sent', leaseOver, 0),
  'mails of two batches that overlap': () => {
    const keys = [1, 2, 3].map(() => inquiryHead(fresh('inq')));
    const claim = (theirs: readonly Key[]) => isClaimed(() => claimMails(table, theirs, now, leaseMs));
    return {
      given: keys.map((key) => ({ put: { ...key, mailState: 'pending', mailAt: at, version: 1 } })),
      writers: [claim(keys.slice(0, 2)), claim(keys.slice(1))],
    };
  },
  'an answer': madeOnce((id, by) => answerOf(id, by)),
  'an answer over one that expired': () => {
    const id = fresh('k');
    return { given: [answerOf(id, 'old', dayBefore)], writers: [answerOf(id, 'ana'), answerOf(id, 'ben')] };
  },
  'an answer under a key that has one': () => {
    const id = fresh('k');
    return { given: [answerOf(id, 'old')], writers: [answerOf(id, 'ana'), answerOf(id, 'ben')], done: 0 };
  },
  'a notice that is made': madeOnce((id, by) => notices.create(noticeOf(id, by))),
  'a notice that is changed': changed(
    (id) => noticeOf(id),
    [{ whom: 'ana' }, { whom: 'ben' }],
    notices.save,
    notices.create,
  ),

  // Tasks, appointments, digests and reports.
  'a task that is made': madeOnce((id, by) => tasks.create(taskOf(id, by))),
  'a task that is changed': changed(
    (id) => taskOf(id),
    [{ owner: 'ben' }, { owner: 'mia' }],
    tasks.save,
    tasks.create,
  ),
  'a head that tasks follow': () => {
    const head = headOf(fresh('inq'), fresh('con'));
    return {
      given: [inquiries.save(head)],
      writers: [tasks.noteFollowed(head), inquiries.save(next(head, { reminders: 1 }))],
    };
  },
  'an appointment that is made': madeOnce((id, by) => appointments.create(appointmentOf(id, by))),
  'an appointment that is changed': changed(
    (id) => appointmentOf(id),
    [{ at: later }, { locationId: 'elsewhere' }],
    appointments.save,
    appointments.create,
  ),
  'a digest that is made': madeOnce((id, by) => digests.create({ ...digestOf(id), nextAt: by })),
  'the first digest': changed(digestOf, [{ nextAt: later }, { step: at }], digests.save, digests.create),
  'a later digest': changed(
    (id) => ({ ...digestOf(id), version: 1 }),
    [{ nextAt: later }, { step: at }],
    digests.save,
    digests.create,
  ),
  'the first digest of somebody who is gone': () => {
    const digest = digestOf(fresh('member'));
    return goneWith(dailyDigest(digest.memberId), digests.create(digest), digests.save(next(digest)));
  },
  'the first weekly report': changed(reportOf, [{ nextAt: later }, { step: at }], reports.save, makeReport),
  'a later weekly report': changed(
    (id) => ({ ...reportOf(id), version: 1 }),
    [{ nextAt: later }, { step: at }],
    reports.save,
    makeReport,
  ),
  'the first weekly report of a location that is gone': () => {
    const report = reportOf(fresh('location'));
    return goneWith(weeklyReport(report.locationId), makeReport(report), reports.save(next(report)));
  },

  // Messages to people, and what they said of them.
  'a message that is asked for': madeOnce((id, by) => messages.ask(messageOf(id, by))),
  'a message that is changed': changed(
    (id) => messageOf(id),
    [{ by: 'ana' }, { by: 'ben' }],
    messages.save,
    messages.ask,
  ),
  'a sequence that begins': madeOnce((id, by) => messages.enrol(enrolmentOf(id, by))),
  'a sequence that goes on': changed(
    (id) => enrolmentOf(id),
    [{ step: 1 }, { state: 'stopped', stopped: 'booked' }],
    messages.saveEnrolment,
    messages.enrol,
  ),
  'the first step of a person in a sequence': () => {
    const [contactId, run] = [fresh('con'), runOf('one')];
    return {
      writers: [
        messages.saveRun(contactId, next(run)),
        messages.saveRun(contactId, next(run, { inquiryId: 'other' })),
      ],
    };
  },
  'a later step of a person in a sequence': () => {
    const [contactId, run] = [fresh('con'), next(runOf('one'))];
    return {
      given: [messages.saveRun(contactId, run)],
      writers: [
        messages.saveRun(contactId, next(run, { steps: 2 })),
        messages.saveRun(contactId, next(run, { steps: 2, inquiryId: 'other' })),
      ],
    };
  },
  'a mailbox of which nothing was known': () => {
    const digest = fresh('box');
    return {
      writers: [
        mailboxes.save(digest, next(unknownMailbox, { sentThatDay: 1 })),
        mailboxes.save(digest, next(unknownMailbox, { optedOut: { offers: at } })),
      ],
    };
  },
  'a mailbox': () => {
    const [digest, known] = [fresh('box'), next(unknownMailbox)];
    return {
      given: [mailboxes.save(digest, known)],
      writers: [
        mailboxes.save(digest, next(known, { sentThatDay: 1 })),
        mailboxes.save(digest, next(known, { optedOut: { offers: at } })),
      ],
    };
  },
  'a consent that comes twice': () => {
    const id = fresh('con');
    return { writers: [said(id, true, at, 'a form'), said(id, true, at, 'another form')] };
  },
  'a consent and a later word': () => {
    const id = fresh('con');
    return {
      writers: [said(id, true, at), said(id, false, later)],
      done: 'one or both',
      left: async () =>
        expect(await rowOf(contactConsent(id, 'inquiry'))).toMatchObject({ given: false, at: later }),
    };
  },
  'a refusal and a later word': () => {
    const id = fresh('con');
    return {
      writers: [said(id, false, at), said(id, true, later)],
      done: 'one or both',
      left: async () =>
        expect(await rowOf(contactConsent(id, 'inquiry'))).toMatchObject({ given: true, at: later }),
    };
  },
  'a consent and a refusal of one instant': () => {
    const id = fresh('con');
    return {
      writers: [said(id, true, at), said(id, false, at)],
      done: 'one or both',
      left: async () => expect(await rowOf(contactConsent(id, 'inquiry'))).toMatchObject({ given: false }),
    };
  },

  // People.
  'a person': madeOnce((id, by) => contacts.create(personOf(id, by), now)),
  'an entry': madeOnce((entryId, actor) =>
    contacts.addEntry(entryOf('note', { entryId, contactId: 'con', actor, at }, { text: 'x' })),
  ),
  'a profile': () => {
    const id = fresh('con');
    return {
      given: [contacts.create(personOf(id), now)],
      writers: part(
        0,
        contacts.change(seen(id), { tags: ['a'] }, now),
        contacts.change(seen(id), { tags: ['b'] }, now),
      ),
    };
  },
  'a name': () => {
    const id = fresh('con');
    return {
      given: [contacts.create(personOf(id), now)],
      writers: [contacts.nameThem(id, 'Maria', 'm'), contacts.nameThem(id, 'Pedro', 'p')],
    };
  },
  'a name of nobody': () => {
    const id = fresh('con');
    return { writers: [contacts.nameThem(id, 'Maria', 'm'), contacts.nameThem(id, 'Pedro', 'p')], done: 0 };
  },
  'a point under a name': madeOnce((pointDigest, contactId) =>
    contacts.hold({ pointDigest, nameDigest: 'n', contactId }),
  ),
  'a point that whoever held it has released': () => {
    const point = { pointDigest: fresh('p'), nameDigest: namelessDigest };
    const old = { ...point, contactId: 'old' };
    return {
      given: [contacts.hold(old), contacts.release(old)],
      writers: [contacts.hold({ ...point, contactId: 'ana' }), contacts.hold({ ...point, contactId: 'ben' })],
    };
  },
  'a point that somebody releases': () => {
    const holder = { pointDigest: fresh('p'), nameDigest: namelessDigest, contactId: 'ana' };
    return { given: [contacts.hold(holder)], writers: [contacts.release(holder), contacts.release(holder)] };
  },
  'a point that another would release': () => {
    const holder = { pointDigest: fresh('p'), nameDigest: namelessDigest, contactId: 'ana' };
    return {
      given: [contacts.hold(holder)],
      writers: [contacts.release(holder), contacts.release({ ...holder, contactId: 'ben' })],
      left: async () =>
        expect(await rowOf(contactPoint(holder.pointDigest, namelessDigest))).toMatchObject({
          contactId: 'ana',
          named: true,
        }),
    };
  },
  'a point that is released while another takes it': () => {
    const holder = { pointDigest: fresh('p'), nameDigest: namelessDigest, contactId: 'ana' };
    return {
      given: [contacts.hold(holder)],
      writers: [contacts.release(holder), contacts.hold({ ...holder, contactId: 'ben' })],
      done: 'one or both',
      left: async ([, isTaken]) => {
        const row = await rowOf(contactPoint(holder.pointDigest, namelessDigest));
        expect([row?.['contactId'], row?.['named']]).toEqual(isTaken ? ['ben', undefined] : ['ana', true]);
      },
    };
  },
  ...onBoth('a relation', (a, b) => ({ writers: [contacts.relate(a, b), contacts.relate(a, b)] })),
  ...onBoth('a relation, the other way round', (a, b) => ({
    writers: [contacts.relate(a, b), contacts.relate(b, a).toReversed()],
  })),
  ...onBoth('a relation that was taken back', (a, b) => ({
    given: [...contacts.relate(a, b), ...contacts.unrelate(a, b, done('ana'))],
    writers: [contacts.relate(a, b), contacts.relate(a, b)],
  })),
  ...onBoth('the end of a relation', (a, b) => ({
    given: contacts.relate(a, b),
    writers: [contacts.unrelate(a, b, done('ana')), contacts.unrelate(a, b, done('ben'))],
  })),
  ...onBoth('the end of a relation that never was', (a, b) => ({
    writers: [contacts.unrelate(a, b, done('ana')), contacts.unrelate(a, b, done('ben'))],
    done: 0,
  })),
  ...onBoth('a suggested match', (a, b) => ({
    writers: [contacts.suggest(a, b, ['same_phone'], now), contacts.suggest(a, b, ['same_email'], now)],
  })),
  ...onBoth('a match that is decided', (a, b) => ({
    given: contacts.suggest(a, b, ['same_phone'], now),
    writers: [
      contacts.decideMatch(a, b, 'different', done('ana')),
      contacts.decideMatch(a, b, 'different', done('ben')),
    ],
  })),
  ...onBoth('the decision of a match that nobody suggested', (a, b) => ({
    writers: [
      contacts.decideMatch(a, b, 'different', done('ana')),
      contacts.decideMatch(a, b, 'merged', done('ben')),
    ],
    done: 0,
  })),

  // Merges.
  'whom two are merged into': () => {
    const { a, b, made } = pair();
    return {
      given: made,
      writers: part(
        0,
        contacts.merge(seen(a), seen(b), done('ana')),
        contacts.merge(seen(a), seen('c'), done('ben')),
      ),
    };
  },
  'who is merged into two': () => {
    const { a, b, made } = pair();
    return {
      given: made,
      writers: part(
        1,
        contacts.merge(seen(a), seen(b), done('ana')),
        contacts.merge(seen('c'), seen(b), done('ben')),
      ),
    };
  },
  'whom somebody is merged into, and who is merged meanwhile': () => {
    const { a, b, made } = pair();
    const [into] = contacts.merge(seen(a, 2), seen('c'), done('ana'));
    const [, away] = contacts.merge(seen(b), seen(a), done('ben'));
    // Of whatever version: who is spoken for speaks for nobody.
    return { given: made, writers: [into as Write, away as Write] };
  },
  'the alias of a merge': () => {
    const { a, b } = pair();
    return {
      writers: byTwo(2, (by) => contacts.merge(seen(a), seen(b), by)),
    };
  },
  'the alias of a merge that was undone': () => {
    const { a, b } = pair();
    const [ana, ben] = [
      contacts.merge(seen(a), seen(b), done('ana')),
      contacts.merge(seen(a), seen(b), done('ben')),
    ];
    return {
      given: [ana[2] as Write, contacts.unmerge(a, b, done('ana'))[2] as Write],
      writers: part(2, ana, ben),
    };
  },
  'the undoing of a merge into nobody': () => {
    const { a, b } = pair();
    return {
      writers: byTwo(0, (by) => contacts.unmerge(a, b, by)),
      done: 0,
    };
  },
  'the undoing of a merge, with whom it was merged': () => {
    const { a, b, made } = pair();
    return {
      given: [...made, ...contacts.merge(seen(a), seen(b), done('ana'))],
      writers: byTwo(1, (by) => contacts.unmerge(a, b, by)),
    };
  },
  'the undoing of a merge, with its alias': () => {
    const { a, b, made } = pair();
    return {
      given: [...made, ...contacts.merge(seen(a), seen(b), done('ana'))],
      writers: byTwo(2, (by) => contacts.unmerge(a, b, by)),
    };
  },

  // Turns and loads.
  'the first turn of a rotation': () => {
    const id = fresh('pool');
    return { writers: [turn(id, 0, 1), turn(id, 0, 2)] };
  },
  'a later turn of a rotation': () => {
    const id = fresh('pool');
    return { given: [turn(id, 0, 0)], writers: [turn(id, 1, 1), turn(id, 1, 2)] };
  },
  'the first work of a member': () => {
    const id = fresh('member');
    return { writers: [takeOn(id, 0), takeOn(id, 0, 2)] };
  },
  'the work of a member': () => {
    const id = fresh('member');
    return { given: [takeOn(id, 0)], writers: [takeOn(id, 1), takeOn(id, 1, 2)] };
  },
  'the first that comes to wait': () => {
    const id = fresh('pool');
    return { writers: [begin(id, pooled(0), 'ana'), begin(id, pooled(0), 'ben')] };
  },
  'one more that comes to wait': () => {
    const id = fresh('pool');
    return {
      given: [begin(id, pooled(0), 'ana')],
      writers: [begin(id, pooled(1), 'ana'), begin(id, pooled(1), 'ben')],
    };
  },
  'what comes to wait while looks are forgotten': () => {
    const id = fresh('pool');
    return {
      writers: [begin(id, pooled(0), 'ana'), routing.forgetLook(id)],
      done: 'one or both',
      left: isLookedWith(id, undefined),
    };
  },
  'a look at what waits while something comes': () => {
    const id = fresh('pool');
    const { before, after } = comingTo(id);
    const [coming] = routing.follow(before, after);
    return {
      writers: [routing.saveLook(id, pooled(0), ['ana']), coming as Write],
      done: 'one or both',
      left: isLookedWith(id, undefined),
    };
  },
  'a later look at what waits while something comes': () => {
    const id = fresh('pool');
    return {
      given: [begin(id, pooled(0), 'ana')],
      writers: [routing.saveLook(id, pooled(1), ['mia']), begin(id, pooled(1), 'ben')],
      done: 'one or both',
      left: isLookedWith(id, ['ben']),
    };
  },

  // What is counted.
  'a version that is counted': () => {
    const [inquiryId, locationId] = [fresh('inq'), fresh('location')];
    const count = counting(1, inquiryId, locationId);
    return { writers: [count, count], left: isCounted(locationId, 1) };
  },
  'the first correction of a day': () => {
    const id = fresh('location');
    return { writers: [correcting(id, 0, 1), correcting(id, 0, 1)], left: isCounted(id, 1) };
  },
  'the correction of a day on which something else is counted': () => {
    const [inquiryId, id] = [fresh('inq'), fresh('location')];
    return {
      given: [{ put: { pk: `ROLLUP#${id}`, sk: 'DAY#2026-11-20', 'n:inquiries': 5, version: 1 } }],
      writers: [correcting(id, 1, -4), counting(1, inquiryId, id)],
      done: 'one or both',
      left: async ([isCorrected]) => isCounted(id, isCorrected ? 2 : 6)(),
    };
  },

  // The configuration and its rules.
  'the first version of the configuration': () => ({
    given: [{ remove: configuration.version }],
    writers: [moveVersion(0, mark), moveVersion(0, { ...mark, author: 'ben' })],
  }),
  'a version of the configuration': () => ({
    given: [{ remove: configuration.version }, moveVersion(0, mark)],
    writers: [moveVersion(1, mark), moveVersion(1, { ...mark, author: 'ben' })],
  }),
  'rules that are published': () => publishedBy(0),
  'rules that are published, in their history': () => publishedBy(1),
  'somebody in the configuration, removed and changed': async () => {
    const on = await configured();
    const key = configuration.entity('members', 'max');
    const without = { ...smallPractice, members: smallPractice.members.filter(({ id }) => id !== 'max') };
    const renamed = structuredClone(smallPractice);
    for (const member of renamed.members) if (member.id === 'max') member.name = 'Maximilian';
    return {
      on,
      writers: [
        await writeOf(on, key, (table) => apply(table, without)),
        await writeOf(on, key, (table) => apply(table, renamed)),
      ],
    };
  },
  'the time of a weekly report, set anew and moved on': async () => {
    const on = await configured();
    const key = weeklyReport('main-street');
    return {
      on,
      writers: [
        await writeOf(on, key, (table) => apply(table, smallPractice)),
        reports.save({ locationId: 'main-street', version: 1, nextAt: later }),
      ],
    };
  },
  'a draft': async () => {
    const on = await drafted(toIntake);
    return { on, writers: [await draftOf(on, []), await draftOf(on, toIntake)] };
  },
  'a draft that is published and saved anew': async () => {
    const on = await drafted(toIntake);
    return { on, writers: [await closing(on), await draftOf(on, [])] };
  },
  'a draft of no change that is closed and saved anew': async () => {
    const on = await drafted([]);
    return { on, writers: [await closing(on), await draftOf(on, toIntake)] };
  },

  // What looks after the table.
  'an entry of the audit trail': async () => {
    const entry = (actor: string) => {
      const environment = { ...holdEnvironment(), newId: () => id };
      const key = { pk: 'AUDIT#2026-11-20', sk: `${at}#${id}` };
      return writeOf(table, key, (on) =>
        createAudit(on, environment).append({ actor, action: 'read', resource: 'r', requestId: 'q' }),
      );
    };
    const id = fresh('ent');
    return { writers: [await entry('ana'), await entry('ben')] };
  },
  'what is to be followed again': madeOnce((id, pk) => askToFollow(id, { pk, sk: 'PROFILE' }, now)),
  'a row that is put back': () => {
    const key = { pk: fresh('x'), sk: 'x' };
    const putting = (by: string) => async () => {
      const page = async function* () {
        yield [{ ...key, by }];
      };
      return (await putBack({ table }, page, now, () => {})).put === 1;
    };
    return {
      writers: [putting('ana'), putting('ben')],
      left: async ([isFirst]) => expect(await rowOf(key)).toMatchObject({ by: isFirst ? 'ana' : 'ben' }),
    };
  },
  'a due entry that cannot be read, put off by two': async () => {
    const { on, putOff } = await unreadable();
    return { on, writers: [await putOff(), await putOff()] };
  },
  'a due entry that can be read again, and is put off': async () => {
    const { on, id, head, putOff } = await unreadable();
    const whole = inquiries.save(next(head, { timers: { step: later } }));
    return {
      on,
      writers: [await putOff(), whole],
      done: 'one or both',
      left: async () => {
        const row = (await rowOf(inquiryHead(id), on)) as Row;
        expect(row['dueSk']).toBe(headRow(parseHead(row))['dueSk']);
      },
    };
  },
  'an index that two mend': async () => {
    const { on, mend } = await indexed();
    return { on, writers: [await mend(), await mend()] };
  },
  'an index that is mended while its item is changed': async () => {
    const { on, id, after, mend } = await indexed();
    return {
      on,
      writers: [await mend(), inquiries.save(after)],
      done: 'one or both',
      left: async () => {
        const row = (await rowOf(inquiryHead(id), on)) as Row;
        expect(row['dueSk']).toBe(headRow(after)['dueSk']);
      },
    };
  },
  'a state that is mended by its timeline while it is changed': async () => {
    const { on, pages, head } = await untold();
    const closed = next(head, { stage: 'closed', closeReason: 'not_interested', timers: {} });
    return { on, writers: [await mending(on, pages, inquiryHead(head.id)), inquiries.save(closed)] };
  },
  'the work of a member, mended and given': async () => {
    const { on, pages, version } = await assigned();
    await on.write({ update: memberLoad('ana'), set: { open: 5 } });
    return { on, writers: [await mending(on, pages, memberLoad('ana')), takeOn('ana', version)] };
  },
  'the work of a member of whom nothing is noted, mended and given': async () => {
    const { on, pages } = await assigned();
    await on.write({ remove: memberLoad('ana') });
    return { on, writers: [await mending(on, pages, memberLoad('ana')), takeOn('ana', 0, 2)] };
  },
  'what waits in a pool, mended by two': async () => {
    const { on, pages } = await waitingInPool(5);
    const mend = () => mending(on, pages, poolRotation('skin'));
    return { on, writers: [await mend(), await mend()] };
  },
  'what waits in a pool, mended while something comes': async () => {
    const { on, pages } = await waitingInPool(5);
    const { before, after } = comingTo('skin');
    const [coming] = routing.follow(before, after);
    return {
      on,
      writers: [await mending(on, pages, poolRotation('skin')), coming as Write],
      done: 'one or both',
      // Refused, it is counted anew.
      left: async ([isMended]) =>
        expect((await rowOf(poolRotation('skin'), on))?.['waiting']).toBe(isMended ? 2 : 6),
    };
  },
  'what waits in a pool of which nothing is noted, mended while something comes': async () => {
    const { on, pages } = await waitingInPool(undefined);
    const { before, after } = comingTo('skin');
    const [coming] = routing.follow(before, after);
    return {
      on,
      writers: [await mending(on, pages, poolRotation('skin')), coming as Write],
      done: 'one or both',
      left: async ([isMended]) =>
        expect((await rowOf(poolRotation('skin'), on))?.['waiting']).toBe(isMended ? 2 : 1),
    };
  },
};

/** One of the writes by which rules are published under a number. */
function publishedBy(i: number): Race {
  const of = (author: string) =>
    rulesWrites([], { rulesVersion: n, configurationVersion: 1 }, { ...mark, author });
  n += 1;
  const given: Write = { put: { ...configuration.rules, version: n } };
  return { given: [given], writers: part(i, of('ana'), of('ben')) };
}

const toIntake = rulesSchema.parse([
  { id: 'r', name: 'To intake', on: ['arrival'], actions: [{ do: 'send_to_pool', pool: 'intake' }] },
]);
const apply = (on: Table, practice: Practice) =>
  applyConfiguration({ table: on, practice, author: 'ada', now: () => now });

/** A table of its own with a practice. */
async function configured(): Promise<Table> {
  const { table: on } = await freshTable();
  expect(await apply(on, smallPractice)).toMatchObject({ outcome: 'applied' });
  return on;
}
async function drafted(rules: typeof toIntake): Promise<Table> {
  const on = await configured();
  const saved = await createRulesStore(on).saveDraft(rules, { author: 'ana', now });
  expect(saved).toEqual({ outcome: 'saved', version: 1 });
  return on;
}
const draftOf = (on: Table, rules: typeof toIntake): Promise<Write> =>
  writeOf(on, draftRules, (table) => createRulesStore(table).saveDraft(rules, { author: 'dev', now }));
const closing = (on: Table): Promise<Write> =>
  writeOf(on, draftRules, (table) =>
    createRulesStore(table).publishDraft({ author: 'mia', via: 'command' }, now),
  );

/** A due inquiry that cannot be read, and what a sweep does about it. */
async function unreadable() {
  const { table: on } = await freshTable();
  const pipeline = createPipeline(on);
  const id = await pipeline.captured();
  const head = await pipeline.head(id);
  await on.write({ update: inquiryHead(id), set: { stage: 'nonsense' } });
  const putOff = () =>
    writeOf(on, inquiryHead(id), (table) => {
      const { environment, sweep } = createPipeline(table);
      environment.advance(minutes(1));
      return sweep();
    });
  return { on, id, head, putOff };
}

const mending = (on: Table, pages: readonly Row[], key: Key): Promise<Write> =>
  writeOf(on, key, (table) =>
    reconcile({
      table,
      pages: (async function* () {
        yield pages;
      })(),
      repair: true,
      now: () => now,
      settle: async () => {},
    }),
  );

/** An inquiry that is not listed as of its state, but of the one that it is about to have. */
async function indexed() {
  const { table: on } = await freshTable();
  const pipeline = createPipeline(on);
  const id = await pipeline.captured();
  const after = next(await pipeline.head(id), { timers: { step: later } });
  await on.write({ update: inquiryHead(id), set: { dueSk: headRow(after)['dueSk'] } });
  const pages = await queryAll(on, { pk: inquiryPk(id), consistent: true });
  return { on, id, after, mend: () => mending(on, pages, inquiryHead(id)) };
}

/** An inquiry in a stage of which its timeline does not tell. */
async function untold() {
  const { table: on } = await freshTable();
  const pipeline = createPipeline(on);
  const id = await pipeline.mailed();
  await on.write(inquiries.save(next(await pipeline.head(id), { stage: 'consult' })));
  const pages = await queryAll(on, { pk: inquiryPk(id), consistent: true });
  return { on, pages, head: await pipeline.head(id) };
}

/** An inquiry that Ana has. */
async function assigned() {
  const { table: on } = await freshTable();
  const pipeline = createPipeline(on);
  const id = await pipeline.mailed();
  const pages = await queryAll(on, { pk: inquiryPk(id), consistent: true });
  return { on, pages, version: (await pipeline.routingStates.read()).load('ana').version };
}

/** An inquiry that waits, in a pool of which is noted that others do. */
async function waitingInPool(noted: number | undefined) {
  const { table: on } = await freshTable();
  const pipeline = createPipeline(on);
  pipeline.change(enable(false, ...coordinators));
  const id = await pipeline.mailed();
  await on.write({ update: poolRotation('skin'), set: { waiting: noted } });
  return { on, pages: await queryAll(on, { pk: inquiryPk(id), consistent: true }) };
}

it.each(Object.entries(races))('%s', async (_, race) => {
  for (const order of Object.keys(orders)) await run(await race(), order);
});
