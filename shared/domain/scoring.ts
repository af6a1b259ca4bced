/**
 * The published composite score: lead-source quality, service value and contact
 * completeness, 0 to 100 by the practice's model. Every point is explained by a
 * part, and the parts sum to the total.
 */
import * as z from 'zod';
import { findService, type Practice, type ScoringModel } from './practice.ts';
import { type Tier, tiers } from './stages.ts';

export const scorePartSchema = z.lazy(() =>
  z.object({
    /** `source_quality`, `service_value`, a fact of completeness, or `rule:` and the id of one that moved the tier. */
    name: z.string().min(1).max(100),
    points: z.int(),
    reason: z.string(),
  }),
);
export type ScorePart = z.infer<typeof scorePartSchema>;

export const scoreSchema = z.lazy(() =>
  z.object({
    total: z.int().min(0).max(100),
    tier: z.enum(tiers),
    modelVersion: z.string(),
    parts: z.array(scorePartSchema),
  }),
);
export type Score = z.infer<typeof scoreSchema>;

/** Facts of completeness, each with its part of the score and its points in the model. */
const completenessFacts = {
  phone: 'phone',
  email: 'email',
  name: 'name',
  service: 'service',
  insurance: 'insurance',
  preferred_time: 'preferredTime',
} as const satisfies Record<string, keyof ScoringModel['completeness']>;
export type CompletenessFact = keyof typeof completenessFacts;

/** Facts that a person may be known by, whatever an inquiry of theirs came with. */
export const personalFacts = ['phone', 'email', 'name'] as const satisfies readonly CompletenessFact[];

/** What scoring looks at; nothing of it but its presence counts, so no value is kept. */
export interface ScoredFacts {
  readonly sourceId: string;
  readonly serviceId: string | undefined;
  /** Whether a reachable phone number, an e-mail address, … came with it. */
  readonly has: Readonly<Record<CompletenessFact, boolean>>;
  /** Whether the person is known by it, where it did not come with the inquiry. */
  readonly known?: Readonly<Partial<Record<CompletenessFact, boolean>>>;
}

/** What of an inquiry's body scoring reads. */
export interface ScoredBody {
  readonly sourceId: string;
  readonly serviceId?: string | undefined;
  readonly fields: Readonly<Record<string, string | boolean>>;
  readonly invalidPoints?: readonly ('email' | 'phone')[] | undefined;
}

/** How a person can be reached and called. */
export interface KnownPerson {
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * What of an inquiry counts for its score.
 *
 * @param person - who it is from, where they are known by more than came with it
 */
export function scoredFacts(body: ScoredBody, person: KnownPerson = {}): ScoredFacts {
  const given = (field: string): boolean => body.fields[field] !== undefined;
  const reachable = (point: 'email' | 'phone'): boolean =>
    given(point) && !body.invalidPoints?.includes(point);
  return {
    sourceId: body.sourceId,
    serviceId: body.serviceId,
    has: {
      phone: reachable('phone'),
      email: reachable('email'),
      name: given('name'),
      service: given('service'),
      insurance: given('insurance'),
      preferred_time: given('preferredTime'),
    },
    known: Object.fromEntries(personalFacts.map((fact) => [fact, person[fact] !== undefined])),
  };
}

/** Whether something did not come with an inquiry that its person may be known by. */
export const lacksPersonalFacts = ({ has }: ScoredFacts): boolean => personalFacts.some((fact) => !has[fact]);

/**
 * Points of an expected value on the log scale between the model's anchors, from 0 to the cap.
 *
 * @param most - the cap of values
 */
export function valuePoints(
  valueCents: number,
  anchors: ScoringModel['valueAnchorsCents'],
  most: number,
): number {
  if (valueCents <= anchors.low) return 0;
  const position = Math.log(valueCents / anchors.low) / Math.log(anchors.high / anchors.low);
  return Math.round(most * Math.min(1, position));
}

/** The middle of what the practice's services score; of an even number, the mean of the two. */
function medianValuePoints(practice: Practice): number {
  const { valueAnchorsCents, caps } = practice.scoring;
  const points = practice.services
    .map((service) => valuePoints(service.valueCents, valueAnchorsCents, caps.value))
    .sort((a, b) => a - b);
  const low = points[Math.floor((points.length - 1) / 2)] ?? 0;
  const high = points[Math.ceil((points.length - 1) / 2)] ?? 0;
  return Math.round((low + high) / 2);
}

export function tierOf(total: number, tiers: ScoringModel['tiers']): Tier {
  if (total >= tiers.A) return 'A';
  return total >= tiers.B ? 'B' : 'C';
}

let dollarFormat: Intl.NumberFormat | undefined;
function dollars(cents: number): string {
  // Made with the first score: a function that starts does not wait for it.
  dollarFormat ??= new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: 0,
  });
  return dollarFormat.format(cents / 100);
}

const given = 'given';
const knownBefore = 'known from before';
const notGiven = 'not given';

const reasonOf = ({ has, known }: ScoredFacts, fact: CompletenessFact): string =>
  has[fact] ? given : known?.[fact] ? knownBefore : notGiven;

/** Scores an inquiry by the practice's model; the tier is the model's, before any rules. */
export function score(facts: ScoredFacts, practice: Practice): Score {
  const model = practice.scoring;
  const source = practice.sources.find((candidate) => candidate.id === facts.sourceId);
  const service = findService(practice, facts.serviceId);
  const parts: ScorePart[] = [
    {
      name: 'source_quality',
      points: Math.min(source?.quality ?? 0, model.caps.source),
      reason: source ? `lead source ${source.id}` : 'lead source not in the configuration',
    },
    service
      ? {
          name: 'service_value',
          points: valuePoints(service.valueCents, model.valueAnchorsCents, model.caps.value),
          reason: `${service.id}: ${dollars(service.valueCents)} expected in the first year`,
        }
      : { name: 'service_value', points: medianValuePoints(practice), reason: 'unknown service: the median' },
  ];
  for (const [fact, inModel] of Object.entries(completenessFacts)) {
    const reason = reasonOf(facts, fact as CompletenessFact);
    parts.push({ name: fact, points: reason === notGiven ? 0 : model.completeness[inModel], reason });
  }
  const total = parts.reduce((sum, part) => sum + part.points, 0);
  return { total, tier: tierOf(total, model.tiers), modelVersion: model.version, parts };
}

/**
 * Whether an inquiry has other facts now than when it was scored: its person gave
 * a phone number, say. A change of the model is no change of facts.
 */
export function factsChanged(scored: Pick<Score, 'parts'>, facts: ScoredFacts): boolean {
  return personalFacts.some((fact) => {
    const part = scored.parts.find(({ name }) => name === fact);
    return part !== undefined && (part.reason === notGiven) !== (reasonOf(facts, fact) === notGiven);
  });
}
