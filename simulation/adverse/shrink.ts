/** Makes a failing run as short as it goes: fewer inquiries, fewer faults, as long as the same thing breaks. */
import type { Fault } from './plan.ts';
import { type RunOptions, type RunResult, runAdverse } from './run.ts';
import type { AdverseCheck } from './watch.ts';

export interface Shrunk {
  readonly options: RunOptions & {
    readonly faults: readonly Fault[];
    readonly arrivals: ReadonlySet<number>;
  };
  readonly result: RunResult;
  /** How many runs it took. */
  readonly runs: number;
}

/**
 * Leaves out parts of a list, by halves and then by ever smaller pieces, as long as what is left still
 * fails: delta debugging, by Zeller and Hildebrandt (2002).
 */
async function fewest<T>(
  all: readonly T[],
  fails: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = all;
  for (let pieces = 2; left.length > 0; ) {
    const size = Math.ceil(left.length / pieces);
    let hasShrunk = false;
    for (let from = 0; from < left.length; from += size) {
      const rest = [...left.slice(0, from), ...left.slice(from + size)];
      if (!(await fails(rest))) continue;
      left = rest;
      pieces = Math.max(2, pieces - 1);
      hasShrunk = true;
      break;
    }
    if (hasShrunk) continue;
    if (size <= 1) break;
    pieces = Math.min(left.length, pieces * 2);
  }
  return left;
}

/**
 * Shrinks a run that broke something; undefined where the very faults that happened do not break it
 * again, which would be a fault of the simulator.
 *
 * @param ran - how it was run
 * @param mostRuns - when it stops with what it has
 */
export async function shrink(
  ran: RunOptions,
  failed: RunResult,
  check: AdverseCheck,
  mostRuns = 250,
): Promise<Shrunk | undefined> {
  const { inquiries } = failed;
  // The faults that happened say all that was drawn or aimed at.
  const { aims: _aims, only: _only, ...base } = ran;
  let runs = 0;
  let last: RunResult | undefined;
  async function fails(faults: readonly Fault[], arrivals: readonly number[]): Promise<boolean> {
    if (runs >= mostRuns) return false;
    runs++;
    const result = await runAdverse({ ...base, faults, arrivals: new Set(arrivals) });
    if (!result.broken.some((one) => one.check === check)) return false;
    last = result;
    return true;
  }
  let faults: readonly Fault[] = failed.injected;
  let arrivals: readonly number[] = [...(ran.arrivals ?? Array(inquiries).keys())];
  if (!(await fails(faults, arrivals))) return undefined;
  // Inquiries first: they make a run long. Then in turns, since less of the one may need less of the other.
  for (let before = -1; before !== faults.length + arrivals.length; ) {
    before = faults.length + arrivals.length;
    arrivals = await fewest(arrivals, (some) => fails(faults, some));
    faults = await fewest(faults, (some) => fails(some, arrivals));
  }
  const result = last as unknown as RunResult;
  return { options: { ...base, faults, arrivals: new Set(arrivals) }, result, runs };
}
