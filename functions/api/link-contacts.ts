/** Merges of contacts and their undoing, relations, and decisions about suggested matches. */
import type { Contact, Contacts, Done, MergeRefusal, Whole } from '../../shared/data/contacts.ts';
import { mostFamilyMembers } from '../../shared/data/contacts.ts';
import type { Table, Transacted, Write } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import {
  type EntryDetails,
  type EntryKind,
  entryOf,
  type RelationKind,
} from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import { wholeOf } from './read-people.ts';

export interface LinkDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
}

/** Racing changes of one contact settle in a round or two. */
const mostAttempts = 5;
const busy = () => new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
const noContact = () => new Problem('not_found', 'There is no such contact.');

const refusals: Readonly<Record<Exclude<MergeRefusal, 'unknown' | 'changed'>, string>> = {
  same_contact: 'A contact cannot be merged with itself.',
  merged_before: 'One of the two was merged already. Merge whoever speaks for it.',
  family_full: `One contact can speak for at most ${mostFamilyMembers}, itself included.`,
};

/** The same entry on the timelines of both. */
function entriesOnBoth<Kind extends EntryKind>(
  { contacts, environment }: LinkDependencies,
  kind: Kind,
  { by, now }: Done,
  on: readonly (readonly [contactId: string, details: EntryDetails<Kind>])[],
): Write[] {
  return on.map(([contactId, details]) =>
    contacts.addEntry(
      entryOf(
        kind,
        { entryId: environment.newId('entry'), contactId, actor: by, at: now.toISOString() },
        details,
      ),
    ),
  );
}

/** The state of the match between two, where one was suggested. */
const matchOf = (contact: Contact, otherId: string) =>
  contact.matches.find(({ contactId }) => contactId === otherId)?.state;

/**
 * Changes what one contact is to another by what both are at that moment, with
 * an entry on both; again where somebody was faster.
 *
 * @param writesOf - the change itself; undefined where the two have to be read again
 * @throws Problem `not_found`, and what `writesOf` throws
 */
async function changeBoth(
  dependencies: LinkDependencies,
  kind: 'merged' | 'unmerged',
  { survivorId, mergedId, reason }: EntryDetails<'merged'>,
  by: string,
  writesOf: (survivor: Contact, merged: Contact, done: Done) => Promise<Write[] | undefined>,
): Promise<void> {
  const { table, contacts, environment } = dependencies;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const [survivor, merged] = await Promise.all(
      [survivorId, mergedId].map((id) => contacts.find(id, { consistent: true })),
    );
    if (!survivor || !merged) throw noContact();
    const done = { by, now: environment.now() };
    const writes = await writesOf(survivor, merged, done);
    if (writes === undefined) continue;
    const details = { survivorId, mergedId, ...(reason !== undefined && { reason }) };
    const written = await table.transact([
      ...writes,
      ...entriesOnBoth(dependencies, kind, done, [
        [survivorId, details],
        [mergedId, details],
      ]),
    ]);
    if (written.committed) return;
  }
  throw busy();
}

/**
 * Has one contact speak for another from now on: both histories are one. A match
 * of the two that was open is decided by it.
 *
 * @throws Problem `not_found`, `merge_not_allowed`
 */
export async function mergeContacts(
  dependencies: LinkDependencies,
  survivorId: string,
  mergedId: string,
  reason: string | undefined,
  by: string,
): Promise<void> {
  const { contacts } = dependencies;
  await changeBoth(
    dependencies,
    'merged',
    { survivorId, mergedId, reason },
    by,
    async (survivor, merged, done) => {
      const refusal = await contacts.checkMerge(survivor, merged);
      if (refusal === 'changed') return undefined;
      if (refusal === 'unknown') throw noContact();
      if (refusal) throw new Problem('merge_not_allowed', refusals[refusal]);
      return [
        ...contacts.merge(survivor, merged, done),
        ...(matchOf(survivor, mergedId) === 'open'
          ? contacts.decideMatch(survivorId, mergedId, 'merged', done)
          : []),
      ];
    },
  );
}

/**
 * Takes a merge back in full, whatever happened since; the match that it decided
 * is open again.
 *
 * @throws Problem `not_found`, `merge_not_allowed`
 */
export async function unmergeContacts(
  dependencies: LinkDependencies,
  survivorId: string,
  mergedId: string,
  by: string,
): Promise<void> {
  const { contacts } = dependencies;
  await changeBoth(dependencies, 'unmerged', { survivorId, mergedId }, by, async (survivor, merged, done) => {
    if (merged.mergedInto !== survivorId) {
      throw new Problem('merge_not_allowed', 'The one was not merged into the other.');
    }
    return [
      ...contacts.unmerge(survivorId, mergedId, done),
      ...(matchOf(survivor, mergedId) === 'merged'
        ? contacts.decideMatch(survivorId, mergedId, 'open', done)
        : []),
    ];
  });
}

/** What stands between two contacts, as seen from the first. */
interface Standing<T> {
  readonly from: string;
  readonly to: string;
  readonly one: T;
}

