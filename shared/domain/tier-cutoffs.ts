/** Tier cut-offs from the practice's own scores: with fixed ones, some practices would see nearly all A. */
import type { ScoringModel } from './practice.ts';

/** The shares that tiers are meant to have, in tenths: A the top fifth, B the next half. */
const wantedTenths = { A: 2, AandB: 7 } as const;

/** Below this many scores, one inquiry more or less would move a cut-off. */
export const fewestScores = 30;

/** The part of all inquiries in each tier, 0 to 1. */
export interface TierShares {
  readonly A: number;
  readonly B: number;
  readonly C: number;
}

export type CutoffSuggestion =
  | { readonly outcome: 'suggested'; readonly scores: number; readonly tiers: ScoringModel['tiers'] }
  | { readonly outcome: 'too_few'; readonly scores: number };

/** How many scores are at or above a cut-off. */
const countFrom = (totals: readonly number[], cutoff: number): number =>
  totals.filter((total) => total >= cutoff).length;

/** The shares that cut-offs give; of no scores at all, nothing. */
export function sharesOf(totals: readonly number[], tiers: ScoringModel['tiers']): TierShares {
  if (totals.length === 0) return { A: 0, B: 0, C: 0 };
  const a = countFrom(totals, tiers.A) / totals.length;
  const ab = countFrom(totals, tiers.B) / totals.length;
  return { A: a, B: ab - a, C: 1 - ab };
}

/**
 * The cut-offs whose shares come closest to the wanted ones. Equal totals stay together, so the
 * shares may miss the mark where many score the same; of two that come equally close, the higher
 * one, since tier A is only worth its name while it is small.
 *
 * @param totals - totals of scores, 0 to 100
 */
export function suggestCutoffs(totals: readonly number[]): CutoffSuggestion {
  const scores = totals.length;
  if (scores < fewestScores) return { outcome: 'too_few', scores };
  const closest = (candidates: readonly number[], tenths: number): number | undefined => {
    let best: { cutoff: number; off: number } | undefined;
    for (const cutoff of candidates) {
      const off = Math.abs(10 * countFrom(totals, cutoff) - tenths * scores);
      if (best === undefined || off < best.off) best = { cutoff, off };
    }
    return best?.cutoff;
  };
  const reached = [...new Set(totals)].sort((a, b) => b - a);
  // One above the highest, for where all score alike: nobody, rather than everybody, is an A.
  const above = Math.min(Math.max((reached[0] ?? 0) + 1, 2), 100);
  const A = closest([above, ...reached.filter((total) => total >= 2)], wantedTenths.A) ?? 2;
  const B =
    closest(
      reached.filter((total) => total >= 1 && total < A),
      wantedTenths.AandB,
    ) ?? A - 1;
  return { outcome: 'suggested', scores, tiers: { A, B } };
}
