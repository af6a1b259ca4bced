import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './home.ts';
import { LocalProblem } from './problem.ts';

/** Everything a synthesized app is made of. */
const sources = ['bin', 'lib', 'functions', 'shared', 'cdk.json', 'package-lock.json', 'tsconfig.json'];

const stampName = '.made-from';

/** A digest of the sources: the same digest, the same synthesized stacks. */
export function digestOfSources(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return;
    if (!found.isDirectory()) {
      hash.update(path).update('\0').update(readFileSync(path)).update('\0');
      return;
    }
    for (const name of readdirSync(path).sort()) add(join(path, name));
  };
  for (const source of sources) add(join(projectRoot, source));
  return hash.digest('hex');
}

/** Whether a folder holds the stacks of just these sources. */
export function isCurrent(directory: string, digest: string): boolean {
  const stamp = join(directory, stampName);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
}

/**
 * Synthesizes the development environment's stacks, without the rule packs:
 * runs the CDK app itself, which saves the CLI's start.
 *
 * @throws LocalProblem with what the app printed
 */
export async function synthesize(directory: string): Promise<void> {
  const digest = digestOfSources();
  rmSync(join(directory, stampName), { force: true });
  const settings = JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8')) as {
    context?: Record<string, unknown>;
  };
  const context = { ...settings.context, env: 'dev', nag: 'off', 'aws:cdk:enable-asset-metadata': true };
  const child = spawn(process.execPath, [join('bin', 'firstcall.ts')], {
    cwd: projectRoot,
    env: {
      ...process.env,
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const collect = (chunk: Buffer): void => {
    printed = (printed + chunk.toString('utf8')).slice(-8000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new LocalProblem(`The stacks could not be synthesized:\n${reasonIn(printed)}`);
  writeFileSync(join(directory, stampName), digest);
}

/** What the bundler complained of; where it did not, all that was printed. */
const reasonIn = (printed: string): string =>
  /✘ \[ERROR\][\s\S]*?\n\d+ errors?\n/.exec(printed)?.[0].trim() ?? printed.trim();
