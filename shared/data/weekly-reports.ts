/** The weekly reports' due items. */
import { reportActionAt, type WeeklyReport, weeklyReportSchema } from '../domain/weekly-report.ts';
import { claimMail } from './claim-mail.ts';
import { byTime, duePk, dueShardOf, weeklyReport } from './keys.ts';
import { type Row, standingAt, type Table, type Write } from './table.ts';

export function weeklyReportRow(report: WeeklyReport): Row {
  const key = weeklyReport(report.locationId);
  return {
    ...key,
    entity: 'weekly-report',
    duePk: duePk(dueShardOf(key.pk)),
    dueSk: byTime(reportActionAt(report), report.locationId),
    ...report,
    schemaVersion: 1,
  };
}

export type WeeklyReports = ReturnType<typeof createWeeklyReports>;

export function createWeeklyReports(table: Table) {
  return {
    async find(locationId: string): Promise<WeeklyReport | undefined> {
      const row = await table.get(weeklyReport(locationId), { consistent: true });
      return row && weeklyReportSchema.parse(row);
    },

    /** Writes a new state over the one it was made from; refused where it is gone with its location, too. */
    save: (next: WeeklyReport): Write => ({ put: weeklyReportRow(next), when: standingAt(next.version - 1) }),

    /** Claims the sending of the report under way, as for an inquiry's mail. */
    async claimMail(locationId: string, now: Date, leaseMs: number): Promise<WeeklyReport | undefined> {
      const row = await claimMail(table, weeklyReport(locationId), now, leaseMs);
      return row && weeklyReportSchema.parse(row);
    },
  };
}
