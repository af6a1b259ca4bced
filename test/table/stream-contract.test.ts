/**
 * What every stream of a table means to whoever follows it: the one of the fault simulator, in virtual
 * time, and the local system's on DynamoDB's own engine, so that runs on the former can be believed.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStream } from '../../local/events/stream-reader.ts';
import { startStreamSource } from '../../local/events/stream-source.ts';
import type { Row, Table } from '../../shared/data/table.ts';
import { drawsOf } from '../../simulation/adverse/draw.ts';
import { createAdverseStream } from '../../simulation/adverse/stream.ts';
import { createAgenda } from '../../simulation/agenda.ts';
import { createMemoryTable, type RowChange } from '../../simulation/memory-table.ts';
import { freshTable, localClientConfig } from '../support/dynamodb.ts';
import { untilIn } from '../support/virtual-time.ts';

/** A stream under test: the table that it is of, and time. */
interface Tried {
  readonly table: Table;
  /** Changes that were given up. */
  readonly givenUp: () => number;
  /** Lets time pass until something holds. */
  until(holds: () => boolean): Promise<void>;
  end(): void;
}

/** Takes a batch; gives the position of the first change that it could not take. */
type Take = (changes: readonly RowChange[]) => number | undefined;

const batchSize = 5;
/** The follower wants to hear of these alone. */
const isWanted = ({ before, after }: RowChange): boolean => (after ?? before)?.pk.startsWith('INQ#') === true;

async function simulated(take: Take): Promise<Tried> {
  const agenda = createAgenda(0);
  let givenUp = 0;
  const stream = createAdverseStream({
    agenda,
    draws: drawsOf(1),
    decide: () => undefined,
    consumers: [
      {
        name: 'follower',
        filter: isWanted,
        batchSize,
        work: async (changes) => ({ ended: 'done', value: take(changes) }),
      },
    ],
    onGivenUp: () => void givenUp++,
  });
  return {
    table: createMemoryTable({ onCommit: stream.push }),
    givenUp: () => givenUp,
    until: (holds) => untilIn(agenda, holds),
    end: () => {},
  };
}

interface StreamRecord {
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly OldImage?: Record<string, AttributeValue>;
    readonly NewImage?: Record<string, AttributeValue>;
  };
}
const rowOf = (image: Record<string, AttributeValue> | undefined): Row | undefined =>
  image && (unmarshall(image) as Row);

async function local(take: Take): Promise<Tried> {
  const { table, streamArn, endpoint } = await freshTable();
  const client = new DynamoDBStreamsClient(localClientConfig(endpoint));
  let givenUp = 0;
  const source = startStreamSource({
    stream: openStream(client, streamArn),
    plan: {
      functionName: 'follower',
      tableName: 'tried',
      batchSize,
      batchWindowSeconds: 0,
      reportsItemFailures: true,
      bisects: true,
      maximumRetries: 3,
      filters: [{ dynamodb: { Keys: { pk: { S: [{ prefix: 'INQ#' }] } } } }],
    },
    streamArn,
    positionFile: join(mkdtempSync(join(tmpdir(), 'firstcall-stream-')), 'position.json'),
    invoke: async (_function, event) => {
      const { Records } = event as { readonly Records: readonly StreamRecord[] };
      const failedAt = take(
        Records.map(({ dynamodb }) => ({
          before: rowOf(dynamodb.OldImage),
          after: rowOf(dynamodb.NewImage),
        })),
      );
      const failed = failedAt === undefined ? undefined : Records[failedAt];
      return {
        batchItemFailures: failed ? [{ itemIdentifier: failed.dynamodb.SequenceNumber }] : [],
      };
    },
    sendFailure: async () => void givenUp++,
    onError: () => {},
  });
  return {
    table,
    givenUp: () => givenUp,
    until: async (holds) => {
      await expect.poll(holds, { timeout: 15_000, interval: 50 }).toBe(true);
    },
    end() {
      source.stop();
      client.destroy();
    },
  };
}

