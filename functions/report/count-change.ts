/** Keeps the daily roll-ups: each version of an inquiry is counted once, a batch of them at a time. */
import { parseHead } from '../../shared/data/inquiries.ts';
import { inCountableParts, type Rollups, type VersionCounts } from '../../shared/data/rollups.ts';
import type { Row } from '../../shared/data/table.ts';
import { localDate } from '../../shared/domain/business-time.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { countChange, mayCount } from '../../shared/domain/rollup.ts';

export interface ReportDependencies {
  readonly rollups: Rollups;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
}

/** A change of an inquiry's head; `before` is undefined where it was new. */
export interface HeadChange {
  readonly before: Row | undefined;
  readonly after: Row;
}

/** What became of a change; an error where it is not counted and has to come again. */
export type Counted = 'counted' | 'counted_before' | 'nothing_to_count' | Error;

/** Other changes of the same days kept the counters busy. */
export class RollupBusy extends Error {
  override readonly name = 'RollupBusy';
}

const mostAttempts = 10;

/** What a change adds to the counters of its day. */
function read({ before, after }: HeadChange, practice: Practice): VersionCounts {
  const inquiry = parseHead(after);
  const { id: locationId, timeZone } = findLocation(practice, inquiry.locationId);
  return {
    inquiryId: inquiry.id,
    version: inquiry.version,
    locationId,
    date: localDate(inquiry.receivedAt, timeZone),
    counts: countChange(before && parseHead(before), inquiry),
  };
}

/** Reads a change where it can be read; where not, the error is what becomes of it. */
function tryRead(change: HeadChange, practice: Practice): VersionCounts | Error {
  try {
    return read(change, practice);
  } catch (error) {
    return error instanceof Error ? error : new Error(typeof error);
  }
}

const isEmpty = ({ counts }: VersionCounts): boolean => Object.keys(counts).length === 0;

type Outcomes = Map<VersionCounts, Counted>;

/** Counts what fits into one transaction; whether the counters left it a turn. */
async function countPart(
  { rollups, environment }: ReportDependencies,
  part: readonly VersionCounts[],
  outcomes: Outcomes,
): Promise<boolean> {
  let left = part;
  for (let attempt = 1; attempt <= mostAttempts && left.length > 0; ) {
    const done = await rollups.count(left, environment.now());
    if (done.outcome === 'counted') {
      for (const version of left) outcomes.set(version, 'counted');
      return true;
    }
    if (done.outcome === 'refused') {
      for (const version of done.before) outcomes.set(version, 'counted_before');
      left = left.filter((version) => !done.before.has(version));
    } else {
      await environment.backOff(20 * attempt);
      attempt++;
    }
  }
  return left.length === 0;
}

/** Counts versions, each of them a different one, until the counters stay busy: what follows comes again. */
async function countAll(
  dependencies: ReportDependencies,
  versions: readonly VersionCounts[],
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  for (const part of inCountableParts(versions)) {
    if (!(await countPart(dependencies, part, outcomes))) break;
  }
  return outcomes;
}

/**
 * Counts changes of inquiries' heads in as few transactions as hold them; gives
 * what became of each, by position. A change that cannot be read holds up no other.
 *
 * @throws what the table throws: the stream then halves the batch until it finds the culprit
 */
export async function countChanges(
  dependencies: ReportDependencies,
  changes: readonly HeadChange[],
): Promise<Counted[]> {
  const practice = await dependencies.practice();
  const found = changes.map((change) =>
    mayCount(change.before, change.after) ? tryRead(change, practice) : undefined,
  );
  const counting = new Map<string, VersionCounts>();
  for (const version of found) {
    if (version === undefined || version instanceof Error || isEmpty(version)) continue;
    // Should one version ever come twice in a batch, its first counts it.
    const name = `${version.inquiryId}#${version.version}`;
    if (!counting.has(name)) counting.set(name, version);
  }
  const outcomes = await countAll(dependencies, [...counting.values()]);
  return found.map((version) => {
    if (version instanceof Error) return version;
    if (version === undefined || isEmpty(version)) return 'nothing_to_count';
    const first = counting.get(`${version.inquiryId}#${version.version}`) as VersionCounts;
    const outcome = outcomes.get(first) ?? new RollupBusy('the counters were busy in every attempt');
    return first !== version && outcome === 'counted' ? 'counted_before' : outcome;
  });
}
