/** Time that counts: the hours in which a location is open, in its own zone. */
import { DateTime } from 'luxon';
import { type BusinessHours, type Location, weekdays } from './practice.ts';

interface Interval {
  readonly from: DateTime;
  readonly to: DateTime;
}

/** The open intervals of one local day. The clock times are resolved on that day, so a shifted one is right. */
function openIntervals(day: DateTime, hours: BusinessHours): Interval[] {
  const weekday = weekdays[day.weekday - 1];
  const blocks = (weekday && hours[weekday]) ?? [];
  return blocks.map((block) => ({ from: atClock(day, block.open), to: atClock(day, block.close) }));
}

function atClock(day: DateTime, clock: string): DateTime {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  if (hour === 24) return day.plus({ days: 1 }).startOf('day');
  return day.set({ hour, minute, second: 0, millisecond: 0 });
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
export function addBusinessMinutes(
  from: Date,
  minutes: number,
  location: Pick<Location, 'timeZone' | 'hours'>,
): Date {
  const start = DateTime.fromJSDate(from, { zone: location.timeZone });
  let left = minutes * 60_000;
  let day = start.startOf('day');
  for (let i = 0; i < mostDays; i++) {
    for (const { from: opens, to: closes } of openIntervals(day, location.hours)) {
      const begin = opens > start ? opens : start;
      const open = closes.toMillis() - begin.toMillis();
      if (open <= 0) continue;
      if (left <= open) return new Date(begin.toMillis() + left);
      left -= open;
    }
    day = day.plus({ days: 1 });
  }
  throw new RangeError('the location is never open');
}

/** The local date of an instant, as `2026-11-20`. */
export function localDate(at: string, timeZone: string): string {
  return DateTime.fromISO(at, { zone: timeZone }).toISODate() ?? at.slice(0, 10);
}
