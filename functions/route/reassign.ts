/** Gives an inquiry whose time is up to somebody who is free, where somebody is. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { notReassigned, reassigned } from '../../shared/domain/inquiry/assignment.ts';
import { type Inquiry, isMailUnderWay, isOpen, owesCall } from '../../shared/domain/inquiry/state.ts';
import { pastRouting } from '../../shared/domain/past-routing.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';
import { askForRoom, mailAbout, type RouteDependencies } from './dependencies.ts';

import { type MoreAsked, takeTurns } from './turns.ts';

export const asksForReassignment = ({ reassign, assignedTo, stage }: Inquiry): boolean =>
  reassign === true && assignedTo !== undefined && isOpen({ stage });

/**
 * Whoever gets what somebody else did not get to must be able to call at once:
 * deadlines that fall due together would else only change hands.
 */
const freeFor =
  ({ assignedTo, hadBy = [] }: Inquiry, now: Date): MoreAsked =>
  (id, { uncalled, callingUntil }) => {
    if (id === assignedTo) return 'has it';
    if (hadBy.includes(id)) return 'had it before';
    if (uncalled > 0) return `${uncalled} not yet called`;
    return callingUntil !== undefined && callingUntil > now.toISOString() ? 'in a call' : undefined;
  };

/** In one transaction with its entry, and with the loads of both; `refused` where others were faster. */
export async function reassign(
  dependencies: RouteDependencies,
  practice: Practice,
  { head, score }: InquiryRecord,
): Promise<'reassigned' | 'not_reassigned' | 'reassign_later' | 'route_not_scored' | 'refused'> {
  const { table, inquiries, contacts, routingStates, environment, mailQueue } = dependencies;
  if (!score) return 'route_not_scored';
  // The mail under way is to its managers, too: it goes out before its place is taken.
  if (isMailUnderWay(head)) return 'reassign_later';
  const now = environment.now();
  const turns = takeTurns(practice, await routingStates.read(), now);
  const isSpared = head.calling !== undefined || head.hold !== undefined || !owesCall(head);
  const spared = () => 'it is being called about, or set aside';
  const { chosen, decided } = turns.next(head, score, isSpared ? spared : freeFor(head, now));
  const memberId = head.assignedTo ?? '';
  if (chosen === undefined) {
    const frame = {
      entryId: environment.newId('entry'),
      contactId: head.contactId,
      inquiryId: head.id,
      actor: systemActor,
      at: now.toISOString(),
    };
    const done = await table.transact([
      inquiries.save(notReassigned(head, now)),
      contacts.addEntry(entryOf('not_reassigned', frame, { memberId, receipt: decided.receipt })),
    ]);
    return done.committed ? 'not_reassigned' : 'refused';
  }
  const next = reassigned(head, { ...decided, memberId: chosen }, now);
  turns.count(head, next);
  const done = await table.transact([
    inquiries.save(next),
    ...pastRouting(head, now, environment).map(contacts.addEntry),
    ...turns.save(routingStates),
  ]);
  if (!done.committed) return 'refused';
  await mailQueue.send(mailAbout(next));
  await askForRoom(dependencies, practice, head, next);
  return 'reassigned';
}
