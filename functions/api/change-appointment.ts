/** Appointments that staff make and change, with what they bring for the inquiry and its person, in one transaction. */
import type { Appointments } from '../../shared/data/appointments.ts';
import type { Contact } from '../../shared/data/contacts.ts';
import type { Write } from '../../shared/data/table.ts';
import {
  type Appointment,
  type AppointmentChange,
  appointmentDetails,
  changeAppointment as changed,
  changeName,
  holdsPlace,
  newAppointment,
  outcomes,
} from '../../shared/domain/appointment.ts';
import { bookedAgain, unbooked, withVisits } from '../../shared/domain/inquiry/appointment.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import {
  askRules,
  type ByStaff,
  type ChangeDependencies,
  mostAttempts,
  noInquiry,
  withStage,
} from './change-inquiry.ts';
import { wholeOf } from './read-people.ts';
import { type Identity, madeBefore, type RepetitionDependencies } from './repetition.ts';
import { consequencesOf, type MovedPerson, readMoved } from './stage-consequences.ts';
import { tellRouting } from './tell-routing.ts';

export interface AppointmentDependencies extends ChangeDependencies, RepetitionDependencies {
  readonly appointments: Appointments;
}

export interface WantedAppointment {
  readonly contactId?: string | undefined;
  readonly inquiryId?: string | undefined;
  readonly at: string;
  readonly location?: string | undefined;
  readonly service?: string | undefined;
  /** In US cents; left out, what the service is expected to bring. */
  readonly expectedCents?: number | undefined;
}

const busy = (): Problem => new Problem('unavailable', 'Nothing was changed. Try again in a moment.');

/** The entry of a change. */
function entryWrite(
  { contacts, environment }: AppointmentDependencies,
  appointment: Appointment,
  change: Parameters<typeof appointmentDetails>[0],
  actor: string,
  now: Date,
  corrects?: string,
): Write {
  const { contactId, inquiryId } = appointment;
  return contacts.addEntry(
    entryOf(
      'appointment',
      {
        entryId: environment.newId('entry'),
        contactId,
        ...(inquiryId !== undefined && { inquiryId }),
        actor,
        at: now.toISOString(),
      },
      appointmentDetails(change, appointment, corrects),
    ),
  );
}

/** What becomes of the inquiry of an appointment, and whom that moves. */
interface InquiryChange {
  readonly head: Inquiry;
  readonly next: Inquiry;
  readonly moved: MovedPerson | undefined;
}

/** Writes an appointment with its inquiry, if it has one; whether that stands, and what was refused. */
async function commit(
  dependencies: AppointmentDependencies,
  writes: readonly Write[],
  inquiry: InquiryChange | undefined,
  { memberId: actor, practice }: ByStaff,
  now: Date,
): Promise<'committed' | 'own_refused' | 'refused'> {
  const { table, inquiries } = dependencies;
  const beside = inquiry
    ? [
        inquiries.save(inquiry.next),
        ...consequencesOf(dependencies, inquiry.head, inquiry.next, {
          actor,
          now,
          moved: inquiry.moved,
          by: 'appointment',
        }),
      ]
    : [];
  const done = await table.transact([...writes, ...beside]);
  if (!done.committed) return done.failed.has(0) ? 'own_refused' : 'refused';
  if (inquiry) {
    await askRules(dependencies, inquiry.next);
    await tellRouting(dependencies, practice, inquiry.head, inquiry.next);
  }
  return 'committed';
}

/** An inquiry once an appointment was made for it: booked, if it was not. @throws Problem `transition_not_allowed` */
function booked(practice: Practice, head: Inquiry, made: Appointment, now: Date): Inquiry {
  const moved =
    head.stage === 'booked'
      ? head
      : withStage(head, 'booked', undefined, now, listeningFor(practice, head, now, 'stage_change'));
  return { ...withVisits(moved, undefined, made), version: head.version + 1 };
}

