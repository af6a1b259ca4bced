/** How an inquiry was given to whoever is about to lose it: told as it was, at its own time. */
import type { Environment } from './ids.ts';
import type { Inquiry } from './inquiry/state.ts';
import { entryOf, systemActor, type TimelineEntry } from './timeline.ts';

/**
 * The entry that takes the place of what the head has told so far; none where
 * nobody had it. It goes into the transaction that changes the head.
 */
export function pastRouting(
  { id, contactId, assignedTo, assignedAt, respondBy, receipt }: Inquiry,
  now: Date,
  { newId }: Pick<Environment, 'newId'>,
): TimelineEntry[] {
  if (assignedTo === undefined || assignedAt === undefined) return [];
  return [
    entryOf(
      'routed',
      {
        entryId: newId('entry'),
        contactId,
        inquiryId: id,
        actor: receipt?.by ?? systemActor,
        at: assignedAt,
        recordedAt: now.toISOString(),
      },
      {
        memberId: assignedTo,
        ...(respondBy !== undefined && { respondBy }),
        ...(receipt && { receipt }),
      },
    ),
  ];
}
