/** How long the decision about one inquiry takes in a pool of two hundred, beside its reads. */
import { takeTurns } from '../functions/route/turns.ts';
import type { StoredScore } from '../shared/data/inquiries.ts';
import type { RoutingState } from '../shared/data/rotation.ts';
import { captured } from '../shared/domain/inquiry/arrival.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { weekdays } from '../shared/domain/weekdays.ts';
import { smallPractice } from '../test/support/fixtures.ts';
import { median } from './median.ts';

const size = 200;
const zones = ['America/Los_Angeles', 'America/Denver', 'America/Chicago', 'America/New_York'];

function practiceOf(open: string): Practice {
  const block = [{ open, close: '17:00' }];
  const members = Array.from({ length: size }, (_, i): Practice['members'][number] => ({
    id: `m${i}`,
    name: `M ${i}`,
    email: `m${i}@example.com`,
    role: 'coordinator',
    enabled: true,
    timeZone: zones[i % zones.length] ?? 'UTC',
    shifts: Object.fromEntries(weekdays.slice(0, 5).map((day) => [day, block])),
    leave: [{ from: '2026-12-24', to: '2026-12-31' }],
    caps: { open: 20, perDay: 10 },
    languages: ['en', 'es'],
    insurances: ['Aetna', 'Blue Cross', 'Cigna'],
    locations: ['main-street'],
  }));
  const [pool] = smallPractice.pools;
  if (!pool) throw new Error('the practice has a pool');
  const own = { ...pool, members: members.map(({ id }, i) => ({ id, weight: 1 + (i % 3) })) };
  return { ...smallPractice, members, pools: [own, ...smallPractice.pools.slice(1)] };
}

const score: StoredScore = {
  inquiryId: 'inq_00000000000000000000000001',
  scoredAt: '2026-11-20T18:00:00.000Z',
  total: 50,
  tier: 'B',
  modelVersion: 'x',
  parts: [],
  decision: {
    respondWithinMinutes: 60,
    clock: 'tier B',
    needs: { language: 'es', insurance: 'Aetna PPO', age: 40 },
  },
};

const idle: RoutingState = {
  rotation: () => ({ version: 0, lags: {}, waiting: 0, news: 0 }),
  load: () => ({ version: 0, open: 3, uncalled: 1, today: 0, disabled: false }),
  waitingPools: [],
  disabledAtWork: [],
};

export interface RoutingTimes {
  readonly members: number;
  /** Microseconds, the median of the runs; where all can take it, and where nobody is there yet. */
  readonly routeMicroseconds: number;
  readonly waitMicroseconds: number;
}

/** Long enough that nothing is known any more of what the clocks of the zones showed before. */
const betweenMs = 20 * 60_000;
/** So many of them are within everybody's shifts, in each of their zones. */
const perFriday = 12;
const weekMs = 7 * 24 * 60 * 60_000;

/** Measures the decision alone: no table, no queue; each with a look at the clocks of its own, at another time of a Friday. */
export function measureRouting(runs = 200): RoutingTimes {
  const begin = new Date('2026-11-20T15:00:00.000Z');
  const head = captured(
    {
      id: 'inq_00000000000000000000000001',
      contactId: 'con_00000000000000000000000001',
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      serviceId: 'acne',
      quarantine: [],
    },
    begin,
  );
  const time = (open: string): number => {
    const practice = practiceOf(open);
    let n = 0;
    const one = (): number => {
      const now = new Date(
        begin.getTime() + Math.floor(n / perFriday) * weekMs + (n % perFriday) * betweenMs,
      );
      n++;
      const start = performance.now();
      takeTurns(practice, idle, now).next(head, score);
      return (performance.now() - start) * 1_000;
    };
    for (let i = 0; i < runs; i++) one();
    return Math.round(median(Array.from({ length: runs }, one)));
  };
  return { members: size, routeMicroseconds: time('06:00'), waitMicroseconds: time('16:30') };
}
