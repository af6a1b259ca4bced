import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, instantOf, isoDate, localTime } from '../../shared/domain/local-time.ts';

/** Zones with daylight saving at 2:00, at midnight, by half an hour, at a quarter to three, and none at all. */
const zones = [
  'America/Chicago',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Asia/Kolkata',
  'UTC',
];
const minuteMs = 60_000;
const shown = (atMs: number, zone: string): string => {
  const local = localTime(new Date(atMs), zone);
  return `${isoDate(local)}T${local.time}`;
};

/** As `Intl` shows it, which is asked here each time. */
function byIntl(atMs: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(atMs);
  const of = (type: string) => parts.find((part) => part.type === type)?.value;
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

const instant = fc
  .integer({ min: Date.UTC(2025, 0, 1) / minuteMs, max: Date.UTC(2031, 0, 1) / minuteMs })
  .map((minutes) => minutes * minuteMs);

describe('the clocks of a zone', () => {
  it('show an instant as Intl does', () => {
    fc.assert(
      fc.property(instant, fc.constantFrom(...zones), (atMs, zone) => {
        expect(shown(atMs, zone)).toBe(byIntl(atMs, zone));
      }),
    );
  });

  it('show a time first at the instant that it means, on each night on which they are set', () => {
    for (const zone of zones) {
      for (let day = { year: 2026, month: 1, day: 1 }; day.year === 2026; day = addDays(day, 1)) {
        for (const time of ['00:00', '00:15', '01:30', '02:00', '02:30', '02:45', '23:45']) {
          const atMs = instantOf(day, time, zone).getTime();
          const wanted = `${isoDate(day)}T${time}`;
          // What they leap over is as much later, and so after a change; everything else is shown.
          if (shown(atMs, zone) !== wanted) expect(shown(atMs - 60 * minuteMs, zone) < wanted).toBe(true);
          for (const earlier of [30, 60]) expect(shown(atMs - earlier * minuteMs, zone)).not.toBe(wanted);
        }
      }
    }
  });

  it.each([
    ['Africa/Cairo', { year: 2026, month: 10, day: 29 }, '23:45', '2026-10-29T20:45:00.000Z'],
    ['Australia/Lord_Howe', { year: 2026, month: 4, day: 5 }, '01:30', '2026-04-04T14:30:00.000Z'],
    ['Pacific/Auckland', { year: 2026, month: 4, day: 5 }, '02:30', '2026-04-04T13:30:00.000Z'],
    // Leapt over: half past two is half past three.
    ['America/Chicago', { year: 2026, month: 3, day: 8 }, '02:30', '2026-03-08T08:30:00.000Z'],
  ])('of %s: what they show twice is the first', (zone, day, time, expected) => {
    expect(instantOf(day, time, zone).toISOString()).toBe(expected);
  });

  it('know neither what is no instant nor what is no zone', () => {
    expect(() => localTime('whenever', 'UTC')).toThrow(RangeError);
    expect(() => localTime(new Date(0), 'Nowhere/Here')).toThrow(RangeError);
  });
});
