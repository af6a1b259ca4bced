/** How a repetition of a request is told: by the key that its sender gave it. */
import { type MadeRecord, parseMadeRecord, recordAnswer } from '../../shared/data/idempotency.ts';
import { idempotency } from '../../shared/data/keys.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { limits } from '../../shared/domain/text-fields.ts';
import { headerOf } from '../../shared/http/body.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import type { Request } from './staff-route.ts';

/** How a repetition of a request is told, and that it is one of the same content. */
export interface Identity {
  readonly key: string;
  readonly content: string;
}

/** The key that was given with a request, and what was sent. @throws Problem `invalid_fields` */
export function identityOf({ event }: Pick<Request, 'event'>, sent: unknown): Identity | undefined {
  const key = headerOf(event.headers, 'idempotency-key')?.trim() || undefined;
  if (key === undefined) return undefined;
  if (key.length <= limits.short && /^[\x20-\x7E]+$/.test(key)) return { key, content: JSON.stringify(sent) };
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
    { field: 'Idempotency-Key', reason: `must be at most ${limits.short} printable ASCII characters` },
  ]);
}

/**
 * @param same - the digests of whatever is the same request
 * @throws Problem `idempotency_conflict` where the first request under a key was another one
 */
export function checkSame(first: { readonly bodyDigest: string }, ...same: readonly string[]): void {
  if (same.includes(first.bodyDigest)) return;
  throw new Problem(
    'idempotency_conflict',
    'This key came before, with other content. Use a new key for a new entry.',
  );
}

export interface RepetitionDependencies {
  readonly table: Table;
  readonly environment: Environment;
  readonly openDigest: () => Promise<Digest>;
}

/**
 * What a member made under a key before, and the writes that note what is made now, refused where
 * somebody was faster; neither without a key.
 *
 * @throws Problem `idempotency_conflict`
 */
export async function madeBefore(
  { table, environment, openDigest }: RepetitionDependencies,
  what: 'task' | 'appointment',
  memberId: string,
  identity: Identity | undefined,
): Promise<{
  readonly earlier?: MadeRecord | undefined;
  readonly note: (made: Pick<MadeRecord, 'id' | 'contactId'>) => Write[];
}> {
  if (!identity) return { note: () => [] };
  const digest = await openDigest();
  const keyDigest = digest('idempotency', `${what} ${memberId} ${identity.key}`);
  const bodyDigest = digest('body', identity.content);
  const now = environment.now();
  const earlier = parseMadeRecord(await table.get(idempotency(keyDigest), { consistent: true }), now);
  if (earlier) checkSame(earlier, bodyDigest);
  return {
    earlier,
    note: ({ id, contactId }) => [recordAnswer(keyDigest, { id, contactId, bodyDigest }, now)],
  };
}
