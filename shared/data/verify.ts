/** Compares what is stored of a person with what their timeline tells. */
import * as z from 'zod';
import type { Appointment } from '../domain/appointment.ts';
import type { Consent } from '../domain/messages/consent.ts';
import {
  type AppointmentState,
  type ContactState,
  consentStates,
  type Difference,
  differences,
  heldAs,
  type InquiryState,
  rebuild,
  type TaskState,
} from '../domain/rebuild.ts';
import { isTaskOpen, type Task } from '../domain/task.ts';
import type { Told } from '../domain/timeline.ts';
import { createAppointments } from './appointments.ts';
import { createConsents } from './consents.ts';
import { type Contact, createContacts } from './contacts.ts';
import { createInquiries, type InquiryRecord } from './inquiries.ts';
import type { Table } from './table.ts';
import { createTasks } from './tasks.ts';
import { createTimelines, toldOfBody } from './timeline.ts';

/** What became of one person's comparison. */
export interface Verified {
  /** Who speaks for the person, and everybody they are by now. */
  readonly contactIds: readonly string[];
  readonly inquiries: number;
  readonly entries: number;
  /** Empty where everything is as the timeline tells. */
  readonly differences: readonly Difference[];
  /** At which version each was that was compared, by its id: what is not stored has none. */
  readonly versions: ReadonlyMap<string, number>;
}

/** The part of a stored inquiry that its timeline tells. */
const storedInquiry = ({ head, score }: InquiryRecord): InquiryState => ({
  stage: head.stage,
  closeReason: head.closeReason,
  // The head learns of its score at routing; until then the score's own item tells.
  score: head.score ?? score?.total,
  tier: head.tier ?? score?.tier,
  assignedTo: head.assignedTo,
  quarantined: head.progress === 'quarantined',
  redFlag: head.redFlag,
  firstContactedAt: head.firstContactedAt,
  held: head.hold && heldAs(head.hold),
  calling: head.calling?.by,
  attempts: head.attempts,
  visits: head.visits,
});

const storedTask = (task: Task): TaskState => ({
  contactId: task.contactId,
  title: task.title,
  dueAt: task.dueAt,
  // Whoever has the inquiry has it, sooner or later.
  owner: task.follows ? undefined : task.owner,
  follows: task.follows === true,
  done: !isTaskOpen(task),
});

const storedAppointment = (appointment: Appointment): AppointmentState => ({
  contactId: appointment.contactId,
  inquiryId: appointment.inquiryId,
  at: appointment.at,
  location: appointment.locationId,
  service: appointment.serviceId,
  status: appointment.status,
  expectedCents: appointment.expectedCents,
  actualCents: appointment.actualCents,
});

const storedContact = (contact: Contact, consents: readonly Consent[]): ContactState => ({
  name: contact.name,
  lifecycle: contact.lifecycle,
  tags: contact.tags,
  owner: contact.owner,
  languages: contact.languages,
  insurances: contact.insurances,
  locations: contact.locations,
  age: contact.age,
  timeZone: contact.timeZone,
  consents: consentStates(consents),
  mergedIds: contact.mergedIds,
  mergedInto: contact.mergedInto,
});

/** What is changed while it is read differs for a moment; what still does so after this many looks is wrong. */
const looks = 3;

/**
 * Rebuilds a person from their timeline, with all their inquiries and everybody
 * who was merged with them, and compares that with what is stored. Undefined
 * where there is no such contact. Of whoever cannot be read that is the difference.
 *
 * Which entries there are an index says, and may be seconds behind: while others write, what differs
 * is wrong only if it is `standing`.
 */
export async function verifyContact(table: Table, contactId: string): Promise<Verified | undefined> {
  let verified = await lookOrSay(table, contactId);
  for (let n = 1; n < looks && verified && verified.differences.length > 0; n++) {
    verified = await lookOrSay(table, contactId);
  }
  return verified;
}

/**
 * What differs of those whose version was the same before it was waited for indexes, and after: by then
 * their entries are all there. Of what was changed meanwhile nothing can be said.
 */
