/**
 * Where a scored inquiry goes and by when: what triage decided, stored with the
 * score, else the pool of its service and the clock of its tier.
 */
import { addBusinessMinutes } from './business-time.ts';
import type { Candidate, Inquiry } from './inquiry/state.ts';
import { findLocation, findPool, type Pool, type Practice } from './practice.ts';
import { type Exclusion, type Lags, type Rotation, rotate } from './routing.ts';
import type { Decision } from './rules/decision.ts';
import type { Score } from './scoring.ts';

/** A member who is to get it before anybody's turn. */
export interface Named {
  readonly memberId: string;
  /** As the receipt names it. */
  readonly strategy: 'fixed_member' | 'owner';
}

export interface Destination {
  readonly pool: Pool;
  /** When somebody should have called back. */
  readonly respondBy: string;
  /** Who gets it, the first of them who can; without any, or where none can, the pool takes turns. */
  readonly named: readonly Named[];
}

/** Minutes of opening time to the first call; scores of before there was triage have the clock of their tier. */
export const clockMinutes = (
  { tier, decision }: { readonly tier: Score['tier']; readonly decision?: Decision | undefined },
  practice: Practice,
): number => decision?.respondWithinMinutes ?? practice.scoring.respondWithinMinutes[tier];

/** The instant at which that many minutes of the inquiry's location have passed. */
export const businessMinutesAfter = (
  from: string,
  minutes: number,
  { locationId }: Pick<Inquiry, 'locationId'>,
  practice: Practice,
): string => addBusinessMinutes(new Date(from), minutes, findLocation(practice, locationId)).toISOString();

/**
 * @param owner - the coordinator who knows the person; asked for only where triage sends it to them
 */
export function destinationOf(
  head: Inquiry,
  score: { readonly tier: Score['tier']; readonly decision?: Decision | undefined },
  practice: Practice,
  owner?: string,
): Destination {
  const { decision } = score;
  const { memberId } = decision ?? {};
  // A pool that is gone by now is as good as none.
  const decided = practice.pools.find(({ id }) => id === decision?.poolId);
  const minutes = clockMinutes(score, practice);
  return {
    pool: decided ?? findPool(practice, head.serviceId),
    // Where its clock runs already, rules and later scores have moved that.
    respondBy:
      head.respondBy ?? businessMinutesAfter(head.clockFrom ?? head.receivedAt, minutes, head, practice),
    named: [
      ...(memberId === undefined ? [] : [{ memberId, strategy: 'fixed_member' as const }]),
      ...(decision?.toOwner && owner !== undefined && owner !== memberId
        ? [{ memberId: owner, strategy: 'owner' as const }]
        : []),
    ],
  };
}

const whoIs = { fixed_member: 'named by a rule', owner: 'knows the person' } as const;

/**
 * Chooses the first of those named who can take it, else by the pool's turns.
 * Who gets one by name keeps their turn: the pool's lags stay as they are, so
 * that one rule cannot starve a member of what is their share of all the others.
 * Their open work grows, though, and settles ties.
 */
export function choose(
  pool: Pool,
  named: readonly Named[],
  lags: Lags,
  exclusion: Exclusion,
  openWork?: (memberId: string) => number,
): Rotation {
  const able = named.find(({ memberId }) => exclusion(memberId) === undefined);
  const excluded = named
    .filter(({ memberId }) => exclusion(memberId) !== undefined)
    .map(
      ({ memberId, strategy }): Candidate => ({
        memberId,
        share: 0,
        outcome: 'excluded',
        reason: `${whoIs[strategy]}: ${exclusion(memberId)}`,
      }),
    );
  const isExcluded = (id: string): boolean => excluded.some(({ memberId }) => memberId === id);
  if (!able) {
    const rotation = rotate(pool, lags, exclusion, openWork);
    if (excluded.length === 0) return rotation;
    const turns = rotation.receipt.candidates.filter(({ memberId }) => !isExcluded(memberId));
    return { ...rotation, receipt: { ...rotation.receipt, candidates: [...excluded, ...turns] } };
  }
  const { memberId: chosen, strategy } = able;
  const others = pool.members
    .filter(({ id }) => id !== chosen && !isExcluded(id))
    .map(({ id }): Candidate => {
      const reason = exclusion(id);
      return reason === undefined
        ? { memberId: id, share: 0, outcome: 'passed_over', reason: 'not named' }
        : { memberId: id, share: 0, outcome: 'excluded', reason };
    });
  const assigned: Candidate = { memberId: chosen, share: 1, outcome: 'assigned', reason: whoIs[strategy] };
  return {
    chosen,
    lags,
    receipt: { pool: pool.id, strategy, candidates: [assigned, ...excluded, ...others] },
  };
}
