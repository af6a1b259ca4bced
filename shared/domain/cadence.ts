/**
 * The cadence of call attempts: who could not be reached is called again, each
 * time at another time of day, until the steps of the practice file have all been
 * tried. Pure: the attempt that was made and the opening hours in, the time of the
 * next one out.
 */
import { addBusinessMinutes } from './business-time.ts';
import { addDays, instantOf, type LocalDay, localTime } from './local-time.ts';
import { type CadenceStep, type PartOfDay, partsOfDay } from './parts-of-day.ts';
import type { Location } from './practice.ts';
import type { Disposition } from './rules/facts.ts';

/** When whoever was not reached is called again, at a location. */
export interface Cadence {
  readonly steps: readonly CadenceStep[];
  readonly location: Location;
}

/** Where the parts of a day begin, by the location's clock; each ends where the next one begins. */
const begins: Readonly<Record<PartOfDay, string>> = {
  morning: '00:00',
  midday: '11:00',
  afternoon: '14:00',
  evening: '17:00',
};

/** Two attempts of one day are at least this far apart. */
export const leastPauseMs = 2 * 60 * 60_000;
/** A location that is open at all opens within this many days; holidays come on top, and a list of them ends. */
const mostDaysAhead = 1_000;

/** Dispositions that say that nobody was reached, and that the number may be theirs. */
const missed: readonly Disposition[] = ['voicemail', 'no_answer'];
export const isMissed = (disposition: Disposition): boolean => missed.includes(disposition);

/** The part of the day that a clock shows. */
export const partOfDayOf = (time: string): PartOfDay =>
  partsOfDay.findLast((part) => begins[part] <= time) ?? 'morning';

/** The part that is wanted, then those after it, round the day; that of the last attempt comes last. */
function inOrderOfPreference(wanted: PartOfDay, last: PartOfDay): PartOfDay[] {
  const at = partsOfDay.indexOf(wanted);
  const round = [...partsOfDay.slice(at), ...partsOfDay.slice(0, at)];
  return [...round.filter((part) => part !== last), last];
}

/** When a part of a day begins and ends. */
function windowOf(day: LocalDay, part: PartOfDay, { timeZone }: Location): { from: Date; to: Date } {
  const next = partsOfDay[partsOfDay.indexOf(part) + 1];
  return {
    from: instantOf(day, begins[part], timeZone),
    to: instantOf(day, next === undefined ? '24:00' : begins[next], timeZone),
  };
}

const later = (a: Date, b: Date): Date => (a > b ? a : b);

/**
 * When to call again after an attempt that reached nobody, within opening hours;
 * undefined where the cadence has no step left.
 *
 * The days of a step are counted on from the step before, so that an attempt that
 * was made late moves those after it instead of crowding them.
 *
 * @param attempts - how many reached nobody, the one in question included
 * @param at - when that one was made
 * @param now - when it was recorded: the next one is not before it
 * @throws RangeError where the location is never open
 */
export function nextAttemptAt(
  { steps, location }: Cadence,
  attempts: number,
  at: Date,
  now: Date,
): Date | undefined {
  const step = steps[attempts - 1];
  if (step === undefined) return undefined;
  const before = steps[attempts - 2]?.afterDays ?? 0;
  const made = localTime(at, location.timeZone);
  const last = partOfDayOf(made.time);
  const earliest = later(new Date(at.getTime() + leastPauseMs), now);
  const madeOn = instantOf(made, '00:00', location.timeZone).getTime();
  let day: LocalDay = addDays(made, Math.max(0, step.afterDays - before));
  for (let ahead = 0; ahead < mostDaysAhead; ahead++) {
    // The same part of the same day would be the same time of day.
    const isSameDay = instantOf(day, '00:00', location.timeZone).getTime() === madeOn;
    const parts = inOrderOfPreference(step.partOfDay, last).filter((part) => !isSameDay || part !== last);
    for (const part of parts) {
      const { from, to } = windowOf(day, part, location);
      const opens = addBusinessMinutes(later(from, earliest), 0, location);
      if (opens < to) return opens;
    }
    day = addDays(day, 1);
  }
  throw new RangeError('the location is never open');
}