export const standing = (before: Verified, after: Verified): Difference[] =>
  after.differences.filter(({ id }) => before.versions.get(id) === after.versions.get(id));

/** One look; of a person with an item that cannot be read, that they have one. */
async function lookOrSay(table: Table, contactId: string): Promise<Verified | undefined> {
  try {
    return await look(table, contactId);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    // Where in the item it is, and nothing of what is there.
    const stored = [...new Set(error.issues.map(({ path }) => path.join('.')))];
    const unreadable = {
      of: 'contact',
      id: contactId,
      field: 'unreadable',
      rebuilt: undefined,
      stored,
    } as const;
    return {
      contactIds: [contactId],
      inquiries: 0,
      entries: 0,
      differences: [unreadable],
      versions: new Map(),
    };
  }
}

interface Versioned {
  readonly version: number;
}

const versionsOf = (items: readonly Versioned[]): number[] => items.map(({ version }) => version);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

async function look(table: Table, contactId: string): Promise<Verified | undefined> {
  const contacts = createContacts(table);
  const inquiries = createInquiries(table);
  const timelines = createTimelines(table);
  const survivor = await contacts.findSurvivor(contactId, { consistent: true });
  if (!survivor) return undefined;
  const ids = await contacts.family(survivor, { consistent: true });
  // First what is told, then what is stored: what is done in between has a version that nobody compared before.
  const told = await timelines.all(ids);
  const family = (await Promise.all(ids.map((id) => contacts.find(id, { consistent: true })))).filter(
    (contact) => contact !== undefined,
  );
  const consents = createConsents(table);
  const said = await Promise.all(family.map(({ id }) => consents.of([id])));
  const [tasks, appointments] = [createTasks(table), createAppointments(table)];
  const kept = {
    tasks: (await Promise.all(ids.map((id) => tasks.ofContact(id)))).flat(),
    appointments: (await Promise.all(ids.map((id) => appointments.ofContact(id)))).flat(),
  };

  const own = [
    ...new Set(told.flatMap(({ kind, inquiryId }) => (kind === 'captured' ? (inquiryId ?? []) : []))),
  ];
  const records = (await Promise.all(own.map((id) => inquiries.find(id)))).filter(
    (record) => record !== undefined,
  );
  // Whoever wrote for somebody else is known by what they wrote, which is on the other's timeline.
  const written = told.flatMap(({ kind, inquiryId }) =>
    kind === 'wrote_for' && inquiryId !== undefined && !own.includes(inquiryId) ? [inquiryId] : [],
  );
  const bodies = (await Promise.all(written.map((id) => inquiries.find(id)))).flatMap((record): Told[] =>
    record?.body ? [toldOfBody(record.body)] : [],
  );

  const rebuilt = rebuild([...told, ...bodies]);
  // Those for whom somebody wrote are not looked at here: only what they wrote was needed.
  const ofFamily = <T>(map: ReadonlyMap<string, T>, wanted: readonly string[]): ReadonlyMap<string, T> =>
    new Map([...map].filter(([id]) => wanted.includes(id)));
  return {
    contactIds: ids,
    inquiries: records.length,
    entries: told.length,
    versions: new Map([
      ...records.map(({ head }) => [head.id, head.version] as const),
      // Versions only grow: their sum changes with any of them.
      ...family.map(({ id, version }, i) => [id, sum([version, ...versionsOf(said[i] ?? [])])] as const),
      ...[...kept.tasks, ...kept.appointments].map(({ id, version }) => [id, version] as const),
    ]),
    differences: differences(
      {
        ...rebuilt,
        inquiries: ofFamily(rebuilt.inquiries, own),
        contacts: ofFamily(rebuilt.contacts, ids),
      },
      {
        inquiries: new Map(records.map((record) => [record.head.id, storedInquiry(record)])),
        contacts: new Map(family.map((contact, i) => [contact.id, storedContact(contact, said[i] ?? [])])),
        tasks: new Map(kept.tasks.map((task) => [task.id, storedTask(task)])),
        appointments: new Map(kept.appointments.map((one) => [one.id, storedAppointment(one)])),
      },
    ),
  };
}
