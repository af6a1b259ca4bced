/** What a table holds, counted by what it means; and whether two tables hold the same. */
import { createHash } from 'node:crypto';
import { asBefore } from '../shared/data/restored.ts';
import type { Row } from '../shared/data/table.ts';
import { isOpen } from '../shared/domain/inquiry/state.ts';
import type { Stage } from '../shared/domain/stages.ts';

/** Kinds in the order in which they are shown. */
const kinds: readonly (readonly [name: string, isOf: (row: Row) => boolean])[] = [
  ['inquiries', ({ sk }) => sk === 'HEAD'],
  ['open inquiries', (row) => row.sk === 'HEAD' && isOpen({ stage: row['stage'] as Stage })],
  ['what they sent', ({ sk }) => sk === 'BODY'],
  ['scores', ({ sk }) => sk.startsWith('SCORE#')],
  ['people', ({ sk }) => sk === 'PROFILE'],
  ['contact points', ({ pk }) => pk.startsWith('PT#')],
  ['timeline entries', ({ sk }) => sk.startsWith('ENTRY#')],
  ['tasks and appointments', ({ sk }) => sk.startsWith('TASK#') || sk.startsWith('APPOINTMENT#')],
  ['messages to people', ({ sk }) => sk.startsWith('~MESSAGE#')],
  ['days of figures', ({ pk }) => pk.startsWith('ROLLUP#')],
  ['audit entries', ({ pk }) => pk.startsWith('AUDIT#')],
  ['configuration', ({ pk }) => pk === 'CONFIG' || pk === 'RULES'],
  ['rows in all', () => true],
];

interface Known {
  readonly digest: string;
  readonly version: number;
  /** A mark or a note that the running system keeps for a while. */
  readonly expires: boolean;
}

export interface Tally {
  /** Counts by kind, in their order. */
  readonly counts: ReadonlyMap<string, number>;
  /** What is known of each row, by its key. */
  readonly rows: ReadonlyMap<string, Known>;
  readonly openIds: ReadonlySet<string>;
}

/** The same text for the same value, in whatever order its members came. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

export async function tallyOf(pages: AsyncIterable<readonly Row[]>): Promise<Tally> {
  const counts = new Map<string, number>(kinds.map(([name]) => [name, 0]));
  const rows = new Map<string, Known>();
  const openIds = new Set<string>();
  for await (const page of pages) {
    for (const row of page) {
      for (const [name, isOf] of kinds) if (isOf(row)) counts.set(name, (counts.get(name) ?? 0) + 1);
      const digest = createHash('sha256')
        .update(canonical(asBefore(row)))
        .digest('base64url');
      rows.set(`${row.pk} ${row.sk}`, {
        digest,
        version: Number(row['version'] ?? 0),
        expires: row['expiresAt'] !== undefined,
      });
      if (kinds[1]?.[1](row)) openIds.add(row.pk.slice('INQ#'.length));
    }
  }
  return { counts, rows, openIds };
}

/** How the rows of one table stand in another one. */
export interface Compared {
  readonly same: number;
  /** At a later version, or marked since: the running system has gone on. */
  readonly movedOn: number;
  readonly different: number;
  readonly missing: number;
}

export function compare(before: Tally, after: Tally): Compared {
  const compared = { same: 0, movedOn: 0, different: 0, missing: 0 };
  for (const [key, { digest, version, expires }] of before.rows) {
    const found = after.rows.get(key);
    if (!found) compared.missing += 1;
    else if (found.digest === digest) compared.same += 1;
    else if (found.version > version || expires) compared.movedOn += 1;
    else compared.different += 1;
  }
  return compared;
}
