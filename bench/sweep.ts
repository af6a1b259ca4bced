/**
 * How long the sweep takes over many due inquiries: a table of them on DynamoDB
 * Local, swept run by run, each within the time limit of its function, until
 * nothing is due any more. Queues count what they are sent and keep nothing.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweep } from '../functions/remind/sweep.ts';
import { startDynamoDb } from '../local/engines/dynamodb.ts';
import { localCredentials } from '../local/engines/tables.ts';
import { freePort } from '../local/preflight.ts';
import { readPracticeFile } from '../ops/practice-file.ts';
import { createContacts } from '../shared/data/contacts.ts';
import { createDigests } from '../shared/data/digests.ts';
import { createDocumentClient } from '../shared/data/dynamo-table.ts';
import { createInquiries, headRow } from '../shared/data/inquiries.ts';
import { createNotices } from '../shared/data/notices.ts';
import { createRoutingStates } from '../shared/data/rotation.ts';
import type { Table } from '../shared/data/table.ts';
import { createTasks } from '../shared/data/tasks.ts';
import { createWeeklyReports } from '../shared/data/weekly-reports.ts';
import { idPrefixes } from '../shared/domain/ids.ts';
import { captured } from '../shared/domain/inquiry/arrival.ts';
import { assigned } from '../shared/domain/inquiry/assignment.ts';
import { mailSent } from '../shared/domain/inquiry/mail.ts';
import type { Inquiry } from '../shared/domain/inquiry/state.ts';
import { clockFor } from '../shared/domain/listening.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { systemEnvironment } from '../shared/runtime/environment.ts';
import { createIndexedTable } from '../test/support/indexed-table.ts';

export interface SweepTimes {
  readonly due: number;
  /** Runs of the function, one a minute, until nothing was due. */
  readonly runs: number;
  /** Of all runs together. */
  readonly seconds: number;
  /** Calls of the table for each inquiry that was due. */
  readonly callsEach: number;
  /** Messages put on queues; what sends mail is another function. */
  readonly asked: number;
}

/** Time limit of the function. */
const limitMs = 50_000;
const storedAtOnce = 16;

const idOf = (kind: keyof typeof idPrefixes, n: number): string =>
  `${idPrefixes[kind]}_0${String(n).padStart(25, '0')}`;

/** An inquiry that is due by now: stuck on its way, past half of its time, or past all of it. */
function dueInquiry(n: number, practice: Practice, now: Date): Inquiry {
  const locationId = practice.locations[0]?.id ?? '';
  const ago = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
  const arrive = (at: Date): Inquiry =>
    captured(
      {
        id: idOf('inquiry', n),
        contactId: idOf('contact', n),
        locationId,
        channel: 'web_form',
        sourceId: 'website',
        quarantine: [],
      },
      at,
    );
  if (n % 4 === 0) return arrive(ago(5));
  const received = ago(n % 4 === 1 ? 150 : 60);
  const decision = {
    memberId: 'ana',
    poolId: 'dermatology',
    respondBy: new Date(received.getTime() + 110 * 60_000).toISOString(),
    receipt: { pool: 'dermatology', strategy: 'weighted_round_robin', candidates: [] },
    score: 60,
    tier: 'B' as const,
  };
  const routed = assigned(arrive(received), decision, received);
  return mailSent(routed, received, { clock: clockFor(practice, routed) });
}

/** The table, each of its calls counted. */
function counting(table: Table): { readonly table: Table; readonly calls: () => number } {
  let calls = 0;
  const counted = Object.fromEntries(
    Object.entries(table).map(([name, call]) => [
      name,
      (...given: unknown[]) => {
        calls++;
        return (call as (...given: unknown[]) => unknown)(...given);
      },
    ]),
  ) as unknown as Table;
  return { table: counted, calls: () => calls };
}

/** Stores so many due inquiries, and sweeps until none is due. */
export async function measureSweep(due: number, report: (line: string) => void): Promise<SweepTimes> {
  const practice = readPracticeFile(readFileSync('practices/demo.yaml', 'utf8')).practice as Practice;
  const home = mkdtempSync(join(tmpdir(), 'firstcall-sweep-'));
  const port = await freePort();
  const engine = await startDynamoDb({ port, logFile: join(home, 'dynamodb.log'), onStarted: () => {} });
  try {
    const client = createDocumentClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: localCredentials,
    });
    const own = await createIndexedTable(client, 'sweep');
    // A Wednesday at noon where the demo practice is: every clock runs.
    const now = new Date('2026-11-18T20:00:00.000Z');
    report(`storing ${due.toLocaleString('en-US')} due inquiries`);
    let stored = 0;
    const store = async (): Promise<void> => {
      for (let n = stored++; n < due; n = stored++) {
        await own.write({ put: headRow(dueInquiry(n, practice, now)) });
      }
    };
    await Promise.all(Array.from({ length: storedAtOnce }, store));

    report('sweeping them');
    const { table, calls } = counting(own);
    let asked = 0;
    let ids = 0;
    const queue = {
      async send() {
        asked++;
      },
      async sendAll(messages: readonly unknown[]) {
        asked += messages.length;
      },
    };
    const began = performance.now();
    let runs = 0;
    for (let moved = 1; moved > 0; runs++) {
      const runBegan = performance.now();
      const swept = await sweep({
        table,
        inquiries: createInquiries(table),
        contacts: createContacts(table),
        routingStates: createRoutingStates(table),
        weeklyReports: createWeeklyReports(table),
        tasks: createTasks(table),
        notices: createNotices(table),
        digests: createDigests(table),
        practice: async () => practice,
        scoreQueue: queue,
        routeQueue: queue,
        mailQueue: queue,
        environment: { ...systemEnvironment, now: () => now, newId: (kind) => idOf(kind, due + ids++) },
        remainingMs: () => limitMs - (performance.now() - runBegan),
        onBroken: (_entry, error) => {
          throw error;
        },
      });
      moved = Object.values(swept).reduce((sum, n) => sum + n, 0);
    }
    const seconds = (performance.now() - began) / 1000;
    if (asked !== due) throw new Error(`${asked} of ${due} due inquiries were asked for`);
    // The last run found nothing.
    return {
      due,
      runs: runs - 1,
      seconds: Math.round(seconds * 10) / 10,
      callsEach: Math.round((calls() / due) * 1_000) / 1_000,
      asked,
    };
  } finally {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
