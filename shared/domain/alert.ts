/**
 * The alert of a red flag: a due item of its own beside its inquiry, so that
 * nothing about the inquiry's way can hold it up.
 */
import * as z from 'zod';

const instantSchema = z.iso.datetime();

export const alertSchema = z.object({
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
});
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
