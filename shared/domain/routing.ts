/**
 * Who gets an inquiry: fair rotation among the members of its pool who can take
 * it. Pure: the pool's and the members' state in, a decision with its receipt out.
 *
 * Fairness is kept as a *lag* per member: what was their due so far minus what
 * they got. Each inquiry adds every eligible member's share of it to their lag
 * and takes one from the member who gets it, so the lags of a pool always sum to
 * zero. Who was not eligible gains nothing, so nobody is flooded on coming back,
 * and a newcomer starts level.
 */
import type { Candidate, Receipt } from './inquiry/state.ts';
import type { Pool } from './practice.ts';

/** Lags by member, in inquiries; a member without one is level. */
export type Lags = Readonly<Record<string, number>>;

export interface Rotation {
  readonly chosen: string | undefined;
  readonly lags: Lags;
  readonly receipt: Receipt;
}

/** Rounds away what floating point adds, so that equal lags compare equal. */
const round = (n: number): number => Math.round(n * 1e9) / 1e9 || 0;

const shown = (n: number): string => n.toFixed(2).replace(/^-(0\.00)$/, '$1');

/** A member's place in the rotation, in inquiries. */
interface Standing {
  readonly id: string;
  readonly share: number;
  /** What they are owed, this inquiry's share included. */
  readonly due: number;
  /** How many inquiries from now they would be a whole one behind. */
  readonly deadline: number;
}

/** Why a member of the pool cannot take an inquiry now; undefined where they can. */
export type Exclusion = (memberId: string) => string | undefined;

/** How turns are taken, where not by weight with ties to the least open work. */
export interface TurnOptions {
  /** As the receipt names it. */
  readonly strategy: string;
  /** Whether all take turns alike, in the order of the pool. */
  readonly alike?: boolean;
  /** Why somebody who could take it is passed over for others; undefined for those. */
  readonly passOver?: (memberId: string) => string | undefined;
}

/**
 * Chooses by weighted round robin: among the eligible whose due is not yet met,
 * the one who would be overdue first; ties go to who has the least open work (so
 * that pools with the same members do not all begin with the same one), then by
 * the order of the pool.
 *
 * While the eligible and their weights stay the same, nobody is ever a whole
 * inquiry away from their share ("earliest eligible deadline first"; Stoica and
 * Abdel-Wahab 1995, and Tijdeman's chairman assignment of 1980, prove the bound).
 * Where they change, somebody may be: whoever is owed most then comes first, which
 * alone keeps the lags from growing with the number of inquiries.
 */
export function rotate(
  pool: Pick<Pool, 'id' | 'members'>,
  lags: Lags,
  exclusion: Exclusion,
  openWork: (memberId: string) => number = () => 0,
  { strategy, alike = false, passOver = () => undefined }: TurnOptions = { strategy: 'weighted_round_robin' },
): Rotation {
  const excluded = new Map(pool.members.map(({ id }) => [id, exclusion(id)]));
  const able = pool.members.filter(({ id }) => excluded.get(id) === undefined);
  const passed = new Map(able.map(({ id }) => [id, passOver(id)]));
  // Who is passed over takes no part in this turn: it neither earns nor costs them anything.
  const eligible = able
    .filter(({ id }) => passed.get(id) === undefined)
    .map(({ id, weight }) => ({ id, weight: alike ? 1 : weight }));
  const totalWeight = eligible.reduce((sum, member) => sum + member.weight, 0);

  // What those who left the pool were still due goes to the others: the lags go on summing to zero.
  const members = new Set(pool.members.map(({ id }) => id));
  const left = Object.entries(lags).filter(([id]) => !members.has(id));
  const inherited = left.reduce((sum, [, lag]) => sum + lag, 0);

  const standings = eligible.map(({ id, weight }): Standing => {
    const share = weight / totalWeight;
    const due = round((lags[id] ?? 0) + share * (1 + inherited));
    return { id, share, due, deadline: round((1 - due) / share) };
  });
  const owed = standings.filter(({ due }) => due > 0);
  // Somebody is a whole inquiry behind, or those away are owed so much that nobody here is.
  const unsettled = owed.length === 0 || owed.some(({ due }) => due >= 1);
  const byTurn = (a: Standing, b: Standing): number => (unsettled ? b.due - a.due : a.deadline - b.deadline);
  const [first, second] = (unsettled ? standings : owed).toSorted(
    (a, b) => byTurn(a, b) || (alike ? 0 : openWork(a.id) - openWork(b.id)),
  );
  const tied = first && second && byTurn(first, second) === 0;
  const chosenBy = tied
    ? !alike && openWork(first.id) < openWork(second.id)
      ? ', least open'
      : ', first of equals'
    : '';

  const standingOf = new Map(standings.map((standing) => [standing.id, standing]));
  const candidates: Candidate[] = pool.members.map(({ id }) => {
    const standing = standingOf.get(id);
    if (standing === undefined) {
      const reason = passed.get(id);
      return reason === undefined
        ? { memberId: id, share: 0, outcome: 'excluded', reason: excluded.get(id) ?? '' }
        : { memberId: id, share: 0, outcome: 'passed_over', reason };
    }
    const chosen = id === first?.id;
    return {
      memberId: id,
      share: Math.round(standing.share * 1e4) / 1e4,
      outcome: chosen ? 'assigned' : 'passed_over',
      reason: chosen ? `next: due ${shown(standing.due)}${chosenBy}` : `due ${shown(standing.due)}`,
    };
  });
  const receipt: Receipt = { pool: pool.id, strategy, candidates };
  if (first === undefined) return { chosen: undefined, lags, receipt };

  const next: Record<string, number> = { ...lags };
  for (const [id] of left) delete next[id];
  for (const { id, due } of standings) next[id] = round(id === first.id ? due - 1 : due);
  for (const [id, lag] of Object.entries(next)) if (lag === 0) delete next[id];
  return { chosen: first.id, lags: next, receipt };
}
