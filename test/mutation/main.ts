/**
 * `npm run test:mutation`: takes away what the promises rest on, one thing at a time and in a copy, and
 * runs the tests that must notice, one layer after the other until one does. Ends with code 1 where none
 * does. docs/testing.md says more.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type Mutant, mutants } from './mutants.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    layer: { type: 'string' },
    'at-once': { type: 'string', default: '2' },
  },
});
const root = resolve(import.meta.dirname, '../..');
/** Everything that tests read; dependencies are shared. */
const copied = [
  'bin',
  'cdk.json',
  'docs',
  'functions',
  'lib',
  'local',
  'ops',
  'package-lock.json',
  'package.json',
  'practices',
  'shared',
  'simulation',
  'test',
  'tsconfig.json',
  'vitest.config.ts',
];

const reportSchema = z.object({
  numFailedTests: z.int(),
  numPassedTests: z.int(),
  testResults: z.array(
    z.object({
      message: z.string().optional(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

type Tried =
  | { readonly outcome: 'killed'; readonly by: string }
  | { readonly outcome: 'survived' | 'broken'; readonly said: string };

function makeCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'firstcall-mutation-'));
  for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const layerOf = (test: string): string => test.split('/')[1] ?? '';

/** Runs test files of one layer; gives the report, or what was printed where there is none. */
async function runTests(
  copy: string,
  layer: string,
  tests: readonly string[],
): Promise<z.infer<typeof reportSchema> | string> {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = ['run', '--bail', '1', '--reporter', 'json', '--outputFile', report, ...tests];
  const vitest = join(copy, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, ...args, '--project', layer], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  await new Promise((done) => child.once('close', done));
  try {
    return reportSchema.parse(JSON.parse(readFileSync(report, 'utf8')));
  } catch {
    return printed.slice(-2_000);
  }
}

async function tryMutant(copy: string, { file, find, replace, tests }: Mutant): Promise<Tried> {
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  const parts = original.split(find);
  if (parts.length !== 2)
    return { outcome: 'broken', said: `${file} has the text ${parts.length - 1} times` };
  try {
    writeFileSync(path, parts.join(replace));
    let passed = 0;
    for (const [layer, ofLayer] of Map.groupBy(tests, layerOf)) {
      if (values.layer !== undefined && layer !== values.layer) continue;
      const report = await runTests(copy, layer, ofLayer);
      if (typeof report === 'string') return { outcome: 'broken', said: report };
      const failed = report.testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .find(({ status }) => status === 'failed');
      if (failed) return { outcome: 'killed', by: failed.fullName };
      // A file that cannot be loaded fails no test: that shows nothing.
      if (report.numPassedTests === 0)
        return {
          outcome: 'broken',
          said: report.testResults.map(({ message }) => message ?? '').join('\n'),
        };
      passed += report.numPassedTests;
    }
    return { outcome: 'survived', said: `${passed} tests passed` };
  } finally {
    writeFileSync(path, original);
  }
}

const wanted = mutants.filter(
  ({ what, file, tests }) =>
    (!values.only || `${what} ${file}`.includes(values.only)) &&
    (!values.layer || tests.some((test) => layerOf(test) === values.layer)),
);
const results = new Map<Mutant, Tried>();
const started = performance.now();
let next = 0;
async function work(): Promise<void> {
  const copy = makeCopy();
  try {
    for (let i = next++; i < wanted.length; i = next++) {
      const mutant = wanted[i] as Mutant;
      const tried = await tryMutant(copy, mutant);
      results.set(mutant, tried);
      console.error(`· ${results.size} of ${wanted.length}  ${tried.outcome.padEnd(8)}  ${mutant.what}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
await Promise.all(Array.from({ length: Number(values['at-once']) }, work));

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
for (const mutant of wanted) {
  const tried = results.get(mutant);
  const detail = tried?.outcome === 'killed' ? cut(tried.by, 70) : '';
  console.log(
    `${(tried?.outcome ?? 'not tried').padEnd(9)} ${mutant.what.padEnd(58)} ${mutant.file.padEnd(42)} ${detail}`,
  );
}
const notKilled = wanted.filter((mutant) => results.get(mutant)?.outcome !== 'killed');
for (const mutant of notKilled) {
  const tried = results.get(mutant);
  console.log(`\n${mutant.what}: ${tried && 'said' in tried ? tried.said : ''}`);
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`\n${wanted.length - notKilled.length} of ${wanted.length} were noticed, ${seconds} s`);
process.exitCode = notKilled.length === 0 ? 0 : 1;
