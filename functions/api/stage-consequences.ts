/** What a change of an inquiry by hand brings with it, in the same transaction as the change itself. */
import type { Contact, Contacts } from '../../shared/data/contacts.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Write } from '../../shared/data/table.ts';
import type { Timelines } from '../../shared/data/timeline.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { entryOf } from '../../shared/domain/timeline.ts';

export interface ConsequenceDependencies {
  readonly contacts: Contacts;
  readonly timelines: Timelines;
  readonly routingStates: RoutingStates;
  readonly environment: Environment;
}

/** Whom a stage may move, as they were read. */
export interface MovedPerson {
  readonly person: Contact;
  /** Whether the inquiry was booked before, where that matters. */
  readonly bookedBefore: boolean;
}

/**
 * Whom a stage may move; undefined where it moves nobody. They are read before the instant of the change is
 * taken: so it is later than all that they have had, and their timeline in the order of their versions.
 *
 * @param wanted - the stage that the inquiry is to have, where it is to have another
 */
export async function readMoved(
  { contacts, timelines }: Pick<ConsequenceDependencies, 'contacts' | 'timelines'>,
  { id, contactId, stage }: Inquiry,
  wanted: Stage | undefined,
): Promise<MovedPerson | undefined> {
  // Only these two move it.
  if (wanted === stage || (wanted !== 'consult' && wanted !== 'booked')) return undefined;
  const person = await contacts.find(contactId, { consistent: true });
  if (!person) return undefined;
  // Asked only where it matters: once in a patient's second booking.
  const asksForBookings = wanted === 'booked' && person.lifecycle === 'patient';
  return { person, bookedBefore: asksForBookings && (await timelines.wasBooked(contactId, id)) };
}

/**
 * The writes beside the inquiry's own: what is counted of members and pools, and, where the stage
 * moved, its entry and the lifecycle of the contact whose inquiry it is: theirs,
 * whoever speaks for them, so that it stays with them if a merge is undone.
 *
 * @param moved - whom the stage may move, from `readMoved`
 * @param by - the kind of entry that brought the change, where one did
 */
export function consequencesOf(
  dependencies: ConsequenceDependencies,
  before: Inquiry,
  next: Inquiry,
  {
    actor,
    now,
    moved,
    by,
  }: {
    readonly actor: string;
    readonly now: Date;
    readonly moved: MovedPerson | undefined;
    readonly by?: string;
  },
): Write[] {
  const { contacts, routingStates, environment } = dependencies;
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
  if (!moved) return writes;
  const { person, bookedBefore } = moved;
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
