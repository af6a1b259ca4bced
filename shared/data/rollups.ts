/** Daily counters per location. */
import type { Counts } from '../domain/rollup.ts';
import { inquiryCounted, rollup, rollupPk } from './keys.ts';
import { absent, queryAll, type Row, type Table } from './table.ts';

/** The stream keeps changes for a day; a marker older than a week can meet none of them. */
const markerDays = 7;

/** Counters carry a prefix, so that no name of a source can be an attribute of the item itself. */
const prefix = 'n:';

const parseCounts = (row: Row): Counts =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      name.startsWith(prefix) && typeof value === 'number' ? [[name.slice(prefix.length), value]] : [],
    ),
  );

export interface DayCounts {
  readonly date: string;
  readonly counts: Counts;
}

export type Rollups = ReturnType<typeof createRollups>;

export function createRollups(table: Table) {
  return {
    /** Counts one version of an inquiry, once, however often its change is delivered. */
    async count(change: {
      readonly inquiryId: string;
      readonly version: number;
      readonly locationId: string;
      readonly date: string;
      readonly counts: Counts;
      readonly now: Date;
    }): Promise<'counted' | 'counted_before' | 'busy'> {
      const expiresAt = Math.floor(change.now.getTime() / 1000) + markerDays * 86_400;
      const done = await table.transact([
        { put: { ...inquiryCounted(change.inquiryId, change.version), expiresAt }, when: absent },
        {
          update: rollup(change.locationId, change.date),
          add: Object.fromEntries(Object.entries(change.counts).map(([name, n]) => [prefix + name, n])),
        },
      ]);
      if (done.committed) return 'counted';
      return done.failed.has(0) ? 'counted_before' : 'busy';
    },

    /** The days of a location from one date to another, both included. */
    async days(locationId: string, from: string, to: string): Promise<DayCounts[]> {
      const rows = await queryAll(table, { pk: rollupPk(locationId), from: `DAY#${from}`, to: `DAY#${to}` });
      return rows.map((row) => ({ date: row.sk.slice('DAY#'.length), counts: parseCounts(row) }));
    },
  };
}
