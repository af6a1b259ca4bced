import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createPool, type WorkerPool } from '../../local/workers/pool.ts';

const bundle = `
let calls = 0;
export const handler = async (event, context) => {
  calls += 1;
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  if (event.spin) for (;;);
  if (event.exit) process.exit(3);
  if (event.fail) throw new RangeError('no');
  if (event.log) console.log(event.log);
  if (event.clock) return { now: Date.now(), fresh: +new Date(), given: +new Date(5), isDate: new Date() instanceof Date, left: context.getRemainingTimeInMillis() };
  return {
    calls,
    name: context.functionName,
    left: context.getRemainingTimeInMillis(),
    environment: process.env,
    dropped: undefined,
  };
};`;

describe('a pool of workers', () => {
  let pool: WorkerPool;
  const directory = mkdtempSync(join(tmpdir(), 'firstcall-pool-'));
  writeFileSync(join(directory, 'index.mjs'), bundle);
  const logFile = join(directory, 'fn.log');
  const start = (concurrency = 2, clockAheadMs = 0): WorkerPool => {
    pool = createPool(
      {
        functionName: 'fn',
        functionArn: 'arn',
        bundleFile: join(directory, 'index.mjs'),
        exportName: 'handler',
        environment: { ONLY: 'this' },
        memoryMiB: 128,
        timeoutSeconds: 1,
        logFile,
        concurrency,
        clockAheadMs,
      },
      () => {},
    );
    return pool;
  };
  afterEach(() => pool.kill());
  afterAll(() => rmSync(directory, { recursive: true }));

  it('gives a function its own environment and context, through JSON', async () => {
    const result = (await start().invoke({})) as Record<string, unknown>;

    expect(result).toMatchObject({ calls: 1, name: 'fn', environment: { ONLY: 'this' } });
    expect(result.environment).toEqual({ ONLY: 'this' });
    expect(result.left).toBeGreaterThan(500);
    expect(result).not.toHaveProperty('dropped');
  });

  it('can run later than it is', async () => {
    const aheadMs = 3_600_000;
    const result = (await start(1, aheadMs).invoke({ clock: true })) as Record<string, number>;

    for (const time of [result.now, result.fresh]) {
      expect(time).toBeGreaterThan(Date.now() + aheadMs - 60_000);
      expect(time).toBeLessThanOrEqual(Date.now() + aheadMs);
    }
    expect(result).toMatchObject({ given: 5, isDate: true });
    expect(result.left).toBeGreaterThan(500);
    expect(result.left).toBeLessThanOrEqual(1000);
  });

  it('runs one invocation at a time per thread, and keeps threads warm', async () => {
    start(1);
    const results = await Promise.all([pool.invoke({ wait: 20 }), pool.invoke({}), pool.invoke({})]);

    expect(results.map((result) => (result as { calls: number }).calls)).toEqual([1, 2, 3]);
  });

  it('crashes a function that outlives its limit, even in an endless loop', async () => {
    start(1);

    await expect(pool.invoke({ spin: true })).rejects.toThrow('Task timed out after 1.00 seconds');
    expect(await pool.invoke({})).toMatchObject({ calls: 1 });
  });

  it('fails the invocation that throws or exits, and goes on', async () => {
    start(1);

    await expect(pool.invoke({ fail: true })).rejects.toMatchObject({ errorType: 'RangeError' });
    await expect(pool.invoke({ exit: true })).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await pool.invoke({})).toMatchObject({ calls: 1 });
  });

  it('writes what is logged to the function’s file', async () => {
    await start().invoke({ log: 'a line' });

    expect(readFileSync(logFile, 'utf8')).toContain('a line');
  });
});
