/**
 * The alert of a red flag: a due item of its own beside its inquiry, so that
 * nothing about the inquiry's way can hold it up.
 */
import * as z from 'zod';
import type { Practice } from './practice.ts';

const instantSchema = z.iso.datetime();

export const alertSchema = z.lazy(() =>
  z.object({
    inquiryId: z.string(),
    contactId: z.string(),
    version: z.int().min(1),
    /** Ids of the flags whose words were found. */
    flags: z.array(z.string()),
    raisedAt: instantSchema,
    state: z.enum(['pending', 'sending', 'sent']),
    /** When the state was entered. */
    stateAt: instantSchema,
    /** When the sweep asks for its mail, until that is out. */
    nextAt: instantSchema.optional(),
    /** How often the sweep asked; spaces out the repeats. */
    repeats: z.int().min(0),
  }),
);
export type Alert = z.infer<typeof alertSchema>;

/** A mail whose sending began this long ago and never ended may be sent again. */
export const alertLeaseMs = 60_000;
/** Nobody knows of it yet, so it is asked for again soon, and never more seldom than this. */
const longestPauseMs = 5 * 60_000;

/** An alert as it is raised: due at once, so that it goes out even where no message does. */
export const raised = (inquiryId: string, contactId: string, flags: readonly string[], now: Date): Alert => ({
  inquiryId,
  contactId,
  version: 1,
  flags: [...flags],
  raisedAt: now.toISOString(),
  state: 'pending',
  stateAt: now.toISOString(),
  nextAt: now.toISOString(),
  repeats: 0,
});

/** The state once its mail has been asked for; undefined where that is not due. */
export function takeDueAlert(alert: Alert, now: Date): Alert | undefined {
  if (alert.nextAt === undefined || alert.nextAt > now.toISOString()) return undefined;
  const pause = Math.min(alertLeaseMs * 2 ** alert.repeats, longestPauseMs);
  return {
    ...alert,
    version: alert.version + 1,
    nextAt: new Date(now.getTime() + pause).toISOString(),
    repeats: alert.repeats + 1,
  };
}

/** The state once its mail is out: nothing is due any more. */
export function alertSent(alert: Alert, now: Date): Alert {
  const { nextAt: _done, ...rest } = alert;
  return { ...rest, version: alert.version + 1, state: 'sent', stateAt: now.toISOString() };
}

type Staff = Pick<Practice, 'members' | 'redFlags'>;
const enabled = ({ members }: Staff) => members.filter((member) => member.enabled);

/** Whom a red flag alerts: who is on duty and the managers; where none of them is enabled, the admins. */
export function alertedMembers(practice: Staff): Practice['members'] {
  const lead = enabled(practice).filter(
    ({ id, role }) => role === 'manager' || practice.redFlags.onDuty.includes(id),
  );
  return lead.length > 0 ? lead : enabled(practice).filter(({ role }) => role === 'admin');
}

/** Whom it alerts where there is none of those: the inquiry's assignee, else everybody who is enabled. */
export function alertedInstead(practice: Staff, assignedTo: string | undefined): Practice['members'] {
  const assignee = enabled(practice).filter(({ id }) => id === assignedTo);
  return assignee.length > 0 ? assignee : enabled(practice);
}
