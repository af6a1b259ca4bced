/** Which faults a run has: drawn from its seed, or exactly those of a list. */
import { type FaultKind, faultNames, faultsOf, type Operation, operations } from '../faults.ts';
import type { Draw } from './draw.ts';

/** A fault, by the address of what it happened to. */
export interface Fault {
  readonly address: string;
  readonly kind: FaultKind;
}

/** A fault that happened. */
export interface Injected extends Fault {
  readonly atMs: number;
  /** What it happened to: function, operation, kinds of items. */
  readonly site: string;
}

/** A call or a service at work, as it asks whether something goes wrong. */
export interface Occasion {
  readonly operation: Operation;
  readonly address: string;
  readonly site: string;
  readonly draw: Draw;
  /** Which faults can happen here: an eventually consistent read alone is stale. Left out, all of the operation. */
  readonly can?: (kind: FaultKind) => boolean;
}

export const isPossible = ({ can }: Occasion, kind: FaultKind): boolean => can?.(kind) ?? true;

export interface Plan {
  decide(occasion: Occasion): FaultKind | undefined;
}

/** How often something goes wrong, out of all occasions. */
const rates = [0.001, 0.003, 0.01, 0.03];
/** Where a run has nothing else: what there is seldom an occasion for happens at every few of them. */
const rateAlone: Partial<Record<FaultKind, number>> = {
  conflict: 0.1,
  partial_batch: 0.4,
  unprocessed_keys: 0.4,
  stale_index: 0.2,
  stale_read: 1,
  duplicate: 0.1,
  late: 0.1,
  replay: 0.3,
  lagging: 0.1,
  missed: 0.2,
  fired_twice: 0.2,
};
/** So often the first call of a site dies in a run: what is called seldom must die, too. */
const firstDies = 0.1;

/**
 * Draws faults: each run has some kinds of them, often or seldom, since what happens all the time
 * hides what only happens where nothing else does.
 *
 * @param only - the one kind that the run has
 */
export function drawnPlan(draw: Draw, only?: FaultKind): Plan {
  const rate = only === undefined ? draw.pick(rates) : (rateAlone[only] ?? 0.02);
  const chosen = new Set(
    faultNames.filter((name) => (only === undefined ? draw.chance(0.6) : name === only)),
  );
  if (chosen.size === 0) chosen.add(draw.pick(faultNames));
  const kindsAt = new Map(
    operations.map((operation) => [operation, faultsOf(operation).filter((kind) => chosen.has(kind))]),
  );
  const seen = new Set<string>();
  function drawn({ operation, site, draw: own }: Occasion): FaultKind | undefined {
    const kinds = kindsAt.get(operation) ?? [];
    if (kinds.length === 0) return undefined;
    if (!seen.has(site)) {
      seen.add(site);
      const crashes = kinds.filter((kind) => kind.startsWith('crash'));
      if (crashes.length > 0 && own.chance(firstDies)) return own.pick(crashes);
    }
    return own.chance(rate) ? own.pick(kinds) : undefined;
  }
  // Chance alone would leave a run without any now and then.
  let quietFor = only === undefined ? draw.between(50, 1_000) : Number.POSITIVE_INFINITY;
  return {
    decide(occasion) {
      const kind = drawn(occasion);
      if (kind !== undefined && isPossible(occasion, kind)) quietFor = Number.POSITIVE_INFINITY;
      quietFor--;
      if (quietFor > 0 || !faultsOf(occasion.operation).includes('throttled')) return kind;
      quietFor = Number.POSITIVE_INFINITY;
      return 'throttled';
    },
  };
}

/** Exactly these faults. */
export function givenPlan(faults: readonly Fault[]): Plan {
  const byAddress = new Map(faults.map(({ address, kind }) => [address, kind]));
  return { decide: ({ address }) => byAddress.get(address) };
}

/** A fault at the first occasion of a site. */
export interface Aim {
  readonly site: string;
  readonly kind: FaultKind;
}

/** What a plan decides, and one fault more. */
export function aimedAt(plan: Plan, { site, kind }: Aim): Plan {
  let isHit = false;
  return {
    decide(occasion) {
      const planned = plan.decide(occasion);
      if (isHit || occasion.site !== site) return planned;
      isHit = true;
      return kind;
    },
  };
}
