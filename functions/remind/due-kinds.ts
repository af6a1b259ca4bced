/**
 * What is due beside inquiries, told apart by its key. Each kind has an entry in
 * one table: how it is recognised, and how it is claimed.
 */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { inquiryPk, inquirySk, type Key, weeklyReport } from '../../shared/data/keys.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { WeeklyReports } from '../../shared/data/weekly-reports.ts';
import { takeDueAlert } from '../../shared/domain/alert.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { takeDueReport } from '../../shared/domain/weekly-report.ts';
import type { MailMessage } from '../../shared/queues/messages.ts';

/** What a sweep counts the kinds as. */
export const kindsCounted = ['alerts', 'weeklyReports'] as const;
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
  const { table, inquiries, weeklyReports, environment } = dependencies;

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
  ];
}
