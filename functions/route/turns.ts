/** The turns of one transaction, one after the other: each goes on from where the one before left off. */
import type { StoredScore } from '../../shared/data/inquiries.ts';
import type { RoutingState, RoutingStates, Taken } from '../../shared/data/rotation.ts';
import type { Write } from '../../shared/data/table.ts';
import { attendanceAt, type Workload } from '../../shared/domain/availability.ts';
import { choose, destinationOf } from '../../shared/domain/destination.ts';
import { loadChange } from '../../shared/domain/inquiry/load.ts';
import type { Assignment, Inquiry, Receipt } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { recommendProvider } from '../../shared/domain/provider.ts';
import { mayBeTaken, whoIsAble } from '../../shared/domain/relief.ts';
import type { Lags } from '../../shared/domain/routing.ts';

/** What is decided about an inquiry, whoever's turn it is. */
export type Decided = Omit<Assignment, 'memberId'>;

export interface TurnTaken {
  /** Undefined where nobody can take it. */
  readonly chosen: string | undefined;
  readonly decided: Decided;
}

/** What more is asked of somebody than that they can take it; undefined where they will do. */
export type MoreAsked = (memberId: string, load: Workload) => string | undefined;

export type Turns = ReturnType<typeof takeTurns>;

const none = { open: 0, uncalled: 0, given: 0 };

/** The turns at one instant, by the configuration and the loads as they are read. */
export function takeTurns(practice: Practice, states: RoutingState, now: Date) {
  const attendance = attendanceAt(practice, now);
  const lags = new Map<string, Lags>();
  const waiting = new Map<string, number>();
  const taken = new Map<string, Omit<Taken, 'day'>>();

  /** As they are after these turns so far: a decision asks for each of a pool again and again. */
  const loads = new Map<string, Workload>();

  /** A member's load with what they were given in these turns. */
  function loadOf(id: string): Workload {
    const known = loads.get(id);
    if (known) return known;
    const load = states.load(id);
    const { open, uncalled, given } = taken.get(id) ?? none;
    const day = attendance.dateOf(id);
    const { disabled, callingUntil } = load;
    const now: Workload = {
      open: load.open + open,
      uncalled: load.uncalled + uncalled,
      day,
      today: (load.day === day ? load.today : 0) + given,
      disabled,
      callingUntil,
    };
    loads.set(id, now);
    return now;
  }

  function take(id: string, change: Partial<typeof none>): void {
    const so = taken.get(id) ?? none;
    const { open = 0, uncalled = 0, given = 0 } = change;
    taken.set(id, { open: so.open + open, uncalled: so.uncalled + uncalled, given: so.given + given });
    loads.delete(id);
  }

  const able = (): Set<string> => whoIsAble(practice, attendance, loadOf);

  return {
    attendance,
    loadOf,

    /** Whether something that waits in a pool may be for somebody who is there: it then comes before anything newer. */
    isWaitedFor: (poolId: string): boolean => mayBeTaken(states.rotation(poolId), able),

    /** Who can take anything at all, as things stand after these turns. */
    able,

    /** Who gets what goes there; the turn is taken where there is somebody. */
    next(head: Inquiry, score: StoredScore, more: MoreAsked = () => undefined): TurnTaken {
      const destination = destinationOf(head, score, practice);
      const { pool, needs, respondBy } = destination;
      const before = lags.get(pool.id) ?? states.rotation(pool.id).lags;
      const exclusions = new Map<string, string | null>();
      const exclusionOf = (id: string): string | undefined => {
        const known = exclusions.get(id);
        if (known !== undefined) return known ?? undefined;
        const load = loadOf(id);
        const reason = attendance.exclusion(id, needs, load)?.reason ?? more(id, load);
        exclusions.set(id, reason ?? null);
        return reason;
      };
      const rotation = choose(destination, before, exclusionOf, (id) => loadOf(id).open);
      const { chosen } = rotation;
      // Whoever was named got it out of turn: nothing to take turns on.
      if (rotation.lags !== before) lags.set(pool.id, rotation.lags);

      const { decision } = score;
      const provider =
        chosen &&
        recommendProvider(practice.members, {
          inquiryId: head.id,
          serviceId: head.serviceId,
          locationId: needs.locationId,
          insurance: decision?.needs?.insurance,
          age: decision?.needs?.age,
        });
      const receipt: Receipt = {
        ...rotation.receipt,
        ...(head.move && { by: head.move.by }),
        ...(provider && { provider }),
      };
      const decided: Decided = {
        poolId: pool.id,
        respondBy,
        receipt,
        score: score.total,
        tier: score.tier,
        urgency: decision?.urgency,
        ...(provider && { providerId: provider.memberId }),
      };
      return { chosen, decided };
    },

    /** Counts what a change of an inquiry means for members and pools; it is written with `save`. */
    count(before: Inquiry, after: Inquiry): void {
      const change = loadChange(before, after);
      for (const [id, of] of change.members) take(id, of);
      for (const [id, n] of change.pools) waiting.set(id, (waiting.get(id) ?? 0) + n);
      const { assignedTo } = after;
      if (assignedTo !== undefined && assignedTo !== before.assignedTo) take(assignedTo, { given: 1 });
    },

    /** What the turns leave: the rotation of each pool, the load of each member. */
    save: ({ saveRotation, takeOn }: RoutingStates): Write[] => [
      ...[...new Set([...lags.keys(), ...waiting.keys()])]
        .map((id) => ({ id, lags: lags.get(id), waiting: waiting.get(id) ?? 0 }))
        .filter((change) => change.lags !== undefined || change.waiting !== 0)
        .map(({ id, ...change }) => saveRotation(id, states.rotation(id), change)),
      ...[...taken].map(([id, change]) =>
        takeOn(id, states.load(id), { ...change, day: attendance.dateOf(id) }),
      ),
    ],
  };
}
