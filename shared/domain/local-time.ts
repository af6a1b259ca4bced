/** Instants as the clocks and calendars of a time zone show them. */
import { TZDate } from '@date-fns/tz';
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

const dayMs = 86_400_000;

/** Calendar arithmetic knows no zone: a day is its midnight in UTC. */
const utcOf = ({ year, month, day }: LocalDay): Date => new Date(Date.UTC(year, month - 1, day));

/** @throws RangeError where `at` is no instant */
export function localTime(at: Date | string, timeZone: string): LocalTime {
  const local = new TZDate(new Date(at).getTime(), timeZone);
  if (Number.isNaN(local.getTime())) throw new RangeError(`${String(at)} is no instant`);
  const [hour, minute] = [local.getHours(), local.getMinutes()].map((n) => String(n).padStart(2, '0'));
  return {
    year: local.getFullYear(),
    month: local.getMonth() + 1,
    day: local.getDate(),
    time: `${hour}:${minute}`,
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
export function instantOf({ year, month, day }: LocalDay, time: string, timeZone: string): Date {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return new Date(new TZDate(year, month - 1, day, hour, minute, 0, 0, timeZone).getTime());
}
