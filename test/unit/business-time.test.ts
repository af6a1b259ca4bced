import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { addBusinessMinutes, localDate } from '../../shared/domain/business-time.ts';
import type { BusinessHours } from '../../shared/domain/practice.ts';

const nineToFive = [{ open: '09:00', close: '17:00' }];
const weekdays: BusinessHours = {
  monday: nineToFive,
  tuesday: nineToFive,
  wednesday: nineToFive,
  thursday: nineToFive,
  friday: nineToFive,
};
const always = [{ open: '00:00', close: '24:00' }];
const everyDay: BusinessHours = {
  monday: always,
  tuesday: always,
  wednesday: always,
  thursday: always,
  friday: always,
  saturday: always,
  sunday: always,
};
const split = [
  { open: '08:00', close: '12:00' },
  { open: '13:30', close: '18:00' },
];
const splitDays: BusinessHours = {
  monday: split,
  wednesday: split,
  saturday: [{ open: '10:00', close: '11:00' }],
};
const newYork = (hours: BusinessHours) => ({ timeZone: 'America/New_York', hours });

/** Zones with daylight saving at 2:00, at midnight, by half an hour, and none at all. */
const zones = ['America/New_York', 'Africa/Cairo', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'];

const add = (from: string, minutes: number, hours: BusinessHours, timeZone = 'America/New_York') =>
  addBusinessMinutes(new Date(from), minutes, { timeZone, hours }).toISOString();

describe('business time', () => {
  it.each([
    ['Friday 16:30 plus an hour is Monday 9:30', '2026-11-20T16:30-05:00', 60, '2026-11-23T09:30-05:00'],
    [
      'Friday 16:30 plus half an hour is closing time',
      '2026-11-20T16:30-05:00',
      30,
      '2026-11-20T17:00-05:00',
    ],
    ['at closing time the next minute is on Monday', '2026-11-20T17:00-05:00', 1, '2026-11-23T09:01-05:00'],
    ['before opening it begins at opening', '2026-11-20T03:00-05:00', 5, '2026-11-20T09:05-05:00'],
    ['a weekend does not count', '2026-11-21T12:00-05:00', 240, '2026-11-23T13:00-05:00'],
    ['a week of work is a week', '2026-11-18T10:00-05:00', 5 * 480, '2026-11-25T10:00-05:00'],
    ['over the night into summer time', '2026-03-06T16:30-05:00', 60, '2026-03-09T09:30-04:00'],
    ['over the night out of it', '2026-10-30T16:30-04:00', 60, '2026-11-02T09:30-05:00'],
  ])('%s', (_, from, minutes, expected) => {
    expect(add(from, minutes, weekdays)).toBe(new Date(expected).toISOString());
  });

  it('leaves lunch out', () => {
    expect(add('2026-11-23T11:45-05:00', 30, splitDays)).toBe('2026-11-23T18:45:00.000Z');
    expect(add('2026-11-23T12:30-05:00', 10, splitDays)).toBe('2026-11-23T18:40:00.000Z');
    expect(add('2026-11-25T17:59-05:00', 31, splitDays)).toBe('2026-11-28T15:30:00.000Z');
  });

  it('is plain time where a location never closes, nights of 23 and 25 hours included', () => {
    for (const from of ['2026-03-07T12:00:00.000Z', '2026-10-31T12:00:00.000Z', '2026-11-20T23:59:59.999Z']) {
      const day = add(from, 2 * 1_440, everyDay);

      expect(Date.parse(day) - Date.parse(from)).toBe(2 * 1_440 * 60_000);
    }
  });

  it('counts a clock time of its own day, where the day is short', () => {
    const nights: BusinessHours = { sunday: [{ open: '00:00', close: '06:00' }] };

    // 0:00 to 6:00 is five hours on that Sunday, and seven on the other.
    expect(add('2026-03-08T00:00-05:00', 300, nights)).toBe('2026-03-08T10:00:00.000Z');
    expect(add('2026-11-01T00:00-04:00', 420, nights)).toBe('2026-11-01T11:00:00.000Z');
  });

  const instant = fc.date({
    min: new Date('2026-01-01T00:00:00Z'),
    max: new Date('2027-12-31T00:00:00Z'),
    noInvalidDate: true,
  });
  const location = fc.record({
    timeZone: fc.constantFrom(...zones),
    hours: fc.constantFrom(weekdays, everyDay, splitDays),
  });
  const minutes = fc.integer({ min: 1, max: 3_000 });

  it('adds up: first a, then b is a + b', () => {
    fc.assert(
      fc.property(instant, location, fc.integer({ min: 0, max: 3_000 }), minutes, (from, place, a, b) => {
        const inTwo = addBusinessMinutes(addBusinessMinutes(from, a, place), b, place);
        expect(inTwo).toEqual(addBusinessMinutes(from, a + b, place));
      }),
    );
  });

  it('never runs backwards, nor faster than the clock', () => {
    fc.assert(
      fc.property(instant, instant, location, minutes, minutes, (x, y, place, a, b) => {
        const [early, late] = x < y ? [x, y] : [y, x];
        const due = addBusinessMinutes(early, a, place).getTime();
        expect(due).toBeLessThanOrEqual(addBusinessMinutes(late, a, place).getTime());
        expect(due).toBeLessThan(addBusinessMinutes(early, a + b, place).getTime());
        expect(due - early.getTime()).toBeGreaterThanOrEqual(a * 60_000);
      }),
    );
  });

  it('goes on for years where a location is open an hour a week, on the days when clocks change too', () => {
    const wednesdays = { wednesday: [{ open: '09:00', close: '10:00' }] };
    expect(add('2026-11-20T16:30-05:00', 10_080, wednesdays)).toBe('2030-02-06T15:00:00.000Z');

    // The clocks leap over that hour once a year.
    const nights = { sunday: [{ open: '02:00', close: '03:00' }] };
    expect(add('2026-03-02T00:00-05:00', 60, nights)).toBe('2026-03-15T07:00:00.000Z');
    expect(add('2026-03-02T00:00-05:00', 10_080, nights) > '2029-05-01').toBe(true);
  });

  it('refuses a location that is never open', () => {
    expect(() => addBusinessMinutes(new Date(), 1, newYork({ monday: [] }))).toThrow(RangeError);
  });

  describe("the process's own zone", () => {
    const before = process.env['TZ'];
    afterEach(() => {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    });

    it.each(['UTC', 'Pacific/Kiritimati', 'America/Los_Angeles'])('does not matter: %s', (zone) => {
      process.env['TZ'] = zone;
      expect(new Date(2026, 0, 1).getTimezoneOffset()).toBe(
        { UTC: 0, 'Pacific/Kiritimati': -840, 'America/Los_Angeles': 480 }[zone],
      );

      expect(add('2026-03-06T16:30-05:00', 60, weekdays)).toBe('2026-03-09T13:30:00.000Z');
      expect(localDate('2026-11-21T04:59:59Z', 'America/New_York')).toBe('2026-11-20');
    });
  });
});

it('tells the local date of an instant', () => {
  expect(localDate('2026-11-21T07:59:59.999Z', 'America/Los_Angeles')).toBe('2026-11-20');
  expect(localDate('2026-11-21T08:00:00.000Z', 'America/Los_Angeles')).toBe('2026-11-21');
});
