/** The weekly report of a location: a due item of its own, with its mail's state. */
import * as z from 'zod';
import { addDays, instantOf, isoDate, localTime, mondayOf } from './local-time.ts';
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

/** The Monday of the week before the one that `at` falls into, on the location's calendar. */
export const reportedWeek = (at: string, { timeZone }: Pick<Location, 'timeZone'>): string =>
  isoDate(addDays(mondayOf(localTime(at, timeZone)), -7));

export const reportActionAt = (report: WeeklyReport): string => report.step ?? report.nextAt;

/** The state once the mail is under way; undefined where it is not due. */
export function takeDueReport(
  report: WeeklyReport,
  location: Pick<Location, 'timeZone'>,
  now: Date,
): WeeklyReport | undefined {
  if (reportActionAt(report) > now.toISOString()) return undefined;
  const version = report.version + 1;
  // A mail that is still under way keeps its week and is only asked for again.
  if (report.step !== undefined) return { ...report, version, ...askedAgain(report, now) };
  return {
    ...report,
    version,
    week: reportedWeek(report.nextAt, location),
    nextAt: nextReportAt(now, location),
    ...asked(now),
  };
}

/** The state once the mail is out. */
export const reportSent = (report: WeeklyReport, now: Date): WeeklyReport => ({
  ...sent(report, now),
  version: report.version + 1,
});
