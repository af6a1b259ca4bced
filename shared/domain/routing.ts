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

function shown(n: number): string {
  const text = n.toFixed(2);
  return text === '-0.00' ? '0.00' : text;
}

/** A member's place in the rotation, in inquiries. */
interface Standing {
  readonly id: string;
  readonly weight: number;
  /** What they are owed, this inquiry's share included. */
  due: number;
  /** How many inquiries from now they would be a whole one behind. */
  deadline: number;
}

/** Who takes part in a turn has a standing, whoever does not a reason. */
type Place =
  | Standing
  | { readonly id: string; readonly outcome: 'excluded' | 'passed_over'; readonly reason: string };

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
  // One pass over the members: of two hundred, each list and map more would be felt.
  const places = pool.members.map(({ id, weight }): Place => {
    const excluded = exclusion(id);
    if (excluded !== undefined) return { id, outcome: 'excluded', reason: excluded };
    const passed = passOver(id);
    // Who is passed over takes no part in this turn: it neither earns nor costs them anything.
    if (passed !== undefined) return { id, outcome: 'passed_over', reason: passed };
    return { id, weight: alike ? 1 : weight, due: 0, deadline: 0 };
  });
  let totalWeight = 0;
  for (const place of places) if ('weight' in place) totalWeight += place.weight;

  const inherited = leftBehind(pool, lags);
  // Somebody is a whole inquiry behind, or those away are owed so much that nobody here is.
  let [isAnybodyOwed, isSomebodyOverdue] = [false, false];
  for (const place of places) {
    if (!('weight' in place)) continue;
    const share = place.weight / totalWeight;
    place.due = round((lags[place.id] ?? 0) + share * (1 + inherited));
    place.deadline = round((1 - place.due) / share);
    if (place.due > 0) isAnybodyOwed = true;
    if (place.due >= 1) isSomebodyOverdue = true;
  }
  const unsettled = !isAnybodyOwed || isSomebodyOverdue;
  const byTurn = (a: Standing, b: Standing): number => (unsettled ? b.due - a.due : a.deadline - b.deadline);
  const isBefore = (a: Standing, b: Standing): boolean => {
    const turn = byTurn(a, b);
    return turn < 0 || (turn === 0 && !alike && openWork(a.id) < openWork(b.id));
  };
  let first: Standing | undefined;
  let second: Standing | undefined;
  for (const place of places) {
    if (!('weight' in place) || (!unsettled && place.due <= 0)) continue;
    if (first === undefined || isBefore(place, first)) [first, second] = [place, first];
    else if (second === undefined || isBefore(place, second)) second = place;
  }
  const tied = first && second && byTurn(first, second) === 0;
  const chosenBy =
    first && second && tied
      ? !alike && openWork(first.id) < openWork(second.id)
        ? ', least open'
        : ', first of equals'
      : '';

  const candidates = places.map((place): Candidate => {
    const { id: memberId } = place;
    if (!('weight' in place)) return { memberId, share: 0, outcome: place.outcome, reason: place.reason };
    const share = Math.round((place.weight / totalWeight) * 1e4) / 1e4;
    return place === first
      ? { memberId, share, outcome: 'assigned', reason: `next: due ${shown(place.due)}${chosenBy}` }
      : { memberId, share, outcome: 'passed_over', reason: `due ${shown(place.due)}` };
  });
  const receipt: Receipt = { pool: pool.id, strategy, candidates };
  if (first === undefined) return { chosen: undefined, lags, receipt };

  const next: Record<string, number> = {};
  for (const place of places) {
    const lag = 'weight' in place ? round(place === first ? place.due - 1 : place.due) : lags[place.id];
    if (lag !== undefined && lag !== 0) next[place.id] = lag;
  }
  return { chosen: first.id, lags: next, receipt };
}

const idsOfPools = new WeakMap<Pool['members'], ReadonlySet<string>>();

function idsOf(members: Pool['members']): ReadonlySet<string> {
  const known = idsOfPools.get(members);
  if (known) return known;
  const ids = new Set(members.map(({ id }) => id));
  idsOfPools.set(members, ids);
  return ids;
}

/** What those who left the pool were still due goes to the others: the lags go on summing to zero. */
function leftBehind({ members }: Pick<Pool, 'members'>, lags: Lags): number {
  const ids = idsOf(members);
  let sum = 0;
  for (const id of Object.keys(lags)) if (!ids.has(id)) sum += lags[id] ?? 0;
  return sum;
}
