/** Mails with a due item of their own: the reminder of a task, a rule's notice, a digest, a weekly report. */
import type { Digests } from '../../shared/data/digests.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Notices } from '../../shared/data/notices.ts';
import type { Rollups } from '../../shared/data/rollups.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Tasks } from '../../shared/data/tasks.ts';
import type { WeeklyReports } from '../../shared/data/weekly-reports.ts';
import { digestMembers, digestSent } from '../../shared/domain/digest.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type Inquiry, mailLeaseMs } from '../../shared/domain/inquiry/state.ts';
import { noticeSent } from '../../shared/domain/notice.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { summarize } from '../../shared/domain/rollup.ts';
import type { Sending } from '../../shared/domain/sending.ts';
import { isTaskOpen, taskFollowing, taskReminded } from '../../shared/domain/task.ts';
import { reportSent } from '../../shared/domain/weekly-report.ts';
import { countForDigest } from './count-for-digest.ts';
import { weeklyReportMail } from './mails.ts';
import { digestMail, noticeMail, taskMail } from './own-mails.ts';
import { managers, memberOrManagers } from './recipients.ts';
import { type StaffMailDependencies, type StaffMailed, sendToStaff } from './send-to-staff.ts';

export interface OwnMailDependencies extends StaffMailDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly tasks: Tasks;
  readonly notices: Notices;
  readonly digests: Digests;
  readonly weeklyReports: WeeklyReports;
  readonly rollups: Rollups;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
  readonly consoleUrl: string;
}

type OwnMail = StaffMailed | 'mail_not_due';

/** Records that the claimed mail is out; whatever was changed meanwhile is kept, and this is added to it. */
async function finish<State extends Sending>(
  table: Table,
  claimed: State,
  find: () => Promise<State | undefined>,
  save: (current: State) => Write,
): Promise<void> {
  let current: State | undefined = claimed;
  while (current?.mailState === 'sending' && current.mailAt === claimed.mailAt) {
    if ((await table.write(save(current))).committed) return;
    current = await find();
  }
}

/** Reminds the owner of a task: of one that follows its inquiry, whoever has that now. */
export async function sendTaskMail(
  dependencies: OwnMailDependencies,
  contactId: string,
  taskId: string,
): Promise<OwnMail> {
  const { table, inquiries, tasks, environment, consoleUrl } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await tasks.claimMail(contactId, taskId, environment.now(), mailLeaseMs);
  if (!claimed) return 'mail_not_due';
  const { inquiryId, follows } = claimed;
  const head = follows && inquiryId !== undefined ? await inquiries.findHead(inquiryId) : undefined;
  const owner = head?.assignedTo ?? (follows ? undefined : claimed.owner);
  const to = memberOrManagers(practice, owner);
  const told = await sendToStaff(dependencies, practice, to, taskMail(claimed, practice, consoleUrl));
  await finish(
    table,
    claimed,
    () => tasks.find(contactId, taskId),
    (current) => {
      const { version } = current;
      const whose = (owner !== undefined && taskFollowing(current, owner)) || current;
      return tasks.save(taskReminded({ ...whose, version }, environment.now()));
    },
  );
  return told;
}

/** Tells a member, or the managers, that a rule wants them to look at an inquiry. */
export async function sendNotice(
  dependencies: OwnMailDependencies,
  inquiryId: string,
  noticeId: string,
): Promise<OwnMail> {
  const { table, notices, environment, consoleUrl } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await notices.claimMail(inquiryId, noticeId, environment.now(), mailLeaseMs);
  if (!claimed) return 'mail_not_due';
  const to = claimed.whom === 'managers' ? managers(practice) : memberOrManagers(practice, claimed.whom);
  const told = await sendToStaff(dependencies, practice, to, noticeMail(inquiryId, practice, consoleUrl));
  await finish(
    table,
    claimed,
    () => notices.find(inquiryId, noticeId),
    (current) => notices.save(noticeSent(current, environment.now())),
  );
  return told;
}

/** Tells a member what waits for them this morning. */
export async function sendDigest(dependencies: OwnMailDependencies, memberId: string): Promise<OwnMail> {
  const { table, digests, environment, consoleUrl } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await digests.claimMail(memberId, environment.now(), mailLeaseMs);
  if (claimed?.date === undefined) return 'mail_not_due';
  // Who was disabled a moment ago reads no more of the practice.
  const member = digestMembers(practice).find(({ id }) => id === memberId);
  let told: OwnMail = 'mail_not_due';
  if (member) {
    const counts = await countForDigest(dependencies, practice, member, environment.now());
    const mail = digestMail(claimed.date, counts, practice, consoleUrl);
    told = await sendToStaff(dependencies, practice, [member.email], mail);
  }
  await finish(
    table,
    claimed,
    () => digests.find(memberId),
    (current) => digests.save(digestSent(current, environment.now())),
  );
  return told;
}

/** Seven days from a Monday, as the last of them. */
const lastDay = (monday: string): string =>
  new Date(Date.parse(`${monday}T00:00:00Z`) + 6 * 86_400_000).toISOString().slice(0, 10);

/** Tells the managers the week of a location, in numbers. */
export async function sendWeeklyReport(
  dependencies: OwnMailDependencies,
  locationId: string,
): Promise<OwnMail> {
  const { table, weeklyReports, rollups, environment } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await weeklyReports.claimMail(locationId, environment.now(), mailLeaseMs);
  if (claimed?.week === undefined) return 'mail_not_due';
  const days = await rollups.days(locationId, claimed.week, lastDay(claimed.week));
  const summary = summarize(days.map((day) => day.counts));
  const mail = weeklyReportMail(practice, locationId, claimed.week, summary);
  const told = await sendToStaff(dependencies, practice, managers(practice), mail);
  await finish(
    table,
    claimed,
    () => weeklyReports.find(locationId),
    (current) => weeklyReports.save(reportSent(current, environment.now())),
  );
  return told;
}

/** Thrown where others kept changing the tasks of an inquiry; the claim of its mail comes again. */
export class TasksBusy extends Error {
  override readonly name = 'TasksBusy';
}

/** Changes that meet in one task settle in a round or two. */
const mostAttempts = 5;

/**
 * Hands the tasks that follow an inquiry to whoever has it now. Doing it again changes nothing.
 *
 * @throws TasksBusy
 */
export async function handTasksOver(
  { table, tasks, environment }: Pick<OwnMailDependencies, 'table' | 'tasks' | 'environment'>,
  { id, contactId, assignedTo, tasksFollow }: Inquiry,
): Promise<void> {
  if (!tasksFollow || assignedTo === undefined) return;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const following = (await tasks.ofContact(contactId)).flatMap((task) => {
      const next = task.inquiryId === id && isTaskOpen(task) ? taskFollowing(task, assignedTo) : undefined;
      return next ?? [];
    });
    const written = await Promise.all(following.map((next) => table.write(tasks.save(next))));
    if (written.every(({ committed }) => committed)) return;
    await environment.backOff(20 * attempt);
  }
  throw new TasksBusy('others kept changing the tasks');
}
