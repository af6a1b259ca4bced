/**
 * Sends one staff mail. Whoever claims it sends it; a claim that was never
 * finished, by a crash, may be taken over once its lease is over, so that a mail
 * goes out at least once, and once more per crash at the most.
 */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Rollups } from '../../shared/data/rollups.ts';
import type { Table } from '../../shared/data/table.ts';
import type { WeeklyReports } from '../../shared/data/weekly-reports.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type Inquiry, mailLeaseMs, mailSent } from '../../shared/domain/inquiry.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { summarize } from '../../shared/domain/rollup.ts';
import { reportSent, type WeeklyReport } from '../../shared/domain/weekly-report.ts';
import type { MailMessage } from '../../shared/queues/messages.ts';
import { inquiryMail, weeklyReportMail } from './mails.ts';
import type { Mailer } from './ses-mailer.ts';

export interface NotifyDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly weeklyReports: WeeklyReports;
  readonly rollups: Rollups;
  readonly practice: () => Promise<Practice>;
  readonly mailer: Mailer;
  readonly environment: Environment;
  readonly consoleUrl: string;
}

export type Notified = 'mailed' | 'mail_not_due' | 'mail_without_recipient';

/** Who is told: the assignee, or the managers where nobody is it yet or they are no longer here. */
function recipients(inquiry: Inquiry, practice: Practice): string[] {
  const assignee = practice.members.find((member) => member.id === inquiry.assignedTo);
  if (assignee?.enabled && inquiry.mailKind !== 'review') return [assignee.email];
  return managers(practice);
}

const managers = (practice: Practice): string[] => {
  const enabled = practice.members.filter((member) => member.enabled);
  const those = enabled.filter((member) => member.role === 'manager');
  return (those.length > 0 ? those : enabled.filter((member) => member.role === 'admin')).map(
    (member) => member.email,
  );
};

async function sendInquiryMail(dependencies: NotifyDependencies, inquiryId: string): Promise<Notified> {
  const { table, inquiries, mailer, environment, consoleUrl } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await inquiries.claimMail(inquiryId, environment.now(), mailLeaseMs);
  if (!claimed) return 'mail_not_due';
  const to = recipients(claimed, practice);
  if (to.length > 0) await mailer.send(to, inquiryMail(claimed, practice, consoleUrl));

  let current: Inquiry | undefined = claimed;
  // The mail is out: whatever was changed meanwhile is kept, and this is added to it.
  while (current?.mailState === 'sending' && current.mailAt === claimed.mailAt) {
    const written = await table.write(inquiries.save(mailSent(current, environment.now())));
    if (written.committed) break;
    current = await inquiries.findHead(inquiryId);
  }
  return to.length > 0 ? 'mailed' : 'mail_without_recipient';
}

/** Seven days from a Monday, as the last of them. */
const lastDay = (monday: string): string =>
  new Date(Date.parse(`${monday}T00:00:00Z`) + 6 * 86_400_000).toISOString().slice(0, 10);

async function sendWeeklyReport(dependencies: NotifyDependencies, locationId: string): Promise<Notified> {
  const { table, weeklyReports, rollups, mailer, environment } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await weeklyReports.claimMail(locationId, environment.now(), mailLeaseMs);
  if (claimed?.week === undefined) return 'mail_not_due';
  const days = await rollups.days(locationId, claimed.week, lastDay(claimed.week));
  const summary = summarize(days.map((day) => day.counts));
  const to = managers(practice);
  if (to.length > 0) await mailer.send(to, weeklyReportMail(practice, locationId, claimed.week, summary));
  let current: WeeklyReport | undefined = claimed;
  while (current?.mailState === 'sending' && current.mailAt === claimed.mailAt) {
    const written = await table.write(weeklyReports.save(reportSent(current, environment.now())));
    if (written.committed) break;
    current = await weeklyReports.find(locationId);
  }
  return to.length > 0 ? 'mailed' : 'mail_without_recipient';
}

export function sendMail(dependencies: NotifyDependencies, message: MailMessage): Promise<Notified> {
  return message.kind === 'inquiry'
    ? sendInquiryMail(dependencies, message.inquiryId)
    : sendWeeklyReport(dependencies, message.locationId);
}
