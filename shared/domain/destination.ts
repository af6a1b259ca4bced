/**
 * Where a scored inquiry goes and by when: what triage decided, stored with the
 * score, else the pool of its service and the clock of its tier.
 */
import { findMember, type Needs } from './availability.ts';
import { addBusinessMinutes } from './business-time.ts';
import type { Candidate, Inquiry } from './inquiry/state.ts';
import { findLocation, findPool, type Pool, type Practice } from './practice.ts';
import type { Exclusion, Lags, Rotation } from './routing.ts';
import type { Decision } from './rules/decision.ts';
import type { Score } from './scoring.ts';
import { type Preference, takeTurn } from './strategies.ts';

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
  /** What is asked of whoever takes it. */
  readonly needs: Needs;
  /** Whom of those who can the pool puts first. */
  readonly preferences: readonly Preference[];
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

type Scored = { readonly tier: Score['tier']; readonly decision?: Decision | undefined };

/** The pool that an inquiry goes to: where rules want it now, where it was put already, else the one that triage decided. */
export function poolOf(
  head: Pick<Inquiry, 'move' | 'poolId' | 'serviceId'>,
  decision: Decision | undefined,
  practice: Practice,
): Pool {
  // Staff may have put it there. A pool that is gone by now is as good as none.
  return (
    practice.pools.find(({ id }) => id === head.move?.poolId) ??
    practice.pools.find(({ id }) => id === head.poolId) ??
    practice.pools.find(({ id }) => id === decision?.poolId) ??
    findPool(practice, head.serviceId)
  );
}

const has = (practice: Practice, memberId: string, specialty: string): boolean =>
  findMember(practice, memberId)?.specialties?.includes(specialty) === true;

export function destinationOf(head: Inquiry, score: Scored, practice: Practice): Destination {
  const { decision } = score;
  const { needs } = decision ?? {};
  const { memberId, owner, specialty } = head.move ?? decision ?? {};
  const pool = poolOf(head, decision, practice);
  const minutes = clockMinutes(score, practice);
  const toOwner = head.move !== undefined || decision?.toOwner === true || pool.ownerFirst === true;
  const { serviceId, hadBy = [] } = head;
  // A specialty that nobody of the pool has would be waited for in vain.
  const isThere =
    specialty !== undefined &&
    pool.members.some(({ id }) => findMember(practice, id)?.enabled && has(practice, id, specialty));
  return {
    pool,
    // Where its clock runs already, rules and later scores have moved that.
    respondBy:
      head.respondBy ?? businessMinutesAfter(head.clockFrom ?? head.receivedAt, minutes, head, practice),
    named: [
      ...(memberId === undefined ? [] : [{ memberId, strategy: 'fixed_member' as const }]),
      ...(toOwner && owner !== undefined && owner !== memberId
        ? [{ memberId: owner, strategy: 'owner' as const }]
        : []),
    ].filter((named) => head.move !== undefined || !hadBy.includes(named.memberId)),
    // Nobody serves a location that is gone by now: whoever serves the one in its place does.
    needs: {
      locationId: findLocation(practice, head.locationId).id,
      ...needs,
      ...(isThere && { specialty }),
    },
    preferences: [
      ...(hadBy.length > 0 ? [{ who: (id: string) => !hadBy.includes(id), others: 'had it before' }] : []),
      ...(pool.matchSpecialty && serviceId !== undefined
        ? [{ who: (id: string) => has(practice, id, serviceId), others: `no specialist in ${serviceId}` }]
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
  { pool, named, preferences }: Pick<Destination, 'pool' | 'named' | 'preferences'>,
  lags: Lags,
  exclusion: Exclusion,
  openWork: (memberId: string) => number = () => 0,
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
    const rotation = takeTurn({ pool, lags, exclusion, openWork, preferences });
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
