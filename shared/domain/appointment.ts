/**
 * Appointments: when a person is to come, what became of it, and what it was
 * worth: expected from the service, and the actual value once it is known. All
 * money is in US cents.
 */
import * as z from 'zod';
import { idSchema } from './ids.ts';
import type { EntryDetails } from './timeline.ts';

/** What becomes of an appointment. */
export const outcomes = ['kept', 'no_show', 'cancelled'] as const;
export type Outcome = (typeof outcomes)[number];
export const appointmentStatuses = ['made', ...outcomes] as const;

/** What a visit can be worth at the most, in cents; the same as of a service. */
export const mostValueCents = 100_000_000;

const instantSchema = z.iso.datetime();
const centsSchema = z.int().min(0).max(mostValueCents);

export const appointmentSchema = z.lazy(() =>
  z.object({
    id: idSchema('appointment'),
    version: z.int().min(1),
    contactId: idSchema('contact'),
    inquiryId: idSchema('inquiry').optional(),
    locationId: z.string(),
    serviceId: z.string().optional(),
    /** When the person is to come. */
    at: instantSchema,
    status: z.enum(appointmentStatuses),
    /** What the service was expected to bring when it was made; absent where none is known. */
    expectedCents: centsSchema.optional(),
    /** What it brought; only of one that was kept. */
    actualCents: centsSchema.optional(),
    madeBy: z.string(),
    madeAt: instantSchema,
  }),
);
export type Appointment = z.infer<typeof appointmentSchema>;

/** The state of an appointment as it is made. */
export const newAppointment = (
  fresh: Omit<Appointment, 'version' | 'status' | 'actualCents' | 'madeAt'>,
  now: Date,
): Appointment => ({ ...fresh, version: 1, status: 'made', madeAt: now.toISOString() });

/** A change of an appointment: another time or place, what became of it, or what it brought after all. */
export type AppointmentChange =
  | { readonly at: string; readonly locationId?: string | undefined }
  | { readonly outcome: Outcome; readonly valueCents?: number | undefined }
  | { readonly valueCents: number }
  /** What became of it, after all: it was recorded by mistake; `made` has it to come again. */
  | { readonly correct: Appointment['status']; readonly valueCents?: number | undefined };

/** What the change is called on the timeline. */
export function changeName(change: AppointmentChange) {
  if ('at' in change) return 'moved' as const;
  if ('correct' in change) return 'corrected' as const;
  return 'outcome' in change ? change.outcome : ('valued' as const);
}

/**
 * The state after a change; undefined where it cannot be: what is to come can be
 * moved and settled, what was kept can be valued, and what was settled can be corrected.
 */
export function changeAppointment(
  appointment: Appointment,
  change: AppointmentChange,
): Appointment | undefined {
  const version = appointment.version + 1;
  if ('at' in change) {
    if (appointment.status !== 'made') return undefined;
    return {
      ...appointment,
      version,
      at: change.at,
      locationId: change.locationId ?? appointment.locationId,
    };
  }
  if ('outcome' in change) {
    const { outcome, valueCents } = change;
    if (appointment.status !== 'made' || (valueCents !== undefined && outcome !== 'kept')) return undefined;
    return {
      ...appointment,
      version,
      status: outcome,
      ...(valueCents !== undefined && { actualCents: valueCents }),
    };
  }
  if ('correct' in change) {
    const { correct, valueCents } = change;
    const { actualCents: _wrong, ...rest } = appointment;
    if (appointment.status === 'made' || correct === appointment.status) return undefined;
    if (valueCents !== undefined && correct !== 'kept') return undefined;
    return {
      ...rest,
      version,
      status: correct,
      ...(valueCents !== undefined && { actualCents: valueCents }),
    };
  }
  if (appointment.status !== 'kept') return undefined;
  return { ...appointment, version, actualCents: change.valueCents };
}

/** Whether somebody still comes, or came, by it. */
export const holdsPlace = ({ status }: Pick<Appointment, 'status'>): boolean =>
  status === 'made' || status === 'kept';

/** What the appointments of an inquiry came to; part of its head, and so counted in the roll-ups. */
export interface Visits {
  /** Made and not cancelled. */
  readonly made: number;
  readonly kept: number;
  readonly noShows: number;
  /** What those that were kept brought, in cents. */
  readonly cents: number;
}

const countOf = (appointment: Pick<Appointment, 'status' | 'actualCents'> | undefined): Visits => ({
  made: appointment && appointment.status !== 'cancelled' ? 1 : 0,
  kept: appointment?.status === 'kept' ? 1 : 0,
  noShows: appointment?.status === 'no_show' ? 1 : 0,
  cents: appointment?.actualCents ?? 0,
});

/** An inquiry's visits once one of its appointments is as it is now; undefined where nothing is left to count. */
export function visitsAfter(
  visits: Visits | undefined,
  before: Pick<Appointment, 'status' | 'actualCents'> | undefined,
  after: Pick<Appointment, 'status' | 'actualCents'>,
): Visits | undefined {
  const [was, is] = [countOf(before), countOf(after)];
  const sum = (name: keyof Visits): number => (visits?.[name] ?? 0) - was[name] + is[name];
  const next = { made: sum('made'), kept: sum('kept'), noShows: sum('noShows'), cents: sum('cents') };
  return Object.values(next).some((n) => n !== 0) ? next : undefined;
}

/** The words that entries had for it before appointments were kept. */
const told = { made: 'booked', kept: 'kept', no_show: 'missed', cancelled: 'cancelled' } as const;

/** The status that an entry tells. */
export const statusTold = (word: EntryDetails<'appointment'>['status']): Appointment['status'] =>
  appointmentStatuses.find((status) => told[status] === word) ?? 'made';

/** What the timeline says of an appointment after a change: enough to rebuild it. */
export const appointmentDetails = (
  change: 'made' | ReturnType<typeof changeName>,
  { id, at, locationId, serviceId, status, expectedCents, actualCents }: Appointment,
  corrects?: string,
): EntryDetails<'appointment'> => ({
  appointmentId: id,
  change,
  at,
  location: locationId,
  ...(serviceId !== undefined && { service: serviceId }),
  status: told[status],
  ...(expectedCents !== undefined && { expectedCents }),
  ...(actualCents !== undefined && { actualCents }),
  ...(corrects !== undefined && { corrects }),
});
