/** Routes scored inquiries: picks each one's member, sets its respond-by and asks for the mail. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries, InquiryRecord, StoredScore } from '../../shared/data/inquiries.ts';
import type { RoutingState, RoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import { choose, type Destination, destinationOf } from '../../shared/domain/destination.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { assigned, waiting } from '../../shared/domain/inquiry/assignment.ts';
import { type Assignment, awaitsRouting, type Inquiry } from '../../shared/domain/inquiry/state.ts';
import { personOf } from '../../shared/domain/person.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { enabledOnly, type Lags, type Rotation } from '../../shared/domain/routing.ts';
import type { MailMessage, Queue } from '../../shared/queues/messages.ts';

export interface RouteDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Pick<Contacts, 'findWhole'>;
  readonly routingStates: RoutingStates;
  readonly practice: () => Promise<Practice>;
  readonly mailQueue: Queue<MailMessage>;
  readonly environment: Environment;
}

export type Routed =
  | 'routed'
  | 'waiting'
  | 'still_waiting'
  | 'route_not_due'
  | 'route_not_scored'
  | 'route_unknown_inquiry';

/** A pool's rotation is one item: routings of one pool at the same moment take turns on it. */
const mostAttempts = 12;
/** An inquiry takes a write for its head, and at the most one for its pool and one for its member. */
const mostTogether = 33;

/** Thrown where the turn did not come in all attempts; the message comes again. */
export class RotationBusy extends Error {
  override readonly name = 'RotationBusy';
}

type Decided = Omit<Assignment, 'memberId'>;

/** What is decided about an inquiry, whoever's turn it is. */
const decidedBy = (
  { pool, respondBy }: Destination,
  { receipt }: Rotation,
  { total, tier, decision }: StoredScore,
): Decided => ({
  poolId: pool.id,
  respondBy,
  receipt,
  score: total,
  tier,
  urgency: decision?.urgency,
});

/** The turns of one transaction, one after the other: each goes on from where the one before left off. */
function takeTurns(practice: Practice, states: RoutingState) {
  const isEnabled = enabledOnly(practice.members);
  const lags = new Map<string, Lags>();
  const taken = new Map<string, number>();
  return {
    /** Who gets what goes there; the turn is taken where there is somebody. */
    next({ pool, named }: Destination): Rotation {
      const before = lags.get(pool.id) ?? states.rotation(pool.id).lags;
      const rotation = choose(
        pool,
        named,
        before,
        // The load item knows of a disabling before the configuration in memory does.
        (id) => isEnabled(id) ?? (states.load(id).disabled ? 'disabled' : undefined),
        (id) => states.load(id).open + (taken.get(id) ?? 0),
      );
      if (rotation.chosen !== undefined) {
        // Whoever was named got it out of turn: nothing to take turns on.
        if (rotation.lags !== before) lags.set(pool.id, rotation.lags);
        taken.set(rotation.chosen, (taken.get(rotation.chosen) ?? 0) + 1);
      }
      return rotation;
    },

    /** What the turns leave: the rotation of each pool, the load of each member. */
    save: ({ saveRotation, takeOn }: RoutingStates) => [
      ...[...lags].map(([poolId, after]) => saveRotation(poolId, states.rotation(poolId), after)),
      ...[...taken].map(([memberId, n]) => takeOn(memberId, states.load(memberId), n)),
    ],
  };
}

const mailAbout = ({ id, version }: Inquiry): MailMessage => ({ kind: 'inquiry', inquiryId: id, version });

export async function routeInquiry(
  dependencies: RouteDependencies,
  { inquiryId }: { readonly inquiryId: string },
): Promise<Routed> {
  const { table, inquiries, routingStates, environment, mailQueue } = dependencies;
  const practice = await dependencies.practice();

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await inquiries.findForRouting(inquiryId);
    if (!record) return 'route_unknown_inquiry';
    const { head, score } = record;
    if (!awaitsRouting(head)) return 'route_not_due';
    if (!score) return 'route_not_scored';

    // Who knows the person is looked up only where triage sends it to them.
    const person = score.decision?.toOwner
      ? await dependencies.contacts.findWhole(head.contactId)
      : undefined;
    const owner = person && personOf(person.family).owner;
    const destination = destinationOf(head, score, practice, owner);
    const turns = takeTurns(practice, await routingStates.read());
    const rotation = turns.next(destination);
    const decision = decidedBy(destination, rotation, score);
    const now = environment.now();

    if (rotation.chosen === undefined) {
      if (head.progress === 'waiting' && head.poolId === decision.poolId) return 'still_waiting';
      const written = await table.write(inquiries.save(waiting(head, decision, now)));
      if (written.committed) return 'waiting';
    } else {
      const next = assigned(head, { ...decision, memberId: rotation.chosen }, now);
      const done = await table.transact([inquiries.save(next), ...turns.save(routingStates)]);
      if (done.committed) {
        await mailQueue.send(mailAbout(next));
        return 'routed';
      }
    }
    await sleep(Math.random() * 20 * attempt);
  }
  throw new RotationBusy('the rotation was busy in every attempt');
}

/** Takes the turns of those inquiries that can be given to somebody; gives their states. */
function assignAll(
  records: Iterable<InquiryRecord>,
  turns: ReturnType<typeof takeTurns>,
  practice: Practice,
  now: Date,
): Inquiry[] {
  const routed: Inquiry[] = [];
  for (const { head, score } of records) {
    if (!score || !awaitsRouting(head)) continue;
    // Only the first score was read; and who knows the person takes a read of its own.
    if (head.score !== undefined || score.decision?.toOwner) continue;
    const destination = destinationOf(head, score, practice);
    const rotation = turns.next(destination);
    if (rotation.chosen === undefined) continue;
    routed.push(
      assigned(head, { ...decidedBy(destination, rotation, score), memberId: rotation.chosen }, now),
    );
  }
  return routed;
}

/**
 * Routes the inquiries of a batch together, as if one after the other, and asks
 * for their mails. Gives `routed` for each that was, by position, and undefined
 * for each that needs a look by itself: it is not due, not scored or scored
 * again, nobody can take it, or others kept the rotation busy.
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
      await sleep(Math.random() * 20 * lost);
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
  const configured = await practice();
  const turns = takeTurns(configured, states);
  const routed = assignAll(records, turns, configured, environment.now());
  if (routed.length === 0) return [];
  const done = await table.transact([...routed.map(inquiries.save), ...turns.save(routingStates)]);
  if (!done.committed) return 'refused';
  await mailQueue.sendAll(routed.map(mailAbout));
  return routed.map(({ id }) => id);
}
