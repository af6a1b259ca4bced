/**
 * The sweep over the due index: what is stuck is enqueued again, what is due is
 * asked for. It claims each entry by moving its due time on, so that two sweeps
 * never do the same twice and an entry that cannot be read holds up no other.
 */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import {
  duePk,
  dueShardCount,
  dueUntil,
  inquiryHead,
  inquiryPk,
  inquirySk,
  weeklyReport,
} from '../../shared/data/keys.ts';
import type { Row, Table } from '../../shared/data/table.ts';
import type { WeeklyReports } from '../../shared/data/weekly-reports.ts';
import { takeDueAlert } from '../../shared/domain/alert.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type DueAction, takeDue } from '../../shared/domain/inquiry/due.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { takeDueReport } from '../../shared/domain/weekly-report.ts';
import type { MailMessage, Queue, StepMessage } from '../../shared/queues/messages.ts';

export interface SweepDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly weeklyReports: WeeklyReports;
  readonly practice: () => Promise<Practice>;
  readonly scoreQueue: Queue<StepMessage>;
  readonly routeQueue: Queue<StepMessage>;
  readonly mailQueue: Queue<MailMessage>;
  readonly environment: Environment;
  /** Time left for this run; a sweep that runs out of it stops between pages, and the next one goes on. */
  readonly remainingMs: () => number;
  readonly onBroken: (entry: { readonly pk: string; readonly sk: string }, error: unknown) => void;
}

/** Counts of what a sweep did; `broken` entries could not be read, and were put off, or not claimed. */
export interface Swept {
  readonly score: number;
  readonly route: number;
  readonly mail: number;
  readonly alerts: number;
  readonly weeklyReports: number;
  readonly stale: number;
  readonly broken: number;
}

const pageSize = 100;
const concurrentClaims = 10;
const leastRemainingMs = 5_000;
/** An entry that cannot be read is looked at again after this long. */
const brokenPauseMs = 60 * 60_000;

/** Works on each of the items, some at a time. */
async function forEachConcurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrentClaims, items.length) }, worker));
}

export async function sweep(dependencies: SweepDependencies): Promise<Swept> {
  const { table, inquiries, weeklyReports, environment } = dependencies;
  const swept = { score: 0, route: 0, mail: 0, alerts: 0, weeklyReports: 0, stale: 0, broken: 0 };
  const inquiryPrefix = inquiryPk('');
  const reportPrefix = weeklyReport('').pk;

  /** Moves an entry on that cannot be read, without looking into it. */
  async function putOff(row: Row, error: unknown): Promise<void> {
    swept.broken++;
    dependencies.onBroken(row, error);
    const later = new Date(environment.now().getTime() + brokenPauseMs).toISOString();
    await table.write({
      update: row,
      set: { dueSk: `${later}#${row.pk}` },
      when: [[['dueSk', '=', String(row['dueSk'])]]],
    });
  }

  async function claim(inquiry: Inquiry): Promise<{ inquiry: Inquiry; action: DueAction } | undefined> {
    const due = takeDue(inquiry, environment.now());
    const written = due && (await table.write(inquiries.save(due.next)));
    if (due && written?.committed) return { inquiry: due.next, action: due.action };
    swept.stale++;
    return undefined;
  }

  async function claimReport(row: Row): Promise<MailMessage | undefined> {
    const locationId = row.pk.slice(reportPrefix.length);
    const report = await weeklyReports.find(locationId);
    const location = findLocation(await dependencies.practice(), locationId);
    const next = report && takeDueReport(report, location, environment.now());
    const written = next && (await table.write(weeklyReports.save(next)));
    if (!next || !written?.committed) {
      swept.stale++;
      return undefined;
    }
    swept.weeklyReports++;
    return { kind: 'weekly_report', locationId, version: next.version };
  }

  async function claimAlert(row: Row): Promise<MailMessage | undefined> {
    const inquiryId = row.pk.slice(inquiryPrefix.length);
    const alert = await inquiries.findAlert(inquiryId);
    const next = alert && takeDueAlert(alert, environment.now());
    const written = next && (await table.write(inquiries.saveAlert(next)));
    if (!written?.committed) {
      swept.stale++;
      return undefined;
    }
    swept.alerts++;
    return { kind: 'alert', inquiryId };
  }

  /** Claims what is due beside inquiries, by what it is. */
  async function claimOther(row: Row): Promise<MailMessage | undefined> {
    if (row.sk === inquirySk.alert) return claimAlert(row);
    if (row.pk.startsWith(reportPrefix)) return claimReport(row);
    throw new Error('unknown kind of due entry');
  }

  async function sweepPage(rows: readonly Row[]): Promise<void> {
    const steps: Record<'score' | 'route', StepMessage[]> = { score: [], route: [] };
    const mails: MailMessage[] = [];
    const isHead = ({ pk, sk }: Row): boolean => pk.startsWith(inquiryPrefix) && sk === inquirySk.head;
    const byPk = new Map(rows.filter(isHead).map((row) => [row.pk, row]));
    const broken: { row: Row; error: unknown }[] = [];

    const ids = rows.filter(isHead).map(({ pk }) => pk.slice(inquiryPrefix.length));
    const heads = await inquiries.findHeads(ids, (id, error) => {
      const row = byPk.get(inquiryPk(id));
      if (row) broken.push({ row, error });
    });
    await forEachConcurrently(heads, async (head) => {
      const claimed = await claim(head).catch((error: unknown) => {
        // Readable, so most likely a passing fault: it stays due, and the others go on.
        swept.broken++;
        dependencies.onBroken(inquiryHead(head.id), error);
      });
      if (!claimed) return;
      const { inquiry, action } = claimed;
      const message = { inquiryId: inquiry.id, version: inquiry.version };
      if (action === 'mail') mails.push({ kind: 'inquiry', ...message });
      else steps[action].push(message);
      swept[action]++;
    });
    await forEachConcurrently(
      rows.filter((row) => !isHead(row)),
      async (row) => {
        try {
          const message = await claimOther(row);
          if (message) mails.push(message);
        } catch (error) {
          broken.push({ row, error });
        }
      },
    );
    await forEachConcurrently(broken, ({ row, error }) => putOff(row, error));
    // What is claimed and then not enqueued is due again when its step timer runs out.
    await Promise.all([
      dependencies.scoreQueue.sendAll(steps.score),
      dependencies.routeQueue.sendAll(steps.route),
      dependencies.mailQueue.sendAll(mails),
    ]);
  }

  const until = dueUntil(environment.now().toISOString());
  async function sweepShard(shard: number): Promise<void> {
    let after: Record<string, unknown> | undefined;
    do {
      const page = await table.query({
        index: 'due',
        pk: duePk(shard),
        to: until,
        limit: pageSize,
        ...(after && { after }),
      });
      await sweepPage(page.rows);
      after = page.next;
    } while (after !== undefined && dependencies.remainingMs() > leastRemainingMs);
  }
  // One shard after the other would let a full one starve those behind it.
  await Promise.all(Array.from({ length: dueShardCount }, (_, shard) => sweepShard(shard)));
  return swept;
}
