import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishedScoringModel } from '../../shared/domain/defaults.ts';
import { scoringModelSchema } from '../../shared/domain/schema/scoring-model.ts';
import { fewestScores, sharesOf, suggestCutoffs } from '../../shared/domain/tier-cutoffs.ts';

const suggested = (totals: readonly number[]) => {
  const suggestion = suggestCutoffs(totals);
  if (suggestion.outcome !== 'suggested') throw new Error(suggestion.outcome);
  return suggestion.tiers;
};
const times = (n: number, total: number): number[] => Array.from({ length: n }, () => total);
const enoughTotals = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: fewestScores, maxLength: 300 });

describe('suggested cut-offs', () => {
  it('make the top fifth A and the next half B', () => {
    const totals = Array.from({ length: 100 }, (_, i) => i + 1);

    expect(suggested(totals)).toEqual({ A: 81, B: 31 });
    expect(sharesOf(totals, { A: 81, B: 31 })).toEqual({
      A: 0.2,
      B: expect.closeTo(0.5),
      C: expect.closeTo(0.3),
    });
  });

  it('keep equal scores together, on the side that comes closer', () => {
    // A fifth would cut through the 60s: with them 30 %, without them 10 %. The smaller A wins.
    const totals = [...times(10, 80), ...times(20, 60), ...times(40, 50), ...times(30, 20)];

    expect(suggested(totals)).toEqual({ A: 80, B: 50 });
    expect(suggested([...times(15, 80), ...times(15, 60), ...times(70, 20)]).A).toBe(80);
    expect(suggested([...times(8, 80), ...times(16, 60), ...times(76, 20)]).A).toBe(60);
  });

  it('make nobody A where all score alike', () => {
    expect(suggested(times(50, 60))).toEqual({ A: 61, B: 60 });
    expect(suggested(times(50, 0))).toEqual({ A: 2, B: 1 });
    expect(suggested(times(50, 100))).toEqual({ A: 100, B: 99 });
  });

  it('are refused from few scores, with how many there were', () => {
    expect(suggestCutoffs([])).toEqual({ outcome: 'too_few', scores: 0 });
    expect(suggestCutoffs(times(29, 50))).toEqual({ outcome: 'too_few', scores: 29 });
    expect(suggestCutoffs(times(30, 50))).toMatchObject({ outcome: 'suggested', scores: 30 });
  });

  it('are always cut-offs that a model may have, whatever the order of the scores', () => {
    fc.assert(
      fc.property(enoughTotals, (totals) => {
        const tiers = suggested(totals);

        expect(scoringModelSchema.safeParse({ ...publishedScoringModel, tiers }).success).toBe(true);
        expect(suggested(totals.toReversed())).toEqual(tiers);
      }),
    );
  });

  it('come at least as close to a fifth as any other cut-off for A', () => {
    fc.assert(
      fc.property(enoughTotals, fc.integer({ min: 2, max: 100 }), (totals, other) => {
        const off = (A: number): number => Math.abs(sharesOf(totals, { A, B: 1 }).A - 0.2);

        expect(off(suggested(totals).A)).toBeLessThanOrEqual(off(other) + 1e-9);
      }),
    );
  });
});

describe('shares', () => {
  it('sum to everything', () => {
    fc.assert(
      fc.property(enoughTotals, (totals) => {
        const { A, B, C } = sharesOf(totals, suggested(totals));

        expect(A + B + C).toBeCloseTo(1);
      }),
    );
  });

  it('of nothing are nothing', () => {
    expect(sharesOf([], { A: 70, B: 40 })).toEqual({ A: 0, B: 0, C: 0 });
  });
});
