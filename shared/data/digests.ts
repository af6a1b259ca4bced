/** The digests' due items. */
import { type Digest, digestActionAt, digestSchema } from '../domain/digest.ts';
import { claimMail } from './claim-mail.ts';
import { byTime, dailyDigest, duePk, dueShardOf } from './keys.ts';
import { absent, type Row, standingAt, type Table, type Write } from './table.ts';

function digestRow(digest: Digest): Row {
  const key = dailyDigest(digest.memberId);
  return {
    ...key,
    entity: 'digest',
    duePk: duePk(dueShardOf(key.pk)),
    dueSk: byTime(digestActionAt(digest), digest.memberId),
    ...digest,
    schemaVersion: 1,
  };
}

export type Digests = ReturnType<typeof createDigests>;

export function createDigests(table: Table) {
  return {
    async find(memberId: string): Promise<Digest | undefined> {
      const row = await table.get(dailyDigest(memberId), { consistent: true });
      return row && digestSchema.parse(row);
    },

    create: (digest: Digest): Write => ({ put: digestRow(digest), when: absent }),

    /** Writes a new state over the one it was made from; refused where it is gone with its member, too. */
    save: (next: Digest): Write => ({ put: digestRow(next), when: standingAt(next.version - 1) }),

    /** Claims the sending of the digest under way, as for an inquiry's mail. */
    async claimMail(memberId: string, now: Date, leaseMs: number): Promise<Digest | undefined> {
      const row = await claimMail(table, dailyDigest(memberId), now, leaseMs);
      return row && digestSchema.parse(row);
    },
  };
}
