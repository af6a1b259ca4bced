/** Cursors: where the next page starts, opaque to callers and bound to the list they came from. */
import * as z from 'zod';
import { Problem } from '../../shared/http/problem.ts';

const cursorSchema = z.object({ list: z.string(), after: z.record(z.string(), z.string()) });

/** Writes a cursor for a list; the index keys in it hold ids and times, nothing personal. */
export const toCursor = (list: string, after: Record<string, unknown>): string =>
  Buffer.from(JSON.stringify({ list, after })).toString('base64url');

/**
 * Reads a cursor.
 *
 * @throws Problem `invalid_fields` where it is none, or of another list
 */
export function fromCursor(list: string, cursor: string | undefined): Record<string, unknown> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parsed = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (parsed.list === list) return parsed.after;
  } catch {
    // Falls through: whatever is wrong with it, it is not a cursor of this list.
  }
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
    { field: 'cursor', reason: 'is not a cursor of this list' },
  ]);
}
