import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { publishedScoringModel } from '../../shared/domain/defaults.ts';
import type { Practice, ScoringModel } from '../../shared/domain/practice.ts';
import { scoringModelSchema } from '../../shared/domain/schema/scoring-model.ts';
import {
  factsChanged,
  lacksPersonalFacts,
  type ScoredFacts,
  score,
  scoredFacts,
  scoreSchema,
  tierOf,
  valuePoints,
} from '../../shared/domain/scoring.ts';
import { smallPractice } from '../support/fixtures.ts';

const demo = readPracticeFile(readFileSync('practices/demo.yaml', 'utf8')).practice as Practice;
const anchors = publishedScoringModel.valueAnchorsCents;
const nothing: ScoredFacts['has'] = {
  phone: false,
  email: false,
  name: false,
  service: false,
  insurance: false,
  preferred_time: false,
};
const withServices = (...valuesCents: number[]): Practice => ({
  ...smallPractice,
  services: valuesCents.map((valueCents, i) => ({ id: `s${i}`, name: `S${i}`, aliases: [], valueCents })),
});
const points = (result: ReturnType<typeof score>, name: string): number | undefined =>
  result.parts.find((part) => part.name === name)?.points;

describe('a score', () => {
  const factsArb: fc.Arbitrary<ScoredFacts> = fc.record({
    sourceId: fc.constantFrom(...demo.sources.map(({ id }) => id), 'gone'),
    serviceId: fc.constantFrom(undefined, ...demo.services.map(({ id }) => id), 'gone'),
    has: fc.record({
      phone: fc.boolean(),
      email: fc.boolean(),
      name: fc.boolean(),
      service: fc.boolean(),
      insurance: fc.boolean(),
      preferred_time: fc.boolean(),
    }),
  });

  /** Any model that a practice file may hold: shares of 100 points, whatever their sizes. */
  const modelArb: fc.Arbitrary<ScoringModel> = fc
    .record({
      cuts: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 7, maxLength: 7 }),
      B: fc.integer({ min: 1, max: 99 }),
      above: fc.integer({ min: 1, max: 99 }),
      low: fc.integer({ min: 1, max: 1_000_000 }),
      factor: fc.integer({ min: 2, max: 1_000 }),
    })
    .map(({ cuts, B, above, low, factor }) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), 100];
      const [source, value, phone, email, name, service, insurance, preferredTime] = edges
        .slice(1)
        .map((edge, i) => edge - Number(edges[i]));
      return scoringModelSchema.parse({
        version: 'any',
        tiers: { A: Math.min(100, B + above), B },
        valueAnchorsCents: { low, high: low * factor },
        caps: { source, value },
        completeness: { phone, email, name, service, insurance, preferredTime },
        respondWithinMinutes: { A: 5, B: 60, C: 240 },
      });
    });

  it('is the sum of its parts, 0 to 100, by any model', () => {
    fc.assert(
      fc.property(factsArb, modelArb, (facts, scoring) => {
        const result = score(facts, { ...demo, scoring });

        expect(result.parts.reduce((total, part) => total + part.points, 0)).toBe(result.total);
        expect(result.total).toBeGreaterThanOrEqual(0);
        expect(result.total).toBeLessThanOrEqual(100);
        expect(points(result, 'source_quality')).toBeLessThanOrEqual(scoring.caps.source);
        expect(points(result, 'service_value')).toBeLessThanOrEqual(scoring.caps.value);
        expect(result.tier).toBe(tierOf(result.total, scoring.tiers));
        expect(result.modelVersion).toBe('any');
      }),
      { numRuns: 500 },
    );
  });

  it('takes caps and points of completeness from the model', () => {
    const scoring = scoringModelSchema.parse({
      ...publishedScoringModel,
      caps: { source: 30, value: 20 },
      completeness: { phone: 25, email: 10, name: 5, service: 4, insurance: 3, preferredTime: 3 },
    });
    const has = { ...nothing, phone: true, preferred_time: true };

    const result = score(
      { sourceId: 'physician-referral', serviceId: 'dental-full-arch', has },
      { ...demo, scoring },
    );

    expect(result.parts.map(({ points }) => points)).toEqual([30, 20, 25, 0, 0, 0, 0, 3]);
  });

  it('counts what the person is known by, and says that it is from before', () => {
    const body = { sourceId: 'website', fields: { email: 'maria@example.com' } };
    const person = { phone: '+16505550188', email: 'old@example.com', name: 'Maria Lopez' };

    const result = score(scoredFacts(body, person), demo);

    expect(result.parts.slice(2, 5)).toEqual([
      { name: 'phone', points: 8, reason: 'known from before' },
      { name: 'email', points: 4, reason: 'given' },
      { name: 'name', points: 2, reason: 'known from before' },
    ]);
  });

  it('has other facts once the person is known by more, not by another model or another number', () => {
    const body = { sourceId: 'website', fields: { email: 'maria@example.com' } };
    const before = score(scoredFacts(body), demo);
    const changed = (person: Parameters<typeof scoredFacts>[1]) =>
      factsChanged(before, scoredFacts(body, person));

    expect(changed({ phone: '+16505550188' })).toBe(true);
    expect(changed({ email: 'other@example.com' })).toBe(false);
    expect(changed({})).toBe(false);
    expect(lacksPersonalFacts(scoredFacts(body))).toBe(true);
    const whole = { ...body, fields: { ...body.fields, phone: '1', name: 'Maria' } };
    expect(lacksPersonalFacts(scoredFacts(whole))).toBe(false);
  });

  it('is the sum of its parts, each group under its cap, and fits its own schema', () => {
    fc.assert(
      fc.property(factsArb, (facts) => {
        const result = score(facts, demo);

        const completeness = result.parts.filter(
          ({ name }) => name !== 'source_quality' && name !== 'service_value',
        );
        expect(scoreSchema.parse(result)).toEqual(result);
        expect(result.parts.reduce((total, part) => total + part.points, 0)).toBe(result.total);
        expect(result.parts.every((part) => part.points >= 0 && part.reason !== '')).toBe(true);
        expect(points(result, 'source_quality')).toBeLessThanOrEqual(40);
        expect(points(result, 'service_value')).toBeLessThanOrEqual(40);
        expect(completeness.reduce((total, part) => total + part.points, 0)).toBeLessThanOrEqual(20);
        expect(result.tier).toBe(result.total >= 70 ? 'A' : result.total >= 40 ? 'B' : 'C');
        expect(result.modelVersion).toBe('2026-1');
      }),
    );
  });

  it('gives completeness its published points', () => {
    const all = {
      phone: true,
      email: true,
      name: true,
      service: true,
      insurance: true,
      preferred_time: true,
    };

    const result = score({ sourceId: 'physician-referral', serviceId: 'dental-full-arch', has: all }, demo);

    expect(result.parts.map(({ name, points }) => [name, points])).toEqual([
      ['source_quality', 40],
      ['service_value', 40],
      ['phone', 8],
      ['email', 4],
      ['name', 2],
      ['service', 2],
      ['insurance', 2],
      ['preferred_time', 2],
    ]);
    expect(result).toMatchObject({ total: 100, tier: 'A' });
  });

  it.each([
    ['dermatology', [45_000, 35_000, 90_000, 180_000, 320_000, 160_000]],
    ['physical therapy', [15_000, 110_000, 140_000, 190_000]],
  ])('of a missed call with an unknown service is 36 in a %s practice', (_, values) => {
    const practice = withServices(...values);
    practice.sources = [{ id: 'unknown', name: 'Unknown', quality: 8 }];

    const result = score(
      { sourceId: 'unknown', serviceId: undefined, has: { ...nothing, phone: true } },
      practice,
    );

    expect(result).toMatchObject({ total: 36, tier: 'C' });
  });

  it.each([
    [[15_000, 45_000, 1_000_000], 10],
    [[45_000, 450_000], 21],
    [[450_000], 32],
  ])('takes an unknown service at the median of %j: %i points', (values, expected) => {
    const result = score(
      { sourceId: 'website', serviceId: undefined, has: nothing },
      withServices(...values),
    );

    expect(points(result, 'service_value')).toBe(expected);
  });

  it('gives a source that is gone nothing, and says so', () => {
    const result = score({ sourceId: 'gone', serviceId: 'acne', has: nothing }, smallPractice);

    expect(result.parts[0]).toEqual({
      name: 'source_quality',
      points: 0,
      reason: 'lead source not in the configuration',
    });
  });
});

describe("a service's value", () => {
  it.each([
    [0, 0],
    [15_000, 0],
    [15_001, 0],
    [45_000, 10],
    [122_474, 20],
    [450_000, 32],
    [1_000_000, 40],
    [2_500_000, 40],
  ])('of %i cents is worth %i points', (cents, expected) => {
    expect(valuePoints(cents, anchors, 40)).toBe(expected);
  });

  it('never counts less for being more, and stays between 0 and 40', () => {
    const cents = fc.integer({ min: 0, max: 100_000_000 });
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((value) => valuePoints(value, anchors, 40));
        expect(low).toBeLessThanOrEqual(Number(high));
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(40);
      }),
    );
  });
});

it.each([
  [100, 'A'],
  [70, 'A'],
  [69, 'B'],
  [40, 'B'],
  [39, 'C'],
  [0, 'C'],
] as const)('a total of %i is tier %s', (total, tier) => {
  expect(tierOf(total, publishedScoringModel.tiers)).toBe(tier);
});
