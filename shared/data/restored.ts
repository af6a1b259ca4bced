/** Rows that came back from a file: in the stream they look like new ones, and nothing new has happened. */
import type { Row } from './table.ts';

/** When a row came back. It goes with the row's next change of state. */
const attribute = 'restoredAt';

export const asRestored = (row: Row, now: Date): Row => ({ ...row, [attribute]: now.toISOString() });

/** Whether a row that a stream brings as new was only put back. */
export const isRestored = (row: Readonly<Record<string, unknown>>): boolean => row[attribute] !== undefined;

/** The row as it was before. */
export function asBefore(row: Row): Row {
  const { [attribute]: _at, ...rest } = row;
  return rest as Row;
}
