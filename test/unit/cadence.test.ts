import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastPauseMs, nextAttemptAt, partOfDayOf } from '../../shared/domain/cadence.ts';
import { followUpDefaults } from '../../shared/domain/defaults.ts';
import { addDays, isoDate, localTime } from '../../shared/domain/local-time.ts';
import { type PartOfDay, partsOfDay } from '../../shared/domain/parts-of-day.ts';
import type { Location } from '../../shared/domain/practice.ts';

const weekday = [{ open: '09:00', close: '17:00' }];
const location: Location = {
  id: 'main-street',
  name: 'Main Street',
  timeZone: 'America/Los_Angeles',
  hours: { monday: weekday, tuesday: weekday, wednesday: weekday, thursday: weekday, friday: weekday },
};
const long: Location = {
  ...location,
  hours: { ...location.hours, saturday: [{ open: '07:00', close: '20:00' }] },
};
const steps = followUpDefaults.cadence;

const next = (attempts: number, at: string, opening = location): string | undefined => {
  const made = new Date(at);
  return nextAttemptAt({ steps, location: opening }, attempts, made, made)?.toISOString();
};
const dateOf = (at: Date) => isoDate(localTime(at, location.timeZone));

describe('the next attempt after one that reached nobody', () => {
  // Monday 23 November 2026; Los Angeles is eight hours behind UTC.
  it.each([
    [
      'the same day in the afternoon after a morning',
      1,
      '2026-11-23T17:30:00.000Z',
      '2026-11-23T22:00:00.000Z',
    ],
    [
      'the next morning where the afternoon was tried already',
      1,
      '2026-11-23T23:00:00.000Z',
      '2026-11-24T17:00:00.000Z',
    ],
    ['the next morning', 2, '2026-11-23T22:00:00.000Z', '2026-11-24T17:00:00.000Z'],
    ['at midday two days later', 3, '2026-11-24T17:00:00.000Z', '2026-11-26T19:00:00.000Z'],
    ['on Monday where that is a Saturday', 3, '2026-11-26T17:00:00.000Z', '2026-11-30T19:00:00.000Z'],
    ['in the afternoon four days later', 4, '2026-11-26T19:00:00.000Z', '2026-11-30T22:00:00.000Z'],
  ])('%s', (_, attempts, at, expected) => {
    expect(next(attempts, at)).toBe(expected);
  });

  it('of the last step is none', () => {
    expect(next(5, '2026-11-30T22:00:00.000Z')).toBeUndefined();
  });

  it('is counted from when the attempt was made, and is not before it was recorded', () => {
    const [made, recorded] = ['2026-11-23T17:30:00.000Z', '2026-11-23T23:30:00.000Z'].map(
      (at) => new Date(at),
    ) as [Date, Date];

    expect(nextAttemptAt({ steps, location }, 1, made, recorded)?.toISOString()).toBe(recorded.toISOString());
  });

  it('that was made late moves those after it', () => {
    // Due on Tuesday, made on Thursday: day 3 is two days on, and a Saturday.
    expect(next(3, '2026-11-26T17:00:00.000Z')).toBe('2026-11-30T19:00:00.000Z');
  });

  it.each([
    ['00:00', 'morning'],
    ['10:59', 'morning'],
    ['11:00', 'midday'],
    ['14:00', 'afternoon'],
    ['16:59', 'afternoon'],
    ['17:00', 'evening'],
    ['23:59', 'evening'],
  ])('at %s the last one was in the %s', (time, part) => {
    expect(partOfDayOf(time)).toBe(part);
  });
});

describe('whatever the cadence and whenever the attempt', () => {
  const cadence = fc
    .array(
      fc.record({
        days: fc.integer({ min: 0, max: 9 }),
        partOfDay: fc.constantFrom<PartOfDay>(...partsOfDay),
      }),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((list) => {
      let afterDays = 0;
      return list.map(({ days, partOfDay }) => {
        afterDays += days;
        return { afterDays, partOfDay };
      });
    });
  // A year with both nights on which the clocks change.
  const instant = fc
    .integer({ min: Date.parse('2026-01-01T00:00:00Z'), max: Date.parse('2026-12-31T00:00:00Z') })
    .map((ms) => new Date(ms));

  it('the next is open, later, at another time of day, and not before its day', () => {
    fc.assert(
      fc.property(cadence, instant, fc.nat(5), fc.boolean(), (list, at, index, isLong) => {
        const opening = isLong ? long : location;
        const attempts = (index % list.length) + 1;

        const found = nextAttemptAt({ steps: list, location: opening }, attempts, at, at) as Date;

        const local = localTime(found, opening.timeZone);
        expect(found.getTime() - at.getTime()).toBeGreaterThanOrEqual(leastPauseMs);
        const made = localTime(at, opening.timeZone);
        const days = (list[attempts - 1]?.afterDays ?? 0) - (list[attempts - 2]?.afterDays ?? 0);
        expect(isoDate(local) >= isoDate(addDays(made, days))).toBe(true);
        // Both locations are open in two parts of each of their days, so there is always another one.
        expect(partOfDayOf(local.time)).not.toBe(partOfDayOf(made.time));
        const blocks =
          opening.hours[
            new Intl.DateTimeFormat('en-US', { timeZone: opening.timeZone, weekday: 'long' })
              .format(found)
              .toLowerCase() as 'monday'
          ];
        expect(blocks?.some(({ open, close }) => open <= local.time && local.time < close)).toBe(true);
      }),
    );
  });

  it('an attempt at each time that it gives comes to an end after one more than its steps', () => {
    fc.assert(
      fc.property(cadence, instant, (list, first) => {
        const attempts = [first];
        for (let n = 1; ; n++) {
          const at = attempts.at(-1) as Date;
          const following = nextAttemptAt({ steps: list, location }, n, at, at);
          if (!following) break;
          expect(dateOf(following) >= dateOf(at)).toBe(true);
          attempts.push(following);
        }
        expect(attempts).toHaveLength(list.length + 1);
      }),
    );
  });
});
