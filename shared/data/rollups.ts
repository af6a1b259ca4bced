/** Daily counters per location. */
import type { Counts } from '../domain/rollup.ts';
import { inquiryCounted, rollup, rollupPk } from './keys.ts';
import { mostWrites, queryAll, type Row, type Table, type Write } from './table.ts';

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

/** A version of an inquiry, and what it adds to the counters of a day. */
export interface VersionCounts {
  readonly inquiryId: string;
  readonly version: number;
  readonly locationId: string;
  /** Local date of receipt, `2026-11-20`. */
  readonly date: string;
  readonly counts: Counts;
}

/** What became of an attempt to count: all or nothing was. */
export type CountOutcome =
  | { readonly outcome: 'counted' }
  /** `before` had been counted already; the others may be tried again without them. */
  | { readonly outcome: 'refused'; readonly before: ReadonlySet<VersionCounts> }
  /** Another change of the same counters was under way. */
  | { readonly outcome: 'busy' };

/** A version's attribute on the marker of its inquiry. */
const versionMark = (version: number): string => `v${version}`;

const markerExpiry = (now: Date): number => Math.floor(now.getTime() / 1000) + markerDays * 86_400;

const dayOf = ({ locationId, date }: VersionCounts): string => rollupPk(locationId) + date;

/** Counters of several versions of one day, summed; those that cancel out are left out. */
function sumOf(versions: readonly VersionCounts[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counts } of versions) {
    for (const [name, n] of Object.entries(counts)) sum[prefix + name] = (sum[prefix + name] ?? 0) + n;
  }
  return Object.fromEntries(Object.entries(sum).filter(([, n]) => n !== 0));
}

/** Splits versions, in their order, so that each part fits into one transaction: an inquiry and a day take a write each. */
export function inCountableParts(versions: readonly VersionCounts[]): VersionCounts[][] {
  const parts: VersionCounts[][] = [];
  let items = new Set<string>();
  for (const version of versions) {
    const needed = new Set([...items, version.inquiryId, dayOf(version)]);
    const part = parts.at(-1);
    if (part && needed.size <= mostWrites) {
      part.push(version);
      items = needed;
    } else {
      parts.push([version]);
      items = new Set([version.inquiryId, dayOf(version)]);
    }
  }
  return parts;
}

export type Rollups = ReturnType<typeof createRollups>;

export function createRollups(table: Table) {
  return {
    /**
     * Counts versions of inquiries in one transaction: each version once, however often and in whatever
     * company its change is delivered. An inquiry has one marker with an attribute for each version
     * counted, so that its versions neither depend on each other's order nor take an item each.
     *
     * @param versions - different ones; as many as `inCountableParts` puts together
     */
    async count(versions: readonly VersionCounts[], now: Date): Promise<CountOutcome> {
      const expiresAt = markerExpiry(now);
      const inquiries = [...Map.groupBy(versions, ({ inquiryId }) => inquiryId)];
      const marks = inquiries.map(([inquiryId, theirs]): Write => {
        const names = theirs.map(({ version }) => versionMark(version));
        return {
          update: inquiryCounted(inquiryId),
          set: { ...Object.fromEntries(names.map((name) => [name, true])), expiresAt },
          when: [names.map((name) => [name, 'absent'])],
        };
      });
      const days = [...Map.groupBy(versions, dayOf).values()].flatMap((ofDay): Write[] => {
        const [{ locationId, date }] = ofDay as [VersionCounts];
        const add = sumOf(ofDay);
        return Object.keys(add).length === 0
          ? []
          : [{ update: rollup(locationId, date), add: { ...add, version: 1 } }];
      });
      const done = await table.transact([...marks, ...days]);
      if (done.committed) return { outcome: 'counted' };
      const before = inquiries.flatMap(([, theirs], i) => {
        const marker = done.failed.get(i);
        return theirs.filter(({ version }) => marker?.[versionMark(version)] !== undefined);
      });
      return before.length > 0 ? { outcome: 'refused', before: new Set(before) } : { outcome: 'busy' };
    },

    /** The day of a location with its version, which each count raises. */
    async day(locationId: string, date: string): Promise<DayCounts & { readonly version: number }> {
      const row = await table.get(rollup(locationId, date), { consistent: true });
      return { date, counts: row ? parseCounts(row) : {}, version: Number(row?.['version'] ?? 0) };
    },

    /** Marks all versions of an inquiry up to one as counted, so that no change of before counts any more. */
    async markCounted(inquiryId: string, upTo: number, now: Date): Promise<void> {
      const names = Array.from({ length: upTo }, (_, i) => versionMark(i + 1));
      await table.write({
        update: inquiryCounted(inquiryId),
        set: { ...Object.fromEntries(names.map((name) => [name, true])), expiresAt: markerExpiry(now) },
      });
    },

    /** Adds to the counters of a day; refused where something was counted since it had that version. */
    async correct(locationId: string, date: string, add: Counts, version: number): Promise<boolean> {
      const written = await table.write({
        update: rollup(locationId, date),
        add: {
          ...Object.fromEntries(Object.entries(add).map(([name, n]) => [prefix + name, n])),
          version: 1,
        },
        when: [[version === 0 ? ['version', 'absent'] : ['version', '=', version]]],
      });
      return written.committed;
    },

    /** The days of a location from one date to another, both included. */
    async days(locationId: string, from: string, to: string): Promise<DayCounts[]> {
      const rows = await queryAll(table, { pk: rollupPk(locationId), from: `DAY#${from}`, to: `DAY#${to}` });
      return rows.map((row) => ({ date: row.sk.slice('DAY#'.length), counts: parseCounts(row) }));
    },
  };
}
