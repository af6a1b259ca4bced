import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../../shared/domain/practice.ts';
import { type Lags, rotate } from '../../shared/domain/routing.ts';
import { takeTurn } from '../../shared/domain/strategies.ts';

const poolOf = (weights: readonly number[]): Pool => ({
  id: 'p',
  name: 'P',
  services: [],
  fallback: true,
  members: weights.map((weight, i) => ({ id: `m${i}`, weight })),
});
const everybody = () => undefined;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Numbers from 0 to 1 that are the same in each run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** A pool whose deviations are kept by its own bookkeeping, apart from the lags under test. */
function ledger() {
  const deviations = new Map<string, number>();
  let lags: Lags = {};
  return {
    lags: () => lags,
    deviation: (id: string) => deviations.get(id) ?? 0,
    worst: () => Math.max(0, ...[...deviations.values()].map(Math.abs)),
    /** Routes one inquiry among the eligible; what somebody who left was due is the others'. */
    route(pool: Pool, eligible: ReadonlySet<string>): string | undefined {
      const { chosen, lags: next } = rotate(pool, lags, (id) => (eligible.has(id) ? undefined : 'away'));
      lags = next;
      if (chosen === undefined) return undefined;
      let share = 1;
      for (const [id, deviation] of deviations) {
        if (pool.members.some((member) => member.id === id)) continue;
        share += deviation;
        deviations.delete(id);
      }
      const here = pool.members.filter(({ id }) => eligible.has(id));
      const total = sum(here.map(({ weight }) => weight));
      for (const { id, weight } of here) {
        deviations.set(id, this.deviation(id) + (share * weight) / total - (id === chosen ? 1 : 0));
      }
      return chosen;
    },
  };
}

const weightsArb = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
  fc.integer({ min: 1, max: 12 }).map((n) => Array.from({ length: n }, () => 1)),
);

