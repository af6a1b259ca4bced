import { describe, expect, it } from 'vitest';
import {
  nextReportAt,
  reportActionAt,
  reportedWeek,
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
    expect(reportedWeek('2026-11-23T12:00:00.000Z', newYork)).toBe('2026-11-16');
    expect(reportedWeek('2026-11-23T04:30:00.000Z', newYork)).toBe('2026-11-09');
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
});
