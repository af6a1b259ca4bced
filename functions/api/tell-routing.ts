/** Tells routing that somebody has room for more work: what waits in their pools may be for them. */
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { poolsRelieved } from '../../shared/domain/relief.ts';
import type { Queue, RouteMessage } from '../../shared/queues/messages.ts';

export interface TellDependencies {
  readonly routeQueue: Queue<RouteMessage>;
  /** Called where somebody is to be asked about what was stored, and could not be; the sweep will. */
  readonly onEnqueueFailure: (inquiryId: string, error: unknown) => void;
}

/** Never fails: what waits is asked about by itself, a little later. */
export async function tellRouting(
  { routeQueue, onEnqueueFailure }: TellDependencies,
  practice: Practice,
  before: Inquiry,
  after: Inquiry,
): Promise<void> {
  const pools = poolsRelieved(practice, before, after);
  if (pools.length === 0) return;
  await routeQueue
    .sendAll(pools.map((poolId) => ({ kind: 'pool', poolId })))
    .catch((error: unknown) => onEnqueueFailure(after.id, error));
}
