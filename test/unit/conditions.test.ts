/**
 * What the data room promises of each write: what is made is made once, a new state goes over the one it
 * was made from and no other. `npm run test:mutation` takes these conditions away, one by one.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { moveVersion, rulesWrites } from '../../shared/data/apply-configuration.ts';
import { createAppointments } from '../../shared/data/appointments.ts';
import { createConsents } from '../../shared/data/consents.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { contactMerged } from '../../shared/data/keys.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import type { Write } from '../../shared/data/table.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createWeeklyReports, weeklyReportRow } from '../../shared/data/weekly-reports.ts';
import { alertLeaseMs } from '../../shared/domain/alert.ts';
import { unknownMailbox } from '../../shared/domain/messages/consent.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { friday } from '../support/fixtures.ts';
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

const now = friday;
const at = now.toISOString();
const inquiryId = 'inq_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const contactId = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const otherId = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAW';
const taskId = 'tsk_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const entryId = 'ent_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const done = { by: 'ana', now };

const table = createMemoryTable();
const inquiries = createInquiries(table);
const contacts = createContacts(table);
const messages = createMessages(table);
const tasks = createTasks(table);
const notices = createNotices(table);
const digests = createDigests(table);
const appointments = createAppointments(table);
const routing = createRoutingStates(table);
const consents = createConsents(table);

const head = headOf(inquiryId, contactId);
const alert = alertOf(inquiryId, contactId);
const message = messageOf(inquiryId, 'firstcall', contactId);
const enrolment = enrolmentOf(inquiryId, 'r', contactId);
const task = taskOf(taskId, 'ana', contactId);
const notice = noticeOf(entryId, 'managers', inquiryId);
const digest = digestOf('ana');
const report = reportOf('main-street');
const appointment = appointmentOf('apt_01ARZ3NDEKTSV4RRFFQ69G5FAV', 'ana', contactId);
const person = personOf(contactId);
const contact = { id: contactId, version: 1 };
const other = { id: otherId, version: 1 };
const holder = { pointDigest: 'p', nameDigest: 'n', contactId };
const nameless = { ...holder, nameDigest: '-' };
const load = { version: 0, open: 0, uncalled: 0, today: 0, disabled: false };
const taken = { open: 1, uncalled: 1, given: 1, day: '2026-11-20' };
const score = scoreOf(inquiryId, 1, contactId);
const said = (given: boolean, when: string) => ({
  contactId,
  purpose: 'inquiry' as const,
  given,
  at: when,
  source: 'form',
});

const people: Write[] = [contacts.create(person, now), contacts.create({ ...person, id: otherId }, now)];

async function commit(fresh: MemoryTable, writes: Write | readonly Write[]): Promise<boolean> {
  const all = Array.isArray(writes) ? (writes as readonly Write[]) : [writes as Write];
  return (await fresh.transact(all)).committed;
}

let fresh: MemoryTable;
beforeEach(() => {
  fresh = createMemoryTable();
});

describe('what is made is made once', () => {
  const made: Readonly<Record<string, Write | readonly Write[]>> = {
    'an inquiry': inquiries.save(head),
    'a body': inquiries.saveBody({ inquiryId, contactId, receivedAt: at } as never),
    'a score': inquiries.saveScore(score, now),
    'an alert': inquiries.raiseAlert(inquiryId, contactId, ['chest-pain'], now),
    'a message': messages.ask(message),
    'a sequence': messages.enrol(enrolment),
    'a task': tasks.create(task),
    'a notice': notices.create(notice),
    'a digest': digests.create(digest),
    'an appointment': appointments.create(appointment),
    'a contact': contacts.create(person, now),
    'who is behind a point under a name': contacts.hold(holder),
    'an entry': contacts.addEntry(entryOf('note', { entryId, contactId, actor: 'ana', at }, { text: 'x' })),
    'a suggested match': contacts.suggest(contactId, otherId, ['phone' as never], now),
    'a relation': contacts.relate(contactId, otherId),
    'the first version of a configuration': moveVersion(0, {
      author: 'ana',
      updatedAt: at,
      via: 'file' as never,
    }),
  };

  it.each(Object.entries(made))('%s', async (_, write) => {
    expect(await commit(fresh, write)).toBe(true);
    const rows = fresh.rows();

    expect(await commit(fresh, write)).toBe(false);
    expect(fresh.rows()).toEqual(rows);
  });
});

describe('a new state goes over the one that it was made from, once', () => {
  const next = <State extends { readonly version: number }>(state: State): State => ({
    ...state,
    version: state.version + 1,
  });
  const changed: Readonly<
    Record<string, readonly [before: Write | readonly Write[], Write | readonly Write[]]>
  > = {
    'an inquiry': [inquiries.save(head), inquiries.save(next(head))],
    'an alert': [inquiries.raiseAlert(inquiryId, contactId, [], now), inquiries.saveAlert(next(alert))],
    'a message': [messages.ask(message), messages.save(next(message))],
    'a sequence': [messages.enrol(enrolment), messages.saveEnrolment(next(enrolment))],
    'a task': [tasks.create(task), tasks.save(next(task))],
    'a head that tasks follow': [inquiries.save(head), tasks.noteFollowed(head)],
    'a notice': [notices.create(notice), notices.save(next(notice))],
    'a digest': [digests.create(digest), digests.save(next(digest))],
    'a digest, later': [digests.create(next(digest)), digests.save(next(next(digest)))],
    'a weekly report': [{ put: weeklyReportRow(report) }, createWeeklyReports(table).save(next(report))],
    'a weekly report, later': [
      { put: weeklyReportRow(next(report)) },
      createWeeklyReports(table).save(next(next(report))),
    ],
    'a mailbox': [[], createMailboxes(table).save('d', next(unknownMailbox))],
    'an appointment': [appointments.create(appointment), appointments.save(next(appointment))],
    'a contact': [people, contacts.change(contact, { name: 'Maria' }, now)],
    'a merge': [people, contacts.merge(contact, other, done)],
    'an undone merge': [
      [],
      // What a merge left, as it stands.
      contacts.unmerge(contactId, otherId, done),
    ],
    'a relation that is taken back': [
      contacts.relate(contactId, otherId),
      contacts.unrelate(contactId, otherId, done),
    ],
    'a decided match': [
      contacts.suggest(contactId, otherId, ['phone' as never], now),
      contacts.decideMatch(contactId, otherId, 'different', done),
    ],
    'a name': [contacts.create(person, now), contacts.nameThem(contactId, 'Maria', 'n')],
    'a point that is released': [contacts.hold(nameless), contacts.release(nameless)],
    'a rotation': [[], routing.saveRotation('p', { version: 0 } as never, { lags: {}, waiting: 0 })],
    'a rotation, later': [
      routing.saveRotation('p', { version: 0 } as never, { lags: {}, waiting: 0 }),
      routing.saveRotation('p', { version: 1 } as never, { lags: {}, waiting: 0 }),
    ],
    'a load': [[], routing.takeOn('ana', load, taken)],
    'the configuration': [
      moveVersion(0, { author: 'ana', updatedAt: at, via: 'file' as never }),
      moveVersion(1, { author: 'ana', updatedAt: at, via: 'file' as never }),
    ],
  };

  it.each(Object.entries(changed))('%s', async (name, [before, write]) => {
    if (name === 'an undone merge') {
      await commit(fresh, people);
      await commit(fresh, contacts.merge(contact, other, done));
    } else if (Array.isArray(before) ? before.length > 0 : true)
      expect(await commit(fresh, before)).toBe(true);
    expect(await commit(fresh, write)).toBe(true);
    const rows = fresh.rows();

    expect(await commit(fresh, write)).toBe(false);
    expect(fresh.rows()).toEqual(rows);
  });
});

describe('people', () => {
  it('are merged by nobody who saw another version of either, and not away from whom they speak for', async () => {
    await commit(fresh, people);
    expect(await commit(fresh, contacts.merge(contact, { ...other, version: 2 }, done))).toBe(false);
    expect(await commit(fresh, contacts.merge({ ...contact, version: 2 }, other, done))).toBe(false);
    expect(await commit(fresh, contacts.merge(contact, other, done))).toBe(true);

    // The merged one speaks for nobody any more, whatever its version.
    const third = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAX';
    await commit(fresh, contacts.create({ ...person, id: third }, now));
    expect(
      await commit(fresh, contacts.merge({ ...other, version: 2 }, { id: third, version: 1 }, done)),
    ).toBe(false);
    expect(await commit(fresh, contacts.unmerge(third, otherId, done))).toBe(false);
  });

  it('a merge is undone by whom it made, whatever alias stands beside it', async () => {
    await commit(fresh, people);
    await commit(fresh, contacts.merge(contact, other, done));
    const third = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAX';
    await commit(fresh, [
      contacts.create({ ...person, id: third }, now),
      { put: { ...contactMerged(third, otherId), mergedAt: at } },
    ]);

    expect(await commit(fresh, contacts.unmerge(third, otherId, done))).toBe(false);
    expect(await commit(fresh, contacts.unmerge(contactId, otherId, done))).toBe(true);
  });

  it('a point is released only by whoever holds it, and another may hold it then', async () => {
    await commit(fresh, contacts.hold(nameless));

    expect(await commit(fresh, contacts.release({ ...nameless, contactId: otherId }))).toBe(false);
    expect(await commit(fresh, contacts.hold({ ...nameless, contactId: otherId }))).toBe(false);
    expect(await commit(fresh, contacts.release(nameless))).toBe(true);
    expect(await commit(fresh, contacts.hold({ ...nameless, contactId: otherId }))).toBe(true);
  });

  it('keep what they said last; of one instant, what takes back', async () => {
    const later = new Date(now.getTime() + 1).toISOString();
    expect(await commit(fresh, consents.keep(said(true, later)))).toBe(true);
    expect(await commit(fresh, consents.keep(said(false, at)))).toBe(false);
    expect(await commit(fresh, consents.keep(said(true, later)))).toBe(false);
    expect(await commit(fresh, consents.keep(said(false, later)))).toBe(true);
    expect(await commit(fresh, consents.keep(said(true, later)))).toBe(false);
  });
});

it('an entity of the configuration goes over the version that was seen, whatever stands beside it', async () => {
  const mark = { author: 'ana', updatedAt: at, via: 'file' as never };
  const of = (rulesVersion: number): Write[] =>
    rulesWrites([], { rulesVersion, configurationVersion: 1 }, mark).slice(0, 1);

  expect(await commit(fresh, of(0))).toBe(true);
  expect(await commit(fresh, of(0))).toBe(false);
  expect(await commit(fresh, of(1))).toBe(true);
  expect(await commit(fresh, of(1))).toBe(false);
});

it('the mail of an alert is claimed by one at a time, until the lease is over', async () => {
  const own = createMemoryTable();
  const claims = createInquiries(own);
  await own.write(claims.raiseAlert(inquiryId, contactId, [], now));
  const claimAt = (ms: number) => claims.claimAlert(inquiryId, new Date(now.getTime() + ms), alertLeaseMs);

  expect(await claimAt(0)).toMatchObject({ state: 'sending', version: 2 });
  expect(await claimAt(alertLeaseMs - 1)).toBeUndefined();
  expect(await claimAt(alertLeaseMs)).toMatchObject({ state: 'sending', version: 3 });
});
