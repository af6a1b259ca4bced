/** The functions' bundles: their bytes, and how long they take to import beside bare handlers. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { bundling } from '../lib/constructs/firstcall-function.ts';
import { readAssembly } from '../local/template/assembly.ts';
import { type FunctionPlan, planOf } from '../local/template/plan.ts';
import { workerSettings } from '../local/workers/environment.ts';
import { ensureAssembly } from '../test/system/harness.ts';
import { median } from './median.ts';

const projectRoot = resolve(import.meta.dirname, '..');

async function functionPlans(): Promise<readonly FunctionPlan[]> {
  return planOf(readAssembly(await ensureAssembly())).functions;
}

const bundleOf = ({ bundleFile }: FunctionPlan): string => `${bundleFile}.mjs`;

/** Bytes of each function's bundle, as the stacks make it. */
export async function bundleBytes(): Promise<Record<string, number>> {
  const plans = await functionPlans();
  return Object.fromEntries(plans.map((plan) => [plan.shortName, statSync(bundleOf(plan)).size]));
}

/** What the stacks tell esbuild, in its own words. */
const esbuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: bundling.minify ?? false,
  mainFields: bundling.mainFields ?? [],
  external: bundling.externalModules ?? [],
  banner: { js: bundling.banner ?? '' },
  absWorkingDir: projectRoot,
  logLevel: 'error',
} as const;

/** The SDK's names that a function's own sources import, by package. */
async function sdkImports(name: string): Promise<Map<string, Set<string>>> {
  const { metafile } = await build({
    ...esbuildOptions,
    entryPoints: [join('functions', name, 'handler.ts')],
    write: false,
    metafile: true,
    outfile: 'index.mjs',
  });
  const imports = new Map<string, Set<string>>();
  for (const source of ownSources(metafile)) {
    const text = readFileSync(join(projectRoot, source), 'utf8');
    for (const [, names = '', from = ''] of text.matchAll(
      /^import \{([^}]*)\} from '(@aws-sdk\/[^']+)';$/gm,
    )) {
      const values = names
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && !part.startsWith('type '));
      imports.set(from, new Set([...(imports.get(from) ?? []), ...values]));
    }
  }
  return imports;
}

/** Sources of this project whose code is in a bundle. */
function ownSources({ outputs }: Metafile): string[] {
  const [output] = Object.values(outputs);
  return Object.entries(output?.inputs ?? {})
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && /^(functions|shared)\//.test(path))
    .map(([path]) => path);
}

/** A handler that has a function's SDK clients and nothing else. */
async function buildBareHandler(name: string, folder: string): Promise<string> {
  const imports = [...(await sdkImports(name))].filter(([, names]) => names.size > 0);
  const names = imports.flatMap(([, imported]) => [...imported]);
  const clients = names.filter((each) => each.endsWith('Client') && each !== 'DynamoDBDocumentClient');
  const source = [
    ...imports.map(([from, imported]) => `import { ${[...imported].join(', ')} } from '${from}';`),
    `const clients = [${clients.map((client) => `new ${client}({})`).join(', ')}];`,
    ...(names.includes('DynamoDBDocumentClient')
      ? ['clients.push(DynamoDBDocumentClient.from(new DynamoDBClient({})));']
      : []),
    `export const handler = async () => [clients.length, ${names.map((each) => `${each}.name`).join(', ')}];`,
  ].join('\n');
  const entry = join(folder, `${name}.ts`);
  const outfile = join(folder, `${name}.mjs`);
  writeFileSync(entry, source);
  await build({
    ...esbuildOptions,
    entryPoints: [entry],
    nodePaths: [join(projectRoot, 'node_modules')],
    outfile,
  });
  return outfile;
}

export interface ImportTime {
  readonly ms: number;
  readonly bareMs: number;
  /** The median of the ratios of each pair of runs. */
  readonly ratio: number;
  readonly bareBytes: number;
}

/** Imports each bundle and its bare handler in turns, each time in a new process. */
export async function importTimes(
  runs: number,
  report: (line: string) => void = () => {},
): Promise<Record<string, ImportTime>> {
  const plans = await functionPlans();
  const folder = mkdtempSync(join(tmpdir(), 'firstcall-bench-'));
  try {
    const pairs = await Promise.all(
      plans.map(async (plan) => {
        const bare = await buildBareHandler(plan.shortName, folder);
        return { plan, bare, full: bundleOf(plan), times: [] as { ms: number; bareMs: number }[] };
      }),
    );
    // The first round brings the files into memory and is not counted.
    for (let run = 0; run <= runs; run++) {
      report(run === 0 ? 'importing each bundle: warm-up' : `importing each bundle: ${run} of ${runs}`);
      for (const { plan, bare, full, times } of pairs) {
        const environment = environmentOf(plan);
        // In turns, which of the two is first.
        const first = await importMs(run % 2 === 0 ? full : bare, environment);
        const second = await importMs(run % 2 === 0 ? bare : full, environment);
        const [ms, bareMs] = run % 2 === 0 ? [first, second] : [second, first];
        if (run > 0) times.push({ ms, bareMs });
      }
    }
    return Object.fromEntries(
      pairs.map(({ plan, bare, times }) => [
        plan.shortName,
        {
          ms: median(times.map(({ ms }) => ms)),
          bareMs: median(times.map(({ bareMs }) => bareMs)),
          ratio: median(times.map(({ ms, bareMs }) => ms / bareMs)),
          bareBytes: statSync(bare).size,
        },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A function's environment, with engines that nobody asks: nothing is called at import. */
function environmentOf(plan: FunctionPlan): Readonly<Record<string, string>> {
  const nobody = 'http://127.0.0.1:9';
  return workerSettings(plan, {
    origin: nobody,
    endpoints: { dynamodb: nobody, sqs: nobody, ses: nobody, secretsManager: nobody },
    logFile: '',
    concurrency: 1,
    queueUrl: (name) => `${nobody}/${name}`,
  }).environment;
}

/** Milliseconds that a new process takes to import a module. */
async function importMs(file: string, environment: Readonly<Record<string, string>>): Promise<number> {
  const script = `const start = performance.now();
await import(${JSON.stringify(pathToFileURL(file).href)});
console.log('took', performance.now() - start);
process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...environment, PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
    });
  }
  await new Promise<void>((done) => child.once('close', () => done()));
  const [, took] = /^took ([\d.]+)$/m.exec(printed) ?? [];
  if (took === undefined) throw new Error(`${relative(projectRoot, file)} cannot be imported:\n${printed}`);
  return Number(took);
}
