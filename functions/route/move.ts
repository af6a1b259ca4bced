/** Takes an inquiry that somebody has to where rules want it by now. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { findMember } from '../../shared/domain/availability.ts';
import { assigned, notMoved, returned } from '../../shared/domain/inquiry/assignment.ts';
import { type Inquiry, isCalledAbout, isOpen, type Move } from '../../shared/domain/inquiry/state.ts';
import { pastRouting } from '../../shared/domain/past-routing.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import { askForRoom, mailAbout, type RouteDependencies } from './dependencies.ts';
import { takeTurns } from './turns.ts';

export const asksForMove = ({ move, assignedTo, stage }: Inquiry): boolean =>
  move !== undefined && assignedTo !== undefined && isOpen({ stage });

/** Whoever is asked for by name; others are not asked in their place, where it has its place already. */
const namedIn = ({ memberId, owner, poolId, specialty }: Move): string | undefined =>
  poolId === undefined && specialty === undefined ? (memberId ?? owner) : undefined;

/** Whether whoever has it is who the rules ask for. */
function isThereAlready(practice: Practice, { move, assignedTo = '' }: Inquiry): boolean {
  const { memberId, owner, poolId, specialty } = move ?? {};
  const wanted = memberId ?? owner;
  const pool = practice.pools.find(({ id }) => id === poolId);
  return (
    (wanted === undefined || wanted === assignedTo) &&
    (pool === undefined || wanted === assignedTo || pool.members.some(({ id }) => id === assignedTo)) &&
    (specialty === undefined || findMember(practice, assignedTo)?.specialties?.includes(specialty) === true)
  );
}

/**
 * In one transaction with its entries, and with the loads of both; `refused` where others were faster.
 * To a pool or a specialty it goes also where nobody is there, and waits; to somebody by name only if they
 * can take it. From whoever is on the phone about it nothing is taken.
 */
export async function move(
  dependencies: RouteDependencies,
  practice: Practice,
  { head, score }: InquiryRecord,
): Promise<'moved' | 'not_moved' | 'move_later' | 'route_not_scored' | 'waiting' | 'refused'> {
  const { table, inquiries, contacts, routingStates, environment, mailQueue } = dependencies;
  const { move: wanted, assignedTo: memberId = '' } = head;
  if (!score || !wanted) return 'route_not_scored';
  const now = environment.now();
  if (isCalledAbout(head, now)) return 'move_later';
  const frame = () => ({
    entryId: environment.newId('entry'),
    contactId: head.contactId,
    inquiryId: head.id,
    actor: wanted.by,
    at: now.toISOString(),
  });
  if (isThereAlready(practice, head)) {
    const pool = practice.pools.find(({ id }) => id === wanted.poolId);
    const done = await table.write(inquiries.save(notMoved(head, pool?.id, now)));
    return done.committed ? 'not_moved' : 'refused';
  }
  const turns = takeTurns(practice, await routingStates.read(), now);
  const { chosen, decided } = turns.next(head, score);
  const named = namedIn(wanted);
  if (named !== undefined && chosen !== named) {
    const done = await table.transact([
      inquiries.save(notMoved(head, undefined, now)),
      contacts.addEntry(entryOf('not_reassigned', frame(), { memberId, receipt: decided.receipt })),
    ]);
    return done.committed ? 'not_moved' : 'refused';
  }
  const past = pastRouting(head, now, environment).map(contacts.addEntry);
  if (chosen === undefined) {
    // It goes on being wanted there by whoever comes.
    const next: Inquiry = { ...returned(head, decided, now), move: wanted };
    const entry = entryOf('returned', frame(), { memberId, pool: decided.poolId, because: 'rule' });
    const done = await table.transact([
      inquiries.save(next),
      ...past,
      contacts.addEntry(entry),
      ...routingStates.follow(head, next),
    ]);
    if (!done.committed) return 'refused';
    await askForRoom(dependencies, practice, head, next);
    return 'waiting';
  }
  const next = assigned(head, { ...decided, memberId: chosen }, now);
  turns.count(head, next);
  const done = await table.transact([inquiries.save(next), ...past, ...turns.save(routingStates)]);
  if (!done.committed) return 'refused';
  await mailQueue.send(mailAbout(next));
  await askForRoom(dependencies, practice, head, next);
  return 'moved';
}
