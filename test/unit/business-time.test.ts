import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  addBusinessMinutes,
  businessMinutesBetween,
  localDate,
  nextBusinessDay,
  type Opening,
} from '../../shared/domain/business-time.ts';
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
  /** Blocks that meet where the clocks leap, and hours that they leap over. */
  const leaping: BusinessHours = {
    sunday: [
      { open: '00:00', close: '02:15' },
      { open: '02:30', close: '02:45' },
      { open: '02:45', close: '04:00' },
    ],
    friday: [{ open: '00:00', close: '01:30' }],
  };
  const dates = ['2026-03-08', '2026-04-24', '2026-10-04', '2026-11-01', '2026-11-26', '2027-01-01'] as const;
  const holiday = fc.oneof(
    fc.record({ date: fc.constantFrom(...dates) }),
    fc.record({
      date: fc.constantFrom(...dates),
      hours: fc.constantFrom([], [{ open: '01:00', close: '03:00' }], split),
    }),
    fc.constantFrom(
      { from: '2026-12-24', to: '2027-01-03' },
      { from: '2026-03-01', to: '2026-04-30', hours: nineToFive },
    ),
  );
  const location: fc.Arbitrary<Opening> = fc.record({
    timeZone: fc.constantFrom(...zones),
    hours: fc.constantFrom(weekdays, everyDay, splitDays, leaping),
    holidays: fc.oneof(fc.constant(undefined), fc.array(holiday, { maxLength: 5 })),
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

  it('between two instants is what has to be added to come from the one to the other', () => {
    fc.assert(
      fc.property(instant, instant, location, fc.integer({ min: 0, max: 3_000 }), (from, until, place, a) => {
        expect(businessMinutesBetween(from, addBusinessMinutes(from, a, place), place)).toBe(a);
        const passed = businessMinutesBetween(from, until, place);
        if (until <= from) expect(passed).toBe(0);
        // Where the second lies outside opening hours, the way there ended at the closing before.
        else
          expect(addBusinessMinutes(from, passed, place) <= addBusinessMinutes(until, 0, place)).toBe(true);
      }),
    );
  });

  it('between instants adds up, and is never more than the clock shows', () => {
    fc.assert(
      fc.property(fc.tuple(instant, instant, instant), location, (times, place) => {
        const [a, b, c] = times.toSorted((x, y) => x.getTime() - y.getTime()) as [Date, Date, Date];
        const whole = businessMinutesBetween(a, c, place);
        const parts = businessMinutesBetween(a, b, place) + businessMinutesBetween(b, c, place);
        expect(parts).toBeCloseTo(whole, 6);
        expect(whole).toBeLessThanOrEqual((c.getTime() - a.getTime()) / 60_000);
      }),
      { numRuns: 50 },
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

  describe('on holidays', () => {
    const fromFriday = (
      holidays: NonNullable<Opening['holidays']>,
      minutes = 60,
      from = '2026-11-20T16:30-05:00',
    ) => addBusinessMinutes(new Date(from), minutes, { ...newYork(weekdays), holidays }).toISOString();

    it.each([
      ['a Monday off is not counted', [{ date: '2026-11-23' }], '2026-11-24T14:30:00.000Z'],
      [
        'one that bridges the weekend is not',
        [{ from: '2026-11-20', to: '2026-11-24' }],
        '2026-11-25T15:00:00.000Z',
      ],
      [
        'a day of special hours counts with those',
        [{ date: '2026-11-23', hours: [{ open: '12:00', close: '12:20' }] }],
        '2026-11-24T14:10:00.000Z',
      ],
      [
        'a Saturday may be open for once',
        [{ date: '2026-11-21', hours: [{ open: '10:00', close: '11:00' }] }],
        '2026-11-21T15:30:00.000Z',
      ],
      [
        'of two for one day the first holds',
        [
          { date: '2026-11-23', hours: nineToFive },
          { from: '2026-11-20', to: '2026-11-27' },
        ],
        '2026-11-23T15:00:00.000Z',
      ],
    ])('%s', (_, holidays, expected) => {
      expect(fromFriday(holidays)).toBe(expected);
    });

    it('are days of the calendar of the location, wherever that is', () => {
      const auckland = { timeZone: 'Pacific/Auckland', hours: everyDay, holidays: [{ date: '2026-12-25' }] };

      expect(addBusinessMinutes(new Date('2026-12-24T10:59:00Z'), 2, auckland).toISOString()).toBe(
        '2026-12-25T11:01:00.000Z',
      );
    });

    it('may follow each other for a year', () => {
      const mondays: BusinessHours = { monday: nineToFive };
      const place = { ...newYork(mondays), holidays: [{ from: '2026-11-21', to: '2027-11-20' }] };

      expect(addBusinessMinutes(new Date('2026-11-20T17:00Z'), 30, place).toISOString()).toBe(
        '2027-11-22T14:30:00.000Z',
      );
      expect(nextBusinessDay(new Date('2026-11-20T17:00Z'), place).toISOString()).toBe(
        '2027-11-22T14:00:00.000Z',
      );
    });
  });

  it('a line of 24 hours counts each minute of both nights on which clocks change', () => {
    expect(add('2026-03-08T01:50-05:00', 20, everyDay)).toBe(
      new Date('2026-03-08T03:10-04:00').toISOString(),
    );
    expect(add('2026-11-01T01:50-04:00', 20, everyDay)).toBe(
      new Date('2026-11-01T01:10-05:00').toISOString(),
    );
  });

  it('counts an hour once where two blocks meet by a leap of the clocks', () => {
    const nights: BusinessHours = {
      sunday: [
        { open: '02:00', close: '02:30' },
        { open: '03:00', close: '04:00' },
      ],
    };
    const [from, to] = [new Date('2026-03-08T00:00-05:00'), new Date('2026-03-08T12:00-04:00')];

    expect(businessMinutesBetween(from, to, newYork(nights))).toBe(60);
  });

  it('the next business day opens at its own hour, over weekends and holidays', () => {
    const place = { ...newYork(weekdays), holidays: [{ date: '2026-11-23' }] };

    expect(nextBusinessDay(new Date('2026-11-20T03:00-05:00'), place).toISOString()).toBe(
      '2026-11-24T14:00:00.000Z',
    );
    expect(nextBusinessDay(new Date('2026-11-24T23:59-05:00'), place).toISOString()).toBe(
      '2026-11-25T14:00:00.000Z',
    );
    expect(() => nextBusinessDay(new Date(), newYork({}))).toThrow(RangeError);
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
