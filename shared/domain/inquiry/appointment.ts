/** What appointments bring for their inquiry. */
import { type Appointment, visitsAfter } from '../appointment.ts';
import { nextAttemptAt } from '../cadence.ts';
import { changeStage, stageTransitions } from './stage.ts';
import { type Inquiry, isOpen, type Listening } from './state.ts';

/**
 * The state with its appointments counted as they are now. It is part of a change
 * that raises the version; it does not raise it itself.
 */
export function withVisits(inquiry: Inquiry, before: Appointment | undefined, after: Appointment): Inquiry {
  const { visits, ...rest } = inquiry;
  const next = visitsAfter(visits, before, after);
  return { ...rest, ...(next && { visits: next }) };
}

/**
 * The state of an inquiry once somebody comes by one of its appointments after all, or
 * came: booked, unless it was closed meanwhile. The same object where it is booked.
 */
export function bookedAgain(inquiry: Inquiry, now: Date, listening: Listening): Inquiry {
  if (!isOpen(inquiry)) return inquiry;
  // What was recorded by mistake took it from there.
  const transitions = {
    ...(listening.transitions ?? stageTransitions),
    [inquiry.stage]: ['booked' as const],
  };
  const change = changeStage(inquiry, 'booked', undefined, now, { ...listening, transitions });
  return change.outcome === 'changed' ? change.next : inquiry;
}

/**
 * The state of a booked inquiry once nobody comes by its appointments: somebody
 * has to call again, when the cadence would have them call first. The same object
 * where it is not booked any more.
 */
export function unbooked(inquiry: Inquiry, now: Date, listening: Listening): Inquiry {
  if (inquiry.stage !== 'booked') return inquiry;
  // Staff cannot set it; an appointment that nobody kept does.
  const transitions = { ...(listening.transitions ?? stageTransitions), booked: ['contacted' as const] };
  const change = changeStage(inquiry, 'contacted', undefined, now, { ...listening, transitions });
  if (change.outcome !== 'changed') return inquiry;
  const { next } = change;
  const callAt = listening.cadence && nextAttemptAt(listening.cadence, 1, now, now);
  if (callAt === undefined || next.timers.followUp === undefined) return next;
  return { ...next, timers: { ...next.timers, followUp: callAt.toISOString() } };
}
