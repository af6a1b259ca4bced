/**
 * `npm run practice -- <command>`: the practice's configuration from a file, its triage rules and what
 * can be learned from its own inquiries. One file in `commands/` for each group of commands.
 */
import { runCommand } from './commands/run.ts';
import { runFromTerminal } from './entry.ts';

await runFromTerminal(runCommand);
