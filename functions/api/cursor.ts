/** Cursors: where the next page starts, opaque to callers and bound to the list they came from. */
import * as z from 'zod';
import type { IndexName } from '../../shared/data/table.ts';
import { Problem } from '../../shared/http/problem.ts';

// DynamoDB takes no empty key, and none of ours is nearly as long.
const cursorSchema = z.lazy(() =>
  z.object({ list: z.string(), after: z.record(z.string(), z.string().min(1).max(300)) }),
);

/** From which value on to which: DynamoDB starts at no other than the query could have come to. */
type Range = readonly [from: string, to: string];

/** The attributes of a list's starting points, each with its value where only one can be right, or their range. */
export type CursorShape = Readonly<Record<string, string | Range | undefined>>;

/** Starting points within one partition of an index, or within a part of it. */
export const startsIn = (index: IndexName, pk: string, range?: Range): CursorShape => ({
  pk: undefined,
  sk: undefined,
  [`${index}Pk`]: pk,
  [`${index}Sk`]: range,
});

const allows = (wanted: CursorShape[string], value: string | undefined): boolean =>
  value !== undefined &&
  (typeof wanted === 'object' ? wanted[0] <= value && value <= wanted[1] : (wanted ?? value) === value);

const fits = (after: Readonly<Record<string, string>>, shape: CursorShape): boolean =>
  Object.keys(after).length === Object.keys(shape).length &&
  Object.entries(shape).every(([name, wanted]) => allows(wanted, after[name]));

/** Writes a cursor for a list; the index keys in it hold ids and times, nothing personal. */
export const toCursor = (list: string, after: Record<string, unknown>): string =>
  Buffer.from(JSON.stringify({ list, after })).toString('base64url');

/**
 * Reads a cursor.
 *
 * @throws Problem `invalid_fields` where it is none, or of another list
 */
export function fromCursor(
  list: string,
  cursor: string | undefined,
  shape: CursorShape,
): Record<string, unknown> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parsed = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (parsed.list === list && fits(parsed.after, shape)) return parsed.after;
  } catch {
    // Falls through: whatever is wrong with it, it is not a cursor of this list.
  }
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
    { field: 'cursor', reason: 'is not a cursor of this list' },
  ]);
}