/**
 * Makes an appointment; the inquiry that it names is booked by it. Under a key that
 * came before it is the one that was made then, as it is now.
 *
 * @throws Problem `not_found`, `transition_not_allowed`, `idempotency_conflict`, `unavailable`
 */
export async function makeAppointment(
  dependencies: AppointmentDependencies,
  wanted: WantedAppointment,
  by: ByStaff,
  identity?: Identity,
): Promise<Appointment> {
  const { appointments, inquiries, contacts, environment } = dependencies;
  const { practice, memberId } = by;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { earlier, note } = await madeBefore(dependencies, 'appointment', memberId, identity);
    if (earlier) return await findAppointment(dependencies, earlier.contactId, earlier.id);
    const head = wanted.inquiryId === undefined ? undefined : await inquiries.findHead(wanted.inquiryId);
    if (wanted.inquiryId !== undefined && !head) throw noInquiry();
    if (!head) await wholeOf(contacts, wanted.contactId ?? '');
    const moved = head && (await readMoved(dependencies, head, 'booked'));
    const now = environment.now();
    const serviceId = wanted.service ?? head?.serviceId;
    const expectedCents =
      wanted.expectedCents ?? practice.services.find(({ id }) => id === serviceId)?.valueCents;
    const appointment = newAppointment(
      {
        id: environment.newId('appointment'),
        contactId: head?.contactId ?? wanted.contactId ?? '',
        ...(head && { inquiryId: head.id }),
        locationId: wanted.location ?? findLocation(practice, head?.locationId).id,
        ...(serviceId !== undefined && { serviceId }),
        at: wanted.at,
        ...(expectedCents !== undefined && { expectedCents }),
        madeBy: memberId,
      },
      now,
    );
    const done = await commit(
      dependencies,
      [
        appointments.create(appointment),
        entryWrite(dependencies, appointment, 'made', memberId, now),
        ...note(appointment),
      ],
      head && { head, next: booked(practice, head, appointment, now), moved },
      by,
      now,
    );
    if (done === 'committed') return appointment;
  }
  throw busy();
}

/**
 * An appointment of the person behind a contact, whichever of their contacts it is with.
 *
 * @throws Problem `not_found`
 */
export async function findAppointment(
  { appointments, contacts }: Pick<AppointmentDependencies, 'appointments' | 'contacts'>,
  contactId: string,
  appointmentId: string,
): Promise<Appointment> {
  const own = await appointments.find(contactId, appointmentId);
  if (own) return own;
  const { family } = await wholeOf(contacts, contactId, { consistent: true });
  const found = await Promise.all(family.map(({ id }) => appointments.find(id, appointmentId)));
  const appointment = found.find((one) => one !== undefined);
  if (!appointment) throw new Problem('not_found', 'There is no such appointment.');
  return appointment;
}

/** The inquiry of an appointment as it was read, with what says where the change of that takes it. */
interface Concerned extends Pick<InquiryChange, 'head' | 'moved'> {
  /** Whether somebody comes by the appointment who did not, nobody comes by any more, or neither. */
  readonly place: 'taken' | 'given_up' | 'as_it_was';
}

/** Reads what a change of an appointment concerns of its inquiry; undefined where it has none. */
async function readConcerned(
  dependencies: AppointmentDependencies,
  before: Appointment,
  after: Appointment,
): Promise<Concerned | undefined> {
  const { appointments, inquiries } = dependencies;
  const head = before.inquiryId === undefined ? undefined : await inquiries.findHead(before.inquiryId);
  if (!head) return undefined;
  if (!holdsPlace(before) && holdsPlace(after))
    return { head, moved: await readMoved(dependencies, head, 'booked'), place: 'taken' };
  const asItWas: Concerned = { head, moved: undefined, place: 'as_it_was' };
  if (!holdsPlace(before) || holdsPlace(after)) return asItWas;
  const others = (await appointments.ofContact(after.contactId)).filter(
    (other) => other.inquiryId === head.id && other.id !== after.id && holdsPlace(other),
  );
  return others.length === 0 ? { ...asItWas, place: 'given_up' } : asItWas;
}

