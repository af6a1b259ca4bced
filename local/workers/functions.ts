import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { type Detour, type DetourProxy, startDetourProxy } from '../engines/detour.ts';
import type { PreparedEngines } from '../engines/engines.ts';
import type { Endpoints } from '../home.ts';
import type { FunctionPlan, Plan } from '../template/plan.ts';
import { type PageLink, workerSettings } from './environment.ts';
import { createPool, type WorkerPool, type WorkerSettings } from './pool.ts';

export interface FunctionsOptions {
  readonly plan: Plan;
  readonly prepared: PreparedEngines;
  /** The origin that the functions' links name. */
  readonly origin: string;
  /** What the page at the origin links to. */
  readonly pageLinks: readonly PageLink[];
  readonly logFolder: string;
  /** Threads of a function that answers requests, at most. */
  readonly concurrency: number | undefined;
  /** What stands between the functions and the engines. */
  readonly detour: Detour | undefined;
  /** How far the functions' clocks are ahead. */
  readonly clockAheadMs: number;
  report(line: string): void;
}

/** All functions of the stacks, each with its threads. */
export interface Functions {
  /** Runs a function, by its full or its short name. */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** Starts one thread of each; resolves when all have loaded. */
  warm(): Promise<void>;
  /** Takes up another version; gives the short names of the functions that differ. */
  swap(plan: Plan): Promise<string[]>;
  /** Processor time by short name, in milliseconds. */
  cpuMs(): Promise<Record<string, number>>;
  kill(): Promise<void>;
}

interface Running {
  readonly plan: FunctionPlan;
  readonly settings: WorkerSettings;
  readonly pool: WorkerPool;
}

/** Makes the functions' pools; their threads start with `warm`, or with work. */
export async function createFunctions(options: FunctionsOptions): Promise<Functions> {
  const { plan, prepared, report } = options;
  const proxies = options.detour
    ? await detourProxies(plan, prepared.endpoints, options.detour)
    : new Map<string, DetourProxy>();

  const settingsOf = (fn: FunctionPlan, of: Plan): WorkerSettings =>
    workerSettings(fn, {
      ...addressesFor(prepared, proxies.get(fn.functionName)),
      origin: options.origin,
      logFile: join(options.logFolder, `${fn.shortName}.log`),
      concurrency: concurrencyOf(fn, of, options.concurrency ?? defaultConcurrency),
      clockAheadMs: options.clockAheadMs,
      ...(hasFrontPage(fn, of) && { pageLinks: options.pageLinks }),
    });
  const start = (fn: FunctionPlan, settings: WorkerSettings): Running => ({
    plan: fn,
    settings,
    pool: createPool(settings, errorReporter(fn.shortName, settings.logFile, report)),
  });
  const running = new Map(plan.functions.map((fn) => [fn.functionName, start(fn, settingsOf(fn, plan))]));

  return {
    invoke: async (name, event) => {
      const found = running.get(name) ?? [...running.values()].find(({ plan: fn }) => fn.shortName === name);
      if (!found) throw new Error(`there is no function ${name}`);
      return await found.pool.invoke(event);
    },
    warm: async () => {
      await Promise.all([...running.values()].map(({ pool }) => pool.warm()));
    },
    swap: async (next) => {
      const swapped: string[] = [];
      for (const fn of next.functions) {
        const settings = settingsOf(fn, next);
        const old = running.get(fn.functionName);
        if (old && JSON.stringify(old.settings) === JSON.stringify(settings)) continue;
        const fresh = start(fn, settings);
        await fresh.pool.warm();
        running.set(fn.functionName, fresh);
        void old?.pool.drain();
        swapped.push(fn.shortName);
      }
      return swapped;
    },
    cpuMs: async () => {
      const used = [...running.values()].map(
        async ({ plan: fn, pool }) => [fn.shortName, await pool.cpuMs()] as const,
      );
      return Object.fromEntries(await Promise.all(used));
    },
    kill: async () => {
      await Promise.all([...running.values()].map(({ pool }) => pool.kill()));
      for (const proxy of proxies.values()) proxy.stop();
    },
  };
}

const hasFrontPage = (fn: FunctionPlan, { api }: Plan): boolean =>
  api.routes.some(
    ({ method, path, functionName }) => method === 'GET' && path === '/' && functionName === fn.functionName,
  );

/**
 * Two per core: a thread mostly waits for the table, yet each must warm up by
 * itself, so more would be slower.
 */
const defaultConcurrency = Math.min(8, 2 * availableParallelism());

/** Threads of a function at most: as the mapping says for a queue's, one for what runs one at a time. */
function concurrencyOf(fn: FunctionPlan, plan: Plan, requests: number): number {
  if (plan.api.routes.some(({ functionName }) => functionName === fn.functionName)) return requests;
  const source = plan.queueSources.find(({ functionName }) => functionName === fn.functionName);
  return source ? (source.maximumConcurrency ?? 2) : 1;
}

async function detourProxies(
  plan: Plan,
  endpoints: Endpoints,
  detour: Detour,
): Promise<Map<string, DetourProxy>> {
  const started = plan.functions.map(
    async (fn) => [fn.functionName, await startDetourProxy(fn.shortName, endpoints, detour)] as const,
  );
  return new Map(await Promise.all(started));
}

/** Where a function finds the engines: there, or at its proxy. */
function addressesFor(
  { endpoints, queueUrls }: PreparedEngines,
  proxy: DetourProxy | undefined,
): { endpoints: Endpoints; queueUrl(queueName: string): string } {
  const queueUrl = (queueName: string): string => queueUrls.get(queueName) ?? queueName;
  if (!proxy) return { endpoints, queueUrl };
  const { origin } = proxy;
  return {
    endpoints: { dynamodb: origin, sqs: origin, ses: origin, secretsManager: origin },
    // The SDK sends to the host of a queue's URL.
    queueUrl: (queueName) => origin + new URL(queueUrl(queueName)).pathname,
  };
}

/** One line for a function's logged errors, at most every five seconds; the log has the rest. */
function errorReporter(name: string, logFile: string, report: (line: string) => void): () => void {
  let lastAt = 0;
  return () => {
    if (Date.now() - lastAt < 5000) return;
    lastAt = Date.now();
    report(`${name} logged an error: see ${relative(process.cwd(), logFile)}`);
  };
}
