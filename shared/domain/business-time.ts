/** Time that counts: the hours in which a location is open, in its own zone, but for its holidays. */
import { weeklyMinutes } from './clock-time.ts';
import { addDays, instantOf, isoDate, type LocalDay, localTime, weekdayOf } from './local-time.ts';
import type { Location } from './practice.ts';

/** Where time counts, and when: a location, as far as its clock is concerned. */
export type Opening = Pick<Location, 'timeZone' | 'hours' | 'holidays'>;
type Holiday = NonNullable<Opening['holidays']>[number];

/** An open interval, in epoch milliseconds. */
interface Open {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Whether a holiday covers a date such as `2026-12-25`. */
const covers = (holiday: Holiday, date: string): boolean =>
  'date' in holiday ? holiday.date === date : holiday.from <= date && date <= holiday.to;

/** The holiday of a day; of several, the one that stands first. */
function holidayOf(day: LocalDay, { holidays = [] }: Opening): Holiday | undefined {
  if (holidays.length === 0) return undefined;
  const date = isoDate(day);
  return holidays.find((holiday) => covers(holiday, date));
}

/**
 * The open intervals of one local day that lie after an instant; its clock times
 * are those of that very day. None counts twice what another has: two blocks may
 * meet where the clocks leap.
 */
function openIntervals(
  day: LocalDay,
  opening: Opening,
  holiday: Holiday | undefined,
  afterMs: number,
): Open[] {
  const blocks = holiday ? (holiday.hours ?? []) : (opening.hours[weekdayOf(day)] ?? []);
  const intervals: Open[] = [];
  let begunMs = afterMs;
  for (const { open, close } of blocks) {
    const fromMs = Math.max(instantOf(day, open, opening.timeZone).getTime(), begunMs);
    const toMs = instantOf(day, close, opening.timeZone).getTime();
    if (toMs <= fromMs) continue;
    intervals.push({ fromMs, toMs });
    begunMs = toMs;
  }
  return intervals;
}

const neverOpen = (): RangeError => new RangeError('the location is never open');

/**
 * The open intervals from an instant on, in order, over so many ordinary working
 * days at the most: what is closed each week and holidays come on top, since a
 * list of holidays ends.
 */
function* openFrom(from: Date, opening: Opening, workingDays: number): Generator<Open> {
  if (weeklyMinutes(opening.hours) === 0) return;
  let day: LocalDay = localTime(from, opening.timeZone);
  for (let left = workingDays; left > 0; ) {
    const holiday = holidayOf(day, opening);
    yield* openIntervals(day, opening, holiday, from.getTime());
    if (holiday === undefined && opening.hours[weekdayOf(day)]?.length) left--;
    day = addDays(day, 1);
  }
}

/**
 * The instant at which `minutes` of business time have passed since `from`.
 * Time outside opening hours does not count: Friday 16:30 plus 60 minutes, open
 * 9:00 to 17:00 on weekdays, is Monday 9:30, and Tuesday 9:30 where that Monday
 * is a holiday.
 *
 * @throws RangeError where the location has no opening hour in its week
 */
export function addBusinessMinutes(from: Date, minutes: number, opening: Opening): Date {
  // Clocks that leap over an opening hour take it out of that week: twice the weeks make up for all of them.
  const mostDays = 14 * (Math.ceil(minutes / weeklyMinutes(opening.hours)) + 2);
  let leftMs = minutes * 60_000;
  for (const { fromMs, toMs } of openFrom(from, opening, mostDays)) {
    if (leftMs <= toMs - fromMs) return new Date(fromMs + leftMs);
    leftMs -= toMs - fromMs;
  }
  throw neverOpen();
}

/**
 * Minutes of business time that pass from one instant to another, with their
 * fraction; none where the second is not the later. What `addBusinessMinutes` adds
 * is what lies between.
 */
export function businessMinutesBetween(from: Date, to: Date, opening: Opening): number {
  let ms = 0;
  const endMs = to.getTime();
  const last = isoDate(localTime(to, opening.timeZone));
  for (let day: LocalDay = localTime(from, opening.timeZone); isoDate(day) <= last; day = addDays(day, 1)) {
    for (const { fromMs, toMs } of openIntervals(day, opening, holidayOf(day, opening), from.getTime())) {
      ms += Math.max(0, Math.min(toMs, endMs) - fromMs);
    }
  }
  return ms / 60_000;
}

/**
 * When the location opens on the first of the later days on which it does.
 *
 * @throws RangeError where the location has no opening hour in its week
 */
export function nextBusinessDay(after: Date, opening: Opening): Date {
  const today = isoDate(localTime(after, opening.timeZone));
  for (const { fromMs } of openFrom(after, opening, 15)) {
    const opens = new Date(fromMs);
    if (isoDate(localTime(opens, opening.timeZone)) > today) return opens;
  }
  throw neverOpen();
}

/** The local date of an instant, as `2026-11-20`. */
export function localDate(at: string, timeZone: string): string {
  return isoDate(localTime(at, timeZone));
}
