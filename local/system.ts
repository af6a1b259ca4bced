import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { type CountedCall, counting, type Detour } from './engines/detour.ts';
import { type StartedEngines, startEngines } from './engines/engines.ts';
import { type Issuer, openIssuer, prepareIssuer } from './engines/issuer.ts';
import { credentials } from './engines/tables.ts';
import { assertFiltersAreKnown, startSources } from './events/sources.ts';
import { type Gateway, startGateway } from './gateway/server.ts';
import {
  clearHome,
  type Endpoints,
  type Home,
  homeAt,
  prepareHome,
  projectRoot,
  type Runtime,
  writePrivate,
} from './home.ts';
import { releaseLock, takeLock } from './lock.ts';
import { applyPractice, demoPractice } from './practice.ts';
import { checkJava, checkPort } from './preflight.ts';
import { LocalProblem, messageOf } from './problem.ts';
import { digestOfSources, isCurrent, synthesize } from './synth.ts';
import { readAssembly } from './template/assembly.ts';
import { region } from './template/identity.ts';
import { type Plan, planOf } from './template/plan.ts';
import { watchSources } from './watch.ts';
import { createFunctions, type Functions } from './workers/functions.ts';

export type { Answer, Call, CountedCall, Detour } from './engines/detour.ts';
export type { Claims, Issuer, Role } from './engines/issuer.ts';

export interface LocalOptions {
  /** The state folder; by default `.firstcall/`, or `FIRSTCALL_HOME`. */
  readonly home?: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** A folder with synthesized stacks; without it they are synthesized into the state folder. */
  readonly synthDir?: string;
  /** Forgets what earlier runs left. */
  readonly fresh?: boolean;
  /** Keeps the table in memory. */
  readonly inMemory?: boolean;
  /** The practice file for an empty table; null leaves it empty. */
  readonly practice?: string | null;
  /** Fills an empty table, before anything reads it. */
  readonly fill?: (table: { readonly tableName: string; readonly endpoint: string }) => Promise<void>;
  /** Values of secrets by their property's name (`key` is that of digests), in place of random ones. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Starts no queues, stream and schedules: what is stored stays as it is until somebody calls. */
  readonly paused?: boolean;
  /** Swaps the functions when their sources change. */
  readonly watch?: boolean;
  /** Threads of each function that answers requests, at most; two per core unless told. */
  readonly concurrency?: number;
  /** Told every AWS API call of every function, which then take a detour; for counting, not for timing. Not with `detour`. */
  readonly onCall?: (call: CountedCall) => void;
  /** Stands between the functions and the engines, where tests make calls fail. */
  readonly detour?: Detour;
  /** How far the clocks of the functions are ahead, in milliseconds: for tests of what comes due. */
  readonly clockAheadMs?: number;
  /** Progress and problems, line by line; silent unless given. */
  readonly report?: (line: string) => void;
}

/** A running local system. */
export interface LocalSystem {
  readonly origin: string;
  readonly inboxUrl: string;
  readonly endpoints: Endpoints;
  readonly tableName: string;
  /** URLs by queue name. */
  readonly queueUrls: Readonly<Record<string, string>>;
  readonly issuer: Issuer | undefined;
  readonly plan: Plan;
  readonly home: string;
  /** Stops reading queues, stream and schedules; resolves when what was under way is done. */
  pausePollers(): Promise<void>;
  resumePollers(): void;
  /** Runs a function, by its short or its full name, and gives its result. */
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** Processor time so far, in milliseconds. */
  cpuUsage(): Promise<CpuUsage>;
  /** Synthesizes again and swaps what has changed. */
  reload(): Promise<void>;
  /** Ends everything in order. */
  stop(): Promise<void>;
  /** Ends everything at once, as a crash would. */
  kill(): Promise<void>;
}

export interface CpuUsage {
  /** This thread: gateway and pollers. */
  readonly mainMs: number;
  /** By short name. */
  readonly functionsMs: Readonly<Record<string, number>>;
  /** The embedded queues and mail; DynamoDB Local is a process of its own. */
  readonly messagingMs: number;
}

const stopLimitMs = 5000;

/** Served as it is, and linked to from the form's page. */
const apiDocument = '/docs/api.md';

/**
 * Runs the synthesized stacks on this machine.
 *
 * @throws LocalProblem saying in one line what to do
 */
export async function startLocal(options: LocalOptions): Promise<LocalSystem> {
  const report = options.report ?? (() => {});
  const home = homeAt(options.home);
  const needsJava = !process.env.AWS_ENDPOINT_URL_DYNAMODB;
  await Promise.all([needsJava && checkJava(), options.port > 0 && checkPort(options.port)]);
  prepareHome(home);
  await takeLock(home, report);
  if (options.fresh) {
    clearHome(home);
    prepareHome(home);
  }
  const undo: (() => Promise<void> | void)[] = [() => releaseLock(home)];
  try {
    return await run(options, home, report, undo);
  } catch (error) {
    for (const step of undo.reverse()) await (async () => step())().catch(() => {});
    throw error;
  }
}

