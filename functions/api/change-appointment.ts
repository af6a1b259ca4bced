/** Appointments that staff make and change, with what they bring for the inquiry and its person, in one transaction. */
import type { Appointments } from '../../shared/data/appointments.ts';
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
import { consequencesOf } from './stage-consequences.ts';
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

/** Writes an appointment with its inquiry, if it has one; whether that stands, and what was refused. */
async function commit(
  dependencies: AppointmentDependencies,
  writes: readonly Write[],
  inquiry: { readonly head: Inquiry; readonly next: Inquiry } | undefined,
  { memberId: actor, practice }: ByStaff,
  now: Date,
): Promise<'committed' | 'own_refused' | 'refused'> {
  const { table, inquiries } = dependencies;
  const beside = inquiry
    ? [
        inquiries.save(inquiry.next),
        ...(await consequencesOf(dependencies, inquiry.head, inquiry.next, {
          actor,
          now,
          by: 'appointment',
        })),
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
      head && { head, next: booked(practice, head, appointment, now) },
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

/** The inquiry once its appointment is as it is now: to be called again where nobody comes by any other. */
async function followed(
  { appointments }: AppointmentDependencies,
  head: Inquiry | undefined,
  before: Appointment,
  after: Appointment,
  practice: Practice,
  now: Date,
): Promise<{ readonly head: Inquiry; readonly next: Inquiry } | undefined> {
  if (!head) return undefined;
  let moved = head;
  if (holdsPlace(before) && !holdsPlace(after)) {
    const others = (await appointments.ofContact(after.contactId)).filter(
      (other) => other.inquiryId === head.id && other.id !== after.id && holdsPlace(other),
    );
    if (others.length === 0) moved = unbooked(head, now, listeningFor(practice, head, now, 'stage_change'));
  } else if (!holdsPlace(before) && holdsPlace(after)) {
    moved = bookedAgain(head, now, listeningFor(practice, head, now, 'stage_change'));
  }
  const next = { ...withVisits(moved, before, after), version: head.version + 1 };
  const isChanged = moved !== head || JSON.stringify(next.visits) !== JSON.stringify(head.visits);
  return isChanged ? { head, next } : undefined;
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

/** Who kept an appointment is a patient, with or without an inquiry. */
async function patientWrites(
  { contacts, environment }: AppointmentDependencies,
  { contactId, inquiryId, status }: Appointment,
  actor: string,
  now: Date,
): Promise<Write[]> {
  // A booked inquiry made them one.
  if (status !== 'kept' || inquiryId !== undefined) return [];
  const person = await contacts.find(contactId, { consistent: true });
  const lifecycle = person && lifecycleAfter(person.lifecycle, 'booked', true);
  if (!person || lifecycle === undefined || lifecycle === person.lifecycle) return [];
  return [
    ...contacts.change(person, { lifecycle }, now),
    contacts.addEntry(
      entryOf(
        'contact_changed',
        { entryId: environment.newId('entry'), contactId, actor, at: now.toISOString() },
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
  const { appointments, inquiries, environment } = dependencies;
  const stale = new Problem(
    'precondition_failed',
    'Somebody changed this appointment meanwhile. Read it again.',
  );
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const before = await findAppointment(dependencies, contactId, appointmentId);
    if (before.version !== seenVersion) throw stale;
    const head = before.inquiryId === undefined ? undefined : await inquiries.findHead(before.inquiryId);
    const now = environment.now();
    const after = changed(before, change);
    if (!after) {
      throw new Problem(
        'conflict',
        'Only an appointment that is to come can be moved or settled; only one that was kept has a value; only what was settled, otherwise, can be corrected.',
      );
    }
    const corrects = 'correct' in change ? await settlingEntry(dependencies, before) : undefined;
    const done = await commit(
      dependencies,
      [
        appointments.save(after),
        entryWrite(dependencies, after, changeName(change), by.memberId, now, corrects),
        ...(await patientWrites(dependencies, after, by.memberId, now)),
      ],
      await followed(dependencies, head, before, after, by.practice, now),
      by,
      now,
    );
    if (done === 'committed') return after;
    if (done === 'own_refused') throw stale;
  }
  throw busy();
}
