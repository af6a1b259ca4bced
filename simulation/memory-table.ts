/**
 * The `Table` in memory, for simulations and for tests of use cases: the same meaning as in
 * DynamoDB, held by the one suite that runs against both (`test/table/table-contract.test.ts`).
 */
import { isDeepStrictEqual } from 'node:util';
import { indexKeys } from '../shared/data/dynamo-table.ts';
import type { Key } from '../shared/data/keys.ts';
import type {
  Clause,
  Condition,
  IndexName,
  Page,
  Query,
  Row,
  Table,
  Transacted,
  Write,
  Written,
} from '../shared/data/table.ts';

/** One row as a commit left it; what was not there before, or is not any more, is undefined. */
export interface RowChange {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

export interface MemoryTable extends Table {
  /** Every row, in order of its key. */
  rows(): Row[];
  /** A row as it is, beside every port; to be read only. */
  peek(key: Key): Row | undefined;
  /** How many of the next transactions only meet another one under way; counts down. */
  conflicts: number;
  /**
   * The table as a reader sees it whom changes since an instant have not reached yet: those of rows that
   * are `stale`, all of them unless told.
   */
  asOf(instantMs: number, stale?: (key: Key) => boolean): Reader;
}

/** What can be read of a table. */
export type Reader = Pick<Table, 'get' | 'batchGet' | 'query'>;

export interface MemoryTableOptions {
  /** The stream: told the changes of each commit, at the moment of it. They are the table's own rows, to be read only. */
  readonly onCommit?: (changes: readonly RowChange[]) => void;
  /** Keeps what was changed for a while, for `asOf`. */
  readonly remember?: { readonly nowMs: () => number; readonly forMs: number };
}

function identity({ pk, sk }: Key): string {
  if (pk === '' || sk === '') throw new Error('a key has an empty part');
  return `${pk}\u0000${sk}`;
}

/**
 * What storing does to a value: it is a copy from then on, undefined attributes are gone, and nobody
 * changes it any more. So what is read need be no copy: it is the stored row itself.
 */
function stored<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(stored)) as T;
  // What is no plain object becomes what its JSON is: a date its text.
  if (Object.getPrototypeOf(value) !== Object.prototype) return JSON.parse(JSON.stringify(value)) as T;
  return kept({ ...value });
}

/** As `stored`, of an object that nobody else has. */
function kept<T extends object>(own: T): T {
  const attributes = own as Record<string, unknown>;
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === 'object' && value !== null) attributes[name] = stored(value);
    else if (value === undefined) delete attributes[name];
  }
  return Object.freeze(own);
}

function clauseHolds(row: Row | undefined, [attribute, is, value]: Clause): boolean {
  const actual = row?.[attribute];
  if (is === 'absent') return actual === undefined;
  if (is === 'present') return actual !== undefined;
  if (is === '<>') return actual !== value;
  if (is === '=') return actual === value;
  // Values of different types do not compare, and so do not hold.
  if (typeof actual !== typeof value || actual === undefined || value === undefined) return false;
  return is === '<' ? (actual as string) < value : (actual as string) <= value;
}

function holds(row: Row | undefined, condition: Condition | undefined): boolean {
  if (condition === undefined) return true;
  if (condition.length === 0 || condition.some((clauses) => clauses.length === 0)) {
    throw new Error('a condition needs at least one clause in each list');
  }
  for (const [, is, value] of condition.flat()) {
    if (typeof value === 'boolean' && is !== '=' && is !== '<>')
      throw new Error(`${is} compares no booleans`);
  }
  return condition.some((clauses) => clauses.every((clause) => clauseHolds(row, clause)));
}

/** The key of the item that a write is about. */
export function keyOf(write: Write): Key {
  if ('put' in write) return write.put;
  if ('update' in write) return write.update;
  return 'remove' in write ? write.remove : write.check;
}

const indexAttributes = Object.values(indexKeys).flatMap(({ pk, sk }) => [pk, sk]);

function refuseEmptyIndexKeys(row: Row): void {
  for (const attribute of indexAttributes) {
    const value = row[attribute];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw new Error(`${attribute} must be a string that is not empty`);
    }
  }
}

const isChange = (before: Row | undefined, after: Row | undefined): boolean =>
  // Most of what is written counts its versions: those tell without a look at all the rest.
  before?.['version'] !== after?.['version'] || !isDeepStrictEqual(before, after);

/** The table itself, or one of its indexes, by the attributes of its key. */
interface KeyNames {
  readonly pk: string;
  readonly sk: string;
}

/** In an index the sort key alone is not unique; the item's own key settles the order. */
const orderIn = (names: KeyNames, row: Record<string, unknown>): string =>
  names.sk === 'sk' ? String(row['sk']) : `${row[names.sk]}\u0000${row['pk']}\u0000${row['sk']}`;

/** Where an item is kept: whatever finds it finds its row as it is by then. */
interface Cell {
  row: Row;
}

/** A part of a partition: of a range, from past an order on, so many at the most. */
interface Part {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly past?: string | undefined;
  readonly newestFirst?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** Items of one partition in the order of their sort keys. */
class Partition {
  readonly #entries: { readonly order: string; cell: Cell }[] = [];

