/** Rows that ask `people` to follow another row once more: what it gave up is gone from the stream. */
import * as z from 'zod';
import {
  configuration,
  contactAddedPoint,
  contactMerged,
  contactPk,
  followAgain,
  inquirySk,
  type Key,
} from './keys.ts';
import { absent, type Row, type Write } from './table.ts';

/** By then it has been followed, or lies among the dead letters again. */
const keptDays = 2;

export const againSchema = z.lazy(() => z.object({ of: z.object({ pk: z.string(), sk: z.string() }) }));

export const isAgain = ({ pk }: Key): boolean => pk.startsWith(followAgain('').pk);

export const askToFollow = (id: string, { pk, sk }: Key, now: Date): Write => ({
  put: {
    ...followAgain(id),
    of: { pk, sk },
    expiresAt: Math.floor(now.getTime() / 1000) + keptDays * 86_400,
    schemaVersion: 1,
  },
  when: absent,
});

const pointPrefix = contactAddedPoint('', '').sk;
const mergedPrefix = contactMerged('', '').sk;

/** When a row that `people` follows came into being, or was last changed; undefined where it follows no such row. */
function followedSince(row: Row): string | undefined {
  const at = (name: string): string | undefined => (typeof row[name] === 'string' ? row[name] : undefined);
  if (row.sk === inquirySk.body) return row['returning'] === true ? at('receivedAt') : undefined;
  if (!row.pk.startsWith(contactPk(''))) return undefined;
  if (row.sk === 'PROFILE') return at('createdAt');
  // Of a merge that was undone, the undoing.
  if (row.sk.startsWith(mergedPrefix)) return at('undoneAt') ?? at('mergedAt');
  return row.sk.startsWith(pointPrefix) ? at('addedAt') : undefined;
}

/** Whether a row may be one that `people` was told of in some time; the configuration's version always may. */
export function mayBeFollowedIn(row: Row, { from, to }: { readonly from: Date; readonly to: Date }): boolean {
  const { pk, sk } = configuration.version;
  if (row.pk === pk && row.sk === sk) return true;
  const since = followedSince(row);
  return since !== undefined && since >= from.toISOString() && since <= to.toISOString();
}
