/**
 * Follows a table through the calls that functions make, so that each call's
 * units can be told from the items before and after it.
 */
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { CountedCall, LocalSystem } from '../local/system.ts';
import {
  indexEntry,
  indexWriteUnits,
  itemBytes,
  type KeysOnlyIndex,
  readUnits,
  type WireItem,
  type WireValue,
  writeUnits,
} from './capacity.ts';

/** What one call cost; an index's writes are part of `write`. */
export interface Units {
  readonly write: number;
  readonly read: number;
}

interface Request {
  readonly Key?: WireItem;
  readonly Item?: WireItem;
  readonly Keys?: readonly WireItem[];
  readonly IndexName?: string;
  readonly ConsistentRead?: boolean;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, WireValue>>;
  readonly TransactItems?: readonly Readonly<Record<string, Request>>[];
  readonly RequestItems?: Readonly<Record<string, Request>>;
}

interface Answer {
  readonly Item?: WireItem;
  readonly Items?: readonly WireItem[];
  readonly Responses?: Readonly<Record<string, readonly WireItem[]>>;
}

/** A transaction writes every item twice: to prepare it and to commit it. */
const transactionFactor = 2;

const consistencyOf = ({ ConsistentRead }: Request): 'strong' | 'eventual' =>
  ConsistentRead ? 'strong' : 'eventual';

/** The item that an update leaves; knows the clauses that the table's own code writes, and no others. */
export function applyUpdate(before: WireItem | undefined, request: Request): WireItem {
  const {
    ExpressionAttributeNames: names = {},
    ExpressionAttributeValues: values = {},
    UpdateExpression: expression = '',
  } = request;
  const after: Record<string, WireValue> = { ...before, ...request.Key };
  for (const [, verb, list = ''] of expression.matchAll(
    /(SET|REMOVE|ADD) (.*?)(?= (?:SET|REMOVE|ADD) |$)/g,
  )) {
    for (const part of list.split(', ')) {
      const [, placeholder = '', operand] = /^(#\w+)(?: (?:= )?(:\w+))?$/.exec(part) ?? [];
      const name = names[placeholder];
      const value = operand === undefined ? undefined : values[operand];
      if (name === undefined || (verb !== 'REMOVE' && value === undefined)) {
        throw new Error(`the ledger cannot follow the update "${expression}"`);
      }
      if (verb === 'REMOVE') delete after[name];
      else if (verb === 'SET') after[name] = value as WireValue;
      else after[name] = { N: String(numberOf(after[name]) + numberOf(value)) };
    }
  }
  return after;
}

const numberOf = (value: WireValue | undefined): number => (value && 'N' in value ? Number(value.N) : 0);

/** Costs of the calls to one table, told in the order in which they were made. */
export interface Ledger {
  cost(call: CountedCall): Units;
}

/** Starts a ledger from a table's rows as they are. */
export function createLedger(indexes: readonly KeysOnlyIndex[], rows: readonly WireItem[]): Ledger {
  const tableKeys = ['pk', 'sk'];
  const keyOf = (item: WireItem): string => JSON.stringify([item['pk'], item['sk']]);
  const items = new Map(rows.map((row) => [keyOf(row), row]));

  /** The item that a write is about, and what it leaves of it. */
  const follow = (kind: string, request: Request): { before?: WireItem; after?: WireItem; key: string } => {
    const target = request.Item ?? request.Key;
    if (target === undefined) throw new Error(`the ledger cannot follow ${kind}`);
    const key = keyOf(target);
    const before = items.get(key);
    const after =
      kind === 'Put'
        ? request.Item
        : kind === 'Update'
          ? applyUpdate(before, request)
          : kind === 'Delete'
            ? undefined
            : before;
    return { key, ...(before && { before }), ...(after && { after }) };
  };

  const write = (kind: string, request: Request, committed: boolean, factor: number): number => {
    const { key, before, after } = follow(kind, request);
    // A write that is refused costs what stands there.
    if (!committed) return factor * writeUnits(before, undefined);
    if (after) items.set(key, after);
    else items.delete(key);
    const inIndexes = indexes.map((index) => indexWriteUnits(before, after, index, tableKeys));
    return factor * writeUnits(before, after) + inIndexes.reduce((total, units) => total + units, 0);
  };

  const query = (request: Request, found: readonly WireItem[]): number => {
    const index = indexes.find(({ name }) => name === request.IndexName);
    const read = found.map((item) => (index ? (indexEntry(item, index, tableKeys) ?? item) : item));
    const bytes = read.reduce((total, item) => total + itemBytes(item), 0);
    return readUnits(bytes, consistencyOf(request));
  };

  /** Each item of a batch is read, and rounded up, by itself. */
  const batch = (request: Request, found: readonly WireItem[]): number => {
    const missing = (request.Keys?.length ?? 0) - found.length;
    const sizes = [...found.map(itemBytes), ...Array.from({ length: missing }, () => 0)];
    return sizes.reduce((total, bytes) => total + readUnits(bytes, consistencyOf(request)), 0);
  };

  return {
    cost({ service, operation, request: sent, response, status }) {
      if (service !== 'dynamodb') return { write: 0, read: 0 };
      const request = sent as Request;
      const answer = response as Answer;
      const committed = status === 200;
      switch (operation) {
        case 'PutItem':
        case 'UpdateItem':
        case 'DeleteItem':
          return { write: write(operation.replace('Item', ''), request, committed, 1), read: 0 };
        case 'TransactWriteItems': {
          const parts = (request.TransactItems ?? []).flatMap((part) => Object.entries(part));
          const units = parts.map(([kind, part]) => write(kind, part, committed, transactionFactor));
          return { write: units.reduce((total, n) => total + n, 0), read: 0 };
        }
        case 'GetItem':
          return {
            write: 0,
            read: readUnits(answer.Item ? itemBytes(answer.Item) : 0, consistencyOf(request)),
          };
        case 'Query':
          return { write: 0, read: query(request, answer.Items ?? []) };
        case 'BatchGetItem': {
          const tables = Object.entries(request.RequestItems ?? {});
          const units = tables.map(([table, part]) => batch(part, answer.Responses?.[table] ?? []));
          return { write: 0, read: units.reduce((total, n) => total + n, 0) };
        }
        default:
          throw new Error(`the ledger knows no cost of ${operation}`);
      }
    },
  };
}

/**
 * A ledger of a running system's table.
 *
 * @param empty - begins without the rows that are there: right only where none of them will be
 * written again, as where a table was filled with what only has to be in the way
 */
export async function openLedger(system: LocalSystem, empty = false): Promise<Ledger> {
  const plan = system.plan.tables.find(({ tableName }) => tableName === system.tableName);
  const indexes = (plan?.indexes ?? []).map((index): KeysOnlyIndex => {
    if (index.Projection.ProjectionType !== 'KEYS_ONLY') {
      throw new Error(
        `the index ${index.IndexName} projects more than keys: teach bench/capacity.ts its cost`,
      );
    }
    return {
      name: index.IndexName,
      keys: index.KeySchema.map(({ AttributeName }: { AttributeName: string }) => AttributeName),
    };
  });
  return createLedger(indexes, empty ? [] : await allRows(system));
}

async function allRows(system: LocalSystem): Promise<WireItem[]> {
  const client = new DynamoDBClient({
    endpoint: system.endpoints.dynamodb,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const rows: WireItem[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ TableName: system.tableName, ...(after && { ExclusiveStartKey: after as never }) }),
    );
    rows.push(...((page.Items ?? []) as WireItem[]));
    after = page.LastEvaluatedKey;
  } while (after);
  client.destroy();
  return rows;
}
