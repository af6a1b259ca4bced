/** What does not fit into one transaction, in several. */
import { mostWrites } from './table.ts';

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