  /** The position of the first item at or past an order. */
  #positionOf(order: string): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as { order: string }).order < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  put(order: string, cell: Cell): void {
    const at = this.#positionOf(order);
    if (at === this.#entries.length) this.#entries.push({ order, cell });
    else this.#entries.splice(at, 0, { order, cell });
  }

  remove(order: string): void {
    const at = this.#positionOf(order);
    if (this.#entries[at]?.order === order) this.#entries.splice(at, 1);
  }

  /** Rows from one sort key to another, both included, as far as the part goes. */
  part({ from, to, past, newestFirst, limit = this.#entries.length }: Part): Row[] {
    let first = from === undefined ? 0 : this.#positionOf(from);
    // Nothing sorts between a key's own rows and this.
    let end = to === undefined ? this.#entries.length : this.#positionOf(`${to}\u0000\uffff`);
    if (past !== undefined) {
      const at = this.#positionOf(past);
      if (newestFirst) end = Math.min(end, at);
      else first = Math.max(first, this.#entries[at]?.order === past ? at + 1 : at);
    }
    const found = newestFirst
      ? this.#entries.slice(Math.max(first, end - limit), end).reverse()
      : this.#entries.slice(first, Math.min(end, first + limit));
    return found.map(({ cell }) => cell.row);
  }
}

/** Everything of the table, or of one of its indexes, by partition. */
class Partitions {
  readonly names: KeyNames;
  readonly #partitions = new Map<string, Partition>();

  constructor(names: KeyNames) {
    this.names = names;
  }

  /** Whether a row stands here: an index holds those that have its key. */
  #partitionOf(row: Row | undefined): string | undefined {
    const pk = row?.[this.names.pk];
    return typeof pk === 'string' && typeof row?.[this.names.sk] === 'string' ? pk : undefined;
  }

  /** Follows a change of the item in a cell. */
  follow(cell: Cell, before: Row | undefined, after: Row | undefined): void {
    const { pk, sk } = this.names;
    if (before && after && before[sk] === after[sk] && before[pk] === after[pk]) return;
    const [from, to] = [this.#partitionOf(before), this.#partitionOf(after)];
    if (before && from !== undefined) this.#partitions.get(from)?.remove(orderIn(this.names, before));
    if (!after || to === undefined) return;
    const partition = this.#partitions.get(to) ?? new Partition();
    this.#partitions.set(to, partition);
    partition.put(orderIn(this.names, after), cell);
  }

  of(pk: string): Partition {
    return this.#partitions.get(pk) ?? new Partition();
  }
}

/** The page of a query, from its partition. */
function pageOf(
  partition: Partition,
  names: KeyNames,
  { index, from, to, limit, newestFirst, after }: Query,
): Page {
  const projected = ['pk', 'sk', names.pk, names.sk];
  const startsAt = String(after?.[names.sk]);
  const isOutside = (from !== undefined && startsAt < from) || (to !== undefined && startsAt > to);
  if (after && isOutside) throw new Error('the starting key is outside of the range');
  const past = after && orderIn(names, after);
  const found = partition.part({ from, to, past, newestFirst, limit });
  const rows = index ? found.map((row) => pick(row, projected)) : found;
  const end = rows.at(-1);
  // Like DynamoDB, a full page does not know whether it was the last.
  return end && rows.length === limit ? { rows, next: pick(end, projected) } : { rows };
}

/** Changes that nobody asks for any more go so many at a time. */
const forgottenAtOnce = 1_000;

export function createMemoryTable({ onCommit, remember }: MemoryTableOptions = {}): MemoryTable {
  const items = new Map<string, Cell>();
  const own = new Partitions({ pk: 'pk', sk: 'sk' });
  const indexes = Object.fromEntries(
    Object.entries(indexKeys).map(([name, names]) => [name, new Partitions(names)]),
  ) as Record<IndexName, Partitions>;
  const everywhere = [own, ...Object.values(indexes)];
  /** What was changed of late, as it was before. */
  const log: {
    readonly id: string;
    readonly atMs: number;
    readonly before: Row | undefined;
    readonly after: Row | undefined;
  }[] = [];
  const find = (key: Key): Row | undefined => items.get(identity(key))?.row;

  /** The row as a write leaves it; undefined where it leaves none. */
  function after(write: Write, old: Row | undefined): Row | undefined {
    if ('put' in write) return stored(write.put);
    if ('remove' in write) return undefined;
    if ('check' in write) return old;
    const { pk, sk } = write.update;
    const row: Row = { ...write.setIfAbsent, ...old, ...write.set, pk, sk };
    for (const [attribute, amount] of Object.entries(write.add ?? {})) {
      const number = old?.[attribute] ?? 0;
      if (typeof number !== 'number') throw new Error(`cannot add to ${attribute}: it is no number`);
      row[attribute] = number + amount;
    }
    return kept(row);
  }

  /** What a write would change; refused where its result cannot be stored. */
  function changeOf(write: Write, id: string): RowChange & { readonly id: string } {
    const before = items.get(id)?.row;
    const result = { id, before, after: after(write, before) };
    if (result.after) refuseEmptyIndexKeys(result.after);
    return result;
  }

  function commit(results: readonly (RowChange & { readonly id: string })[]): void {
    for (const { id, before, after: row } of results) {
      const cell = items.get(id) ?? { row: row as Row };
      if (row) {
        cell.row = row;
        items.set(id, cell);
      } else items.delete(id);
      for (const partitions of everywhere) partitions.follow(cell, before, row);
    }
    // A write that changes nothing is not in the stream.
    const changes = results.filter(({ before, after: row }) => isChange(before, row));
    onCommit?.(changes);
    if (!remember) return;
    const atMs = remember.nowMs();
    log.push(...changes.map((change) => ({ ...change, atMs })));
    const old = log[forgottenAtOnce];
    if (old && old.atMs < atMs - remember.forMs) log.splice(0, forgottenAtOnce);
  }

  /** Rows as they were at an instant, of those that were changed since and are stale. */
  function rowsBefore(instantMs: number, stale: (key: Key) => boolean): Map<string, Row | undefined> {
    const before = new Map<string, Row | undefined>();
    for (let i = log.length - 1; i >= 0; i--) {
      const change = log[i] as (typeof log)[number];
      if (change.atMs <= instantMs) break;
      const row = change.before ?? change.after;
      if (row && stale(row)) before.set(change.id, change.before);
    }
    return before;
  }

  function asOf(instantMs: number, stale: (key: Key) => boolean = () => true): Reader {
    const before = rowsBefore(instantMs, stale);
    const rowOf = (key: Key): Row | undefined => {
      const id = identity(key);
      return before.has(id) ? before.get(id) : items.get(id)?.row;
    };
    return {
      get: async (key) => rowOf(key),
      batchGet: async (keys) => keys.flatMap((key) => rowOf(key) ?? []),
      async query(query) {
        const { pk, index, from, to } = query;
        const partitions = index ? indexes[index] : own;
        const { names } = partitions;
        const isThere = (row: Row | undefined): row is Row => {
          const sk = row?.[names.sk];
          return (
            row?.[names.pk] === pk &&
            typeof sk === 'string' &&
            (from === undefined || sk >= from) &&
            (to === undefined || sk <= to)
          );
        };
        const found = [
          ...partitions
            .of(pk)
            .part({ from, to })
            .filter((row) => !before.has(identity(row))),
          ...[...before.values()].filter(isThere),
        ]
          .map((row) => ({ row, order: orderIn(names, row) }))
          .sort((a, b) => (a.order < b.order ? -1 : 1));
        const seen = new Partition();
        for (const { order, row } of found) seen.put(order, { row });
        return pageOf(seen, names, query);
      },
    };
  }

  const table: MemoryTable = {
    conflicts: 0,

    rows: () => [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { row }]) => row),

    peek: find,
    asOf,

    async get(key) {
      return find(key);
    },

    async batchGet(keys) {
      if (keys.length > 100) throw new Error(`at most 100 keys, not ${keys.length}`);
      if (new Set(keys.map(identity)).size < keys.length) throw new Error('a key is there twice');
      return keys.flatMap((key) => find(key) ?? []);
    },

    async query(query) {
      const { pk, index, from, to, consistent } = query;
      if (from !== undefined && to !== undefined && from > to) return { rows: [] };
      if (index && consistent) throw new Error('an index has no consistent reads');
      if ([pk, from, to].includes('')) throw new Error('a key has an empty part');
      const partitions = index ? indexes[index] : own;
      return pageOf(partitions.of(pk), partitions.names, query);
    },

    async write(write): Promise<Written> {
      if ('check' in write) throw new Error('a check stands only in a transaction');
      const id = identity(keyOf(write));
      const old = items.get(id)?.row;
      if (!holds(old, write.when)) return { committed: false, existing: old };
      const change = changeOf(write, id);
      commit([change]);
      return change.after ? { committed: true, row: change.after } : { committed: true };
    },

    async transact(writes): Promise<Transacted> {
      if (writes.length > 100) throw new Error(`at most 100 writes, not ${writes.length}`);
      const ids = writes.map((write) => identity(keyOf(write)));
      if (new Set(ids).size < writes.length) {
        throw new Error('a transaction writes each item once');
      }
      if (table.conflicts > 0) {
        table.conflicts -= 1;
        return { committed: false, failed: new Map() };
      }
      const failed = new Map<number, Row | undefined>();
      const results: ReturnType<typeof changeOf>[] = [];
      for (const [i, write] of writes.entries()) {
        const id = ids[i] as string;
        const old = items.get(id)?.row;
        if (!holds(old, write.when)) failed.set(i, old);
        else if (!('check' in write)) results.push(changeOf(write, id));
      }
      if (failed.size > 0) return { committed: false, failed };
      commit(results);
      return { committed: true };
    },
  };
  return table;
}

const pick = (row: Record<string, unknown>, attributes: readonly string[]): Row =>
  Object.fromEntries(attributes.map((attribute) => [attribute, row[attribute]])) as Row;
