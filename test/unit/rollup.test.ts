import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import { reviewRedFlag } from '../../shared/domain/inquiry/review.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { type Counts, countChange, mayCount, summarize } from '../../shared/domain/rollup.ts';
import { stages } from '../../shared/domain/stages.ts';
import { friday, minutes } from '../support/fixtures.ts';

const arrive = (): Inquiry =>
  captured(
    {
      id: `inq_${'0'.repeat(26)}`,
      contactId: `con_${'0'.repeat(26)}`,
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      quarantine: [],
    },
    friday,
  );
const sumOf = (deltas: readonly Counts[]): Counts => {
  const sum: Record<string, number> = {};
  for (const [name, n] of deltas.flatMap((delta) => Object.entries(delta))) sum[name] = (sum[name] ?? 0) + n;
  return Object.fromEntries(Object.entries(sum).filter(([, n]) => n !== 0));
};

/** After its routing, with which its counting begins. */
const routed = (): Inquiry => ({ ...arrive(), version: 2, progress: 'routed', tier: 'B' });

describe('the changes of an inquiry', () => {
  it('count nothing as it arrives, and all of it with the first thing made of it', () => {
    expect(countChange(undefined, arrive())).toEqual({});
    expect(countChange(arrive(), routed())).toEqual(countChange(undefined, routed()));
    expect(countChange(undefined, routed())).toEqual({
      inquiries: 1,
      'source:website': 1,
      'stage:new': 1,
      'tier:B': 1,
    });
  });

  it('count what is set aside as it arrives', () => {
    expect(countChange(undefined, { ...arrive(), progress: 'quarantined' })).toMatchObject({ inquiries: 1 });
  });

  it('count what staff change before it is routed, and what returns to be scored', () => {
    const changed: Inquiry = { ...arrive(), version: 2, stage: 'contacted' };

    expect(countChange(arrive(), changed)).toMatchObject({ inquiries: 1, 'stage:contacted': 1 });
    expect(countChange({ ...arrive(), progress: 'quarantined' }, { ...arrive(), version: 2 })).toEqual({});
  });

  it('sum to what its last state alone would count, whatever way it went', () => {
    const step = fc.record({
      to: fc.constantFrom(...stages),
      tier: fc.constantFrom(undefined, 'A' as const, 'B' as const, 'C' as const),
      redFlag: fc.constantFrom(undefined, 'confirmed' as const, 'false_alarm' as const),
      pause: fc.integer({ min: 0, max: 3_000 }),
    });
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 20 }), (flagged, steps) => {
        let inquiry: Inquiry = { ...arrive(), ...(flagged && { redFlag: 'raised' as const }) };
        let now = friday.getTime();
        const deltas = [countChange(undefined, inquiry)];
        for (const { to, tier, redFlag, pause } of steps) {
          now += minutes(pause);
          const change = changeStage(inquiry, to, 'spam', new Date(now));
          const moved = { ...(change.outcome === 'changed' ? change.next : inquiry), tier };
          const next = (redFlag && reviewRedFlag(moved, redFlag)) ?? moved;
          // What is passed over unread would have counted nothing.
          deltas.push(mayCount({ ...inquiry }, { ...next }) ? countChange(inquiry, next) : {});
          inquiry = next;
        }
        const sum = sumOf(deltas);
        expect(sum).toEqual(countChange(undefined, inquiry));
        expect(Object.values(sum).every((n) => n > 0 || n === sum['responseMinutes'])).toBe(true);
      }),
    );
  });

  it('count nothing where nothing that is counted changed', () => {
    const notified: Inquiry = { ...routed(), version: 3, progress: 'notified' };

    expect(countChange(routed(), notified)).toEqual({});
    expect(mayCount({ ...routed() }, { ...notified })).toBe(false);
    expect(mayCount({ ...arrive() }, { ...routed() })).toBe(true);
  });

  it.each([
    [0, 'within_5', 1],
    [5, 'within_5', 1],
    [5.1, 'within_15', 1],
    [60, 'within_60', 1],
    [61, 'within_240', undefined],
    [1_440, 'within_1440', undefined],
    [1_441, 'over_1440', undefined],
  ])('after %d minutes the first response is %s', (passed, name, inTime) => {
    const before = { ...routed(), respondBy: new Date(friday.getTime() + minutes(60)).toISOString() };
    const firstContactedAt = new Date(friday.getTime() + minutes(passed)).toISOString();

    const counts = countChange(before, { ...before, firstContactedAt });

    expect(counts).toMatchObject({ responses: 1, [`response:${name}`]: 1 });
    expect(counts['respondedInTime']).toBe(inTime);
  });
});

it('a red flag is counted as raised, confirmed or a false alarm, and a false alarm taken back counts back', () => {
  const flagged: Inquiry = { ...routed(), redFlag: 'raised' };
  const alarm = reviewRedFlag(flagged, 'false_alarm') ?? flagged;
  const confirmed = reviewRedFlag(alarm, 'confirmed') ?? flagged;

  expect(countChange(undefined, flagged)).toMatchObject({ redFlags: 1 });
  expect(countChange(flagged, alarm)).toEqual({ falseAlarms: 1 });
  expect(countChange(alarm, confirmed)).toEqual({ falseAlarms: -1, redFlagsConfirmed: 1 });
  expect(summarize([{ redFlags: 3, redFlagsConfirmed: 1 }, { falseAlarms: 2 }]).redFlags).toEqual({
    raised: 3,
    confirmed: 1,
    falseAlarms: 2,
  });
});

describe('a summary', () => {
  it('adds up days and locations', () => {
    const summary = summarize([
      { inquiries: 2, 'source:website': 2, 'stage:new': 1, 'stage:booked': 1, 'tier:A': 2 },
      {
        inquiries: 1,
        'source:search-ad': 1,
        'stage:new': 1,
        responses: 3,
        responseMinutes: 100,
        respondedInTime: 2,
        'response:within_5': 3,
      },
      { 'stage:new': -2, 'stage:closed': 2 },
      { 'booked:website': 1, 'kept:website': 1, 'noShows:search-ad': 1, 'cents:website': 52_000 },
      // Booked before there was a counter of it, and closed since.
      { 'booked:directory': -1 },
    ]);

    expect(summary).toEqual({
      inquiries: 3,
      bySource: { website: 2, 'search-ad': 1 },
      byStage: { booked: 1, closed: 2 },
      byTier: { A: 2 },
      redFlags: { raised: 0, confirmed: 0, falseAlarms: 0 },
      firstResponse: { responses: 3, meanMinutes: 33.3, inTime: 2, byClass: { within_5: 3 } },
      valueCents: 52_000,
      results: {
        directory: { inquiries: 0, booked: 0, kept: 0, noShows: 0, valueCents: 0 },
        'search-ad': { inquiries: 1, booked: 0, kept: 0, noShows: 1, valueCents: 0 },
        website: { inquiries: 2, booked: 1, kept: 1, noShows: 0, valueCents: 52_000 },
      },
    });
  });

  it('of nothing is empty', () => {
    expect(summarize([])).toEqual({
      inquiries: 0,
      bySource: {},
      byStage: {},
      byTier: {},
      redFlags: { raised: 0, confirmed: 0, falseAlarms: 0 },
      firstResponse: { responses: 0, inTime: 0, byClass: {} },
      valueCents: 0,
      results: {},
    });
  });
});
