/**
 * `npm run ops -- <command>`: what goes on in the system itself: its dead letters, whether everything that
 * is kept twice agrees, its rows as a file. One file in `operations/` for each group of commands.
 */
import { runFromTerminal } from './entry.ts';
import { runOperation } from './operations/run.ts';

await runFromTerminal(runOperation);
