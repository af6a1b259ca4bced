/**
 * Functions as Lambda runs them: processes that each take one invocation at a time, keep what they read
 * between them, and are gone with everything that was under way in them when an invocation dies.
 */
import type { FunctionName, Functions } from '../functions.ts';

export interface Invocation {
  readonly name: FunctionName;
  readonly address: string;
  /** Calls on ports so far: their number is part of each one's address. */
  calls: number;
  /** Ids made so far. */
  ids: number;
  /** By how much its clock is off, once it was looked at. */
  skewMs?: number;
  isDead: boolean;
  /** Ends it as a crash or a time limit does: nothing of it goes on, nobody gets its answer. */
  die(): void;
}

/** What the caller of an invocation learns. */
export type Ended<T> =
  | { readonly ended: 'done'; readonly value: T }
  | { readonly ended: 'failed'; readonly error: unknown }
  | { readonly ended: 'died' };

/** A process of a function. */
export interface Process {
  readonly name: FunctionName;
  current: Invocation | undefined;
}

export type Invoke = <Name extends FunctionName, T>(
  name: Name,
  address: string,
  work: (run: Functions[Name]) => Promise<T>,
) => Promise<Ended<T>>;

/** @param start - puts a function together on the ports of a process */
export function createProcesses(
  start: <Name extends FunctionName>(name: Name, process: Process) => Functions[Name],
): Invoke {
  const idle = new Map<FunctionName, { process: Process; run: unknown }[]>();

  return (name, address, work) =>
    new Promise((resolve) => {
      const waiting = idle.get(name) ?? [];
      idle.set(name, waiting);
      const process: Process = waiting.at(-1)?.process ?? { name, current: undefined };
      const run = waiting.pop()?.run ?? start(name, process);
      const invocation: Invocation = {
        name,
        address,
        calls: 0,
        ids: 0,
        isDead: false,
        die() {
          invocation.isDead = true;
          resolve({ ended: 'died' });
        },
      };
      process.current = invocation;
      const end = (ended: Parameters<typeof resolve>[0]): void => {
        if (invocation.isDead) return;
        process.current = undefined;
        waiting.push({ process, run });
        resolve(ended);
      };
      work(run as Functions[typeof name]).then(
        (value) => end({ ended: 'done', value }),
        (error: unknown) => end({ ended: 'failed', error }),
      );
    });
}
