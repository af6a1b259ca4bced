/** Instants as the clocks and calendars of a time zone show them. */
import { tzOffset } from '@date-fns/tz/tzOffset';
import { type Weekday, weekdays } from './weekdays.ts';

/** A day of a calendar; `month` counts from 1. */
export interface LocalDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** What a wall clock and a wall calendar show at an instant. */
export interface LocalTime extends LocalDay {
  /** As `16:30`. */
  readonly time: string;
}

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;

/** Calendar arithmetic knows no zone: a day is its midnight in UTC. */
const utcOf = ({ year, month, day }: LocalDay): Date => new Date(Date.UTC(year, month - 1, day));

/** Zones set their clocks at quarters of an hour: within one, an offset stays. */
const slotMs = 15 * minuteMs;
const mostSlots = 2_000;
/** Offsets in milliseconds, by zone and slot: `Intl`, which knows them, is asked once for each. */
const offsets = new Map<string, Map<number, number>>();

/** How far the clocks of a zone are ahead of UTC, in milliseconds. @throws RangeError where `atMs` is no instant */
function offsetAt(atMs: number, timeZone: string): number {
  let ofZone = offsets.get(timeZone);
  if (ofZone === undefined || ofZone.size >= mostSlots) {
    ofZone = new Map();
    offsets.set(timeZone, ofZone);
  }
  const slot = Math.floor(atMs / slotMs);
  let offset = ofZone.get(slot);
  if (offset === undefined) {
    offset = tzOffset(timeZone, new Date(atMs)) * minuteMs;
    if (Number.isNaN(offset)) throw new RangeError(`no instant, or no time zone: ${atMs}, ${timeZone}`);
    ofZone.set(slot, offset);
  }
  return offset;
}

const twoDigits = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** @throws RangeError where `at` is no instant */
export function localTime(at: Date | string, timeZone: string): LocalTime {
  const atMs = new Date(at).getTime();
  const wall = new Date(atMs + offsetAt(atMs, timeZone));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    time: `${twoDigits(wall.getUTCHours())}:${twoDigits(wall.getUTCMinutes())}`,
  };
}

/** A day so many days later, or earlier. */
export function addDays(day: LocalDay, days: number): LocalDay {
  const moved = new Date(utcOf(day).getTime() + days * dayMs);
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

/** As `2026-11-20`. */
export const isoDate = (day: LocalDay): string => utcOf(day).toISOString().slice(0, 10);

/** The place of a day in its week: 0 is Monday. */
const weekdayIndex = (day: LocalDay): number => (utcOf(day).getUTCDay() + 6) % 7;

export const weekdayOf = (day: LocalDay): Weekday => weekdays[weekdayIndex(day)] ?? 'monday';

/** The Monday of the week of a day. */
export const mondayOf = (day: LocalDay): LocalDay => addDays(day, -weekdayIndex(day));

/**
 * The instant at which the clocks of a day show a time, `24:00` being the end of
 * it. A time that the clocks leap over is as much later; of one that they show
 * twice it is the first.
 */
export function instantOf(day: LocalDay, time: string, timeZone: string): Date {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const wallMs = utcOf(day).getTime() + (60 * hour + minute) * minuteMs;
  // As if the clocks of the day before still held, which they do for the first of two.
  const before = offsetAt(wallMs - dayMs, timeZone);
  const firstMs = wallMs - before;
  const then = offsetAt(firstMs, timeZone);
  if (then === before) return new Date(firstMs);
  const secondMs = wallMs - then;
  // Leapt over where neither clock shows it.
  return new Date(offsetAt(secondMs, timeZone) === then ? secondMs : firstMs);
}