/** The inquiry once its appointment is as it is now: to be called again where nobody comes by any other. */
function followed(
  { head, moved, place }: Concerned,
  before: Appointment,
  after: Appointment,
  practice: Practice,
  now: Date,
): InquiryChange | undefined {
  const listening = listeningFor(practice, head, now, 'stage_change');
  let staged = head;
  if (place === 'given_up') staged = unbooked(head, now, listening);
  if (place === 'taken') staged = bookedAgain(head, now, listening);
  const next = { ...withVisits(staged, before, after), version: head.version + 1 };
  const isChanged = staged !== head || JSON.stringify(next.visits) !== JSON.stringify(head.visits);
  return isChanged ? { head, next, moved } : undefined;
}

/** The entry that said last what became of an appointment. */
async function settlingEntry(
  { timelines }: AppointmentDependencies,
  { contactId, id }: Appointment,
): Promise<string | undefined> {
  const settling: readonly unknown[] = [...outcomes, 'corrected'];
  const entries = await timelines.entriesOf(contactId);
  return entries.findLast(
    ({ kind, details }) =>
      kind === 'appointment' && details['appointmentId'] === id && settling.includes(details['change']),
  )?.entryId;
}

/** Reads who kept an appointment: they are a patient, with or without an inquiry. */
async function readPatient(
  { contacts }: AppointmentDependencies,
  { contactId, inquiryId, status }: Appointment,
): Promise<Contact | undefined> {
  // A booked inquiry made them one.
  if (status !== 'kept' || inquiryId !== undefined) return undefined;
  return await contacts.find(contactId, { consistent: true });
}

/** The writes that make somebody a patient; none where they are one. */
function patientWrites(
  { contacts, environment }: AppointmentDependencies,
  person: Contact,
  actor: string,
  now: Date,
): Write[] {
  const lifecycle = lifecycleAfter(person.lifecycle, 'booked', true);
  if (lifecycle === person.lifecycle) return [];
  return [
    ...contacts.change(person, { lifecycle }, now),
    contacts.addEntry(
      entryOf(
        'contact_changed',
        { entryId: environment.newId('entry'), contactId: person.id, actor, at: now.toISOString() },
        { changes: { lifecycle: { from: person.lifecycle, to: lifecycle } }, because: 'appointment' },
      ),
    ),
  ];
}

/**
 * Changes the version of an appointment that the caller saw.
 *
 * @throws Problem `not_found`, `precondition_failed`, `conflict`, `unavailable`
 */
export async function changeAppointment(
  dependencies: AppointmentDependencies,
  contactId: string,
  appointmentId: string,
  seenVersion: number,
  change: AppointmentChange,
  by: ByStaff,
): Promise<Appointment> {
  const { appointments, environment } = dependencies;
  const stale = new Problem(
    'precondition_failed',
    'Somebody changed this appointment meanwhile. Read it again.',
  );
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const before = await findAppointment(dependencies, contactId, appointmentId);
    if (before.version !== seenVersion) throw stale;
    const after = changed(before, change);
    if (!after) {
      throw new Problem(
        'conflict',
        'Only an appointment that is to come can be moved or settled; only one that was kept has a value; only what was settled, otherwise, can be corrected.',
      );
    }
    // All is read before the instant is taken: what is told then is later than all that it is about.
    const [concerned, patient, corrects] = await Promise.all([
      readConcerned(dependencies, before, after),
      readPatient(dependencies, after),
      'correct' in change ? settlingEntry(dependencies, before) : undefined,
    ]);
    const now = environment.now();
    const done = await commit(
      dependencies,
      [
        appointments.save(after),
        entryWrite(dependencies, after, changeName(change), by.memberId, now, corrects),
        ...(patient ? patientWrites(dependencies, patient, by.memberId, now) : []),
      ],
      concerned && followed(concerned, before, after, by.practice, now),
      by,
      now,
    );
    if (done === 'committed') return after;
    if (done === 'own_refused') throw stale;
  }
  throw busy();
}
