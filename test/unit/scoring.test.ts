import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { type Practice, publishedScoringModel } from '../../shared/domain/practice.ts';
import { type ScoredFacts, score, scoreSchema, tierOf, valuePoints } from '../../shared/domain/scoring.ts';
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
