/**
 * What fails again and again, on a whole local system: it reaches its dead letters and rings, its neighbours go
 * on, and once it is mended the command brings it to its end. And the table: away, and back.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SendMessageCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InquiryView } from '../../functions/api/views.ts';
import { createDocumentClient, createDynamoTable } from '../../shared/data/dynamo-table.ts';
import { inquiryBody } from '../../shared/data/keys.ts';
import type { Table } from '../../shared/data/table.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { accepted, show } from './samples.ts';

const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

let harness: Harness;
let evidence: Evidence;
let table: Table;
let sqs: SQSClient;

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** A command as an operator runs it, against the running system. */
async function ops(...args: string[]): Promise<Ran> {
  const { TABLE_NAME: _, INIT_CWD: __, ...env } = process.env;
  const options = { env: { ...env, FIRSTCALL_HOME: harness.home } };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['ops/ops.ts', ...args], options);
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

const queueUrl = (queue: string): string => {
  const named = new RegExp(`-Pipeline-${queue}[0-9A-F]{8}-`);
  return Object.entries(harness.system.queueUrls).find(([name]) => named.test(name))?.[1] ?? '';
};

const post = async (name: string, service = 'pt-back'): Promise<string> =>
  (await accepted(await harness.post('/v1/inquiries', { name, email: `${name}@example.com`, service }))).id;

/** The inquiry once its mail is out; where others keep the processors busy, that takes its time. */
const mailed = (id: string): Promise<InquiryView> =>
  waitFor(
    `the e-mail about ${id}`,
    async () => {
      const view = await show(harness, id);
      return view.progress === 'notified' && view;
    },
    60_000,
  );

/** Changes one attribute of what was stored of an inquiry as it was sent, by other means than Firstcall's. */
const set = (id: string, attribute: string, value: unknown) =>
  table.write({ update: inquiryBody(id), set: { [attribute]: value } });

beforeAll(async () => {
  harness = await startHarness();
  evidence = evidenceOf(harness);
  const { endpoints, tableName } = harness.system;
  table = createDynamoTable({
    client: createDocumentClient({ ...access, endpoint: endpoints.dynamodb }),
    tableName,
  });
  sqs = new SQSClient({ ...access, endpoint: endpoints.sqs });
});
afterAll(async () => {
  sqs?.destroy();
  evidence?.close();
  await harness?.stop();
});

describe('an inquiry that nothing can read', () => {
  let poison: string;
  let neighbours: string[];
  let fields: unknown;

  it('reaches the dead letters and rings, and its neighbours are called about', async () => {
    // The same five tries, two seconds apart and not a minute and a half.
    const QueueUrl = queueUrl('ScoreQueue');
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '2' } }));
    await harness.system.pausePollers();
    poison = await post('poison');
    neighbours = [await post('before'), await post('beside')];
    fields = (await table.get(inquiryBody(poison)))?.['fields'];
    await set(poison, 'fields', 'Canary Lopez');
    harness.system.resumePollers();

    for (const id of neighbours) expect((await mailed(id)).assignment).toBeDefined();
    const alarms = (): string => readFileSync(join(harness.home, 'logs', 'events.log'), 'utf8');
    await waitFor('the alarm', () => alarms().includes('ALARM ScoreQueueDeadLettersDepthAlarm:'), 60_000);
    expect(alarms()).toMatch(/nobody is assigned to it .*Look: npm run ops -- dlq show score/);
  });

  it('is listed, with why, by ids and codes', async () => {
    const listed = await ops('dlq', 'list');
    expect(listed.out).toMatch(/^score +1 +\d+ min ago +inquiries without a score/m);
    expect(listed.out).toMatch(/^route +0 /m);

    const shown = await ops('dlq', 'show', 'score');
    expect(shown.out.replace(/\s+/g, ' ')).toContain(
      `${poison}; why: ZodError (fields), 5 times; now: new, captured`,
    );
    expect(shown.out).not.toMatch(/canary|lopez|poison@/i);

    // What reconcile says of it is the same, and it cannot mend it.
    const reconciled = await ops('reconcile', '--repair');
    expect(reconciled.code).toBe(1);
    expect(reconciled.out).toMatch(new RegExp(`^${poison} +stands +cannot be read \\(BODY: fields\\)$`, 'm'));
  });

  it('ends routed and mailed once it is mended and sent again', async () => {
    await set(poison, 'fields', fields);

    const redriven = await ops('dlq', 'redrive', 'score', '--all');
    expect(redriven).toMatchObject({
      code: 0,
      out: expect.stringContaining('Sent 1 letter again to score.'),
    });

    expect(await mailed(poison)).toMatchObject({ progress: 'notified', stage: 'new' });
    expect((await ops('dlq', 'show', 'score')).out).toBe('Nothing lies in score.\n');
    for (const id of neighbours) expect((await show(harness, id)).progress).toBe('notified');
    await waitFor('idle queues', async () => (await evidence.queued()) === 0);
    expect(await ops('reconcile')).toEqual({
      code: 0,
      out: '3 inquiries of 3 people looked at: 0 differences.\n',
    });
  });
});

