/**
 * The escalation ladder: what is done, and when, while nobody has called. Its
 * rungs are parts of the time that the assignee has, counted in business time, so
 * that nobody is warned at night of what is due at noon.
 */
import { addBusinessMinutes, businessMinutesBetween, type Opening } from './business-time.ts';
import type { Rung } from './rungs.ts';

export interface Escalation {
  /** In order of their time. */
  readonly steps: readonly Rung[];
  /** Business minutes from one reminder to the next, once the last rung was taken. */
  readonly thenEveryMinutes: number;
}

/** The clock of an inquiry's location, and the ladder on it. */
export interface Clock {
  readonly location: Opening;
  readonly escalation: Escalation;
}

/** The time that an assignee has for the first call. */
export interface Term {
  readonly from: string;
  readonly to: string;
}

/** When each rung of the ladder is due, in the order of the steps. */
export function rungTimes({ from, to }: Term, { location, escalation }: Clock): string[] {
  const begins = new Date(from);
  const minutes = businessMinutesBetween(begins, new Date(to), location);
  return escalation.steps.map(({ atPercent }) =>
    // The end is where it was promised, to the millisecond, outside opening hours too.
    atPercent === 100 || minutes === 0
      ? to
      : addBusinessMinutes(begins, (minutes * atPercent) / 100, location).toISOString(),
  );
}

/** So many business minutes after an instant. */
export const minutesAfter = (
  at: Date | string,
  minutes: number,
  { location }: Pick<Clock, 'location'>,
): string => addBusinessMinutes(new Date(at), minutes, location).toISOString();

/** Whether a rung concerns the assignee alone. */
export const isTheirsAlone = (rung: Rung): boolean =>
  rung.do.every((action) => action === 'remind' || action === 'warn');
