/** What does not fit into one transaction, in several. */
import { mostWrites, type Table, type Write } from './table.ts';

/**
 * Packs parts into transactions, in their order. The writes of one part stay together.
 *
 * @param most - how many writes one takes; the caller may need room for its own
 */
export function inTransactions<T>(
  parts: readonly T[],
  writesOf: (part: T) => number,
  most = mostWrites,
): T[][] {
  const transactions: T[][] = [];
  let room = 0;
  for (const part of parts) {
    const writes = writesOf(part);
    const last = transactions.at(-1);
    if (last && writes <= room) last.push(part);
    else {
      transactions.push([part]);
      room = most;
    }
    room -= writes;
  }
  return transactions;
}

/**
 * Writes parts one transaction after the other, as few as hold them, as far as they commit. What fits into one
 * is written whole or not at all; else whoever repeats it finds some of it done.
 *
 * @returns whether all is committed, and whether any of it is
 */
export async function transactAll(
  table: Pick<Table, 'transact'>,
  parts: readonly (readonly Write[])[],
): Promise<{ readonly committed: boolean; readonly some: boolean }> {
  let some = false;
  for (const together of inTransactions(parts, (part) => part.length)) {
    if (!(await table.transact(together.flat())).committed) return { committed: false, some };
    some = true;
  }
  return { committed: true, some };
}
