/** What a run came to, in numbers, and as the tables that are printed. */
import { layOut } from '../ops/terminal.ts';
import { businessMinutesBetween } from '../shared/domain/business-time.ts';
import { isOpen } from '../shared/domain/inquiry/state.ts';
import { findLocation } from '../shared/domain/practice.ts';
import { tiers } from '../shared/domain/stages.ts';
import { minuteMs } from './minutes.ts';
import { type Check, checks } from './observer.ts';
import type { Simulated } from './simulate.ts';

export interface MemberFigures {
  readonly memberId: string;
  /** How often they got an inquiry. */
  readonly got: number;
  /** What they were entitled to: their shares of every routing that they were a candidate of, summed. */
  readonly entitled: number;
  readonly open: number;
  /** First attempts that were made in time, and those that were made late or are overdue. */
  readonly kept: number;
  readonly missed: number;
}

export interface TierFigures {
  readonly tier: string;
  readonly inquiries: number;
  readonly attempted: number;
  /** Business minutes to the first attempt. */
  readonly medianMinutes: number | undefined;
  readonly p90Minutes: number | undefined;
}

export interface PoolFigures {
  readonly poolId: string;
  readonly inquiries: number;
  /** Inquiries that had to wait for somebody to become eligible. */
  readonly waited: number;
  /** Minutes on the wall, nights and weekends included. */
  readonly longestMinutes: number;
}

export interface Figures {
  readonly members: readonly MemberFigures[];
  readonly tiers: readonly TierFigures[];
  readonly pools: readonly PoolFigures[];
  /** Mails by kind, most first. */
  readonly mails: readonly (readonly [kind: string, n: number])[];
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: Readonly<Record<Check, number>>;
}

/** The value below which a share of them lies: the nearest rank. */
function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
}

export function figuresOf({ world, observer, acknowledged, faults }: Simulated): Figures {
  const practice = world.practice();
  const now = world.now();
  const followed = [...observer.inquiries.values()];
  const assigned = followed.flatMap((one) => one.assigned);

  const workers = new Set(practice.pools.flatMap(({ members }) => members.map(({ id }) => id)));
  const members = practice.members
    .filter(({ id }) => workers.has(id))
    .map(({ id: memberId }): MemberFigures => {
      const entitled = assigned
        .flatMap(({ receipt }) => receipt?.candidates ?? [])
        .filter((candidate) => candidate.memberId === memberId)
        .reduce((sum, { share }) => sum + share, 0);
      const theirs = followed.filter(({ head }) => head.assignedTo === memberId);
      const owed = theirs.filter(({ head }) => head.respondBy !== undefined);
      const kept = owed.filter(
        ({ head }) => head.firstContactedAt !== undefined && head.firstContactedAt <= (head.respondBy ?? ''),
      );
      const missed = owed.filter(
        ({ head }) =>
          (head.firstContactedAt ?? (isOpen(head) ? now.toISOString() : '')) > (head.respondBy ?? ''),
      );
      return {
        memberId,
        got: assigned.filter((one) => one.memberId === memberId).length,
        entitled,
        open: theirs.filter(({ head }) => isOpen(head)).length,
        kept: kept.length,
        missed: missed.length,
      };
    });

  const byTier = tiers.map((tier): TierFigures => {
    const those = followed.filter(({ head }) => head.tier === tier);
    const minutes = those.flatMap(({ head }) => {
      if (head.firstContactedAt === undefined) return [];
      const from = new Date(head.clockFrom ?? head.receivedAt);
      return [
        businessMinutesBetween(
          from,
          new Date(head.firstContactedAt),
          findLocation(practice, head.locationId),
        ),
      ];
    });
    return {
      tier,
      inquiries: those.length,
      attempted: minutes.length,
      medianMinutes: quantile(minutes, 0.5),
      p90Minutes: quantile(minutes, 0.9),
    };
  });

  const pools = practice.pools.map(({ id: poolId }): PoolFigures => {
    const waits = followed.flatMap(({ waited, waitingSince, head }) => {
      if (waitingSince !== undefined && head.poolId === poolId)
        return [now.getTime() - Date.parse(waitingSince)];
      return waited?.poolId === poolId ? [waited.ms] : [];
    });
    return {
      poolId,
      inquiries: followed.filter(({ head }) => head.poolId === poolId).length,
      waited: waits.length,
      longestMinutes: Math.max(0, ...waits) / minuteMs,
    };
  });

  const mails = [...observer.mails].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const sent = (kind: string): number => observer.mails.get(kind) ?? 0;
  return {
    members,
    tiers: byTier,
    pools,
    mails,
    counts: {
      acknowledged,
      stored: followed.length,
      escalations: sent('escalated'),
      reassignments: assigned.filter(({ byLadder }) => byLadder).length,
      digests: sent('digest'),
      acknowledgements: sent('acknowledgement'),
      changes: observer.steps,
      faults: faults.length,
    },
    violations: Object.fromEntries(
      Object.keys(checks).map((check) => [
        check,
        observer.violations.filter((one) => one.check === check).length,
      ]),
    ) as Record<Check, number>,
  };
}

const minutesText = (minutes: number | undefined): string =>
  minutes === undefined
    ? '-'
    : minutes < 120
      ? `${minutes.toFixed(1)} min`
      : `${(minutes / 60).toFixed(1)} h`;
const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(0)} %`;

/** The tables of a run. */
export function tableOf(figures: Figures): string {
  const { members, counts, violations } = figures;
  const totalGot = members.reduce((sum, { got }) => sum + got, 0);
  const totalEntitled = members.reduce((sum, { entitled }) => sum + entitled, 0);
  const parts = [
    layOut(
      ['member', 'inquiries', 'share', 'entitled', 'open work', 'respond-by kept'],
      members.map(({ memberId, got, entitled, open, kept, missed }) => [
        memberId,
        String(got),
        percent(got, totalGot),
        `${percent(entitled, totalEntitled)} (${entitled.toFixed(1)})`,
        String(open),
        `${percent(kept, kept + missed)} (${kept} of ${kept + missed})`,
      ]),
    ),
    layOut(
      ['tier', 'inquiries', 'attempted', 'first attempt: median', 'nine of ten within'],
      figures.tiers.map(({ tier, inquiries, attempted, medianMinutes, p90Minutes }) => [
        tier,
        String(inquiries),
        String(attempted),
        minutesText(medianMinutes),
        minutesText(p90Minutes),
      ]),
    ),
    layOut(
      ['pool', 'inquiries', 'had to wait', 'longest wait'],
      figures.pools.map(({ poolId, inquiries, waited, longestMinutes }) => [
        poolId,
        String(inquiries),
        String(waited),
        minutesText(longestMinutes),
      ]),
    ),
    `Times to a first attempt are business time of the location; waits are time on the wall.`,
    layOut(
      ['mails', ''],
      figures.mails.map(([kind, n]) => [kind.replaceAll('_', ' '), String(n)]),
    ),
    [
      `${counts['acknowledged']} inquiries acknowledged,`,
      `${counts['stored']} stored;`,
      `${counts['escalations']} mails of escalations, ${counts['reassignments']} reassignments,`,
      `${counts['digests']} digests, ${counts['acknowledgements']} acknowledgements`,
    ].join(' '),
    [
      `At each of ${counts['changes']} changes of an inquiry:`,
      ...Object.entries(checks).map(([check, words]) => `  ${violations[check as Check]} ${words}`),
      `At the end: ${counts['faults']} differences between inquiries, their timelines and what is counted of them`,
    ].join('\n'),
  ];
  return parts.join('\n\n');
}
