/** A moment as people write it: `Fri 15:00`, in the practice's first zone, or a whole date and time. */
import { addDays, instantOf, type LocalDay, weekdayOf } from '../shared/domain/local-time.ts';
import { weekdays } from '../shared/domain/weekdays.ts';

/**
 * The week in which `Fri` lies: one and the same in every run, or a seed would not say all. An ordinary
 * one, without a holiday of the country's and without a change of the clocks.
 */
const anchor: LocalDay = { year: 2026, month: 11, day: 9 };

/**
 * The instant of a moment, the first one from `notBefore` on where it is a weekday's.
 *
 * @returns undefined where it is no moment
 */
export function momentOf(text: string, timeZone: string, notBefore?: Date): Date | undefined {
  const trimmed = text.trim();
  const date = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}:\d{2})$/.exec(trimmed);
  if (date) {
    const [year, month, day] = date.slice(1, 4).map(Number) as [number, number, number];
    const wanted = { year, month, day };
    return isClock(date[4]) && addDays(wanted, 0).day === day
      ? instantOf(wanted, date[4], timeZone)
      : undefined;
  }
  const [, name = '', clock] = /^([a-z]+)\s+(\d{1,2}:\d{2})$/i.exec(trimmed) ?? [];
  const time = clock?.padStart(5, '0');
  const wanted = weekdays.find((weekday) => name.length >= 3 && weekday.startsWith(name.toLowerCase()));
  if (wanted === undefined || !isClock(time)) return undefined;
  for (let day = anchor, i = 0; i < 14; day = addDays(day, 1), i++) {
    if (weekdayOf(day) !== wanted) continue;
    const instant = instantOf(day, time, timeZone);
    if (notBefore === undefined || instant > notBefore) return instant;
  }
  return undefined;
}

const isClock = (time: string | undefined): time is string => /^([01]\d|2[0-3]):[0-5]\d$/.test(time ?? '');
