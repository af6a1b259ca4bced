import { describe, expect, it } from 'vitest';
import { choose, destinationOf, type Named } from '../../shared/domain/destination.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { findPool } from '../../shared/domain/practice.ts';
import type { Decision } from '../../shared/domain/rules/decision.ts';
import { coordinators, friday, smallPractice } from '../support/fixtures.ts';

const head: Inquiry = captured(
  {
    id: `inq_${'0'.repeat(26)}`,
    contactId: `con_${'0'.repeat(26)}`,
    locationId: 'main-street',
    channel: 'web_form',
    sourceId: 'website',
    serviceId: 'acne',
    quarantine: [],
  },
  friday,
);
const decided = (decision: Partial<Decision> = {}) => ({
  tier: 'B' as const,
  decision: { respondWithinMinutes: 60, clock: 'tier B', ...decision },
});
const where = (decision?: Partial<Decision>, owner?: string, inquiry = head) =>
  destinationOf(inquiry, decided({ ...decision, ...(owner !== undefined && { owner }) }), smallPractice);

describe('an inquiry goes', () => {
  it("to its service's pool, within its tier's minutes of opening time", () => {
    expect(where()).toMatchObject({ pool: { id: 'skin' }, respondBy: '2026-11-20T18:00:00.000Z', named: [] });
    expect(destinationOf(head, { tier: 'A' }, smallPractice).respondBy).toBe('2026-11-20T17:05:00.000Z');
  });

  it('to the pool and by the time that triage decided, from when its clock started', () => {
    const released = { ...head, clockFrom: '2026-11-20T20:00:00.000Z' };

    expect(where({ poolId: 'intake', respondWithinMinutes: 15 }, undefined, released)).toMatchObject({
      pool: { id: 'intake' },
      respondBy: '2026-11-20T20:15:00.000Z',
    });
  });

  it("to its service's pool where the one decided on is gone", () => {
    expect(where({ poolId: 'gone' }).pool.id).toBe('skin');
  });

  it('to the pool where staff put it, whoever had it from there', () => {
    expect(
      where({ poolId: 'skin' }, undefined, { ...head, progress: 'notified', poolId: 'intake' }).pool.id,
    ).toBe('intake');
  });

  it('to who serves the location that took the place of one that is gone', () => {
    expect(where({}, undefined, { ...head, locationId: 'gone' }).needs.locationId).toBe('main-street');
  });

  it('by the time that stands already, where its clock runs', () => {
    expect(where({}, undefined, { ...head, respondBy: '2026-11-20T17:01:00.000Z' }).respondBy).toBe(
      '2026-11-20T17:01:00.000Z',
    );
  });

  it('to whom a rule names, then to whoever knows the person', () => {
    expect(where({ memberId: 'mia', toOwner: true }, 'dev').named).toEqual([
      { memberId: 'mia', strategy: 'fixed_member' },
      { memberId: 'dev', strategy: 'owner' },
    ]);
    expect(where({ toOwner: true }).named).toEqual([]);
    expect(where({}, 'dev').named).toEqual([]);
  });
});

describe('choosing', () => {
  const pool = findPool(smallPractice, 'acne');
  const lags = { ana: 0.4, ben: -0.4 };
  const all = (id: string) =>
    smallPractice.members.some((member) => member.id === id) ? undefined : 'not in the configuration';
  const to = (...named: Named[]) => ({ pool, named, preferences: [] });
  const without =
    (...ids: string[]) =>
    (id: string) =>
      ids.includes(id) ? 'disabled' : all(id);

  it('gives it to the one named, whose turn it stays, and names every candidate', () => {
    const {
      chosen,
      lags: after,
      receipt,
    } = choose(to({ memberId: 'carla', strategy: 'fixed_member' }), lags, without('dev'));

    expect(chosen).toBe('carla');
    expect(after).toBe(lags);
    expect(receipt).toEqual({
      pool: 'skin',
      strategy: 'fixed_member',
      candidates: [
        { memberId: 'carla', share: 1, outcome: 'assigned', reason: 'named by a rule' },
        { memberId: 'ana', share: 0, outcome: 'passed_over', reason: 'not named' },
        { memberId: 'ben', share: 0, outcome: 'passed_over', reason: 'not named' },
        { memberId: 'dev', share: 0, outcome: 'excluded', reason: 'disabled' },
        { memberId: 'elena', share: 0, outcome: 'passed_over', reason: 'not named' },
      ],
    });
  });

  it('gives it to somebody outside the pool, too', () => {
    const { chosen, receipt } = choose(to({ memberId: 'mia', strategy: 'owner' }), {}, all);

    expect(chosen).toBe('mia');
    expect(receipt.strategy).toBe('owner');
    expect(receipt.candidates.map(({ memberId }) => memberId)).toEqual(['mia', ...coordinators]);
  });

  it('goes on to the next one named, and then to the turns of the pool, and says why', () => {
    const named = [
      { memberId: 'carla', strategy: 'fixed_member' },
      { memberId: 'gone', strategy: 'owner' },
    ] as const;

    const next = choose(to(...named, { memberId: 'dev', strategy: 'owner' }), lags, without('carla'));
    expect(next.chosen).toBe('dev');

    const { chosen, lags: after, receipt } = choose(to(...named), lags, without('carla'));
    expect(chosen).toBe('ana');
    expect(after).not.toEqual(lags);
    expect(receipt.strategy).toBe('weighted_round_robin');
    expect(receipt.candidates.slice(0, 2)).toEqual([
      { memberId: 'carla', share: 0, outcome: 'excluded', reason: 'named by a rule: disabled' },
      {
        memberId: 'gone',
        share: 0,
        outcome: 'excluded',
        reason: 'knows the person: not in the configuration',
      },
    ]);
    expect(receipt.candidates.map(({ memberId }) => memberId).toSorted()).toEqual(
      [...coordinators, 'gone'].toSorted(),
    );
  });
});
