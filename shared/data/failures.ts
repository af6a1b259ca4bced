/**
 * Notes of why work failed, for whoever finds it among the dead letters: a dead letter itself says
 * what was asked for, or where in the stream it stood, and nothing of what went wrong.
 */
import * as z from 'zod';
import { failureNote } from './keys.ts';
import type { Table } from './table.ts';

/** Dead letters are kept for two weeks. */
const keptDays = 30;
const mostAtOnce = 100;

const noteSchema = z.lazy(() =>
  z.object({
    code: z.string(),
    fields: z.array(z.string()).optional(),
    about: z.string().optional(),
    times: z.int(),
    at: z.iso.datetime(),
  }),
);

/** Why something failed, the last time. */
export interface Failure {
  /** The error's name, with its code where it has one; never its message, which may quote what it was given. */
  readonly code: string;
  /** Attributes of an item, or members of a message, that were not as they can be. */
  readonly fields?: readonly string[] | undefined;
  /** The key of the item that it was about, where the dead letter does not say. */
  readonly about?: string | undefined;
  /** How often it failed. */
  readonly times: number;
  readonly at: string;
}

/** What may be told of an error: what kind it is, and which attributes a schema refused. */
export function reasonOf(error: unknown): Pick<Failure, 'code' | 'fields'> {
  if (!(error instanceof Error)) return { code: typeof error };
  const { code } = error as { code?: unknown };
  // Names of our own attributes; below them may stand what somebody wrote.
  const fields =
    'issues' in error && Array.isArray(error.issues)
      ? [...new Set(error.issues.flatMap(({ path }: { path?: unknown[] }) => String(path?.[0] ?? '') || []))]
      : [];
  return {
    code: typeof code === 'string' ? `${error.name} ${code}` : error.name,
    ...(fields.length > 0 && { fields }),
  };
}

export function createFailures(table: Table) {
  return {
    /**
     * Notes why something failed, over the note of the time before.
     *
     * @param of - a message's id, or a stream record's sequence number
     * @param about - the key of the item that a stream record was of
     */
    async note(of: string, error: unknown, now: Date, about?: string): Promise<void> {
      const { code, fields } = reasonOf(error);
      await table.write({
        update: failureNote(of),
        set: {
          code,
          fields,
          about,
          at: now.toISOString(),
          expiresAt: Math.floor(now.getTime() / 1000) + keptDays * 86_400,
          schemaVersion: 1,
        },
        add: { times: 1 },
      });
    },

    /** The notes that there are, by what they are of. What was cut off in the middle of its work has left none. */
    async findAll(of: readonly string[]): Promise<ReadonlyMap<string, Failure>> {
      const unique = [...new Set(of)];
      const found = new Map<string, Failure>();
      for (let i = 0; i < unique.length; i += mostAtOnce) {
        const rows = await table.batchGet(unique.slice(i, i + mostAtOnce).map(failureNote));
        for (const row of rows) found.set(row.pk.slice(failureNote('').pk.length), noteSchema.parse(row));
      }
      return found;
    },
  };
}
