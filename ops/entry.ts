/** What every command line begins with: a mistake is told in a line, and ends with code 1. */
import { codeOf } from './system.ts';
import { Refusal } from './terminal.ts';

export async function runFromTerminal(run: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    const ours = error instanceof Refusal || codeOf(error).startsWith('ERR_PARSE_ARGS');
    console.error(ours ? (error as Error).message : error);
    process.exitCode = 1;
  }
}
