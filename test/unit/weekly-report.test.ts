import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, instantOf, isoDate, localTime, mondayOf } from '../../shared/domain/local-time.ts';
import {
  nextReportAt,
  reportActionAt,
  reportSent,
  takeDueReport,
  type WeeklyReport,
} from '../../shared/domain/weekly-report.ts';

const newYork = { timeZone: 'America/New_York' };
const next = (now: string, timeZone = 'America/New_York') => nextReportAt(new Date(now), { timeZone });
const report: WeeklyReport = { locationId: 'main-street', version: 3, nextAt: '2026-11-23T12:00:00.000Z' };

describe('a weekly report', () => {
  it.each([
    ['on a Friday, next Monday at 7:00 there', '2026-11-20T16:00:00Z', '2026-11-23T12:00:00.000Z'],
    ['on Monday before 7:00, that day', '2026-11-23T11:59:59Z', '2026-11-23T12:00:00.000Z'],
    ['on Monday at 7:00, a week on', '2026-11-23T12:00:00Z', '2026-11-30T12:00:00.000Z'],
    ['on Sunday night there, which is Monday in UTC', '2026-11-23T04:30:00Z', '2026-11-23T12:00:00.000Z'],
    ['over the night into summer time', '2026-03-06T16:00:00Z', '2026-03-09T11:00:00.000Z'],
    ['over the night out of it', '2026-10-30T16:00:00Z', '2026-11-02T12:00:00.000Z'],
  ])('is due %s', (_, now, expected) => {
    expect(next(now)).toBe(expected);
  });

  it('is due in the zone of its location', () => {
    expect(next('2026-11-20T16:00:00Z', 'Pacific/Auckland')).toBe('2026-11-22T18:00:00.000Z');
    expect(next('2026-11-20T16:00:00Z', 'Asia/Kathmandu')).toBe('2026-11-23T01:15:00.000Z');
  });

  it('tells of the week before, on the calendar of its location', () => {
    const weekDueAt = (nextAt: string) =>
      takeDueReport({ ...report, nextAt }, newYork, new Date(nextAt))?.week;

    expect(weekDueAt('2026-11-23T12:00:00.000Z')).toBe('2026-11-16');
    expect(weekDueAt('2026-11-23T04:30:00.000Z')).toBe('2026-11-09');
  });

  it('is not taken before it is due', () => {
    expect(takeDueReport(report, newYork, new Date('2026-11-23T11:59:59.999Z'))).toBeUndefined();
  });

  it('is taken once, asked for again while its mail is not out, and then at rest for a week', () => {
    const due = new Date(report.nextAt);

    const taken = takeDueReport(report, newYork, due);
    expect(taken).toMatchObject({ version: 4, week: '2026-11-16', mailState: 'pending' });
    expect(taken && takeDueReport(taken, newYork, due)).toBeUndefined();

    const again = taken && takeDueReport(taken, newYork, new Date(reportActionAt(taken)));
    expect(again).toMatchObject({ version: 5, week: '2026-11-16', mailState: 'pending' });

    const sent = again && reportSent(again, due);
    expect(sent).toMatchObject({ version: 6, mailState: 'sent' });
    expect(sent && reportActionAt(sent)).toBe('2026-11-30T12:00:00.000Z');
  });

  it('taken late still tells of the week that it was due for, and goes on with the next', () => {
    const taken = takeDueReport(report, newYork, new Date('2026-11-24T09:00:00Z'));

    expect(taken).toMatchObject({ week: '2026-11-16', nextAt: '2026-11-30T12:00:00.000Z' });
  });

  /** The weeks whose mails go out, one after the other, at a sweep each minute from `now` on. */
  function takenFrom(now: Date, location: { timeZone: string }, start = report) {
    const weeks: (string | undefined)[] = [];
    let state = start;
    let lastSweep = now;
    for (let sweep = 0; sweep < 20; sweep++) {
      const at = new Date(now.getTime() + sweep * 60_000);
      lastSweep = at;
      const taken = takeDueReport(state, location, at);
      if (!taken) continue;
      weeks.push(taken.week);
      state = reportSent(taken, at);
    }
    return { weeks, state, lastSweep };
  }

  it.each([
    ['one', '2026-11-29T12:00:00Z', ['2026-11-16']],
    ['two', '2026-12-01T12:00:00Z', ['2026-11-16', '2026-11-23']],
    ['four', '2026-12-15T12:00:00Z', ['2026-11-16', '2026-11-23', '2026-11-30', '2026-12-07']],
    ['five', '2026-12-22T12:00:00Z', ['2026-11-23', '2026-11-30', '2026-12-07', '2026-12-14']],
    ['a year', '2027-11-24T12:00:00Z', ['2027-10-25', '2027-11-01', '2027-11-08', '2027-11-15']],
  ])('after an outage over %s of its times comes for each week, the last four at most', (_, now, weeks) => {
    expect(takenFrom(new Date(now), newYork).weeks).toEqual(weeks);
  });

  it('tells each week once and in order, whenever sweeps get through', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('America/New_York', 'Pacific/Auckland', 'Asia/Kathmandu', 'UTC'),
        fc.array(fc.integer({ min: 0, max: 60 * 24 * 45 }), { minLength: 1, maxLength: 12 }),
        (timeZone, outagesMinutes) => {
          let now = new Date('2026-09-01T00:00:00Z');
          let state: WeeklyReport = { ...report, nextAt: nextReportAt(now, { timeZone }) };
          const told: string[] = [];
          for (const minutes of outagesMinutes) {
            now = new Date(now.getTime() + minutes * 60_000);
            const swept = takenFrom(now, { timeZone }, state);
            told.push(...swept.weeks.map(String));
            state = swept.state;
            now = swept.lastSweep;

            // Caught up: the next time is the next Monday at 7:00, and the last week told the one before.
            const monday = mondayOf(localTime(state.nextAt, timeZone));
            expect(state.nextAt).toBe(instantOf(monday, '07:00', timeZone).toISOString());
            expect(state.nextAt > now.toISOString()).toBe(true);
            if (told.length > 0) expect(told.at(-1)).toBe(isoDate(addDays(monday, -14)));
          }
          expect(told).toEqual([...new Set(told)].sort());
        },
      ),
    );
  });
});
