/**
 * The gate: everything that must hold before a change lands, the same for a
 * developer, `npm test` and CI. Stops at the first step that fails and shows what
 * it said; the closing line counts the tests.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The zone of the machine, where it is to be another than this one's. */
  readonly timeZone?: string;
  /** Shown as it goes, for steps that take long; the others speak only when they fail. */
  readonly live?: true;
}

const folders = ['bin', 'lib', 'functions', 'shared', 'local', 'ops', 'simulation', 'bench', 'test'];
const reports = await mkdtemp(join(tmpdir(), 'firstcall-check-'));
const testReport = join(reports, 'tests.json');

/** Tests of what clocks and calendars say: the machine's own must not matter to them. */
const clockTests = [
  'availability',
  'business-time',
  'cadence',
  'escalation',
  'hold',
  'inquiry',
  'listening',
  'local-time',
  'weekly-report',
].map((name) => `test/unit/${name}.test.ts`);

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'import directions', command: ['depcruise', '--config', '.dependency-cruiser.mjs', ...folders] },
  { name: 'unused code', command: ['knip'] },
  {
    name: 'tests',
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${testReport}`],
    live: true,
  },
  {
    name: 'clocks, seen from Auckland',
    command: ['vitest', 'run', '--project', 'unit', '--reporter=dot', ...clockTests],
    timeZone: 'Pacific/Auckland',
  },
  { name: 'synth', command: ['cdk', 'synth', '--quiet'] },
];

/** Runs a step; its output is kept back unless it is live. */
function run({
  command: [program, ...args],
  live,
  timeZone,
}: Step): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...(timeZone !== undefined && { env: { ...process.env, TZ: timeZone } }),
      stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('exit', (code) => resolve({ ok: code === 0, output }));
  });
}

const reportSchema = z.object({ numPassedTests: z.int(), numFailedTests: z.int() });

/** Tests that passed and failed, as the runner reported them. */
async function countTests(): Promise<{ passed: number; failed: number }> {
  try {
    const report = reportSchema.parse(JSON.parse(await readFile(testReport, 'utf8')));
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

let failedStep: string | undefined;
for (const step of steps) {
  process.stdout.write(`${step.name} …${step.live ? '\n' : ' '}`);
  const started = Date.now();
  const { ok, output } = await run(step);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${step.live ? `${step.name}: ` : ''}${ok ? 'ok' : 'failed'} (${seconds} s)`);
  if (!ok) {
    console.log(output);
    failedStep = step.name;
    break;
  }
}

const { passed, failed } = await countTests();
await rm(reports, { recursive: true, force: true });
if (failedStep !== undefined) console.log(`The step "${failedStep}" failed; the ones after it were not run.`);
// A gate that failed outside the tests has failed too.
console.log(`${passed} passed, ${failedStep === undefined ? failed : Math.max(failed, 1)} failed`);
process.exitCode = failedStep === undefined ? 0 : 1;