describe('a rotation', () => {
  it('stays within one of each share after every inquiry, while nothing changes', () => {
    fc.assert(
      fc.property(weightsArb, fc.integer({ min: 1, max: 400 }), (weights, inquiries) => {
        const pool = poolOf(weights);
        const total = sum(weights);
        const got = new Map<string, number>();
        let lags: Lags = {};
        for (let n = 1; n <= inquiries; n++) {
          const rotation = rotate(pool, lags, everybody);
          lags = rotation.lags;
          got.set(String(rotation.chosen), (got.get(String(rotation.chosen)) ?? 0) + 1);
          for (const { id, weight } of pool.members) {
            expect(Math.abs((got.get(id) ?? 0) - (n * weight) / total)).toBeLessThan(1 + 1e-6);
          }
        }
      }),
      // Where giving to whoever is owed most would leave somebody 1.36 behind.
      { examples: [[[91, 1, 1, 96, 15, 1, 5, 1, 91, 1, 20], 1_500]] },
    );
  });

  it('gives five equal members two hundred each of a thousand, whatever their open work', () => {
    const pool = poolOf([1, 1, 1, 1, 1]);
    const got = new Map<string, number>();
    let lags: Lags = {};

    for (let n = 1; n <= 1_000; n++) {
      const rotation = rotate(pool, lags, everybody, (id) => (got.get(id) ?? 0) + (id === 'm0' ? 50 : 0));
      lags = rotation.lags;
      got.set(String(rotation.chosen), (got.get(String(rotation.chosen)) ?? 0) + 1);
      const counts = pool.members.map(({ id }) => got.get(id) ?? 0);
      expect(Math.max(...counts) - Math.min(...counts)).toBe(n % 5 === 0 ? 0 : 1);
    }

    expect([...got.values()]).toEqual([200, 200, 200, 200, 200]);
  });

  it('goes to who has least open work where all are due alike, then by the order of the pool', () => {
    const pool = poolOf([1, 1, 1]);
    const openWork: Record<string, number> = { m0: 2, m1: 1, m2: 1 };

    expect(rotate(pool, {}, everybody, (id) => openWork[id] ?? 0).chosen).toBe('m1');
    expect(rotate(pool, {}, everybody).chosen).toBe('m0');
    // Fairness comes first: open work decides only among equals.
    expect(rotate(pool, { m0: 0.5, m1: -0.5 }, everybody, (id) => openWork[id] ?? 0).chosen).toBe('m0');
  });

  it('stays within half the pool of each share, whoever is away and whoever joins or leaves', () => {
    const step = fc.record({
      here: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      members: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      weights: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 8, maxLength: 8 }),
      times: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const books = ledger();
        for (const { here, members, weights, times } of steps) {
          const pool = {
            ...poolOf(weights),
            members: poolOf(weights).members.filter((_, i) => members[i]),
          };
          const eligible = new Set(here.flatMap((present, i) => (present ? [`m${i}`] : [])));
          for (let i = 0; i < times; i++) books.route(pool, eligible);
          expect(Math.abs(sum(Object.values(books.lags())))).toBeLessThan(1e-5);
          for (const { id } of pool.members) {
            expect(Math.abs(books.deviation(id) - (books.lags()[id] ?? 0))).toBeLessThan(1e-5);
          }
          expect(books.worst()).toBeLessThanOrEqual(4);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not drift over thousands of inquiries, however badly attendance and weights fall', () => {
    const random = seededRandom(7);
    const size = 6;
    let lags: Lags = {};
    let worst = 0;

    for (let n = 0; n < 3_000; n++) {
      // Of forty ways in which it could go on, the one that spreads the lags most.
      const outcomes = Array.from({ length: 40 }, () => {
        const pool = poolOf(
          Array.from({ length: size }, () =>
            random() < 0.5 ? 1 : random() < 0.5 ? 100 : 1 + Math.floor(random() * 100),
          ),
        );
        const here = new Set(pool.members.filter(() => random() < 0.6).map(({ id }) => id));
        return rotate(pool, lags, (id) => (here.has(id) ? undefined : 'away')).lags;
      });
      const spread = (outcome: Lags) => sum(Object.values(outcome).map((lag) => lag ** 2));
      lags = outcomes.reduce((a, b) => (spread(b) > spread(a) ? b : a));
      worst = Math.max(worst, ...Object.values(lags).map(Math.abs));
    }

    expect(worst).toBeLessThanOrEqual(size / 2);
  });

  it('does not flood who comes back: being away earns nothing', () => {
    const pool = poolOf([1, 1, 1, 1, 1]);
    const books = ledger();
    const all = new Set(pool.members.map(({ id }) => id));
    const withoutOne = new Set([...all].filter((id) => id !== 'm4'));

    for (let n = 0; n < 500; n++) books.route(pool, withoutOne);
    const after = Array.from({ length: 10 }, () => books.route(pool, all));

    expect(after.filter((id) => id === 'm4')).toHaveLength(2);
  });

  it('leaves everything as it was where nobody is here', () => {
    const lags = { m0: 0.5, m1: -0.5 };

    const rotation = rotate(poolOf([1, 1]), lags, () => 'disabled');

    expect(rotation.chosen).toBeUndefined();
    expect(rotation.lags).toEqual(lags);
    expect(rotation.receipt.candidates.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
      'excluded disabled',
      'excluded disabled',
    ]);
  });
});

describe('a receipt', () => {
  it('names every member of the pool once, one of them assigned, and the shares of the eligible', () => {
    fc.assert(
      fc.property(weightsArb, fc.infiniteStream(fc.boolean()), (weights, presence) => {
        const pool = poolOf(weights);
        const away = new Set(pool.members.filter(() => presence.next().value).map(({ id }) => id));

        const { chosen, receipt } = rotate(pool, {}, (id) => (away.has(id) ? 'disabled' : undefined));

        expect(receipt.candidates.map(({ memberId }) => memberId)).toEqual(pool.members.map(({ id }) => id));
        const assigned = receipt.candidates.filter(({ outcome }) => outcome === 'assigned');
        expect(assigned.map(({ memberId }) => memberId)).toEqual(chosen === undefined ? [] : [chosen]);
        for (const { memberId, outcome, share, reason } of receipt.candidates) {
          expect(outcome === 'excluded').toBe(away.has(memberId));
          if (outcome === 'excluded') expect([share, reason]).toEqual([0, 'disabled']);
          else expect(reason).toMatch(/due -?\d+\.\d\d(, least open|, first of equals)?$/);
        }
        const shares = sum(receipt.candidates.map(({ share }) => share));
        expect(shares).toBeCloseTo(chosen === undefined ? 0 : 1, 2);
      }),
    );
  });
});

