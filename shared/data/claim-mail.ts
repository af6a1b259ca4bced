/** The claim on a mail that is under way: one sender at a time has it. */
import type { Key } from './keys.ts';
import type { Row, Table, Write } from './table.ts';

const claimOf = (key: Key, now: Date, leaseMs: number): Extract<Write, { update: unknown }> => ({
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
  const written = await table.write(claimOf(key, now, leaseMs));
  return written.committed ? written.row : undefined;
}

/**
 * Claims the mails that several items ask for, in one transaction: all of them or none. Gives the items as
 * they are claimed, without those that were changed since; undefined where one was not to be claimed.
 */
export async function claimMails(
  table: Table,
  keys: readonly Key[],
  now: Date,
  leaseMs: number,
): Promise<Row[] | undefined> {
  const done = await table.transact(keys.map((key) => claimOf(key, now, leaseMs)));
  if (!done.committed) return undefined;
  const rows = await table.batchGet(keys, { consistent: true });
  return rows.filter((row) => row['mailState'] === 'sending' && row['mailAt'] === now.toISOString());
}
