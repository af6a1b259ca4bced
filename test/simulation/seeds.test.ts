/** Small runs in which everything goes wrong that can, and nothing may come of it; the whole is `npm run test:simulation`. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunOptions, type RunResult, runAdverse } from '../../simulation/adverse/run.ts';
import { shrink } from '../../simulation/adverse/shrink.ts';
import { createStory } from '../../simulation/adverse/story.ts';
import { faultNames } from '../../simulation/faults.ts';
import { type Sabotage, sabotages } from './sabotage.ts';

// As in Lambda, and in the whole.
beforeAll(() => void vi.stubEnv('TZ', 'UTC'));

const kindsOf = ({ injected }: RunResult): string[] => [...new Set(injected.map(({ kind }) => kind))];

describe('nothing is lost, doubled or forgotten', () => {
  it.each([1, 2, 3, 4])('whatever goes wrong (seed %i)', async (seed) => {
    const done = await runAdverse({ seed, inquiries: 60 });

    expect(done.broken).toEqual([]);
    expect(done.injected.length).toBeGreaterThan(0);
    expect(done.counts.acknowledged).toBeGreaterThan(50);
  });

  // Each broke once: docs/testing/simulation.md tells how.
  it.each([7, 49, 53, 108, 169])('on seeds that showed a bug (seed %i)', async (seed) => {
    expect((await runAdverse({ seed, inquiries: 200 })).broken).toEqual([]);
  });

  // One seed for each kind of fault, of which it has nothing else.
  it.each(faultNames)('by %s alone', async (only) => {
    const done = await runAdverse({ seed: 8, inquiries: 25, only });

    expect(done.broken).toEqual([]);
    expect(kindsOf(done)).toContain(only);
  });
});

it('a run comes out the same again, by its seed and by the list of its faults', async () => {
  const options: RunOptions = { seed: 11, inquiries: 30 };
  const first = await runAdverse(options);

  expect((await runAdverse(options)).digest).toBe(first.digest);
  expect((await runAdverse({ ...options, faults: first.injected })).digest).toBe(first.digest);
  expect((await runAdverse({ ...options, seed: 12 })).digest).not.toBe(first.digest);
});

/** The first of some seeds on which a sabotage shows; what is missed by one is found by the next. */
async function firstBroken({
  only,
  inquiries,
  from = 1,
  portsOf,
}: Sabotage): Promise<[RunOptions, RunResult]> {
  for (let seed = from; ; seed++) {
    const options: RunOptions = { seed, inquiries, only, portsOf };
    const result = await runAdverse(options);
    if (result.broken.length > 0 || seed === from + 11) return [options, result];
  }
}

describe('a run breaks', () => {
  it.each(sabotages)('on $what', async (sabotage) => {
    const [, { broken }] = await firstBroken(sabotage);

    expect(sabotage.told).toContain(broken[0]?.check);
  });

  it('and is told in its shortest form', async () => {
    const { only, inquiries, portsOf } = sabotages.find((one) => one.only === 'replay') as Sabotage;
    // A seed whose stream brings a batch of few again: of more, each is needed.
    const options: RunOptions = { seed: 4, inquiries, only, portsOf };

    const shrunk = await shrink(options, await runAdverse(options), 'rollup');

    const arrivals = [...(shrunk?.options.arrivals ?? [])];
    expect(arrivals.length).toBeLessThanOrEqual(2);
    for (const left of arrivals) {
      const others = new Set(arrivals.filter((one) => one !== left));
      const { broken } = await runAdverse({ ...(shrunk?.options as RunOptions), arrivals: others });
      expect(broken.map(({ check }) => check)).not.toContain('rollup');
    }
    expect(shrunk?.options.faults.map(({ kind }) => kind)).toEqual(['replay']);
    const story = createStory();
    await runAdverse({ ...(shrunk?.options as RunOptions), onHappening: story.onHappening });
    const text = story.lines().join('\n');
    expect(text).toContain('✗ replay: the stream brings the batch again');
    expect(text).toMatch(/capture:\d+\.0 {2}transact .*IDEM IDEM/);
    expect(text).toMatch(/inquiry 1 HEAD \(new\)/);
  });
});
