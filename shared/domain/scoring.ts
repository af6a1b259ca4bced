/**
 * The published composite score: lead-source quality (0 to 40), service value
 * (0 to 40) and contact completeness (0 to 20). Every point is explained by a
 * part, and the parts sum to the total.
 */
import * as z from 'zod';
import { findService, type Practice, type ScoringModel } from './practice.ts';
import type { Tier } from './stages.ts';

export const scorePartSchema = z.object({
  name: z.enum([
    'source_quality',
    'service_value',
    'phone',
    'email',
    'name',
    'service',
    'insurance',
    'preferred_time',
  ]),
  points: z.int(),
  reason: z.string(),
});
export type ScorePart = z.infer<typeof scorePartSchema>;

export const scoreSchema = z.object({
  total: z.int().min(0).max(100),
  tier: z.enum(['A', 'B', 'C']),
  modelVersion: z.string(),
  parts: z.array(scorePartSchema),
});
export type Score = z.infer<typeof scoreSchema>;

/** Points of each fact that makes a person reachable and the call short; 20 in all. */
const completenessPoints = {
  phone: 8,
  email: 4,
  name: 2,
  service: 2,
  insurance: 2,
  preferred_time: 2,
} as const;

/** Most that a service's value can be worth. */
export const mostValuePoints = 40;

/** What scoring looks at; nothing of it but its presence counts, so no value is kept. */
export interface ScoredFacts {
  readonly sourceId: string;
  readonly serviceId: string | undefined;
  /** Whether a reachable phone number, an e-mail address, … came with it. */
  readonly has: Readonly<Record<keyof typeof completenessPoints, boolean>>;
}

/** Points of an expected value on the log scale between the model's anchors, clamped to 0 and 40. */
export function valuePoints(valueCents: number, anchors: ScoringModel['valueAnchorsCents']): number {
  if (valueCents <= anchors.low) return 0;
  const position = Math.log(valueCents / anchors.low) / Math.log(anchors.high / anchors.low);
  return Math.round(mostValuePoints * Math.min(1, position));
}

/** The middle of what the practice's services score; of an even number, the mean of the two. */
function medianValuePoints(practice: Practice): number {
  const points = practice.services
    .map((service) => valuePoints(service.valueCents, practice.scoring.valueAnchorsCents))
    .sort((a, b) => a - b);
  const low = points[Math.floor((points.length - 1) / 2)] ?? 0;
  const high = points[Math.ceil((points.length - 1) / 2)] ?? 0;
  return Math.round((low + high) / 2);
}

export function tierOf(total: number, tiers: ScoringModel['tiers']): Tier {
  if (total >= tiers.A) return 'A';
  return total >= tiers.B ? 'B' : 'C';
}

const dollars = (cents: number): string =>
  (cents / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 0 });

/** Scores an inquiry by the practice's model. */
export function score(facts: ScoredFacts, practice: Practice): Score {
  const model = practice.scoring;
  const source = practice.sources.find((candidate) => candidate.id === facts.sourceId);
  const service = findService(practice, facts.serviceId);
  const parts: ScorePart[] = [
    {
      name: 'source_quality',
      points: source?.quality ?? 0,
      reason: source ? `lead source ${source.id}` : 'lead source not in the configuration',
    },
    service
      ? {
          name: 'service_value',
          points: valuePoints(service.valueCents, model.valueAnchorsCents),
          reason: `${service.id}: ${dollars(service.valueCents)} expected in the first year`,
        }
      : { name: 'service_value', points: medianValuePoints(practice), reason: 'unknown service: the median' },
  ];
  for (const [name, points] of Object.entries(completenessPoints)) {
    const fact = name as keyof typeof completenessPoints;
    const given = facts.has[fact];
    parts.push({ name: fact, points: given ? points : 0, reason: given ? 'given' : 'not given' });
  }
  const total = parts.reduce((sum, part) => sum + part.points, 0);
  return { total, tier: tierOf(total, model.tiers), modelVersion: model.version, parts };
}
