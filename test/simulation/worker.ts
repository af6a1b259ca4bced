/** One run after the other, in a thread of its own. */
// Schemas that are compiled before they are used take half the time; a seed has the same history without.
import 'zod/compile';
import { parentPort } from 'node:worker_threads';
import type { Aim } from '../../simulation/adverse/plan.ts';
import { type RunOptions, type RunResult, runAdverse } from '../../simulation/adverse/run.ts';

/** What of a run is told across threads. */
export type Told = Omit<RunResult, 'sites'> & {
  readonly sites: readonly [name: string, calls: number, before: number, after: number][];
  readonly tookMs: number;
  readonly aims: readonly Aim[];
};

process.env['TZ'] = 'UTC';
parentPort?.on('message', async (options: RunOptions) => {
  const before = performance.now();
  const { sites, ...rest } = await runAdverse(options);
  const told: Told = {
    ...rest,
    sites: [...sites].map(([name, site]) => [name, site.calls, site.before, site.after]),
    tookMs: performance.now() - before,
    aims: options.aims ?? [],
  };
  parentPort?.postMessage(told);
});