/**
 * What stands between two people, under whichever of their contacts: of each two once.
 *
 * @throws Problem `not_found`, `conflict` where both are one person
 */
async function standingBetween<T extends { readonly contactId: string }>(
  contacts: Contacts,
  contactId: string,
  otherId: string,
  listOf: (contact: Contact) => readonly T[],
): Promise<readonly Standing<T>[]> {
  const [mine, theirs] = await twoPeople(contacts, contactId, otherId);
  const others = new Set(theirs.family.map(({ id }) => id));
  return mine.family.flatMap((contact) =>
    listOf(contact)
      .filter((one) => others.has(one.contactId))
      .map((one) => ({ from: contact.id, to: one.contactId, one })),
  );
}

/** @throws Problem `not_found`, `conflict` where both are one person */
async function twoPeople(contacts: Contacts, contactId: string, otherId: string): Promise<[Whole, Whole]> {
  const people = await Promise.all([
    wholeOf(contacts, contactId, { consistent: true }),
    wholeOf(contacts, otherId, { consistent: true }),
  ]);
  const [mine, theirs] = people;
  if (mine.survivor.id === theirs.survivor.id) throw new Problem('conflict', 'Both are the same person.');
  return people;
}

/** Two contacts are four writes, and a transaction takes a hundred. */
const mostPairsAtOnce = 25;

/** Changes what stands between several contacts, some at once. Gives the one that was refused, if one was. */
async function changeAll<T>(
  table: Table,
  standing: readonly Standing<T>[],
  writesOf: (one: Standing<T>) => Write[],
): Promise<Transacted> {
  for (let i = 0; i < standing.length; i += mostPairsAtOnce) {
    const done = await table.transact(standing.slice(i, i + mostPairsAtOnce).flatMap(writesOf));
    if (!done.committed) return done;
  }
  return { committed: true };
}

/**
 * Decides that two people are different: no suggestion of any of their contacts comes back.
 *
 * @throws Problem `not_found`, `conflict` where it is decided already, or both are one person
 */
export async function decideDifferent(
  dependencies: LinkDependencies,
  contactId: string,
  otherId: string,
  by: string,
): Promise<void> {
  const { table, contacts, environment } = dependencies;
  const suggested = await standingBetween(contacts, contactId, otherId, ({ matches }) => matches);
  if (suggested.length === 0) throw new Problem('not_found', 'There is no such match.');
  const open = suggested.filter(({ one }) => one.state === 'open');
  const decided = new Problem('conflict', 'This match is decided already.');
  if (open.length === 0) throw decided;
  const done = { by, now: environment.now() };
  const written = await changeAll(table, open, ({ from, to }) => [
    ...contacts.decideMatch(from, to, 'different', done),
    ...entriesOnBoth(dependencies, 'match_decided', done, [
      [from, { contactId: to, decision: 'different' }],
      [to, { contactId: from, decision: 'different' }],
    ]),
  ]);
  if (written.committed) return;
  throw written.failed.size > 0 ? decided : busy();
}

const opposite: Readonly<Record<RelationKind, RelationKind>> = {
  guardian_of: 'ward_of',
  ward_of: 'guardian_of',
};

/**
 * Notes what a person is to another, between those who speak for the two.
 *
 * @throws Problem `not_found`, `conflict` where it is noted already, or both are one person
 */
export async function relateContacts(
  dependencies: LinkDependencies,
  contactId: string,
  otherId: string,
  relation: RelationKind,
  by: string,
): Promise<void> {
  const { table, contacts, environment } = dependencies;
  const [{ survivor: one }, { survivor: other }] = await twoPeople(contacts, contactId, otherId);
  const [guardianId, wardId] = relation === 'guardian_of' ? [one.id, other.id] : [other.id, one.id];
  const written = await table.transact([
    ...contacts.relate(guardianId, wardId),
    ...entriesOnBoth(dependencies, 'related', { by, now: environment.now() }, [
      [one.id, { contactId: other.id, relation }],
      [other.id, { contactId: one.id, relation: opposite[relation] }],
    ]),
  ]);
  if (written.committed) return;
  throw written.failed.size > 0 ? new Problem('conflict', 'The two are related already.') : busy();
}

/**
 * Takes back what two people are to each other, under whichever of their contacts it is noted.
 *
 * @throws Problem `not_found`, `conflict` where both are one person
 */
export async function unrelateContacts(
  dependencies: LinkDependencies,
  contactId: string,
  otherId: string,
  by: string,
): Promise<void> {
  const { table, contacts, environment } = dependencies;
  const standing = await standingBetween(contacts, contactId, otherId, ({ relations }) => relations);
  if (standing.length === 0) throw new Problem('not_found', 'The two are not related.');
  const done = { by, now: environment.now() };
  const written = await changeAll(table, standing, ({ from, to, one: { relation } }) => [
    ...contacts.unrelate(from, to, done),
    ...entriesOnBoth(dependencies, 'unrelated', done, [
      [from, { contactId: to, relation }],
      [to, { contactId: from, relation: opposite[relation] }],
    ]),
  ]);
  if (!written.committed) throw busy();
}
