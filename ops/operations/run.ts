/** The commands of `npm run ops`, by name. */
import { Refusal } from '../terminal.ts';
import { exportRows, importRows, restoreDrill } from './backup.ts';
import { dlq } from './dlq.ts';
import { reconcile } from './reconcile.ts';

const usage = `Usage: npm run ops -- <command> [...]

Dead letters: work that failed again and again
  dlq list                 how many each queue holds, since when, and what that means
  dlq show <queue>         what each is about and why it failed, by ids and codes
  dlq redrive <queue>      sends them again, once what was wrong is mended:
                           --all, or the ids that show prints

Whether everything that is kept twice agrees: indexes, queues, scores, timelines, counts of work
  reconcile                goes through all inquiries, beside the running system; ends with 1 where
                           something is found, and mends it with --repair

The table's rows as a file, and back
  export <file>            writes every row; it holds what patients wrote, in the clear
  import <file>            puts them into an empty table, and compares; --continue where it was cut off
  restore-drill            here alone: exports, wipes, imports, waits for the sweep, and compares

The system is the one that runs here (npm start), or that of TABLE_NAME, the output of the stack
Foundation, in the AWS account and region of the environment. Why and when: docs/runbooks/.`;

const operations: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  dlq,
  reconcile,
  export: exportRows,
  import: importRows,
  'restore-drill': restoreDrill,
};

/**
 * Runs one command; what it has to say goes to the terminal.
 *
 * @throws Refusal for what whoever runs it can set right, in a line
 */
export async function runOperation([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) throw new Refusal(usage);
  if (['help', '--help', '-h'].includes(name) || args.includes('--help')) return console.log(usage);
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (operation === undefined) throw new Refusal(`There is no command ${name}. See: npm run ops -- help`);
  await operation(args);
}
