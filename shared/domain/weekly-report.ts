/** The weekly report of a location: a due item of its own, with its mail's state. */
import * as z from 'zod';
import { addDays, instantOf, isoDate, type LocalDay, localTime, mondayOf } from './local-time.ts';
import type { Location } from './practice.ts';
import { asked, askedAgain, sendingShape, sent } from './sending.ts';

export const weeklyReportSchema = z.lazy(() =>
  z.object({
    locationId: z.string(),
    version: z.int().min(0).default(0),
    /** When the report of the week before is to go out. */
    nextAt: z.iso.datetime(),
    /** The Monday of the week whose report is under way or was sent last (`2026-11-16`). */
    week: z.string().optional(),
    ...sendingShape(),
  }),
);
export type WeeklyReport = z.infer<typeof weeklyReportSchema>;

/** When the reports go out, on Mondays, by the location's clock. */
const reportTime = '07:00';

/** When the report is due next: Mondays at 7:00 in the location's zone, after `now`. */
export function nextReportAt(now: Date, { timeZone }: Pick<Location, 'timeZone'>): string {
  const monday = mondayOf(localTime(now, timeZone));
  const thisWeek = instantOf(monday, reportTime, timeZone);
  const next = thisWeek > now ? thisWeek : instantOf(addDays(monday, 7), reportTime, timeZone);
  return next.toISOString();
}

export const reportActionAt = (report: WeeklyReport): string => report.step ?? report.nextAt;

/** Of an outage, reports come for this many weeks at the most: older figures are for whoever asks for them. */
const mostWeeksMadeUp = 4;

/**
 * The Monday, on the location's calendar, of the week whose report is the next to go out: the week before
 * it was due, unless that is too long ago.
 */
function weekDue({ nextAt }: WeeklyReport, { timeZone }: Pick<Location, 'timeZone'>, now: Date): LocalDay {
  const mondayAt = (at: Date | string): LocalDay => mondayOf(localTime(at, timeZone));
  const due = addDays(mondayAt(nextAt), -7);
  const oldest = addDays(mondayAt(now), -7 * mostWeeksMadeUp);
  return isoDate(due) < isoDate(oldest) ? oldest : due;
}

/**
 * The state once the mail is under way; undefined where it is not due. Each week has its own report:
 * where several times went by, the next week's is due as soon as this one is out.
 */
export function takeDueReport(
  report: WeeklyReport,
  location: Pick<Location, 'timeZone'>,
  now: Date,
): WeeklyReport | undefined {
  if (reportActionAt(report) > now.toISOString()) return undefined;
  const version = report.version + 1;
  // A mail that is still under way keeps its week and is only asked for again.
  if (report.step !== undefined) return { ...report, version, ...askedAgain(report, now) };
  const week = weekDue(report, location, now);
  const nextAt = instantOf(addDays(week, 14), reportTime, location.timeZone).toISOString();
  return { ...report, version, week: isoDate(week), nextAt, ...asked(now) };
}

/** The state once the mail is out. */
export const reportSent = (report: WeeklyReport, now: Date): WeeklyReport => ({
  ...sent(report, now),
  version: report.version + 1,
});
