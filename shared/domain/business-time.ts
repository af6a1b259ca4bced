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

/** A week with no open hour at all would never end; two cover every holiday rule to come. */
const mostDays = 400;

/**
 * The instant at which `minutes` of business time have passed since `from`.
 * Time outside opening hours does not count: Friday 16:30 plus 60 minutes, open
 * 9:00 to 17:00 on weekdays, is Monday 9:30.
 *
 * @throws RangeError where the location is not open in the next 400 days
 */
export function addBusinessMinutes(from: Date, minutes: number, location: Opening): Date {
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
