/**
 * The table in memory and DynamoDB's own engine are told the same, at random, and must say the same:
 * what becomes of each write, what each read gives, and what the stream tells.
 */
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '../../shared/data/keys.ts';
import {
  type Clause,
  type Condition,
  type IndexName,
  type Query,
  queryAll,
  type Row,
  type Table,
  type Write,
} from '../../shared/data/table.ts';
import { createMemoryTable, keyOf, type RowChange } from '../../simulation/memory-table.ts';
import { freshTable, localClientConfig } from '../support/dynamodb.ts';

const changes: RowChange[] = [];
const memory = createMemoryTable({ onCommit: (committed) => void changes.push(...committed) });
let real: Awaited<ReturnType<typeof freshTable>>;
beforeAll(async () => {
  real = await freshTable();
});
afterAll(() => real?.client.destroy());

/** A value of its own for each run, so that all of them share one table. */
let runs = 0;

// DynamoDB orders by bytes, the other by code units: the same but for what lies beyond U+FFFF, and no key does.
const sk = fc.constantFrom('a', 'b', 'b#1', 'B', 'é', '\uFFFD');
const partition = fc.constantFrom('P', 'Q');
const value = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('', '1', 'm', 'é', '\uFFFD'),
  fc.boolean(),
);
const attribute = fc.constantFrom('version', 'text', 'flag', 'n', 'gone');
const indexNames = ['due', 'queue'] as const satisfies readonly IndexName[];
const indexEntry = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...indexNames), partition, sk)
      .map(([index, pk, key]) => ({ [`${index}Pk`]: pk, [`${index}Sk`]: key })),
  },
  { weight: 1, arbitrary: fc.constantFrom({ duePk: 'P' }, { dueSk: 'a' }) },
);
const attributes = fc.record(
  {
    version: fc.integer({ min: 0, max: 3 }),
    text: value,
    flag: fc.boolean(),
    n: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constant('text')),
    list: fc.array(value, { maxLength: 2 }),
    map: fc.record({ deep: value, none: fc.constantFrom(null, undefined) }),
    gone: fc.constant(undefined),
  },
  { requiredKeys: [] },
);

const clause: fc.Arbitrary<Clause> = fc.oneof(
  fc.tuple(attribute, fc.constantFrom('absent', 'present')),
  fc.tuple(attribute, fc.constantFrom('=', '<', '<=', '<>'), value),
) as fc.Arbitrary<Clause>;
const condition: fc.Arbitrary<Condition> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(fc.array(clause, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  },
  { weight: 1, arbitrary: fc.constant([[['pk', 'absent']]] as Condition) },
);
const maybeWhen = fc.option(condition, { nil: undefined }).map((when) => (when ? { when } : {}));

const key: fc.Arbitrary<Key> = fc.record({ pk: partition, sk });
const put = fc
  .tuple(key, attributes, indexEntry, maybeWhen)
  .map(([own, rest, entry, when]): Write => ({ put: { ...rest, ...entry, ...own }, ...when }));
const update = fc
  .tuple(key, attributes, indexEntry, fc.integer({ min: -2, max: 2 }), fc.boolean(), maybeWhen)
  .map(
    ([own, { n: _added, version, ...set }, entry, amount, adds, when]): Write => ({
      update: own,
      set: { ...set, ...entry },
      ...(version !== undefined && { setIfAbsent: { version } }),
      ...(adds && { add: { n: amount } }),
      ...when,
    }),
  );
const remove = fc.tuple(key, maybeWhen).map(([own, when]): Write => ({ remove: own, ...when }));
const check = fc.tuple(key, condition).map(([own, when]): Write => ({ check: own, when }));

/** Names the item that a write is about: a transaction writes each once. */
const itemOf = (write: Write): string => {
  const { pk, sk: own } = keyOf(write);
  return `${pk} ${own}`;
};

const query = fc
  .record(
    {
      pk: partition,
      index: fc.constantFrom(...indexNames),
      from: sk,
      to: sk,
      limit: fc.integer({ min: 1, max: 3 }),
      newestFirst: fc.boolean(),
    },
    { requiredKeys: ['pk'] },
  )
  .map((given): Query => given);

