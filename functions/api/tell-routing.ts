/**
 * Tells routing what a change of an inquiry means to it: somebody has room for more work, and what waits
 * in their pools may be for them; or it was opened again, and whoever had it is gone.
 */
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { isLeftBehind, poolsRelieved } from '../../shared/domain/relief.ts';
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
  const { id: inquiryId, version } = after;
  const messages: RouteMessage[] = [
    ...poolsRelieved(practice, before, after).map((poolId) => ({ kind: 'pool' as const, poolId })),
    ...(isLeftBehind(practice, after) ? [{ inquiryId, version }] : []),
  ];
  if (messages.length === 0) return;
  await routeQueue.sendAll(messages).catch((error: unknown) => onEnqueueFailure(inquiryId, error));
}
