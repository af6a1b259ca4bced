/**
 * The `Table` in memory, for tests of use cases: the same meaning as in DynamoDB,
 * held by the one suite that runs against both (`test/table/table-contract.test.ts`).
 */
import { indexKeys } from '../shared/data/dynamo-table.ts';
import type { Key } from '../shared/data/keys.ts';
import type { Clause, Condition, Row, Table, Transacted, Write, Written } from '../shared/data/table.ts';

export interface MemoryTable extends Table {
  /** Every row, in order of its key. */
  rows(): Row[];
  /** How many of the next transactions only meet another one under way; counts down. */
  conflicts: number;
}

const identity = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

/** What storing does to a value: it is a copy from then on, and undefined attributes are gone. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

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
  return condition.some((clauses) => clauses.every((clause) => clauseHolds(row, clause)));
}

function keyOf(write: Write): Key {
  if ('put' in write) return write.put;
  if ('update' in write) return write.update;
  return 'remove' in write ? write.remove : write.check;
}

function refuseEmptyIndexKeys(row: Row): void {
  for (const attribute of Object.values(indexKeys).flatMap(({ pk, sk }) => [pk, sk])) {
    const value = row[attribute];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw new Error(`${attribute} must be a string that is not empty`);
    }
  }
}

export function createMemoryTable(): MemoryTable {
  const items = new Map<string, Row>();
  const find = (key: Key): Row | undefined => items.get(identity(key));
  const copy = (row: Row | undefined): Row | undefined => row && stored(row);

  /** The row as a write leaves it; undefined where it leaves none. */
  function after(write: Write): Row | undefined {
    const old = find(keyOf(write));
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
    return stored(row);
  }

  function commit(writes: readonly Write[]): void {
    const results = writes.map((write) => [identity(keyOf(write)), after(write)] as const);
    for (const [, row] of results) if (row) refuseEmptyIndexKeys(row);
    for (const [id, row] of results) {
      if (row) items.set(id, row);
      else items.delete(id);
    }
  }

  const table: MemoryTable = {
    conflicts: 0,

    rows: () => [...items.values()].map(stored).sort((a, b) => (identity(a) < identity(b) ? -1 : 1)),

    async get(key) {
      return copy(find(key));
    },

    async batchGet(keys) {
      if (keys.length > 100) throw new Error(`at most 100 keys, not ${keys.length}`);
      if (new Set(keys.map(identity)).size < keys.length) throw new Error('a key is there twice');
      return keys.flatMap((key) => copy(find(key)) ?? []);
    },

    async query({ pk, index, from, to, limit, newestFirst, after, consistent }) {
      if (index && consistent) throw new Error('an index has no consistent reads');
      const names = index ? indexKeys[index] : { pk: 'pk', sk: 'sk' };
      const projected = ['pk', 'sk', names.pk, names.sk];
      // In an index the sort key alone is not unique; the item's own key settles the order.
      const order = (row: Record<string, unknown>) =>
        [row[names.sk], row['pk'], row['sk']].map(String).join('\u0000');
      const direction = newestFirst ? -1 : 1;
      const rows = [...items.values()]
        .filter((row) => row[names.pk] === pk && typeof row[names.sk] === 'string')
        .filter((row) => from === undefined || String(row[names.sk]) >= from)
        .filter((row) => to === undefined || String(row[names.sk]) <= to)
        .filter((row) => !after || (order(row) > order(after) ? 1 : -1) === direction)
        .filter((row) => !after || order(row) !== order(after))
        .sort((a, b) => (order(a) < order(b) ? -direction : direction))
        .slice(0, limit)
        .map((row) => (index ? pick(row, projected) : stored(row)));
      const last = rows.at(-1);
      // Like DynamoDB, a full page does not know whether it was the last.
      return last && rows.length === limit ? { rows, next: pick(last, projected) } : { rows };
    },

    async write(write): Promise<Written> {
      if ('check' in write) throw new Error('a check stands only in a transaction');
      const old = find(keyOf(write));
      if (!holds(old, write.when)) return { committed: false, existing: copy(old) };
      commit([write]);
      const row = copy(find(keyOf(write)));
      return row ? { committed: true, row } : { committed: true };
    },

    async transact(writes): Promise<Transacted> {
      if (writes.length > 100) throw new Error(`at most 100 writes, not ${writes.length}`);
      if (new Set(writes.map((write) => identity(keyOf(write)))).size < writes.length) {
        throw new Error('a transaction writes each item once');
      }
      if (table.conflicts > 0) {
        table.conflicts -= 1;
        return { committed: false, failed: new Map() };
      }
      const failed = new Map<number, Row | undefined>();
      writes.forEach((write, i) => {
        const old = find(keyOf(write));
        if (!holds(old, write.when)) failed.set(i, copy(old));
      });
      if (failed.size > 0) return { committed: false, failed };
      commit(writes);
      return { committed: true };
    },
  };
  return table;
}

const pick = (row: Record<string, unknown>, attributes: readonly string[]): Row =>
  Object.fromEntries(attributes.map((attribute) => [attribute, row[attribute]])) as Row;
