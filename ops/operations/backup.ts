/** `export`, `import`, `restore-drill`: the table's rows as a file, and back. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { duePk, dueShardCount, dueUntil, inquiryPk, inquirySk } from '../../shared/data/keys.ts';
import { queryAll, type Table } from '../../shared/data/table.ts';
import { checkSecret, type SecretCheck } from '../digest-secret.ts';
import { type ExportFile, readExport, rowsOf, writeExport } from '../export-file.ts';
import { pathOf } from '../files.ts';
import { isEmpty, putBack, scan, wipe } from '../rows.ts';
import { onSystem, type System } from '../system.ts';
import { type Compared, compare, type Tally, tallyOf } from '../tally.ts';
import { count, createProgress, layOut, Refusal } from '../terminal.ts';
import { reconcileSystem } from './reconcile.ts';

/** One file, and nothing more than that. */
function oneFile(positionals: readonly string[], command: string): string {
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0)
    throw new Refusal(`Give one file: npm run ops -- ${command} <file>`);
  return pathOf(file);
}

const secretNote = ({ digestVersions }: ExportFile): string =>
  digestVersions.length === 0
    ? 'No key in it needs the HMAC secret.'
    : `Its keys need the HMAC secret of version ${digestVersions.join(', ')}, which is not in it: without that secret nobody is found again.`;

const exportTo = (system: System, path: string): Promise<ExportFile> =>
  writeExport(
    path,
    { table: system.tableName, at: new Date().toISOString() },
    scan(system),
    createProgress('Rows exported'),
  );

export async function exportRows(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const path = oneFile(positionals, 'export');
  const whole = await onSystem((system) => exportTo(system, path));
  console.log(`Wrote ${count(whole.rows, 'row')} of ${whole.table} to ${path}.`);
  console.log(
    'IT HOLDS WHAT PATIENTS WROTE, IN THE CLEAR; only you may read it (mode 600). Keep it on an encrypted disk, and delete it when it has served.',
  );
  console.log(secretNote(whole));
}

/** In words, and whether all is well. */
function secretInWords(check: SecretCheck | undefined): {
  readonly words: string;
  readonly isWrong: boolean;
} {
  if (!check) return { words: 'not looked at: name it with HMAC_SECRET_ARN', isWrong: false };
  const { checked, fitting } = check;
  if (checked === 0) return { words: 'nobody to look at', isWrong: false };
  return fitting === checked
    ? { words: `fits (${count(checked, 'contact point')} looked at)`, isWrong: false }
    : { words: `DOES NOT FIT: ${fitting} of ${checked} contact points`, isWrong: true };
}

const tableOf = (before: Tally, after: Tally, heads: readonly [string, string]): string =>
  layOut(
    ['what', ...heads, ''],
    [...before.counts].map(([name, n]) => {
      const now = after.counts.get(name) ?? 0;
      return [name, String(n), String(now), now === n ? '' : now < n ? 'MISSING' : 'more'];
    }),
  );

const comparedInWords = ({ same, movedOn, different, missing }: Compared): string =>
  `rows: ${same} the same, ${movedOn} gone on since, ${different} different, ${missing} missing`;

export async function importRows(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { continue: { type: 'boolean', default: false } },
  });
  const path = oneFile(positionals, 'import');
  const whole = await readExport(path);
  await onSystem(async (system) => {
    const { tableName } = system;
    if (!values.continue && !(await isEmpty(system))) {
      throw new Refusal(
        `The table ${tableName} holds rows already: an import goes into an empty one. Was it this import, cut off? Then: --continue`,
      );
    }
    const { put, there } = await putBack(
      system,
      () => rowsOf(path),
      new Date(),
      createProgress('Rows imported'),
    );
    const [before, after] = [await tallyOf(rowsOf(path)), await tallyOf(scan(system))];
    console.log(tableOf(before, after, ['in the file', 'in the table']));
    const compared = compare(before, after);
    const secret = secretInWords(await checkSecret(system, scan(system)));
    console.log(`\n${comparedInWords(compared)}\nHMAC secret: ${secret.words}`);
    console.log(`Put ${count(put, 'row')}${there > 0 ? `, ${there} were there` : ''}. ${secretNote(whole)}`);
    if (compared.missing > 0 || compared.different > 0 || secret.isWrong) process.exitCode = 1;
    else console.log('Next: npm run ops -- reconcile --repair');
  });
}

