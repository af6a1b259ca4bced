/**
 * The `Table` over DynamoDB. Compiles conditions to expressions and turns the
 * service's refusals into outcomes; everything else it throws is a fault.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  type DynamoDBClientConfig,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Condition, IndexName, Page, Query, Row, Table, Transacted, Write, Written } from './table.ts';

/** The most items DynamoDB takes in one BatchGetItem or TransactWriteItems. */
const batchLimit = 100;
const conflictAttempts = 6;
const unprocessedAttempts = 8;

/** Cancellation reasons that go away by themselves: the same transaction may be tried again. */
const passing = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** Key attributes of each index. */
export const indexKeys: Readonly<Record<IndexName, { readonly pk: string; readonly sk: string }>> = {
  due: { pk: 'duePk', sk: 'dueSk' },
  queue: { pk: 'queuePk', sk: 'queueSk' },
  board: { pk: 'boardPk', sk: 'boardSk' },
  timeline: { pk: 'timelinePk', sk: 'timelineSk' },
};

/** A document client as `createDynamoTable` expects it: an attribute set to undefined is left out. */
export function createDocumentClient(config: DynamoDBClientConfig = {}): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(config), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** Collects the placeholders of one request's expressions. */
function createPlaceholders() {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  return {
    name(attribute: string): string {
      const known = Object.keys(names).find((placeholder) => names[placeholder] === attribute);
      const placeholder = known ?? `#n${Object.keys(names).length}`;
      names[placeholder] = attribute;
      return placeholder;
    },
    value(value: unknown): string {
      const placeholder = `:v${Object.keys(values).length}`;
      values[placeholder] = value;
      return placeholder;
    },
    /** The request's members; left out where empty, since DynamoDB refuses empty ones. */
    attributes: () => ({
      ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    }),
  };
}
type Placeholders = ReturnType<typeof createPlaceholders>;

function compileCondition(condition: Condition, placeholders: Placeholders): string {
  if (condition.length === 0 || condition.some((clauses) => clauses.length === 0)) {
    throw new Error('a condition needs at least one clause in each list');
  }
  const anyOf = condition.map((clauses) =>
    clauses
      .map((clause) => {
        const name = placeholders.name(clause[0]);
        if (clause[1] === 'absent') return `attribute_not_exists(${name})`;
        if (clause[1] === 'present') return `attribute_exists(${name})`;
        return `${name} ${clause[1]} ${placeholders.value(clause[2])}`;
      })
      .join(' AND '),
  );
  return anyOf.length === 1 ? String(anyOf[0]) : anyOf.map((allOf) => `(${allOf})`).join(' OR ');
}

function compileUpdate(
  { set = {}, setIfAbsent = {}, add = {} }: Extract<Write, { update: unknown }>,
  placeholders: Placeholders,
): string {
  const assigned = Object.entries(set).filter(([, value]) => value !== undefined);
  const removed = Object.keys(set).filter((attribute) => set[attribute] === undefined);
  const clause = (verb: string, parts: string[]) => (parts.length > 0 ? [`${verb} ${parts.join(', ')}`] : []);
  return [
    ...clause('SET', [
      ...assigned.map(
        ([attribute, value]) => `${placeholders.name(attribute)} = ${placeholders.value(value)}`,
      ),
      ...Object.entries(setIfAbsent).map(([attribute, value]) => {
        const name = placeholders.name(attribute);
        return `${name} = if_not_exists(${name}, ${placeholders.value(value)})`;
      }),
    ]),
    ...clause('REMOVE', removed.map(placeholders.name)),
    ...clause(
      'ADD',
      Object.entries(add).map(
        ([attribute, amount]) => `${placeholders.name(attribute)} ${placeholders.value(amount)}`,
      ),
    ),
  ].join(' ');
}

/** What a write has in common as a request of its own and as one of a transaction. */
function compileWrite(tableName: string, write: Write) {
  const placeholders = createPlaceholders();
  const update = 'update' in write ? compileUpdate(write, placeholders) : '';
  const condition = write.when && compileCondition(write.when, placeholders);
  return {
    TableName: tableName,
    ...(update !== '' && { UpdateExpression: update }),
    ...(condition !== undefined && { ConditionExpression: condition }),
    ...placeholders.attributes(),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
}

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

function compileTransactItem(tableName: string, write: Write): TransactItem {
  const common = compileWrite(tableName, write);
  if ('put' in write) return { Put: { ...common, Item: write.put } };
  if ('remove' in write) return { Delete: { ...common, Key: keyOf(write.remove) } };
  // The types cannot see that an update has an expression, and a check its condition.
  if ('update' in write) return { Update: { ...common, Key: keyOf(write.update) } as TransactItem['Update'] };
  return { ConditionCheck: { ...common, Key: keyOf(write.check) } as TransactItem['ConditionCheck'] };
}

/** Only the key: DynamoDB refuses a row where it expects a key. */
const keyOf = ({ pk, sk }: { readonly pk: string; readonly sk: string }) => ({ pk, sk });

// The document client translates answers, but not what exceptions carry.
const toRow = (item: Record<string, AttributeValue> | undefined): Row | undefined =>
  item && (unmarshall(item) as Row);

/** Exponential back-off with full jitter, 1 s at most. */
const backOff = (attempt: number): Promise<void> => sleep(Math.random() * Math.min(1_000, 20 * 2 ** attempt));

/** A single write meets a transaction under way now and then; it is over in milliseconds. */
async function pastConflicts<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || attempt === conflictAttempts) throw error;
      await backOff(attempt);
    }
  }
}

