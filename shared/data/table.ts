/**
 * The table as the rest of the code sees it: a few operations, and conditions
 * as data. Data rather than expression strings, so that a condition has one
 * meaning, read alike by DynamoDB and by whatever stands in for it in a test.
 */
import type { Key } from './keys.ts';

/** An item as stored: its key, index attributes and everything else. */
export type Row = Key & Record<string, unknown>;

/** One comparison of a top-level attribute. */
export type Clause =
  | readonly [attribute: string, is: 'absent']
  | readonly [attribute: string, is: 'present']
  | readonly [attribute: string, is: '=' | '<' | '<=' | '<>', value: string | number | boolean];

/** Holds where every clause of at least one of the lists holds; `<>` holds of an absent attribute too. */
export type Condition = readonly (readonly Clause[])[];

/** The item must not exist. */
export const absent: Condition = [[['pk', 'absent']]];
/** The item must stand at this version; 0 means that it must not exist yet. */
export const atVersion = (version: number): Condition =>
  version === 0 ? absent : [[['version', '=', version]]];
/** The item must be there, at this version; one that has none counts as 0. */
export const standingAt = (version: number): Condition =>
  version === 0
    ? [
        [['version', '=', 0]],
        [
          ['pk', 'present'],
          ['version', 'absent'],
        ],
      ]
    : [[['version', '=', version]]];

export type Write =
  /** Replaces the whole item. */
  | { readonly put: Row; readonly when?: Condition }
  /**
   * Sets single attributes and adds to single numbers; others stay as they are. An
   * attribute set to undefined is removed. Those of `setIfAbsent` are set only where the
   * item has none of that name.
   */
  | {
      readonly update: Key;
      readonly set?: Readonly<Record<string, unknown>>;
      readonly setIfAbsent?: Readonly<Record<string, string | number | boolean>>;
      readonly add?: Readonly<Record<string, number>>;
      readonly when?: Condition;
    }
  | { readonly remove: Key; readonly when?: Condition }
  /** Writes nothing, and must hold for the transaction to commit. */
  | { readonly check: Key; readonly when: Condition };

/** What became of a write: committed (with the item as it now is), or its condition did not hold. */
export type Written =
  | { readonly committed: true; readonly row?: Row }
  | { readonly committed: false; readonly existing: Row | undefined };

/**
 * What became of a transaction: committed, or refused. Where refused, `failed`
 * holds the index of each write whose condition did not hold, with the item that
 * stood there; it is empty where the transaction only met another one under way,
 * and may be tried again.
 */
export type Transacted =
  | { readonly committed: true }
  | { readonly committed: false; readonly failed: ReadonlyMap<number, Row | undefined> };

export type IndexName = 'due' | 'queue' | 'board' | 'timeline';

export interface Query {
  /** The partition: of the table, or of the index if one is named. */
  readonly pk: string;
  readonly index?: IndexName;
  /** Sort keys from this one on. */
  readonly from?: string;
  /** Sort keys up to and including this one. */
  readonly to?: string;
  readonly limit?: number;
  readonly newestFirst?: boolean;
  /** Where the page before ended. */
  readonly after?: Record<string, unknown>;
  /** Reads what is committed, at twice the units; not to be had from an index. */
  readonly consistent?: boolean;
}

export interface Page {
  readonly rows: Row[];
  /** Where the next page starts; absent on the last. */
  readonly next?: Record<string, unknown>;
}

/** As many writes as a transaction takes. */
export const mostWrites = 100;

export interface Table {
  get(key: Key, options?: { readonly consistent?: boolean }): Promise<Row | undefined>;
  /** At most 100 keys; rows in no particular order, absent ones left out. */
  batchGet(keys: readonly Key[], options?: { readonly consistent?: boolean }): Promise<Row[]>;
  query(query: Query): Promise<Page>;
  write(write: Write): Promise<Written>;
  /** All or nothing, at most `mostWrites`. */
  transact(writes: readonly Write[]): Promise<Transacted>;
}

/** Every row of a query, page after page; for partitions that are bounded by what they are. */
export async function queryAll(table: Table, query: Query): Promise<Row[]> {
  const rows: Row[] = [];
  let after: Record<string, unknown> | undefined = query.after;
  do {
    const page: Page = await table.query({ ...query, ...(after && { after }) });
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined);
  return rows;
}