/** Open inquiries without an entry on the due index. */
async function offTheClock(table: Table, { openIds }: Tally): Promise<number> {
  const shards = await Promise.all(
    Array.from({ length: dueShardCount }, (_, shard) => queryAll(table, { index: 'due', pk: duePk(shard) })),
  );
  const due = new Set(shards.flat().flatMap(({ pk, sk }) => (sk === inquirySk.head ? [pk] : [])));
  return [...openIds].filter((id) => !due.has(inquiryPk(id))).length;
}

/** Entries that are due since before some moment. */
export async function overdue(table: Table, since: Date): Promise<number> {
  const shards = await Promise.all(
    Array.from({ length: dueShardCount }, (_, shard) =>
      queryAll(table, { index: 'due', pk: duePk(shard), to: dueUntil(since.toISOString()) }),
    ),
  );
  return shards.flat().length;
}

/** The sweep runs each minute; two of them take whatever there is. */
const sweptWithinMs = 150_000;

/** Waits for the system's own sweeps to take what is due; gives what they left. */
async function untilSwept(table: Table): Promise<number> {
  const since = new Date();
  const progress = createProgress('Waiting for the sweep, which runs each minute; entries due');
  for (;;) {
    const left = await overdue(table, since);
    if (left === 0 || Date.now() - since.getTime() > sweptWithinMs) return left;
    progress(left);
    await sleep(500);
  }
}

export async function restoreDrill(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  await onSystem(async (system) => {
    const { table, home, tableName } = system;
    if (home === undefined) {
      throw new Refusal(
        'The drill wipes the table: it runs on the system of npm start alone. On AWS: docs/runbooks/restore.md',
      );
    }
    const startedAt = Date.now();
    const path = join(home, `restore-drill-${startedAt}.jsonl`);
    const whole = await exportTo(system, path);
    const before = await tallyOf(rowsOf(path));
    console.log(
      `Exported ${count(whole.rows, 'row')} of ${tableName}. Wiping the table, then importing them.`,
    );
    await wipe(system, createProgress('Rows wiped'));
    const importedAt = Date.now();
    await putBack(system, () => rowsOf(path), new Date(), createProgress('Rows imported'));
    const tookMs = Date.now() - importedAt;

    const left = await untilSwept(table);
    const after = await tallyOf(scan(system));
    const compared = compare(before, after);
    const unclocked = await offTheClock(table, after);
    const { findings } = await reconcileSystem(system, false);
    const secret = secretInWords(await checkSecret(system, scan(system)));
    console.log(`\n${tableOf(before, after, ['before', 'after'])}\n`);
    console.log(comparedInWords(compared));
    console.log(`open inquiries off the clock: ${unclocked}`);
    console.log(`due and not taken by a sweep: ${left}`);
    console.log(`differences that reconcile finds: ${findings.length}`);
    console.log(`HMAC secret: ${secret.words}`);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    const perSecond = Math.round(whole.rows / Math.max(tookMs / 1000, 0.001));
    const faults = compared.missing + compared.different + unclocked + left + findings.length;
    if (faults === 0 && !secret.isWrong) {
      rmSync(path);
      console.log(`\nThe restore holds: ${seconds} s in all, ${perSecond} rows imported per second.`);
      console.log('The log of report names audit entries that were removed: the drill removed them.');
      return;
    }
    process.exitCode = 1;
    console.log(`\nThe restore DOES NOT HOLD. What was exported is kept: ${path} (mode 600).`);
  });
}
