/** What many runs came to. */
import type { RunOptions } from '../../simulation/adverse/run.ts';
import type { AdverseCheck } from '../../simulation/adverse/watch.ts';
import type { FaultKind } from '../../simulation/faults.ts';
import type { Told } from './worker.ts';

export type Totals = ReturnType<typeof createTotals>;

interface SiteTotal {
  calls: number;
  before: number;
  after: number;
  /** The smallest run that has it. */
  seenIn: Pick<Told, 'seed' | 'inquiries' | 'aims'>;
}

const count = <Name>(counts: Map<Name, number>, name: Name, n = 1): void => {
  counts.set(name, (counts.get(name) ?? 0) + n);
};

export function createTotals() {
  const counts = {
    runs: 0,
    inquiries: 0,
    acknowledged: 0,
    mails: 0,
    calls: 0,
    fewestFaults: Number.POSITIVE_INFINITY,
    replays: 0,
    replayed: 0,
    faults: new Map<FaultKind, number>(),
    broken: new Map<AdverseCheck, number>(),
  };
  const sites = new Map<string, SiteTotal>();
  const failed: Told[] = [];
  const digests = new Map<string, string>();
  const nameOf = ({ seed, inquiries }: Pick<Told, 'seed' | 'inquiries'>): string => `${seed}/${inquiries}`;

  return {
    counts,
    failed,
    add(told: Told): void {
      counts.runs++;
      counts.inquiries += told.inquiries;
      counts.acknowledged += told.counts.acknowledged;
      counts.mails += told.counts.mails;
      counts.calls += told.counts.calls;
      counts.fewestFaults = Math.min(counts.fewestFaults, told.injected.length);
      for (const { kind } of told.injected) count(counts.faults, kind);
      for (const { check } of told.broken) count(counts.broken, check);
      if (told.broken.length > 0) failed.push(told);
      // A run that was aimed at something has a history of its own.
      if (told.aims.length === 0) digests.set(nameOf(told), told.digest);
      for (const [name, calls, before, after] of told.sites) {
        const { seed, inquiries, aims } = told;
        const site = sites.get(name) ?? { calls: 0, before: 0, after: 0, seenIn: { seed, inquiries, aims } };
        sites.set(name, site);
        site.calls += calls;
        site.before += before;
        site.after += after;
        if (inquiries < site.seenIn.inquiries) site.seenIn = { seed, inquiries, aims };
      }
    },
    /** Takes the same run again. */
    again(told: Told): void {
      counts.replays++;
      if (digests.get(nameOf(told)) === told.digest) counts.replayed++;
    },
    digests: (): { readonly options: RunOptions }[] =>
      [...digests.keys()].map((name) => {
        const [seed = 0, inquiries = 0] = name.split('/').map(Number);
        return { options: { seed, inquiries } };
      }),
    /** Kinds of calls that never died on one of their sides. */
    uncovered: (): { site: string; kind: FaultKind; seenIn: SiteTotal['seenIn'] }[] =>
      [...sites].flatMap(([site, { before, after, seenIn }]) => [
        ...(before === 0 ? [{ site, kind: 'crash_before' as const, seenIn }] : []),
        ...(after === 0 ? [{ site, kind: 'crash_after' as const, seenIn }] : []),
      ]),
    get sites() {
      const all = [...sites.values()];
      const covered = all.reduce(
        (sum, { before, after }) => sum + (before > 0 ? 1 : 0) + (after > 0 ? 1 : 0),
        0,
      );
      return { all: all.length, sides: 2 * all.length, covered };
    },
  };
}
