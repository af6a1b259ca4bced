/** Leaves a note of each failure in the table, for whoever looks at its dead letter. */
import { createFailures } from '../data/failures.ts';
import type { Table } from '../data/table.ts';
import { describeError, logger } from './lambda.ts';

/**
 * Notes a failure beside its log line. What cannot be noted stands in the log alone: the failure itself
 * is what counts, and goes its way.
 *
 * @param of - a message's id, or a stream record's sequence number
 * @param about - the key of the item that a stream record was of
 */
export type NoteFailure = (of: string, error: unknown, about?: string) => Promise<void>;

export function noteFailuresIn(table: Table): NoteFailure {
  const failures = createFailures(table);
  return async (of, error, about) => {
    try {
      await failures.note(of, error, new Date(), about);
    } catch (failed) {
      logger.warn('failure not noted', describeError(failed));
    }
  };
}
