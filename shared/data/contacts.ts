/**
 * People in the table: who they are, their contact points, whom they speak for
 * since a merge, their relations, who may be the same person, and the entries of
 * their timeline that are items of their own. Each has its room in `contacts/`.
 */
import { createMatches } from './contacts/matches.ts';
import { createMerges } from './contacts/merges.ts';
import { createPeople } from './contacts/people.ts';
import { createPoints } from './contacts/points.ts';
import { relationWrites } from './contacts/relations.ts';
import type { Table } from './table.ts';

export { type Contact, type ContactPoint, type PointDigest, pointsOf } from './contacts/contact.ts';
export { type MergeRefusal, mostFamilyMembers, type Whole } from './contacts/merges.ts';
export type { ContactPatch } from './contacts/people.ts';
export type { PointHolder } from './contacts/points.ts';
export type { Done } from './contacts/rows.ts';

export type Contacts = ReturnType<typeof createContacts>;

export function createContacts(table: Table) {
  const people = createPeople(table);
  return {
    ...people,
    ...createPoints(table),
    ...createMerges(table, people.find),
    ...relationWrites,
    ...createMatches(table),
  };
}
