/** Who an inquiry is from, as scoring and rules look at them, and what rules change about them. */
import type { Contact, ContactPatch, Contacts } from '../../shared/data/contacts.ts';
import type { Write } from '../../shared/data/table.ts';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import type { KnownPerson } from '../../shared/domain/rules/gather.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { type ContactChanges, type EntryFrame, entryOf } from '../../shared/domain/timeline.ts';

/** Reads and writes of contacts that scoring needs. */
export type PeopleOfScore = Pick<Contacts, 'find' | 'findSurvivor' | 'family' | 'change' | 'addEntry'>;

/** A person: the contact that speaks for them, and what they are known by, whichever contact has it. */
export interface Person {
  readonly contact: Contact;
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/** One read, and one more for each contact that was merged with theirs. */
export async function findPerson(contacts: PeopleOfScore, contactId: string): Promise<Person | undefined> {
  // What was added to them a moment ago may be why they are looked at.
  const own = await contacts.find(contactId, { consistent: true });
  const contact = own?.mergedInto === undefined ? own : await contacts.findSurvivor(contactId);
  if (!contact) return undefined;
  const { phone, email, name } = contact;
  if (contact.mergedIds.length === 0) return { contact, phone, email, name };
  const others = (await contacts.family(contact)).filter((id) => id !== contact.id);
  const family = [contact, ...(await Promise.all(others.map((id) => contacts.find(id))))];
  const known = (fact: 'phone' | 'email' | 'name') =>
    family.map((member) => member?.[fact]).find((value) => value !== undefined);
  return { contact, phone: known('phone'), email: known('email'), name: known('name') };
}

export const personFacts = (person: Person | undefined): KnownPerson | undefined =>
  person && {
    lifecycle: person.contact.lifecycle,
    tags: person.contact.tags,
    owner: person.contact.owner,
    hasPhone: person.phone !== undefined,
    hasEmail: person.email !== undefined,
    hasName: person.name !== undefined,
  };

/** What rules want of a person. */
export interface PersonEffects {
  readonly tags: readonly string[];
  /** The stage that an inquiry of theirs was set to. */
  readonly stage?: Stage | undefined;
}

/** Whether the person has to be read for it. */
export const touchesPerson = ({ tags, stage }: PersonEffects): boolean =>
  tags.length > 0 || stage === 'consult' || stage === 'booked';

/** Tags that are new to the person. */
export const newTags = (person: Person, tags: readonly string[]): string[] =>
  [...new Set(tags)].filter((tag) => !person.contact.tags.includes(tag));

/** The writes that change a person by rules, with their entry; none where they are so already. */
export function changePerson(
  contacts: PeopleOfScore,
  { contact, ...person }: Person,
  effects: PersonEffects,
  frame: Omit<EntryFrame, 'contactId'>,
): Write[] {
  const tags = newTags({ contact, ...person }, effects.tags);
  const lifecycle =
    effects.stage === undefined ? contact.lifecycle : lifecycleAfter(contact.lifecycle, effects.stage, false);
  const all = [...contact.tags, ...tags];
  const moves = lifecycle !== contact.lifecycle;
  if (tags.length === 0 && !moves) return [];
  const patch: ContactPatch = { ...(tags.length > 0 && { tags: all }), ...(moves && { lifecycle }) };
  const changes: ContactChanges = {
    ...(tags.length > 0 && { tags: { from: [...contact.tags], to: all } }),
    ...(moves && { lifecycle: { from: contact.lifecycle, to: lifecycle } }),
  };
  return [
    ...contacts.change(contact, patch, new Date(frame.at)),
    contacts.addEntry(
      entryOf('contact_changed', { ...frame, contactId: contact.id }, { changes, because: 'rules' }),
    ),
  ];
}