describe.each([
  ['of the fault simulator', simulated],
  ['of the local system', local],
])('a stream %s', (_, start) => {
  let seen: RowChange[];
  let sizes: number[];
  let failing: (change: RowChange) => boolean;
  let tried: Tried | undefined;
  const rowsOf = (pk: string): unknown[] =>
    seen.filter(({ before, after }) => (after ?? before)?.pk === pk).map(({ after }) => after?.['n']);

  async function startTried(): Promise<Tried> {
    tried = await start((changes) => {
      const failedAt = changes.findIndex((change) => failing(change));
      const taken = failedAt < 0 ? changes : changes.slice(0, failedAt);
      seen.push(...taken.map(({ before, after }) => ({ before, after })));
      sizes.push(changes.length);
      return failedAt < 0 ? undefined : failedAt;
    });
    return tried;
  }
  const put = (table: Table, pk: string, n: number): Promise<unknown> =>
    table.write({ put: { pk, sk: 'HEAD', n } });

  beforeEach(() => {
    seen = [];
    sizes = [];
    failing = () => false;
    return () => tried?.end();
  });

  it('tells what was there before and after, of those that are wanted alone', async () => {
    const { table, until } = await startTried();

    await put(table, 'CON#1', 1);
    await put(table, 'INQ#1', 1);
    await table.write({ update: { pk: 'INQ#1', sk: 'HEAD' }, set: { n: 2, more: { list: ['é'] } } });
    await table.transact([
      { remove: { pk: 'INQ#1', sk: 'HEAD' } },
      { put: { pk: 'INQ#2', sk: 'HEAD', n: 9 } },
    ]);
    await until(() => seen.length >= 4);

    const key = { pk: 'INQ#1', sk: 'HEAD' };
    const [first, second, third] = seen.filter(({ before, after }) => (after ?? before)?.pk === 'INQ#1');
    expect(first).toEqual({ before: undefined, after: { ...key, n: 1 } });
    expect(second).toEqual({ before: { ...key, n: 1 }, after: { ...key, n: 2, more: { list: ['é'] } } });
    expect(third).toEqual({ before: { ...key, n: 2, more: { list: ['é'] } }, after: undefined });
    expect(seen).toHaveLength(4);
  });

  it('tells nothing of what changed nothing, or was refused', async () => {
    const { table, until } = await startTried();

    await put(table, 'INQ#1', 1);
    await put(table, 'INQ#1', 1);
    await table.write({ put: { pk: 'INQ#1', sk: 'HEAD', n: 2 }, when: [[['pk', 'absent']]] });
    await put(table, 'INQ#1', 3);
    await until(() => seen.length >= 2);

    expect(rowsOf('INQ#1')).toEqual([1, 3]);
  });

  it('tells the changes of each item in their order, in batches of so many at the most', async () => {
    const { table, until } = await startTried();

    for (let n = 0; n < 6; n++) await Promise.all(['INQ#1', 'INQ#2', 'INQ#3'].map((pk) => put(table, pk, n)));
    await until(() => seen.length >= 18);

    for (const pk of ['INQ#1', 'INQ#2', 'INQ#3']) expect(rowsOf(pk)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(batchSize);
  });

  it('goes on from what failed, once it is tried again, and brings no more of what was taken', async () => {
    const { table, until, givenUp } = await startTried();
    let tries = 0;
    failing = ({ after }) => after?.['n'] === 2 && tries++ < 1;

    for (let n = 0; n < 5; n++) await put(table, 'INQ#1', n);
    await until(() => seen.length >= 5);

    expect(rowsOf('INQ#1')).toEqual([0, 1, 2, 3, 4]);
    expect(givenUp()).toBe(0);
  });

  it('gives up what fails each time, alone, and goes on with what comes after', async () => {
    const { table, until, givenUp } = await startTried();
    failing = ({ after }) => after?.['n'] === 1;

    for (let n = 0; n < 4; n++) await put(table, 'INQ#1', n);
    await until(() => seen.length >= 3);

    expect(rowsOf('INQ#1')).toEqual([0, 2, 3]);
    expect(givenUp()).toBe(1);
  });
});
