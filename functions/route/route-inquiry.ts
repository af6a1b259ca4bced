/** Routes scored inquiries: picks each one's member, sets its respond-by and asks for the mail. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { poolOf } from '../../shared/domain/destination.ts';
import { assigned, waiting } from '../../shared/domain/inquiry/assignment.ts';
import { awaitsRouting, type Inquiry, isCalledAbout } from '../../shared/domain/inquiry/state.ts';
import { isLeftBehind } from '../../shared/domain/relief.ts';
import { mailAbout, mostAttempts, RotationBusy, type RouteDependencies } from './dependencies.ts';
import { drainPool } from './drain-pool.ts';
import { asksForMove, move } from './move.ts';
import { asksForReassignment, reassign } from './reassign.ts';
import { returnPage } from './return-work.ts';
import { type Turns, takeTurns } from './turns.ts';

export type Routed =
  | 'routed'
  | 'waiting'
  | 'still_waiting'
  | 'reassigned'
  | 'not_reassigned'
  | 'reassign_later'
  | 'moved'
  | 'not_moved'
  | 'move_later'
  | 'route_not_due'
  | 'route_not_scored'
  | 'route_unknown_inquiry';

/** An inquiry takes a write for its head, and at the most one for its pool and one for its member. */
const mostTogether = 33;
/**
 * What waits is handed out before a newer arrival. Where nobody can take the oldest of it, by their
 * language say, the arrival does not look through all of it: what waits is asked about by itself, too.
 */
const beforeArrival = { pages: 40, fruitless: 2 };

export async function routeInquiry(
  dependencies: RouteDependencies,
  { inquiryId }: { readonly inquiryId: string },
): Promise<Routed> {
  const { table, inquiries, routingStates, environment, mailQueue } = dependencies;
  let practice = await dependencies.practice();
  let isDrained = false;

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await inquiries.findForRouting(inquiryId);
    if (!record) return 'route_unknown_inquiry';
    const { head, score } = record;
    // It was opened again, or the index did not show it when the rest went back.
    if (isLeftBehind(practice, head) && !isCalledAbout(head, environment.now())) {
      const asItIs = await dependencies.freshPractice();
      if (!isLeftBehind(asItIs, head)) return 'route_not_due';
      await returnPage(dependencies, asItIs, head.assignedTo ?? '', [inquiryId]);
      continue;
    }
    if (asksForMove(head) || asksForReassignment(head)) {
      const outcome = asksForMove(head)
        ? await move(dependencies, practice, record)
        : await reassign(dependencies, practice, record);
      // What rules wanted came to nothing, and its time is up all the same.
      if (outcome === 'not_moved' && asksForReassignment(head)) continue;
      if (outcome !== 'refused') return outcome;
      await environment.backOff(20 * attempt);
      continue;
    }
    // Handed out with what else waited.
    if (!awaitsRouting(head)) return isDrained && head.progress === 'routed' ? 'routed' : 'route_not_due';
    if (!score) return 'route_not_scored';

    const now = environment.now();
    if (isCalledAbout(head, now)) return 'still_waiting';
    const states = await routingStates.read();
    const turns = takeTurns(practice, states, now);
    const { chosen, decided } = turns.next(head, score);

    if (chosen === undefined) {
      // Somebody may be able to by now, of whom the kept configuration does not know.
      const asItIs = await dependencies.freshPractice();
      if (asItIs !== practice) {
        practice = asItIs;
        continue;
      }
      const isSame = head.progress === 'waiting' && head.poolId === decided.poolId;
      // Only where the sweep asked: a message that came twice must not put off the next look.
      if (isSame && head.stepRepeats === 0) return 'still_waiting';
      const next = waiting(head, decided, now);
      const pool = states.rotation(decided.poolId);
      const done = await table.transact([
        inquiries.save(next),
        ...routingStates.beginWaiting(head, next, pool, turns.able()),
      ]);
      if (done.committed) return isSame ? 'still_waiting' : 'waiting';
    } else if (!isDrained && turns.isWaitedFor(decided.poolId)) {
      practice = await dependencies.freshPractice();
      await drainPool(dependencies, practice, decided.poolId, beforeArrival);
      isDrained = true;
      continue;
    } else {
      const next = assigned(head, { ...decided, memberId: chosen }, now);
      turns.count(head, next);
      const done = await table.transact([inquiries.save(next), ...turns.save(routingStates)]);
      if (done.committed) {
        await mailQueue.send(mailAbout(next));
        return 'routed';
      }
    }
    await environment.backOff(20 * attempt);
  }
  throw new RotationBusy();
}

/** Takes the turns of those inquiries that can be given to somebody; gives their states. */
function assignAll(records: Iterable<InquiryRecord>, turns: Turns, now: Date): Inquiry[] {
  const routed: Inquiry[] = [];
  for (const { head, score } of records) {
    if (!score || !awaitsRouting(head) || isCalledAbout(head, now)) continue;
    // Only the first score was read.
    if (head.score !== undefined) continue;
    const { chosen, decided } = turns.next(head, score);
    if (chosen === undefined) continue;
    const next = assigned(head, { ...decided, memberId: chosen }, now);
    turns.count(head, next);
    routed.push(next);
  }
  return routed;
}

/**
 * Routes the inquiries of a batch together, as if one after the other, and asks
 * for their mails. Gives `routed` for each that was, by position, and undefined
 * for each that needs a look by itself: it is not due, not scored or scored
 * again, nobody can take it, others wait before it, or others kept the rotation
 * busy.
 *
 * A large transaction takes longer from its look at the rotation to its commit
 * than a small one, and so would lose to it again and again: each time it loses,
 * it tries with half as many.
 */
export async function routeTogether(
  dependencies: RouteDependencies,
  messages: readonly { readonly inquiryId: string }[],
): Promise<(Routed | undefined)[]> {
  const ids = [...new Set(messages.map(({ inquiryId }) => inquiryId))];
  const routed = new Set<string>();
  let [from, size] = [0, Math.min(ids.length, mostTogether)];
  for (let lost = 0; from < ids.length && lost < mostAttempts; ) {
    const done = await routeAll(dependencies, ids.slice(from, from + size));
    if (done === 'refused') {
      lost++;
      size = Math.max(1, Math.floor(size / 2));
      await dependencies.environment.backOff(20 * lost);
      continue;
    }
    for (const id of done) routed.add(id);
    from += size;
    size = Math.min(size * 2, mostTogether);
  }
  // The second of two messages about one inquiry has its own look, and finds nothing to do.
  return messages.map(({ inquiryId }) => (routed.delete(inquiryId) ? 'routed' : undefined));
}

/** Routes those of the inquiries that can be, in one transaction, and gives their ids. */
async function routeAll(
  { table, inquiries, routingStates, environment, mailQueue, practice }: RouteDependencies,
  ids: readonly string[],
): Promise<readonly string[] | 'refused'> {
  const records = await inquiries.findMany(ids, { body: false });
  // Last of what is read: the transaction must find it as it is here.
  const states = await routingStates.read();
  const now = environment.now();
  const configured = await practice();
  const turns = takeTurns(configured, states, now);
  // What waits comes first: whatever goes to a pool where something does is looked at by itself.
  const routed = assignAll(
    records.filter(({ head, score }) => !turns.isWaitedFor(poolOf(head, score?.decision, configured).id)),
    turns,
    now,
  );
  if (routed.length === 0) return [];
  const done = await table.transact([...routed.map(inquiries.save), ...turns.save(routingStates)]);
  if (!done.committed) return 'refused';
  await mailQueue.sendAll(routed.map(mailAbout));
  return routed.map(({ id }) => id);
}