describe('a strategy', () => {
  const turn = (
    pool: Pool,
    lags: Lags,
    more: Partial<Parameters<typeof takeTurn>[0]> = {},
  ): ReturnType<typeof takeTurn> =>
    takeTurn({ pool, lags, exclusion: everybody, openWork: () => 0, preferences: [], ...more });

  it('of strict turns goes through the list, whatever the weights and the open work', () => {
    const pool: Pool = { ...poolOf([1, 50, 3]), strategy: 'strict_round_robin' };
    let lags: Lags = {};
    const chosen = Array.from({ length: 6 }, () => {
      const next = turn(pool, lags, { openWork: (id) => (id === 'm0' ? 9 : 0) });
      lags = next.lags;
      return next.chosen;
    });

    expect(chosen).toEqual(['m0', 'm1', 'm2', 'm0', 'm1', 'm2']);
    expect(turn(pool, {}).receipt.strategy).toBe('strict_round_robin');
  });

  it('of least open work goes to who has least, in turns among equals, and says what it compared', () => {
    const pool: Pool = { ...poolOf([1, 1, 1]), strategy: 'least_open_work' };
    const open: Record<string, number> = { m0: 3, m1: 1, m2: 1 };
    const openWork = (id: string) => open[id] ?? 0;

    const first = turn(pool, {}, { openWork });
    expect(first.chosen).toBe('m1');
    expect(first.receipt.candidates[0]).toMatchObject({
      outcome: 'passed_over',
      reason: '3 open, the least is 1',
    });
    expect(turn(pool, first.lags, { openWork }).chosen).toBe('m2');
  });

  it('prefers whom it is told to, and everybody else where none of those is there', () => {
    const pool = poolOf([1, 1, 1]);
    const preferences = [{ who: (id: string) => id === 'm2', others: 'no specialist in mohs' }];

    const { chosen, receipt, lags } = turn(pool, {}, { preferences });
    expect(chosen).toBe('m2');
    expect(receipt.candidates[0]).toMatchObject({ outcome: 'passed_over', reason: 'no specialist in mohs' });
    // What only one could have is no turn that the others missed.
    expect(lags).toEqual({});
    expect(
      turn(pool, {}, { preferences, exclusion: (id) => (id === 'm2' ? 'disabled' : undefined) }).chosen,
    ).toBe('m0');
  });

  it('keeps its lags within half the pool, whoever is there, is preferred, or has however much work', () => {
    const step = fc.record({
      here: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      preferred: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      open: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }),
      strategy: fc.constantFrom(undefined, 'strict_round_robin' as const, 'least_open_work' as const),
      times: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
        let lags: Lags = {};
        for (const { here, preferred, open, strategy, times } of steps) {
          const pool: Pool = { ...poolOf([1, 2, 3, 4, 5, 6]), ...(strategy && { strategy }) };
          const at = (id: string): number => Number(id.slice(1));
          for (let i = 0; i < times; i++) {
            const next = turn(pool, lags, {
              exclusion: (id) => (here[at(id)] ? undefined : 'away'),
              openWork: (id) => open[at(id)] ?? 0,
              preferences: [{ who: (id) => preferred[at(id)] === true, others: 'not preferred' }],
            });
            lags = next.lags;
            const assigned = next.receipt.candidates.filter(({ outcome }) => outcome === 'assigned');
            expect(assigned.map(({ memberId }) => memberId)).toEqual(
              next.chosen === undefined ? [] : [next.chosen],
            );
            expect(Math.abs(sum(Object.values(lags)))).toBeLessThan(1e-5);
            expect(Math.max(0, ...Object.values(lags).map(Math.abs))).toBeLessThanOrEqual(3);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
