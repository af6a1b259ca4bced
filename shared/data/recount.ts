/**
 * Counts the days of the reports anew from the inquiries themselves: what `report` gave up is gone from the
 * stream, and nothing else says which changes they were.
 */
import { localDate } from '../domain/business-time.ts';
import { findLocation, type Practice } from '../domain/practice.ts';
import { type Counts, countChange } from '../domain/rollup.ts';
import { parseHead } from './inquiries.ts';
import { inquirySk, rollupPk } from './keys.ts';
import { createRollups } from './rollups.ts';
import type { Row, Table } from './table.ts';

export interface Recounted {
  readonly days: number;
  /** Days whose counters were not what their inquiries come to, and now are. */
  readonly corrected: readonly string[];
  /** Days of which something was counted meanwhile: they are left to the next time. */
  readonly busy: readonly string[];
}

interface Day {
  readonly locationId: string;
  readonly date: string;
  /** As it was before any inquiry was read. */
  before: { readonly counts: Counts; readonly version: number };
  readonly counts: Record<string, number>;
  readonly versions: Map<string, number>;
}

/** What has to be added to some counters so that they are others. */
function difference(from: Counts, to: Counts): Counts {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return Object.fromEntries(
    [...names].map((name) => [name, (to[name] ?? 0) - (from[name] ?? 0)] as const).filter(([, n]) => n !== 0),
  );
}

/**
 * @param read - reads every row of the table; called twice: for the days that there are, then for the inquiries
 */
export async function recountFigures(options: {
  readonly table: Table;
  readonly practice: Practice;
  readonly read: () => AsyncIterable<readonly Row[]>;
  readonly now: () => Date;
}): Promise<Recounted> {
  const { table, practice, read, now } = options;
  const rollups = createRollups(table);
  const days = new Map<string, Day>();

  async function dayOf(locationId: string, date: string): Promise<Day> {
    const key = `${locationId} ${date}`;
    const known = days.get(key);
    if (known) return known;
    const day = {
      locationId,
      date,
      before: await rollups.day(locationId, date),
      counts: {},
      versions: new Map(),
    };
    days.set(key, day);
    return day;
  }

  /** Of what cannot be read nothing is known; reconcile says so. */
  function headOf(row: Row) {
    try {
      return parseHead(row);
    } catch {
      return undefined;
    }
  }

  async function forEachHead(use: (day: Day, head: ReturnType<typeof parseHead>) => void): Promise<void> {
    for await (const page of read()) {
      for (const row of page) {
        const head = row.sk === inquirySk.head ? headOf(row) : undefined;
        if (!head) continue;
        const { id: locationId, timeZone } = findLocation(practice, head.locationId);
        use(await dayOf(locationId, localDate(head.receivedAt, timeZone)), head);
      }
    }
  }

  // Every day first, as it stands: whatever is counted while the inquiries are read raises its version.
  await forEachHead(() => {});
  await forEachHead((day, head) => {
    for (const [name, n] of Object.entries(countChange(undefined, head))) {
      day.counts[name] = (day.counts[name] ?? 0) + n;
    }
    day.versions.set(head.id, head.version);
  });

  const [corrected, busy]: [string[], string[]] = [[], []];
  for (const { locationId, date, before, counts, versions } of days.values()) {
    const add = difference(before.counts, counts);
    if (Object.keys(add).length === 0) continue;
    const name = `${rollupPk(locationId)} ${date}`;
    // What the stream is still to bring of them has been counted by then.
    for (const [id, version] of versions) await rollups.markCounted(id, version, now());
    const done = await rollups.correct(locationId, date, add, before.version);
    (done ? corrected : busy).push(name);
  }
  return { days: days.size, corrected, busy };
}
