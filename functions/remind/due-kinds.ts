/**
 * What is due beside inquiries, told apart by its key. Each kind has an entry in
 * one table: how it is recognised, and how it is claimed.
 */
import type { Digests } from '../../shared/data/digests.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import {
  contactPk,
  contactTask,
  dailyDigest,
  inquiryPk,
  inquirySk,
  type Key,
  weeklyReport,
} from '../../shared/data/keys.ts';
import { createMessages, nameInKey } from '../../shared/data/messages.ts';
import type { Notices } from '../../shared/data/notices.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Tasks } from '../../shared/data/tasks.ts';
import type { WeeklyReports } from '../../shared/data/weekly-reports.ts';
import { takeDueAlert } from '../../shared/domain/alert.ts';
import { takeDueDigest } from '../../shared/domain/digest.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { takeDueEnrolment } from '../../shared/domain/messages/nurture.ts';
import { takeDueMessage } from '../../shared/domain/messages/record.ts';
import { takeDueNotice } from '../../shared/domain/notice.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { takeDueTask } from '../../shared/domain/task.ts';
import { takeDueReport } from '../../shared/domain/weekly-report.ts';
import type { MailMessage } from '../../shared/queues/messages.ts';

/** What a sweep counts the kinds as. */
export const kindsCounted = [
  'alerts',
  'weeklyReports',
  'messages',
  'nurture',
  'tasks',
  'notices',
  'digests',
] as const;
type Counted = (typeof kindsCounted)[number];

export interface DueKind {
  readonly counted: Counted;
  readonly isOf: (key: Key) => boolean;
  /**
   * Claims it by moving its due time on, and gives the mail that is now to be
   * sent; undefined where it was not due, or somebody was faster: the index read
   * was stale.
   *
   * @throws where it cannot be read: it is then put off
   */
  readonly claim: (key: Key) => Promise<MailMessage | undefined>;
}

export interface DueKindDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly weeklyReports: WeeklyReports;
  readonly tasks: Tasks;
  readonly notices: Notices;
  readonly digests: Digests;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
}

const startsWith =
  (pk: string, sk = '') =>
  (key: Key): boolean =>
    key.pk.startsWith(pk) && key.sk.startsWith(sk);

/** What follows the kind in a key's part. */
const idIn = (part: string, prefix: string): string => part.slice(prefix.length);

export function dueKinds(dependencies: DueKindDependencies): readonly DueKind[] {
  const { table, inquiries, weeklyReports, tasks, notices, digests, environment } = dependencies;
  const messages = createMessages(table);

  /** Writes the state that is to follow, if any; gives it where that committed. */
  async function move<State>(
    next: State | undefined,
    save: (next: State) => Write,
  ): Promise<State | undefined> {
    const written = next && (await table.write(save(next)));
    return written?.committed ? next : undefined;
  }

  const inquiryPrefix = inquiryPk('');
  const reportPrefix = weeklyReport('').pk;
  return [
    {
      counted: 'alerts',
      isOf: ({ sk }) => sk === inquirySk.alert,
      async claim({ pk }) {
        const inquiryId = idIn(pk, inquiryPrefix);
        const alert = await inquiries.findAlert(inquiryId);
        const next = alert && takeDueAlert(alert, environment.now());
        return (await move(next, inquiries.saveAlert)) && { kind: 'alert', inquiryId };
      },
    },
    {
      counted: 'messages',
      isOf: startsWith(inquiryPrefix, inquirySk.message('')),
      async claim(key) {
        const inquiryId = idIn(key.pk, inquiryPrefix);
        const record = await messages.find(inquiryId, nameInKey(key));
        const next = record && takeDueMessage(record, environment.now());
        const claimed = await move(next, messages.save);
        return claimed && { kind: 'message', inquiryId, key: claimed.key };
      },
    },
    {
      counted: 'nurture',
      isOf: startsWith(inquiryPrefix, inquirySk.nurture('')),
      async claim(key) {
        const inquiryId = idIn(key.pk, inquiryPrefix);
        const enrolment = await messages.findEnrolment(inquiryId, nameInKey(key));
        const next = enrolment && takeDueEnrolment(enrolment, environment.now());
        const claimed = await move(next, messages.saveEnrolment);
        return claimed && { kind: 'nurture', inquiryId, sequence: claimed.sequence };
      },
    },
    {
      counted: 'weeklyReports',
      isOf: startsWith(reportPrefix),
      async claim({ pk }) {
        const locationId = idIn(pk, reportPrefix);
        const report = await weeklyReports.find(locationId);
        const location = findLocation(await dependencies.practice(), locationId);
        const next = report && takeDueReport(report, location, environment.now());
        const claimed = await move(next, weeklyReports.save);
        return claimed && { kind: 'weekly_report', locationId, version: claimed.version };
      },
    },
    {
      counted: 'tasks',
      isOf: startsWith(contactPk(''), contactTask('', '').sk),
      async claim({ pk, sk }) {
        const [contactId, taskId] = [idIn(pk, contactPk('')), idIn(sk, contactTask('', '').sk)];
        const task = await tasks.find(contactId, taskId);
        const location = task && findLocation(await dependencies.practice(), task.locationId);
        const next = location && takeDueTask(task, location, environment.now());
        return (await move(next, tasks.save)) && { kind: 'task', contactId, taskId };
      },
    },
    {
      counted: 'notices',
      isOf: startsWith(inquiryPrefix, inquirySk.notice('')),
      async claim({ pk, sk }) {
        const [inquiryId, noticeId] = [idIn(pk, inquiryPrefix), idIn(sk, inquirySk.notice(''))];
        const notice = await notices.find(inquiryId, noticeId);
        const next = notice && takeDueNotice(notice, environment.now());
        return (await move(next, notices.save)) && { kind: 'notice', inquiryId, noticeId };
      },
    },
    {
      counted: 'digests',
      isOf: startsWith(dailyDigest('').pk),
      async claim({ pk }) {
        const memberId = idIn(pk, dailyDigest('').pk);
        const digest = await digests.find(memberId);
        const next = digest && takeDueDigest(digest, await dependencies.practice(), environment.now());
        const claimed = await move(next, digests.save);
        // One that is left out has moved on, and nothing more.
        return claimed?.step === undefined ? undefined : { kind: 'digest', memberId };
      },
    },
  ];
}
