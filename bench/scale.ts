/**
 * Whether an inquiry costs the same in a table that holds many: fills a table
 * with stored inquiries and counts on it what is counted on an empty one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand, DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { startDynamoDb } from '../local/engines/dynamodb.ts';
import { localCredentials } from '../local/engines/tables.ts';
import { freePort } from '../local/preflight.ts';
import { bodyRow, headRow } from '../shared/data/inquiries.ts';
import { contactPoint, contactProfile, inquiryScore } from '../shared/data/keys.ts';
import type { Row } from '../shared/data/table.ts';
import { idPrefixes } from '../shared/domain/ids.ts';
import { captured } from '../shared/domain/inquiry/arrival.ts';
import { assigned } from '../shared/domain/inquiry/assignment.ts';
import { mailSent } from '../shared/domain/inquiry/mail.ts';
import { changeStage } from '../shared/domain/inquiry/stage.ts';
import { startHarness } from '../test/system/harness.ts';
import { type Counted, countInquiries } from './counted.ts';

/** What is held against each other. */
export interface Scaled
  extends Pick<Counted, 'newPerson' | 'knownPerson' | 'timelinePage' | 'queuePage' | 'sweep'> {
  /** Inquiries that were in the table before. */
  readonly stored: number;
}

/** Heap of the engine, which keeps the whole table in memory: some 4 KB for each inquiry. */
const heapGb = (stored: number): number => Math.max(1, Math.ceil((stored * 8) / 1e6));

/** Inquiries of one stored person. */
const inquiriesPerPerson = 4;
const batchSize = 25;
const batchesAtOnce = 8;

/** Counts on a table with so many stored inquiries, for each of the sizes. */
export async function countAtScale(
  sizes: readonly number[],
  report: (line: string) => void,
): Promise<Scaled[]> {
  const counts: Scaled[] = [];
  for (const stored of sizes) counts.push(await countWith(stored, report));
  return counts;
}

async function countWith(stored: number, report: (line: string) => void): Promise<Scaled> {
  const home = mkdtempSync(join(tmpdir(), 'firstcall-scale-'));
  const before = {
    java: process.env['JAVA_TOOL_OPTIONS'],
    endpoint: process.env['AWS_ENDPOINT_URL_DYNAMODB'],
  };
  process.env['JAVA_TOOL_OPTIONS'] = `-Xmx${heapGb(stored)}g -XX:+UseSerialGC`;
  const port = await freePort();
  const engine = await startDynamoDb({ port, logFile: join(home, 'dynamodb.log'), onStarted: () => {} });
  const endpoint = `http://127.0.0.1:${port}`;
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
  try {
    // A first start makes the table and applies the demo practice.
    const { system, stop } = await startHarness({ home, keepHome: true });
    await stop();
    await fill(endpoint, system.tableName, stored, report);
    const counted = await countInquiries(3, report, { home, emptyLedger: true });
    const { newPerson, knownPerson, timelinePage, queuePage, sweep } = counted;
    return { stored, newPerson, knownPerson, timelinePage, queuePage, sweep };
  } finally {
    restore('JAVA_TOOL_OPTIONS', before.java);
    restore('AWS_ENDPOINT_URL_DYNAMODB', before.endpoint);
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** Puts stored inquiries into the table, its stream switched off meanwhile: nobody has to follow them. */
async function fill(
  endpoint: string,
  tableName: string,
  stored: number,
  report: (line: string) => void,
): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: localCredentials });
  // The next start switches it on again.
  await client.send(
    new UpdateTableCommand({ TableName: tableName, StreamSpecification: { StreamEnabled: false } }),
  );
  const rows = storedRows(stored);
  let written = 0;
  let told = performance.now();
  async function work(): Promise<void> {
    for (;;) {
      const batch: Row[] = [];
      for (let next = rows.next(); !next.done; next = rows.next()) {
        batch.push(next.value);
        if (batch.length === batchSize) break;
      }
      if (batch.length === 0) return;
      const requests = batch.map((row) => ({
        PutRequest: { Item: marshall(row, { removeUndefinedValues: true }) },
      }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
      written += batch.filter(({ sk }) => sk === 'HEAD').length;
      if (performance.now() - told > 10_000) {
        told = performance.now();
        report(`storing inquiries: ${written.toLocaleString('en-US')} of ${stored.toLocaleString('en-US')}`);
      }
    }
  }
  await Promise.all(Array.from({ length: batchesAtOnce }, work));
  client.destroy();
}

/** Rows of inquiries of the two years before, most of them closed, a few still open, four to a person. */
function* storedRows(stored: number): Generator<Row> {
  const firstMs = Date.parse('2024-11-01T00:00:00.000Z');
  const stepMs = (2 * 365 * 86_400_000) / stored;
  const later = new Date(Date.now() + 365 * 86_400_000).toISOString();
  const members = ['ana', 'ben', 'carla', 'dev', 'elena'];
  const idOf = (kind: keyof typeof idPrefixes, n: number): string =>
    `${idPrefixes[kind]}_0${String(n).padStart(25, '0')}`;
  for (let n = 0; n < stored; n++) {
    const person = Math.floor(n / inquiriesPerPerson);
    const contactId = idOf('contact', person);
    const id = idOf('inquiry', n);
    const at = new Date(firstMs + n * stepMs);
    const receivedAt = at.toISOString();
    // One in a hundred is still open and in its member's queue, and not due yet.
    const isOpen = n % 100 === 0;
    const common = {
      contactId,
      channel: 'web_form' as const,
      sourceId: 'website',
      serviceId: 'dermatology-acne',
    };
    const memberId = members[n % members.length] ?? 'ana';
    const receipt = { pool: 'dermatology', strategy: 'weighted_round_robin', candidates: [] };
    const routed = assigned(
      captured({ ...common, id, locationId: 'mountain-view', quarantine: [] }, at),
      {
        memberId,
        poolId: 'dermatology',
        respondBy: isOpen ? later : receivedAt,
        receipt,
        score: 60,
        tier: 'B',
      },
      at,
    );
    const mailed = mailSent(routed, at);
    const changed = isOpen ? undefined : changeStage(mailed, 'closed', 'no_response', at);
    yield headRow(changed?.outcome === 'changed' ? changed.next : mailed);
    yield bodyRow({
      ...common,
      inquiryId: id,
      receivedAt,
      attributedBy: 'form',
      fields: { name: `Stored Person ${person}`, message: 'A message of some length. '.repeat(8) },
    });
    yield {
      ...inquiryScore(id, 1),
      inquiryId: id,
      scoredAt: receivedAt,
      total: 60,
      tier: 'B',
      modelVersion: '2026-1',
      parts: [],
      schemaVersion: 1,
    };
    if (n % inquiriesPerPerson === 0) {
      yield {
        ...contactProfile(contactId),
        id: contactId,
        name: `Stored Person ${person}`,
        createdAt: receivedAt,
        schemaVersion: 1,
      };
      yield { ...contactPoint(`stored.${person}`, `name.${person}`), contactId, schemaVersion: 1 };
    }
  }
}
