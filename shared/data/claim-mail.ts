/** The claim on a mail that is under way: one sender at a time has it. */
import type { Key } from './keys.ts';
import type { Row, Table } from './table.ts';

/**
 * Claims the sending of the mail that an item asks for: the item for one caller
 * only, until the lease of `leaseMs` runs out; undefined for all others. The claim
 * touches no index attribute.
 */
export async function claimMail(
  table: Table,
  key: Key,
  now: Date,
  leaseMs: number,
): Promise<Row | undefined> {
  const written = await table.write({
    update: key,
    set: { mailState: 'sending', mailAt: now.toISOString() },
    add: { version: 1 },
    when: [
      [['mailState', '=', 'pending']],
      [
        ['mailState', '=', 'sending'],
        ['mailAt', '<=', new Date(now.getTime() - leaseMs).toISOString()],
      ],
    ],
  });
  return written.committed ? written.row : undefined;
}
