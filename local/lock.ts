import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Home, readOptional, writePrivate } from './home.ts';
import { LocalProblem } from './problem.ts';

/** A process, recognisable after its id has been given to another one. */
interface ProcessRecord {
  readonly pid: number;
  /** Start time and command line. */
  readonly identity: string;
}

interface Lock {
  readonly owner: ProcessRecord;
  readonly children: readonly ProcessRecord[];
}

/** Start time and command of a running process; undefined if there is none. */
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // Field 22 of stat is the start time; the command name before it may hold spaces, but ends with ")".
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return undefined;
      return `${fields[19]} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`;
    }
    const found = execFileSync('ps', ['-o', 'lstart=,command=', '-p', String(pid)], { encoding: 'utf8' });
    return found.trim() || undefined;
  } catch {
    return undefined;
  }
}

const isRunning = ({ pid, identity }: ProcessRecord): boolean => identityOf(pid) === identity;

const recordOf = (pid: number): ProcessRecord => ({ pid, identity: identityOf(pid) ?? '' });

/**
 * Takes the state folder for this process, and ends what a killed run left
 * behind: only processes that the lock file names by id, start time and command.
 *
 * @throws LocalProblem if another run is using the folder
 */
export async function takeLock(home: Home, report: (line: string) => void): Promise<void> {
  const found = readOptional<Lock>(home.lock);
  if (found) {
    if (isRunning(found.owner)) {
      throw new LocalProblem(
        `Firstcall is already running in ${home.directory} (process ${found.owner.pid}): stop it first, or set FIRSTCALL_HOME and PORT for a second one.`,
      );
    }
    // They end by themselves when their owner does; this is for those that did not.
    for (let waits = 0; waits < 30 && found.children.some(isRunning); waits += 1) await sleep(100);
    for (const child of found.children.filter(isRunning)) {
      report(`ending process ${child.pid}, left by a run that was killed`);
      process.kill(child.pid, 'SIGKILL');
    }
    for (let waits = 0; waits < 20 && found.children.some(isRunning); waits += 1) await sleep(100);
  }
  writePrivate(home.lock, { owner: recordOf(process.pid), children: [] } satisfies Lock);
}

/** Notes child processes in the lock file, so that a next start can tell whether they are still there. */
export function noteChildren(home: Home, pids: readonly number[]): void {
  writePrivate(home.lock, {
    owner: recordOf(process.pid),
    children: pids.map(recordOf),
  } satisfies Lock);
}

/** Gives the state folder back. */
export const releaseLock = (home: Home): void => rmSync(home.lock, { force: true });
