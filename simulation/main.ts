/** `npm run simulate`: an afternoon of a practice, replayed at speed through the real functions. */
import { parseArgs } from 'node:util';
import { checkJava, checkPort } from '../local/preflight.ts';
import { LocalProblem } from '../local/problem.ts';
import { openPractice } from '../ops/files.ts';
import { codeOf } from '../ops/system.ts';
import { Refusal } from '../ops/terminal.ts';
import { figuresOf, tableOf } from './figures.ts';
import { inboxText, openInbox } from './inbox.ts';
import { momentOf } from './moment.ts';
import { type Progress, type Simulated, type SimulationOptions, simulate } from './simulate.ts';

const usage = `Usage: npm run simulate -- --practice <file> [...]

  --practice <file>   whose practice it is
  --inquiries <n>     how many people write; 500 unless told
  --from <moment>     when it begins: "Fri 15:00", or "2026-11-13 15:00"; in the first location's zone
  --until <moment>    when it ends; "Mon 12:00" unless told
  --seed <n>          decides everything: the same seed, the same table; 1 unless told
  --no-inbox          ends with the table; otherwise the mails and the data of the run can be looked at`;

const mostInquiries = 100_000;
const longestDays = 31;

interface Wanted extends SimulationOptions {
  readonly inbox: boolean;
}

/** The options as they were given. @throws Refusal */
function optionsOf(args: readonly string[]) {
  try {
    return parse(args).values;
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_PARSE_ARGS')) throw error;
    // Its first sentence says what; what follows is advice for programmers.
    const [what = ''] = (error as Error).message.split(/\.(?:\s|$)/);
    throw new Refusal(`${what}.`);
  }
}

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      practice: { type: 'string' },
      inquiries: { type: 'string', default: '500' },
      from: { type: 'string', default: 'Fri 15:00' },
      until: { type: 'string', default: 'Mon 12:00' },
      seed: { type: 'string', default: '1' },
      'no-inbox': { type: 'boolean', default: false },
    },
  });

/** @throws Refusal saying in one line what is wrong */
export function readArguments(args: readonly string[]): Wanted {
  const values = optionsOf(args);
  const whole = (name: 'inquiries' | 'seed', least: number, most: number): number => {
    const n = Number(values[name]);
    if (!Number.isInteger(n) || n < least || n > most)
      throw new Refusal(`--${name} must be a whole number from ${least} to ${most}.`);
    return n;
  };
  const inquiries = whole('inquiries', 1, mostInquiries);
  const seed = whole('seed', 0, 2 ** 31 - 1);
  if (values.practice === undefined)
    throw new Refusal('Name the practice file: --practice practices/dermatology.yaml');
  const { practice } = openPractice(values.practice);
  const timeZone = practice.locations[0]?.timeZone ?? 'UTC';
  const moment = (name: 'from' | 'until', notBefore?: Date): Date => {
    const found = momentOf(values[name], timeZone, notBefore);
    if (!found) throw new Refusal(`--${name} must be a moment such as "Fri 15:00" or "2026-11-13 15:00".`);
    return found;
  };
  const from = moment('from');
  const until = moment('until', from);
  const days = (until.getTime() - from.getTime()) / 86_400_000;
  if (days <= 0 || days > longestDays)
    throw new Refusal(`--until must be later than --from, by at most ${longestDays} days.`);
  return { practice, inquiries, seed, from, until, inbox: !values['no-inbox'] };
}

function hourPrinter({ practice, inquiries }: SimulationOptions): (progress: Progress) => void {
  const timeZone = practice.locations[0]?.timeZone ?? 'UTC';
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const isTerminal = process.stderr.isTTY === true;
  return ({ at, arrived, waiting, open, mails, violations }) => {
    const line = `${clock.format(at).replace(',', '')}  ${arrived}/${inquiries} arrived, ${open} open, ${waiting} waiting, ${mails} mails, ${violations} violations`;
    process.stderr.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
  };
}

/** What went wrong beside the checks: answers that were no success, dead letters, faults. */
function troublesOf({ world, options, acknowledged, faults }: Simulated): string[] {
  const lost = options.inquiries - acknowledged;
  return [
    ...(lost > 0 ? [`${lost} of ${options.inquiries} inquiries were not acknowledged`] : []),
    ...faults,
    ...world.troubles.map(({ at, where, error }) => `${at}  ${where}: ${error.name}: ${error.message}`),
  ];
}

/** The most lines that are printed of what went wrong. */
const mostShown = 20;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.length === 0 || args.includes('--help')) {
    console.log(usage);
    return;
  }
  // As in Lambda.
  process.env['TZ'] = 'UTC';
  const wanted = readArguments(args);
  const port = Number(process.env['PORT'] ?? 4000);
  // Before the run, not after it.
  if (wanted.inbox) await Promise.all([checkJava(), checkPort(port)]);
  const startedMs = performance.now();
  const done = await simulate({ ...wanted, origin: `http://localhost:${port}`, onHour: hourPrinter(wanted) });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`\n${tableOf(figuresOf(done))}\n`);

  const wrong = [
    ...done.observer.violations.map(({ check, at, about }) => `${at}  ${check}: ${about}`),
    ...troublesOf(done),
  ];
  for (const line of wrong.slice(0, mostShown)) console.error(line);
  if (wrong.length > mostShown) console.error(`and ${wrong.length - mostShown} more`);
  if (wrong.length > 0) process.exitCode = 1;
  console.error(`${wanted.inquiries} inquiries in ${seconds} s`);
  if (wanted.inbox) await showInbox(done, port);
}

/** Keeps the inbox and the system open until somebody ends it. */
async function showInbox(done: Simulated, port: number): Promise<void> {
  const report = (line: string): void => console.error(`· ${line}`);
  const system = await openInbox(done, { port, report });
  console.log(`\n${inboxText(system)}`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  await system.stop();
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const ours = error instanceof Refusal || error instanceof LocalProblem;
    console.error(ours ? (error as Error).message : error);
    process.exitCode = 1;
  }
}
