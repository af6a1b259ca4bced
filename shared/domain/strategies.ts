/**
 * How a pool chooses among those who can take an inquiry. Every strategy takes
 * turns by lags (`routing.ts`), each among those whom it puts first, so that none
 * of them drifts, floods a newcomer or starves anybody.
 */
import type { Pool } from './practice.ts';
import { type Exclusion, type Lags, type Rotation, rotate, type TurnOptions } from './routing.ts';

/** Whom of those who can take it a pool puts first, and what the receipt says of the others. */
export interface Preference {
  readonly who: (memberId: string) => boolean;
  readonly others: string;
}

export interface Turn {
  readonly pool: Pick<Pool, 'id' | 'members' | 'strategy'>;
  readonly lags: Lags;
  readonly exclusion: Exclusion;
  readonly openWork: (memberId: string) => number;
  /** In order; one that fits nobody who is left is passed by. */
  readonly preferences: readonly Preference[];
}

/** Chooses by the pool's strategy. */
export function takeTurn({ pool, lags, exclusion, openWork, preferences }: Turn): Rotation {
  const { strategy = 'weighted_round_robin' } = pool;
  const passedOver = new Map<string, string>();
  const isLeast = strategy === 'least_open_work';
  if (preferences.length > 0 || isLeast) {
    let group = pool.members.map(({ id }) => id).filter((id) => exclusion(id) === undefined);
    /** Goes on with some of the group, where there are any. */
    const narrow = (who: (id: string) => boolean, others: (id: string) => string): void => {
      const first = group.filter(who);
      if (first.length === 0 || first.length === group.length) return;
      for (const id of group) if (!who(id)) passedOver.set(id, others(id));
      group = first;
    };
    for (const { who, others } of preferences) narrow(who, () => others);
    const least = isLeast ? Math.min(...group.map(openWork)) : 0;
    if (isLeast)
      narrow(
        (id) => openWork(id) === least,
        (id) => `${openWork(id)} open, the least is ${least}`,
      );
  }
  const options: TurnOptions = {
    strategy,
    alike: strategy === 'strict_round_robin',
    ...(passedOver.size > 0 && { passOver: (id: string) => passedOver.get(id) }),
  };
  return rotate(pool, lags, exclusion, openWork, options);
}