/** What a cancelled transaction means; rethrows where it means a fault of ours or of the service. */
function toRefusal(error: unknown): Transacted {
  if (error instanceof TransactionInProgressException) return { committed: false, failed: new Map() };
  if (!(error instanceof TransactionCanceledException) || !error.CancellationReasons) throw error;
  const failed = new Map<number, Row | undefined>();
  for (const [i, { Code: code = 'None', Item: item }] of error.CancellationReasons.entries()) {
    if (code === 'ConditionalCheckFailed') failed.set(i, toRow(item));
    else if (code !== 'None' && !passing.has(code)) throw error;
  }
  return { committed: false, failed };
}

/**
 * The table in DynamoDB.
 *
 * @param options.client - a document client that removes undefined values; see `createDocumentClient`
 */
export function createDynamoTable(options: { client: DynamoDBDocumentClient; tableName: string }): Table {
  const { client, tableName } = options;

  async function send(write: Write): Promise<Row | undefined> {
    const common = compileWrite(tableName, write);
    if ('put' in write) {
      await client.send(new PutCommand({ ...common, Item: write.put }));
      return write.put;
    }
    if ('update' in write) {
      const command = new UpdateCommand({ ...common, Key: keyOf(write.update), ReturnValues: 'ALL_NEW' });
      return (await client.send(command)).Attributes as Row | undefined;
    }
    if ('remove' in write) {
      await client.send(new DeleteCommand({ ...common, Key: keyOf(write.remove) }));
      return undefined;
    }
    throw new Error('a check stands only in a transaction');
  }

  return {
    async get(key, { consistent = false } = {}) {
      const { Item: item } = await client.send(
        new GetCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: consistent }),
      );
      return item as Row | undefined;
    },

    async batchGet(keys, { consistent = false } = {}) {
      if (keys.length > batchLimit) throw new Error(`at most ${batchLimit} keys, not ${keys.length}`);
      if (keys.length === 0) return [];
      const rows: Row[] = [];
      let wanted: BatchGetCommandInput['RequestItems'] = {
        [tableName]: { Keys: keys.map(keyOf), ConsistentRead: consistent },
      };
      for (let attempt = 1; attempt <= unprocessedAttempts; attempt++) {
        const answer: BatchGetCommandOutput = await client.send(
          new BatchGetCommand({ RequestItems: wanted }),
        );
        rows.push(...((answer.Responses?.[tableName] ?? []) as Row[]));
        wanted = answer.UnprocessedKeys;
        if (!wanted?.[tableName]?.Keys?.length) return rows;
        await backOff(attempt);
      }
      throw new Error(`DynamoDB left keys unprocessed in ${unprocessedAttempts} attempts`);
    },

    async query({ pk, index, from, to, limit, newestFirst, after, consistent }: Query): Promise<Page> {
      // DynamoDB takes an empty range for a mistake.
      if (from !== undefined && to !== undefined && from > to) return { rows: [] };
      const placeholders = createPlaceholders();
      const names = index ? indexKeys[index] : { pk: 'pk', sk: 'sk' };
      const sk = () => placeholders.name(names.sk);
      const { value } = placeholders;
      let condition = `${placeholders.name(names.pk)} = ${value(pk)}`;
      if (from !== undefined && to !== undefined)
        condition += ` AND ${sk()} BETWEEN ${value(from)} AND ${value(to)}`;
      else if (from !== undefined) condition += ` AND ${sk()} >= ${value(from)}`;
      else if (to !== undefined) condition += ` AND ${sk()} <= ${value(to)}`;
      const answer = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: index,
          KeyConditionExpression: condition,
          ...placeholders.attributes(),
          ScanIndexForward: !newestFirst,
          Limit: limit,
          ExclusiveStartKey: after,
          ConsistentRead: consistent,
        }),
      );
      const rows = (answer.Items ?? []) as Row[];
      return answer.LastEvaluatedKey ? { rows, next: answer.LastEvaluatedKey } : { rows };
    },

    async write(write): Promise<Written> {
      try {
        const row = await pastConflicts(() => send(write));
        return row ? { committed: true, row } : { committed: true };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return { committed: false, existing: toRow(error.Item) };
      }
    },

    async transact(writes): Promise<Transacted> {
      if (writes.length > batchLimit) throw new Error(`at most ${batchLimit} writes, not ${writes.length}`);
      try {
        await client.send(
          new TransactWriteCommand({
            TransactItems: writes.map((write) => compileTransactItem(tableName, write)),
          }),
        );
        return { committed: true };
      } catch (error) {
        return toRefusal(error);
      }
    },
  };
}
