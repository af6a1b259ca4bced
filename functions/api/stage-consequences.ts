/** What a change of an inquiry by hand brings with it, in the same transaction as the change itself. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Write } from '../../shared/data/table.ts';
import type { Timelines } from '../../shared/data/timeline.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import { entryOf } from '../../shared/domain/timeline.ts';

export interface ConsequenceDependencies {
  readonly contacts: Contacts;
  readonly timelines: Timelines;
  readonly routingStates: RoutingStates;
  readonly environment: Environment;
}

/**
 * The writes beside the inquiry's own: what is counted of members and pools, and, where the stage
 * moved, its entry and the lifecycle of the contact whose inquiry it is: theirs,
 * whoever speaks for them, so that it stays with them if a merge is undone.
 *
 * @param by - the kind of entry that brought the change, where one did
 */
export async function consequencesOf(
  dependencies: ConsequenceDependencies,
  before: Inquiry,
  next: Inquiry,
  { actor, now, by }: { readonly actor: string; readonly now: Date; readonly by?: string },
): Promise<Write[]> {
  const { contacts, timelines, routingStates, environment } = dependencies;
  const writes: Write[] = [];
  const entry = () => ({
    entryId: environment.newId('entry'),
    actor,
    at: now.toISOString(),
    inquiryId: next.id,
  });
  writes.push(...routingStates.follow(before, next));
  if (before.stage === next.stage) return writes;

  const { closeReason } = next;
  writes.push(
    contacts.addEntry(
      entryOf(
        'stage_changed',
        { ...entry(), contactId: next.contactId },
        {
          from: before.stage,
          to: next.stage,
          ...(closeReason !== undefined && { closeReason }),
          ...(by !== undefined && { by }),
        },
      ),
    ),
  );
  // Only these two move it.
  if (next.stage !== 'consult' && next.stage !== 'booked') return writes;
  const person = await contacts.find(next.contactId, { consistent: true });
  if (!person) return writes;
  // Whether it was booked before is asked only where it matters: once in a patient's second booking.
  const asksForBookings = next.stage === 'booked' && person.lifecycle === 'patient';
  const bookedBefore = asksForBookings && (await timelines.wasBooked(next.contactId, next.id));
  const lifecycle = lifecycleAfter(person.lifecycle, next.stage, bookedBefore);
  if (lifecycle !== person.lifecycle) {
    writes.push(
      ...contacts.change(person, { lifecycle }, now),
      contacts.addEntry(
        entryOf(
          'contact_changed',
          { ...entry(), contactId: person.id },
          { changes: { lifecycle: { from: person.lifecycle, to: lifecycle } }, because: 'stage' },
        ),
      ),
    );
  }
  return writes;
}