describe('letters of the stream', () => {
  const giveUp = (queue: string, at: string) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl(queue),
        // As an event source tells of records that it gave up.
        MessageBody: JSON.stringify({
          requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 11 },
          DDBStreamBatchInfo: {
            startSequenceNumber: '4100',
            endSequenceNumber: '4100',
            approximateArrivalOfFirstRecord: at,
            approximateArrivalOfLastRecord: at,
            batchSize: 1,
          },
        }),
      }),
    );

  it('have people follow again who came then, and the reports counted anew', async () => {
    const rows = await evidence.rows();
    const createdAt = String(rows.find(({ sk }) => sk === 'PROFILE')?.['createdAt']);
    const day = rows.find(({ pk }) => pk.startsWith('ROLLUP#'));
    if (!day) throw new Error('nothing was counted');
    await table.write({ update: day, add: { 'n:inquiries': -1 } });
    await giveUp('UnfollowedPeople', createdAt);
    await giveUp('UncountedChanges', createdAt);

    const people = await ops('dlq', 'redrive', 'people', '--all');
    const figures = await ops('dlq', 'redrive', 'figures', '--all');

    expect(people.out).toMatch(/^Asked people to follow \d+ rows again: .* 1 letter taken out\.$/m);
    expect(figures.out).toMatch(/: 1 corrected\. 1 letter taken out\.$/m);
    const asked = (await evidence.rows()).filter(({ pk }) => pk.startsWith('AGAIN#'));
    expect(asked.length).toBeGreaterThan(1);
    const followed = (): number => evidence.logs().match(/"outcome":"people_followed"/g)?.length ?? 0;
    await waitFor('people to have followed them', () => followed() >= 3 + asked.length - 1);
    expect(await table.get(day)).toMatchObject({ 'n:inquiries': day['n:inquiries'] });
    expect((await ops('dlq', 'list')).out).toContain('Nothing has been given up.');
  });
});

describe('the restore drill', () => {
  it('brings back every row, and nothing of it counts as new', async () => {
    const figures = async () =>
      (await evidence.rows())
        .filter(({ pk }) => pk.startsWith('ROLLUP#'))
        .map(({ restoredAt: _, ...row }) => row);
    const before = await figures();

    const drill = await ops('restore-drill');

    expect(drill.out).toMatch(/^inquiries +3 +3$/m);
    expect(drill.out).toMatch(/ 0 different, 0 missing$/m);
    expect(drill.out).toContain('open inquiries off the clock: 0');
    expect(drill.out).toContain('due and not taken by a sweep: 0');
    expect(drill.out).toContain('differences that reconcile finds: 0');
    expect(drill.out).toMatch(/HMAC secret: fits \(3 contact points/);
    expect(drill).toMatchObject({ code: 0, out: expect.stringContaining('The restore holds') });

    // Whoever was known is known still, and it goes on from there.
    const again = await post('before', 'dermatology-acne');
    const view = await mailed(again);
    const known = await Promise.all((await ids()).map((id) => show(harness, id)));
    expect(known.filter(({ contact }) => contact.id === view.contact.id)).toHaveLength(2);
    await waitFor(
      'the new one to be counted',
      async () => JSON.stringify(await figures()) !== JSON.stringify(before),
    );
    const sum = (rows: Record<string, unknown>[]): number =>
      rows.reduce((n, row) => n + Number(row['n:inquiries'] ?? 0), 0);
    expect(sum(await figures())).toBe(sum(before) + 1);
  });

  const ids = async (): Promise<string[]> =>
    (await evidence.rows()).filter(({ sk }) => sk === 'HEAD').map(({ pk }) => pk.slice('INQ#'.length));
});