type Step =
  | { readonly write: Write }
  | { readonly transact: readonly Write[] }
  | { readonly get: Key }
  | { readonly batchGet: readonly Key[] }
  | { readonly query: Query };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.oneof(put, update, remove).map((write) => ({ write })) },
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(fc.oneof(put, update, remove, check), { minLength: 1, maxLength: 4, selector: itemOf })
      .map((transact) => ({ transact })),
  },
  { weight: 1, arbitrary: key.map((get) => ({ get })) },
  { weight: 1, arbitrary: fc.array(key, { maxLength: 4 }).map((batchGet) => ({ batchGet })) },
  { weight: 3, arbitrary: query.map((asked) => ({ query: asked })) },
);

/** The same step in a run's own partitions. */
function inRun(run: number, own: Step): Step {
  const pk = (text: string): string => `${run}#${text}`;
  const rename = <T extends object>(row: T): T =>
    Object.fromEntries(
      Object.entries(row).map(([name, held]) => [
        name,
        /^pk$|Pk$/.test(name) && typeof held === 'string' && held !== '' ? pk(held) : held,
      ]),
    ) as T;
  const write = (one: Write): Write => {
    if ('put' in one) return { ...one, put: rename(one.put) };
    if ('update' in one)
      return { ...one, update: rename(one.update), ...(one.set && { set: rename(one.set) }) };
    return 'remove' in one ? { ...one, remove: rename(one.remove) } : { ...one, check: rename(one.check) };
  };
  if ('write' in own) return { write: write(own.write) };
  if ('transact' in own) return { transact: own.transact.map(write) };
  if ('get' in own) return { get: rename(own.get) };
  if ('batchGet' in own) return { batchGet: own.batchGet.map(rename) };
  return { query: rename(own.query) };
}

const inOrder = (rows: readonly Row[]): Row[] =>
  rows.toSorted((a, b) => (JSON.stringify([a.pk, a.sk]) < JSON.stringify([b.pk, b.sk]) ? -1 : 1));

/** What a table says to a step; that it refuses, however it puts it. */
async function outcomeOf(table: Table, own: Step): Promise<unknown> {
  try {
    if ('write' in own) return await table.write(own.write);
    if ('transact' in own) return await table.transact(own.transact);
    if ('get' in own) return await table.get(own.get, { consistent: true });
    if ('batchGet' in own) return inOrder(await table.batchGet(own.batchGet, { consistent: true }));
    // Whether a full page that is the last knows so is promised by nobody.
    const { rows } = await table.query(own.query);
    return { rows, all: await queryAll(table, own.query) };
  } catch {
    return 'refused';
  }
}

/** Everything that the stream of the real table tells, in its order. */
async function streamed(): Promise<RowChange[]> {
  const client = new DynamoDBStreamsClient(localClientConfig(real.endpoint) as object);
  const StreamArn = real.streamArn;
  const told: RowChange[] = [];
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    let { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    while (ShardIterator) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator }));
      for (const { dynamodb } of page.Records ?? []) {
        const image = (found: object | undefined) =>
          found && (unmarshall(found as Parameters<typeof unmarshall>[0]) as Row);
        told.push({ before: image(dynamodb?.OldImage), after: image(dynamodb?.NewImage) });
      }
      if (page.Records?.length === 0) break;
      ShardIterator = page.NextShardIterator;
    }
  }
  client.destroy();
  return told;
}

describe('the table in memory and DynamoDB', () => {
  it('say the same to whatever they are told', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        runs += 1;
        for (const one of steps) {
          const own = inRun(runs, one);
          const [inMemory, inDynamo] = [await outcomeOf(memory, own), await outcomeOf(real.table, own)];
          expect({ own, outcome: inMemory }).toEqual({ own, outcome: inDynamo });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('tell the same changes in their streams, each as it was and as it is, in order', async () => {
    const told = await streamed();
    expect(told.length).toBeGreaterThan(50);
    expect(changes.map(({ before, after }) => ({ before, after }))).toEqual(told);
  });
});
