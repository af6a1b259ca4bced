/** The board: inquiries of every stage, newest first, as one list. */
import { stages } from '../domain/stages.ts';
import { boardOfStage } from './keys.ts';
import type { Page, Table } from './table.ts';

/**
 * One page of the newest inquiries whatever their stage: merges the newest of each, so it reads
 * `limit` of every stage at the most.
 *
 * @param after - where the page before ended
 */
export async function newestOnBoard(
  table: Table,
  limit: number,
  after?: Record<string, unknown>,
): Promise<Page> {
  const before = typeof after?.['boardSk'] === 'string' ? after['boardSk'] : undefined;
  const pages = await Promise.all(
    stages.map((stage) =>
      table.query({
        index: 'board',
        pk: boardOfStage(stage),
        newestFirst: true,
        // One more tells whether there is more, another stands for the entry that the page before ended on.
        limit: limit + 2,
        ...(before !== undefined && { to: before }),
      }),
    ),
  );
  const rows = pages
    .flatMap((page) => page.rows)
    .filter((row) => before === undefined || String(row['boardSk']) < before)
    .sort((a, b) => (String(a['boardSk']) < String(b['boardSk']) ? 1 : -1));
  const taken = rows.slice(0, limit);
  const last = taken.at(-1);
  return rows.length > limit && last
    ? { rows: taken, next: { boardSk: String(last['boardSk']) } }
    : { rows: taken };
}
