/**
 * Inquiries are posted to a running system whose calls go wrong and whose process is killed again and
 * again. Once the faults are over the sweep runs twice; then everything is looked at.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../../simulation/faults.ts';
import { createRandom, type Random } from '../../simulation/random.ts';
import { evidenceOf } from '../system/evidence.ts';
import { ensureAssembly } from '../system/harness.ts';
import { type Judged, judge } from './judge.ts';
import type { Command, Noted, Ready, Wanted } from './messages.ts';

export interface RunOptions {
  readonly seed: number;
  readonly inquiries: number;
  readonly kills: number;
  /** The share of calls that go wrong. */
  readonly rate: number;
  readonly report?: (line: string) => void;
}

export interface Outcome extends Judged {
  readonly posted: number;
  readonly kills: number;
  readonly seconds: number;
}

const practice = join(import.meta.dirname, 'practice.yaml');
const services = ['acne', 'implant'];
const postsAtOnce = 6;
/** Each start is so much later than the one before: what was left in the middle is due. */
const startLaterMs = 60_000;
/** The last start is later than any pause between two tries: an hour and a half, of a task's reminder. */
const lastLaterMs = 2 * 60 * 60_000;
/** A post is tried this long: a start takes seconds, and minutes where others keep the processors busy. */
const postWithinMs = 600_000;

/** The system's process, and what is asked of it. */
interface Running {
  readonly child: ChildProcess;
  readonly ready: Ready;
  tell(command: Command): void;
  sweep(): Promise<void>;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
}

async function startProcess(wanted: Wanted): Promise<Running> {
  const child = fork(join(import.meta.dirname, 'process.ts'), [JSON.stringify(wanted)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await Promise.race([
    new Promise<Ready>((resolve) => child.once('message', (message) => resolve(message as Ready))),
    ended.then(() => Promise.reject(new Error(`the system did not start: ${printed.slice(-2_000)}`))),
  ]);
  const tell = (command: Command): void => {
    // It may be gone already, as it was told to.
    if (child.connected) child.send(command, () => {});
  };
  return {
    child,
    ready,
    tell,
    ended,
    sweep: async () => {
      const swept = new Promise<void>((resolve) => child.once('message', () => resolve()));
      tell({ do: 'sweep' });
      await swept;
    },
  };
}

/** Posts one inquiry until it is acknowledged, as a patient sender does: under the same key. */
async function post(
  n: number,
  service: string,
  origin: () => string,
  repeats: boolean,
): Promise<{ readonly id: string } | undefined> {
  const body = JSON.stringify({
    name: `Person ${n}`,
    email: `person.${n}@example.com`,
    service,
    message: `inquiry ${n}.`,
    consentEmail: n % 4 === 0 ? 'yes' : 'no',
  });
  const deadline = Date.now() + postWithinMs;
  let given: { readonly id: string } | undefined;
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(`${origin()}/v1/inquiries`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `inquiry-${n}` },
        body,
        signal: AbortSignal.timeout(35_000),
      });
      if (answer.status === 202) {
        const { id } = (await answer.json()) as { readonly id: string };
        if (given && given.id !== id) throw new Error(`inquiry ${n} is ${given.id} and ${id}`);
        // Some are sent once more, although they were acknowledged.
        if (given || !repeats) return { id };
        given = { id };
        continue;
      }
    } catch (error) {
      if (error instanceof Error && /^inquiry/.test(error.message)) throw error;
    }
    await sleep(200);
  }
  return given;
}

export async function runWithFaults(options: RunOptions): Promise<Outcome> {
  const { seed, inquiries, kills, rate, report = () => {} } = options;
  const startedAt = performance.now();
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'firstcall-faults-'));
  const notes = join(folder, 'notes.jsonl');
  // A copy: a run takes long, and what others synthesize meanwhile takes the place of the one that is kept.
  const synthDir = join(folder, 'cdk.out');
  cpSync(await ensureAssembly(), synthDir, { recursive: true });
  let starts = 0;
  const start = (faults: boolean, laterMs = 0): Promise<Running> => {
    const clockAheadMs = starts * startLaterMs + laterMs;
    starts += 1;
    return startProcess({
      home: join(folder, 'home'),
      synthDir,
      practice,
      seed: `${seed}/${starts}`,
      // The first start applies the practice, which is no part of what is tried.
      rate: faults ? rate : 0,
      clockAheadMs,
      notes,
    });
  };

  let running: Running | undefined;
  const acknowledged = new Set<string>();
  try {
    running = await start(true);
    let next = 0;
    let killed = 0;
    const origin = (): string => running?.ready.origin ?? '';
    const poster = async (): Promise<void> => {
      for (let n = next++; n < inquiries; n = next++) {
        const given = await post(n, services[n % services.length] ?? '', origin, random.chance(0.1));
        if (given) acknowledged.add(given.id);
      }
    };
    const posting = Promise.all(Array.from({ length: postsAtOnce }, poster));
    let posted = false;
    const done = posting.then(() => {
      posted = true;
    });
    while (killed < kills) {
      const wantedAt = Math.floor(((killed + random.next()) * inquiries) / kills);
      while (!posted && acknowledged.size < wantedAt) await Promise.race([done, sleep(20)]);
      await kill(running, random);
      killed += 1;
      report(`killed ${killed} of ${kills}: ${acknowledged.size} of ${inquiries} acknowledged`);
      running = await start(true);
    }
    await posting;

    // The faults are over: a last start, so late that everything that was left is due.
    await kill(running, random);
    running = await start(false, lastLaterMs);
    const nowMs = (): number => Date.now() + (starts - 1) * startLaterMs + lastLaterMs;
    const evidence = evidenceOf({ system: running.ready });
    for (let sweeps = 1; sweeps <= 2; sweeps++) {
      await running.sweep();
      await untilIdle(evidence.queued);
      report(`swept ${sweeps} of 2 times after the faults`);
    }
    const rows = await evidence.rows();
    evidence.close();
    const noted = readNotes(notes);
    return {
      ...judge({ rows, noted, acknowledged, nowIso: new Date(nowMs()).toISOString() }),
      posted: inquiries,
      kills: killed,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    running?.child.kill('SIGKILL');
    await running?.ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kills the whole system: from outside at any moment, or in the middle of one of its next calls. */
async function kill(running: Running, random: Random): Promise<void> {
  const { child, ended, tell } = running;
  if (random.chance(0.5)) tell({ do: 'die', calls: random.between(1, 30), after: random.chance(0.5) });
  else child.kill('SIGKILL');
  // A quiet system makes no call to die in.
  await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await ended;
}

async function untilIdle(queued: () => Promise<number>): Promise<void> {
  const deadline = Date.now() + 900_000;
  for (let idle = 0; idle < 3; ) {
    if (Date.now() > deadline) throw new Error('the queues did not come to rest within a quarter of an hour');
    idle = (await queued()) === 0 ? idle + 1 : 0;
    await sleep(100);
  }
}

const readNotes = (file: string): Noted[] =>
  !existsSync(file)
    ? []
    : readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Noted);

const isNothing = (list: readonly string[]): boolean => list.length === 0;

/** Whether everything held. */
export const holds = ({ wrong, acknowledged, posted }: Outcome): boolean =>
  Object.values(wrong).every(isNothing) && acknowledged === posted;

/** The kinds of faults there were, for a table. */
export const kindsIn = ({ faults }: Outcome): readonly FaultKind[] =>
  Object.keys(faults).sort() as FaultKind[];
