/** Time that counts: the hours in which a location is open, in its own zone. */
import { addDays, instantOf, isoDate, type LocalDay, localTime, weekdayOf } from './local-time.ts';
import type { Location } from './practice.ts';

type Opening = Pick<Location, 'timeZone' | 'hours'>;

/** The open intervals of one local day, in epoch milliseconds; its clock times are those of that very day. */
function openIntervals(day: LocalDay, { hours, timeZone }: Opening): { fromMs: number; toMs: number }[] {
  return (hours[weekdayOf(day)] ?? []).map(({ open, close }) => ({
    fromMs: instantOf(day, open, timeZone).getTime(),
    toMs: instantOf(day, close, timeZone).getTime(),
  }));
}

/** Minutes that the clocks of a week show as open. */
const weeklyMinutes = ({ hours }: Opening): number =>
  Object.values(hours)
    .flat()
    .reduce((sum, { open, close }) => sum + minuteOfDay(close) - minuteOfDay(open), 0);

function minuteOfDay(clock: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return hour * 60 + minute;
}

/**
 * The instant at which `minutes` of business time have passed since `from`.
 * Time outside opening hours does not count: Friday 16:30 plus 60 minutes, open
 * 9:00 to 17:00 on weekdays, is Monday 9:30.
 *
 * @throws RangeError where the location has no opening hour in its week
 */
export function addBusinessMinutes(from: Date, minutes: number, location: Opening): Date {
  const ofWeek = weeklyMinutes(location);
  // Clocks that leap over an opening hour take it out of that week: twice the weeks make up for all of them.
  const mostDays = ofWeek > 0 ? 14 * (Math.ceil(minutes / ofWeek) + 2) : 0;
  const startMs = from.getTime();
  let leftMs = minutes * 60_000;
  let day: LocalDay = localTime(from, location.timeZone);
  for (let i = 0; i < mostDays; i++) {
    for (const { fromMs, toMs } of openIntervals(day, location)) {
      const beginMs = Math.max(fromMs, startMs);
      const openMs = toMs - beginMs;
      if (openMs <= 0) continue;
      if (leftMs <= openMs) return new Date(beginMs + leftMs);
      leftMs -= openMs;
    }
    day = addDays(day, 1);
  }
  throw new RangeError('the location is never open');
}

/** The local date of an instant, as `2026-11-20`. */
export function localDate(at: string, timeZone: string): string {
  return isoDate(localTime(at, timeZone));
}
