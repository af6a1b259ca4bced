/** Keeps the daily roll-ups: each version of an inquiry is counted once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseHead } from '../../shared/data/inquiries.ts';
import type { Rollups } from '../../shared/data/rollups.ts';
import type { Row } from '../../shared/data/table.ts';
import { localDate } from '../../shared/domain/business-time.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { countChange as countsOf } from '../../shared/domain/rollup.ts';

export interface ReportDependencies {
  readonly rollups: Rollups;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
}

export type Counted = 'counted' | 'counted_before' | 'nothing_to_count';

/** Thrown where another change of the same day kept the counters busy; the record comes again. */
export class RollupBusy extends Error {
  override readonly name = 'RollupBusy';
}

const mostAttempts = 10;

/** Counts a change of an inquiry's head; `before` is undefined where it was new. */
export async function countChange(
  { rollups, practice, environment }: ReportDependencies,
  before: Row | undefined,
  after: Row,
): Promise<Counted> {
  const inquiry = parseHead(after);
  const counts = countsOf(before && parseHead(before), inquiry);
  if (Object.keys(counts).length === 0) return 'nothing_to_count';
  const { id: locationId, timeZone } = findLocation(await practice(), inquiry.locationId);
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const outcome = await rollups.count({
      inquiryId: inquiry.id,
      version: inquiry.version,
      locationId,
      date: localDate(inquiry.receivedAt, timeZone),
      counts,
      now: environment.now(),
    });
    if (outcome !== 'busy') return outcome;
    await sleep(Math.random() * 20 * attempt);
  }
  throw new RollupBusy('the counters of the day were busy in every attempt');
}
