/**
 * `npm run practice -- <command>`: the practice's configuration from a file, its triage rules and what
 * can be learned from its own inquiries. One file in `commands/` for each group of commands.
 */
import { runCommand } from './commands/run.ts';
import { codeOf } from './system.ts';
import { Refusal } from './terminal.ts';

try {
  await runCommand(process.argv.slice(2));
} catch (error) {
  const ours = error instanceof Refusal || codeOf(error).startsWith('ERR_PARSE_ARGS');
  console.error(ours ? (error as Error).message : error);
  process.exitCode = 1;
}
