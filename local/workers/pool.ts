import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** What a thread needs to be one function. */
export interface WorkerSettings {
  readonly functionName: string;
  readonly functionArn: string;
  readonly bundleFile: string;
  readonly exportName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  readonly logFile: string;
  /** How many threads, and so invocations at a time, at most. */
  readonly concurrency: number;
  /** How far its clock is ahead, in milliseconds. */
  readonly clockAheadMs?: number;
}

/** An invocation that ended badly, as Lambda would tell its caller. */
export class InvocationError extends Error {
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(message);
    this.name = 'InvocationError';
    this.errorType = errorType;
  }
}

/** The threads of one function. */
export interface WorkerPool {
  /** Runs one invocation; events and results go through JSON, as in Lambda. */
  invoke(event: unknown): Promise<unknown>;
  /** Starts a thread ahead of the first invocation; resolves when its module has loaded. */
  warm(): Promise<void>;
  /** Processor time of all its threads so far, those ended included, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Lets running invocations finish, then ends the threads. */
  drain(): Promise<void>;
  /** Ends the threads at once. */
  kill(): Promise<void>;
}

interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  current: Invocation | undefined;
  timer: NodeJS.Timeout | undefined;
  idleSince: number;
}

type Message =
  | { kind: 'loaded' | 'logged-error' }
  | { kind: 'result'; payload: string }
  | { kind: 'error' | 'failed-to-load'; error: { errorType: string; errorMessage: string } };

/** Processor time of a thread; 0 for one that has ended by itself. */
async function cpuMsOf({ worker }: Thread): Promise<number> {
  try {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1000;
  } catch {
    return 0;
  }
}

const idleBeforeReapingMs = 120_000;

/** Makes a pool; threads start when work or `warm` asks for them. */
export function createPool(settings: WorkerSettings, onLoggedError: () => void): WorkerPool {
  const threads = new Set<Thread>();
  const waiting: Invocation[] = [];
  let endedCpuMs = 0;
  let closing = false;
  let onIdle: (() => void) | undefined;

  const start = (): Thread => {
    const worker = new Worker(new URL('./thread.mjs', import.meta.url), {
      workerData: {
        bundleFile: settings.bundleFile,
        exportName: settings.exportName,
        logFile: settings.logFile,
        functionName: settings.functionName,
        functionArn: settings.functionArn,
        memoryMiB: settings.memoryMiB,
        clockAheadMs: settings.clockAheadMs ?? 0,
      },
      env: { ...settings.environment },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMiB },
    });
    const thread: Thread = { worker, current: undefined, timer: undefined, idleSince: Date.now() };
    threads.add(thread);
    worker.on('message', (message: Message) => receive(thread, message));
    worker.on('error', (error: Error) => discard(thread, new InvocationError(error.name, error.message)));
    worker.on('exit', (code) =>
      discard(thread, new InvocationError('Runtime.ExitError', `exited with code ${code}`)),
    );
    return thread;
  };

  const receive = (thread: Thread, message: Message): void => {
    if (message.kind === 'logged-error') {
      onLoggedError();
    } else if (message.kind === 'failed-to-load') {
      // The next invocation gets a new environment.
      discard(thread, new InvocationError(message.error.errorType, message.error.errorMessage));
    } else if (message.kind === 'result' || message.kind === 'error') {
      const invocation = thread.current;
      clearTimeout(thread.timer);
      thread.current = undefined;
      thread.idleSince = Date.now();
      assign();
      if (message.kind === 'result') invocation?.resolve(JSON.parse(message.payload));
      else invocation?.reject(new InvocationError(message.error.errorType, message.error.errorMessage));
      notifyIdle();
    }
  };

  /** Takes a thread out, failing what it was doing. */
  const discard = (thread: Thread, reason: Error): void => {
    if (!threads.delete(thread)) return;
    clearTimeout(thread.timer);
    thread.current?.reject(reason);
    thread.current = undefined;
    void end(thread);
    assign();
    notifyIdle();
  };

  const end = async (thread: Thread): Promise<void> => {
    endedCpuMs += await cpuMsOf(thread);
    await thread.worker.terminate();
  };

  const assign = (): void => {
    for (const thread of threads) {
      if (waiting.length === 0) return;
      if (!thread.current) give(thread, waiting.shift() as Invocation);
    }
    if (waiting.length > 0 && threads.size < settings.concurrency && !closing) {
      give(start(), waiting.shift() as Invocation);
      assign();
    }
  };

  const give = (thread: Thread, invocation: Invocation): void => {
    const limitMs = settings.timeoutSeconds * 1000;
    thread.current = invocation;
    thread.timer = setTimeout(() => {
      const message = `Task timed out after ${settings.timeoutSeconds}.00 seconds`;
      discard(thread, new InvocationError('Sandbox.Timedout', message));
    }, limitMs);
    thread.worker.postMessage({
      requestId: invocation.requestId,
      payload: invocation.payload,
      deadline: Date.now() + limitMs,
    });
  };

  const isBusy = (): boolean => waiting.length > 0 || [...threads].some(({ current }) => current);
  const notifyIdle = (): void => {
    if (!isBusy()) onIdle?.();
  };

  const reaper = setInterval(() => {
    const idle = [...threads].filter(
      ({ current, idleSince }) => !current && Date.now() - idleSince > idleBeforeReapingMs,
    );
    // One stays, so that a quiet practice does not wait for a start.
    for (const thread of idle.slice(threads.size === idle.length ? 1 : 0)) {
      discard(thread, new InvocationError('Reaped', 'idle'));
    }
  }, 30_000);
  reaper.unref();

  const kill = async (): Promise<void> => {
    closing = true;
    clearInterval(reaper);
    const stopped = new InvocationError('Stopped', 'the system is stopping');
    for (const invocation of waiting.splice(0)) invocation.reject(stopped);
    const ending = [...threads];
    threads.clear();
    await Promise.all(
      ending.map(async (thread) => {
        clearTimeout(thread.timer);
        thread.current?.reject(stopped);
        await thread.worker.terminate();
      }),
    );
  };

  return {
    invoke: (event) =>
      new Promise((resolve, reject) => {
        if (closing) {
          reject(new InvocationError('Stopped', 'the system is stopping'));
          return;
        }
        waiting.push({ requestId: randomUUID(), payload: JSON.stringify(event), resolve, reject });
        assign();
      }),
    warm: () =>
      new Promise((resolve) => {
        const { worker } = start();
        worker.on('message', ({ kind }: Message) => {
          if (kind === 'loaded' || kind === 'failed-to-load') resolve();
        });
        worker.once('exit', () => resolve());
      }),
    cpuMs: async () => {
      const used = await Promise.all([...threads].map(cpuMsOf));
      return used.reduce((sum, ms) => sum + ms, endedCpuMs);
    },
    drain: async () => {
      if (isBusy()) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await kill();
    },
    kill,
  };
}
