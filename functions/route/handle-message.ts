/** What a message of the route queue asks for: an inquiry's routing, or what a pool or everybody has waited for. */
import type { Practice } from '../../shared/domain/practice.ts';
import type { RouteMessage } from '../../shared/queues/messages.ts';
import type { RouteDependencies } from './dependencies.ts';
import { drainPool } from './drain-pool.ts';
import { returnWork } from './return-work.ts';
import { type Routed, routeInquiry, routeTogether } from './route-inquiry.ts';

export type RouteOutcome = Routed | 'pool_drained' | 'configuration_followed' | 'route_to_be_continued';

/** What one message may take on, well within the function's time; it then asks to go on. */
const pagesOfPool = { pages: 40, fruitless: Number.POSITIVE_INFINITY };
const pagesOfMember = 20;
/** An index shows a moment later what was written: so often, and after this pause, it is looked at again. */
const looks = 3;
const pauseMs = 300;

export async function handleMessage(
  dependencies: RouteDependencies,
  message: RouteMessage,
): Promise<RouteOutcome> {
  if ('inquiryId' in message) return routeInquiry(dependencies, message);
  if (message.kind === 'pool') {
    const practice = await dependencies.freshPractice();
    return (await drainOn(dependencies, practice, message)) ? 'route_to_be_continued' : 'pool_drained';
  }
  return followConfiguration(dependencies, message);
}

type PoolMessage = Extract<RouteMessage, { kind: 'pool' }>;

/** Hands out what one run has time for, and asks to go on where that was not all; whether it did. */
async function drainOn(
  dependencies: RouteDependencies,
  practice: Practice,
  { kind, poolId, from: begun }: PoolMessage,
): Promise<boolean> {
  const { next: from } = await drainPool(dependencies, practice, poolId, pagesOfPool, begun);
  if (from) await dependencies.routeQueue.send({ kind, poolId, from });
  return from !== undefined;
}

/**
 * Returns the open work of everybody who is disabled to its pools, and hands out
 * whatever waits: by the configuration as it is now, which may be newer than the
 * message. Doing it again changes nothing.
 */
async function followConfiguration(
  dependencies: RouteDependencies,
  message: RouteMessage,
): Promise<RouteOutcome> {
  const { routingStates, routeQueue, environment } = dependencies;
  const practice = await dependencies.freshPractice();
  let states = await routingStates.read();
  for (let look = 1; look <= looks && states.disabledAtWork.length > 0; look++) {
    if (look > 1) await environment.pause(pauseMs);
    for (const memberId of states.disabledAtWork) {
      if (await returnWork(dependencies, practice, memberId, pagesOfMember)) continue;
      await routeQueue.send(message);
      return 'route_to_be_continued';
    }
    states = await routingStates.read();
  }
  for (const poolId of states.waitingPools) {
    // Who was looked at before may speak another language by now, say.
    await dependencies.table.write(routingStates.forgetLook(poolId));
    await drainOn(dependencies, practice, { kind: 'pool', poolId });
  }
  return 'configuration_followed';
}

/** Routes the inquiries among the messages together; everything else has a look of its own. */
export async function handleTogether(
  dependencies: RouteDependencies,
  messages: readonly RouteMessage[],
): Promise<(Routed | undefined)[]> {
  const inquiries = messages.filter((message) => 'inquiryId' in message);
  const outcomes = await routeTogether(dependencies, inquiries);
  const byMessage = new Map(inquiries.map((message, i) => [message as RouteMessage, outcomes[i]]));
  return messages.map((message) => byMessage.get(message));
}
