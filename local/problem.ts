/**
 * Something the person at the machine can put right: its message is one line
 * that says what to do, and is printed without a stack trace.
 */
export class LocalProblem extends Error {
  override name = 'LocalProblem';
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
