/** Who an inquiry is from, as scoring and rules look at them, and what rules change about them. */
import type { Contact, ContactPatch, Contacts } from '../../shared/data/contacts.ts';
import type { Write } from '../../shared/data/table.ts';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import { personOf } from '../../shared/domain/person.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { type ContactChanges, type EntryFrame, entryOf } from '../../shared/domain/timeline.ts';

/** Reads and writes of contacts that scoring needs. */
export type PeopleOfScore = Pick<Contacts, 'find' | 'findWhole' | 'change' | 'addEntry'>;

/** A person, by everything that is known of them, whichever of their contacts has it. */
export interface Person extends Pick<Contact, 'name' | 'email' | 'phone' | 'lifecycle' | 'tags' | 'owner'> {
  /** The inquiry's own contact: what the inquiry brings is theirs, and stays so if a merge is undone. */
  readonly own: Contact;
}

/** One read, and more only where the contact was merged. */
export async function findPerson(contacts: PeopleOfScore, contactId: string): Promise<Person | undefined> {
  // What was added to them a moment ago may be why they are looked at.
  const options = { consistent: true };
  const whole = await contacts.findWhole(contactId, options);
  const own = whole?.family.find(({ id }) => id === contactId) ?? (await contacts.find(contactId, options));
  if (!whole || !own) return undefined;
  const { name, email, phone, lifecycle, tags, owner } = personOf(whole.family);
  return { own, name, email, phone, lifecycle, tags, owner };
}

/** What rules want of a person. */
export interface PersonEffects {
  readonly tags: readonly string[];
  /** The stage that an inquiry of theirs was set to. */
  readonly stage?: Stage | undefined;
  /** Whether that inquiry had been booked before. */
  readonly bookedBefore?: boolean;
}

/** Whether the person has to be read for it. */
export const touchesPerson = ({ tags, stage }: PersonEffects): boolean =>
  tags.length > 0 || stage === 'consult' || stage === 'booked';

/** Tags that are new to the inquiry's contact. */
export const newTags = ({ own }: Person, tags: readonly string[]): string[] =>
  [...new Set(tags)].filter((tag) => !own.tags.includes(tag));

/** The writes that change an inquiry's contact by rules, with their entry; none where they are so already. */
export function changePerson(
  contacts: PeopleOfScore,
  person: Person,
  effects: PersonEffects,
  frame: Omit<EntryFrame, 'contactId'>,
): Write[] {
  const { own } = person;
  const tags = newTags(person, effects.tags);
  const lifecycle =
    effects.stage === undefined
      ? own.lifecycle
      : lifecycleAfter(own.lifecycle, effects.stage, effects.bookedBefore ?? false);
  const all = [...own.tags, ...tags];
  const moves = lifecycle !== own.lifecycle;
  if (tags.length === 0 && !moves) return [];
  const patch: ContactPatch = { ...(tags.length > 0 && { tags: all }), ...(moves && { lifecycle }) };
  const changes: ContactChanges = {
    ...(tags.length > 0 && { tags: { from: [...own.tags], to: all } }),
    ...(moves && { lifecycle: { from: own.lifecycle, to: lifecycle } }),
  };
  return [
    ...contacts.change(own, patch, new Date(frame.at)),
    contacts.addEntry(
      entryOf('contact_changed', { ...frame, contactId: own.id }, { changes, because: 'rules' }),
    ),
  ];
}
