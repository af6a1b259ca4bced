/** People as staff see them: whoever speaks for a contact, with all it was merged with. */
import type { Contact, Contacts, Whole } from '../../shared/data/contacts.ts';
import type { Timelines } from '../../shared/data/timeline.ts';
import { personOf } from '../../shared/domain/person.ts';
import { Problem } from '../../shared/http/problem.ts';
import {
  type ContactView,
  contactViewSchema,
  type MatchView,
  matchViewSchema,
  type PersonView,
  personView,
  pointsOf,
} from './contact-views.ts';

export interface PeopleDependencies {
  readonly contacts: Contacts;
  readonly timelines: Timelines;
}

/** The most people behind one point that a search answers with. */
const mostFound = 50;
/** The most contacts behind one point that are looked up for it: several of them may be one person. */
const mostLookedUp = 2 * mostFound;

/** How people are read: with what was committed a moment ago, where that matters. */
export interface Reading {
  readonly consistent: boolean;
}

/** The whole person behind a contact. @throws Problem `not_found` */
export async function wholeOf(contacts: Contacts, id: string, options?: Reading): Promise<Whole> {
  const whole = await contacts.findWhole(id, options);
  if (!whole) throw new Problem('not_found', 'There is no such contact.');
  return whole;
}

/** The people behind the contacts with these ids. */
async function wholesOf(
  contacts: Contacts,
  ids: readonly string[],
  options?: Reading,
): Promise<Map<string, Whole>> {
  const unique = [...new Set(ids)];
  const found = await Promise.all(unique.map((id) => contacts.findWhole(id, options)));
  return new Map(unique.flatMap((id, i) => (found[i] ? [[id, found[i]] as const] : [])));
}

/** As `wholesOf`, each as one. */
async function peopleOf(
  contacts: Contacts,
  ids: readonly string[],
  options?: Reading,
): Promise<Map<string, Contact>> {
  const wholes = await wholesOf(contacts, ids, options);
  return new Map([...wholes].map(([id, { family }]) => [id, personOf(family)]));
}

/** A contact whole: who they are, whom they are known as, related to, and may be. */
export async function contactView(
  contacts: Contacts,
  { survivor, family }: Whole,
  options?: Reading,
): Promise<ContactView> {
  const related = family.flatMap(({ relations }) => relations);
  const suggested = family.flatMap(({ matches }) => matches.filter(({ state }) => state === 'open'));
  const people = await peopleOf(
    contacts,
    [...related, ...suggested].map(({ contactId }) => contactId),
    options,
  );
  const own = new Set(family.map(({ id }) => id));
  /** One of each other person: who was merged meanwhile is this one, or the same as another. */
  const others = <T extends { readonly contactId: string }>(list: readonly T[], key: (one: T) => string) => {
    const seen = new Map<string, { readonly one: T; readonly contact: Contact }>();
    for (const one of list) {
      const contact = people.get(one.contactId);
      if (contact && !own.has(contact.id)) seen.set(`${contact.id} ${key(one)}`, { one, contact });
    }
    return [...seen.values()];
  };
  const person = personOf(family);
  return contactViewSchema.parse({
    ...person,
    minorUntil: person.age?.minorUntil,
    timeZone: person.timeZone?.zone,
    points: pointsOf(survivor),
    alsoKnownAs: family
      .filter(({ id }) => id !== survivor.id)
      .map((contact) => ({ ...contact, points: pointsOf(contact) })),
    relations: others(related, ({ relation }) => relation).map(({ one, contact }) => ({
      relation: one.relation,
      contact: personView(contact),
    })),
    matches: others(suggested, () => '').map(({ one, contact }) => ({
      ...one,
      contact: personView(contact),
    })),
  });
}

/** Everybody behind a contact point: whoever speaks for them, each once, those last active first. */
export async function findPeopleBehind(
  { contacts, timelines }: PeopleDependencies,
  point: { readonly kind: 'email' | 'phone'; readonly digest: string },
): Promise<{ readonly people: readonly PersonView[]; readonly more: boolean }> {
  const ids = await contacts.findByPoint(point, mostLookedUp + 1);
  // An institution's number has as many behind it as it has residents.
  const found = await wholesOf(contacts, ids.slice(0, mostLookedUp));
  const wholes = [...new Map([...found.values()].map((whole) => [whole.survivor.id, whole])).values()];
  const people = await Promise.all(
    wholes
      .slice(0, mostFound)
      .map(async ({ family }) =>
        personView(personOf(family), await timelines.newest(family.map(({ id }) => id))),
      ),
  );
  const newestFirst = people.toSorted((a, b) =>
    (a.lastActivityAt ?? '') < (b.lastActivityAt ?? '') ? 1 : -1,
  );
  return { people: newestFirst, more: wholes.length > mostFound || ids.length > mostLookedUp };
}

/** One page of suggested matches, each with both people. */
export async function suggestedMatches(
  { contacts }: PeopleDependencies,
  limit: number,
  after: Record<string, unknown> | undefined,
): Promise<{ readonly items: readonly MatchView[]; readonly next?: Record<string, unknown> }> {
  const { matches, next } = await contacts.openMatches(limit, after);
  const people = await peopleOf(
    contacts,
    matches.flatMap(({ contactIds }) => contactIds),
  );
  const items = matches.flatMap(({ contactIds, ...match }) => {
    const [a, b] = contactIds.map((id) => people.get(id));
    // Both were merged into one meanwhile: there is nothing left to decide.
    if (!a || !b || a.id === b.id) return [];
    return [matchViewSchema.parse({ ...match, contacts: [personView(a), personView(b)] })];
  });
  return { items, ...(next && { next }) };
}