async function run(
  options: LocalOptions,
  home: Home,
  report: (line: string) => void,
  undo: (() => Promise<void> | void)[],
): Promise<LocalSystem> {
  report('starting the engines (DynamoDB Local, queues, mail)');
  const starting = startEngines({
    home,
    inMemory: options.inMemory ?? false,
    mailPort: options.port > 0 ? options.port + 1 : 0,
    secrets: options.secrets,
  });
  undo.push(() => starting.then((engines) => engines.kill()));
  starting.catch(() => {});
  const directory = options.synthDir ?? (await currentAssembly(home, report));
  let plan = planOf(readAssembly(directory));
  assertFiltersAreKnown(plan);
  const { userPool } = plan;
  if (userPool) await prepareIssuer(home.issuer, userPool);
  const issuer = await openIssuer(home.issuer);
  const engines: StartedEngines = await starting;
  const prepared = await engines.prepare(plan);

  let functions: Functions | undefined;
  const invoke = async (name: string, event: unknown): Promise<unknown> => {
    if (!functions) throw new Error('the functions have not started yet');
    return await functions.invoke(name, event);
  };
  const gateway: Gateway = await startGateway({
    port: options.port,
    api: plan.api,
    document: (path) => (path === apiDocument ? readFileSync(join(projectRoot, path), 'utf8') : undefined),
    invoke,
    verify: async (token) => await issuer?.verify(token),
  });
  undo.push(() => gateway.kill());

  report('starting the functions');
  const started = await createFunctions({
    plan,
    prepared,
    origin: gateway.origin,
    pageLinks: [
      { text: 'Inbox of all e-mail', href: `${prepared.endpoints.ses}/` },
      { text: 'How to use the API', href: gateway.origin + apiDocument },
    ],
    logFolder: home.logs,
    concurrency: options.concurrency,
    detour: options.detour ?? (options.onCall && counting(options.onCall)),
    clockAheadMs: options.clockAheadMs ?? 0,
    report,
  });
  functions = started;
  undo.push(() => started.kill());
  const warmed = started.warm();

  const tables = await prepared.tables;
  const [table] = tables;
  if (!table) throw new LocalProblem('The stacks hold no table.');
  const inboxUrl = prepared.endpoints.ses;
  const runtime: Runtime = {
    pid: process.pid,
    origin: gateway.origin,
    inboxUrl,
    tableName: table.tableName,
    queueUrls: Object.fromEntries(prepared.queueUrls),
    endpoints: prepared.endpoints,
    region,
  };
  writePrivate(home.runtime, runtime);
  undo.push(() => rmSync(home.runtime, { force: true }));
  if (table.isEmpty) {
    await options.fill?.({ tableName: table.tableName, endpoint: prepared.endpoints.dynamodb });
  }
  const practice = options.practice === undefined ? demoPractice : options.practice;
  if (table.isEmpty && practice) {
    report(`applying the demo practice (${practice})`);
    await applyPractice(practice, {
      home: home.directory,
      tableName: table.tableName,
      dynamodb: prepared.endpoints.dynamodb,
    });
  }
  await warmed;

  const streams = new DynamoDBStreamsClient({
    endpoint: prepared.endpoints.dynamodb,
    region,
    credentials: credentials(),
  });
  const sources = options.paused
    ? []
    : startSources({ plan, tables, prepared, streams, home, invoke, report });
  undo.push(() => {
    for (const source of sources) source.stop();
  });

  const reload = async (): Promise<void> => {
    const startedAt = performance.now();
    let next: Plan;
    try {
      await synthesize(home.assembly);
      next = planOf(readAssembly(home.assembly));
    } catch (error) {
      report(`${messageOf(error)}\nThe functions as they were go on running.`);
      return;
    }
    if (JSON.stringify(fixedParts(next)) !== JSON.stringify(fixedParts(plan))) {
      report('the stacks themselves have changed: stop and start again to run them');
    }
    plan = next;
    const swapped = await started.swap(next);
    gateway.use(next.api);
    const took = ((performance.now() - startedAt) / 1000).toFixed(1);
    report(
      swapped.length > 0 ? `reloaded ${swapped.join(', ')} in ${took} s` : `nothing to reload (${took} s)`,
    );
  };
  const watcher = options.watch ? watchSources(reload) : undefined;

  let ended = false;
  const end = async (orderly: boolean): Promise<void> => {
    if (ended) return;
    ended = true;
    watcher?.close();
    if (orderly) {
      await gateway.stop();
      await Promise.race([
        Promise.all(sources.map((source) => source.pause())),
        new Promise((resolve) => setTimeout(resolve, stopLimitMs).unref()),
      ]);
    } else {
      gateway.kill();
    }
    for (const source of sources) source.stop();
    streams.destroy();
    await started.kill();
    await (orderly ? engines.stop() : engines.kill());
    rmSync(home.runtime, { force: true });
    releaseLock(home);
  };

  return {
    ...runtime,
    issuer,
    plan,
    home: home.directory,
    pausePollers: async () => {
      await Promise.all(sources.map((source) => source.pause()));
    },
    resumePollers: () => {
      for (const source of sources) source.resume();
    },
    invoke,
    cpuUsage: async () => {
      const { user, system } = process.threadCpuUsage();
      return {
        mainMs: (user + system) / 1000,
        functionsMs: await started.cpuMs(),
        messagingMs: await engines.cpuMs(),
      };
    },
    reload,
    stop: () => end(true),
    kill: () => end(false),
  };
}

/** The stacks of the sources as they are: synthesized anew only if the sources have changed since. */
async function currentAssembly(home: Home, report: (line: string) => void): Promise<string> {
  if (isCurrent(home.assembly, digestOfSources())) return home.assembly;
  report('synthesizing the stacks and bundling the functions');
  rmSync(home.assembly, { recursive: true, force: true });
  await synthesize(home.assembly);
  return home.assembly;
}

/** What a reload does not touch. */
const fixedParts = ({
  tables,
  queues,
  secrets,
  queueSources,
  streamSources,
  schedules,
  mailEvents,
  queueAlarms,
}: Plan): object => ({
  tables,
  queues,
  secrets,
  queueSources,
  streamSources,
  schedules,
  mailEvents,
  queueAlarms,
});
