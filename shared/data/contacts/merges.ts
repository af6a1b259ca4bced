/**
 * Merges: one contact speaks for another since, by an alias. Nothing moves, and so a merge can be taken
 * back, whatever happened in between.
 */
import type { Family } from '../../domain/person.ts';
import { contactMerged, contactPk, contactProfile } from '../keys.ts';
import { type Condition, queryAll, type Table, type Write } from '../table.ts';
import { asRead, type Contact, mergedSchema, profileSchema } from './contact.ts';
import type { FindContact } from './people.ts';
import { absentOrUndone, afterKind, type Done, notUndone, schemaVersion } from './rows.ts';

/** Contacts that one contact speaks for at the most, itself included. */
export const mostFamilyMembers = 20;

/** A person: who speaks for them, and everybody they are by now. */
export interface Whole {
  readonly survivor: Contact;
  readonly family: Family<Contact>;
}

/** Contacts that one read asks for at the most. */
const mostAsked = 100;

/** Why two contacts cannot be merged. */
export type MergeRefusal =
  | 'same_contact'
  | 'unknown'
  /** One of the two is spoken for already: merge whoever speaks for it. */
  | 'merged_before'
  | 'family_full'
  /** Somebody changed one of the two since it was read. */
  | 'changed';

/** @param find - one contact, as its partition has it */
export function createMerges(table: Table, find: FindContact) {
  async function findSurvivor(id: string, { consistent = false } = {}): Promise<Contact | undefined> {
    const seen = new Set<string>();
    let contact = await find(id, { consistent });
    while (contact?.mergedInto !== undefined && !seen.has(contact.id)) {
      seen.add(contact.id);
      contact = (await find(contact.mergedInto, { consistent })) ?? contact;
    }
    return contact;
  }

  /** Whom the contacts with these ids speak for, generation by generation, themselves included. */
  async function familyOf(
    contact: Pick<Contact, 'id' | 'mergedIds'>,
    consistent: boolean,
  ): Promise<string[]> {
    const family = new Set([contact.id, ...contact.mergedIds]);
    let generation: readonly string[] = contact.mergedIds;
    while (generation.length > 0) {
      const aliases = await Promise.all(
        generation.map((id) =>
          queryAll(table, {
            pk: contactPk(id),
            from: contactMerged(id, '').sk,
            to: contactMerged(id, '~').sk,
            consistent,
          }),
        ),
      );
      generation = aliases
        .flat()
        .map((row) => mergedSchema.parse(row))
        .filter(({ sk, undoneAt }) => undoneAt === undefined && !family.has(afterKind(sk)))
        .map(({ sk }) => afterKind(sk));
      for (const id of generation) family.add(id);
    }
    return [...family];
  }

  return {
    /** The contact that speaks for this one: itself, unless it was merged. */
    findSurvivor,

    /** The whole person behind a contact: one read where nobody was merged. */
    async findWhole(id: string, { consistent = false } = {}): Promise<Whole | undefined> {
      const survivor = await findSurvivor(id, { consistent });
      if (!survivor) return undefined;
      const [, ...ids] = await familyOf(survivor, consistent);
      const others = await Promise.all(ids.map((other) => find(other, { consistent })));
      const family: [Contact, ...Contact[]] = [survivor];
      // Of a merge or an undoing under way, an alias may be there beside a profile that does not know of it.
      for (const other of others) {
        if (other && family.some((contact) => contact.id === other.mergedInto)) family.push(other);
      }
      return { survivor, family };
    },

    /** Ids of those who speak for the contacts with these ids, each once. */
    async findSurvivorIds(ids: readonly string[]): Promise<string[]> {
      const into = new Map<string, string | undefined>();
      let asked = [...new Set(ids)];
      while (asked.length > 0) {
        const few = asked.slice(0, mostAsked);
        const rows = await table.batchGet(few.map(contactProfile), { consistent: true });
        const profiles = rows.map((row) => profileSchema.parse(row));
        for (const id of few) into.set(id, profiles.find((profile) => profile.id === id)?.mergedInto);
        asked = [...new Set([...asked, ...into.values()])].filter(
          (id) => id !== undefined && !into.has(id),
        ) as string[];
      }
      const survivorOf = (id: string): string => {
        // The rows were read at several moments: together they may show a circle that never was.
        const seen = new Set([id]);
        let survivor = id;
        for (let next = into.get(id); next !== undefined && !seen.has(next); next = into.get(next)) {
          seen.add(next);
          survivor = next;
        }
        return survivor;
      };
      return [...new Set(ids.map(survivorOf))];
    },

    /** Ids of all contacts whose timelines are this person's: itself and whomever it speaks for, recursively. */
    family: (contact: Pick<Contact, 'id' | 'mergedIds'>, { consistent = false } = {}): Promise<string[]> =>
      familyOf(contact, consistent),

    /**
     * Why `merge` would be refused; undefined where it would not be. Both contacts
     * are checked as they were read: whatever grows a family of theirs moves the
     * version of the one who speaks for it, so `merge` cannot overlook it.
     */
    async checkMerge(survivor: Contact, merged: Contact): Promise<MergeRefusal | undefined> {
      if (survivor.id === merged.id) return 'same_contact';
      const current = await Promise.all([survivor.id, merged.id].map((id) => find(id, { consistent: true })));
      const [into, other] = current;
      if (into === undefined || other === undefined) return 'unknown';
      if (into.mergedInto !== undefined || other.mergedInto !== undefined) return 'merged_before';
      if (into.version !== survivor.version || other.version !== merged.version) return 'changed';
      const families = await Promise.all([into, other].map((contact) => familyOf(contact, true)));
      return families.flat().length > mostFamilyMembers ? 'family_full' : undefined;
    },

    /**
     * Has the survivor speak for the other one: an alias, nothing moves. Only who
     * speaks for themselves can be merged, or merged into: both conditions stand in
     * one transaction, so that no two merges, however they race, can close a circle.
     * Refused where one of the two is not as it was read (writes 0 and 1) or the
     * alias stands already (write 2).
     */
    merge: (
      survivor: Pick<Contact, 'id' | 'version'>,
      merged: Pick<Contact, 'id' | 'version'>,
      { by, now }: Done,
    ): Write[] => {
      const speaksForItself = (contact: Pick<Contact, 'id' | 'version'>): Condition => [
        [...asRead(contact), ['mergedInto', 'absent']],
      ];
      return [
        { update: contactProfile(survivor.id), add: { version: 1 }, when: speaksForItself(survivor) },
        {
          update: contactProfile(merged.id),
          set: { mergedInto: survivor.id },
          add: { version: 1 },
          when: speaksForItself(merged),
        },
        {
          put: {
            ...contactMerged(survivor.id, merged.id),
            mergedAt: now.toISOString(),
            mergedBy: by,
            schemaVersion,
          },
          when: absentOrUndone,
        },
      ];
    },

    /**
     * Takes a merge back, whatever happened since: each has what was theirs, and
     * what came to them meanwhile. The alias is marked rather than removed: no
     * function needs a right to delete. Refused where there is no such merge.
     */
    unmerge: (survivorId: string, mergedId: string, { by, now }: Done): Write[] => [
      {
        update: contactProfile(survivorId),
        add: { version: 1 },
        when: [[['pk', 'present']]],
      },
      {
        update: contactProfile(mergedId),
        set: { mergedInto: undefined },
        add: { version: 1 },
        when: [[['mergedInto', '=', survivorId]]],
      },
      {
        update: contactMerged(survivorId, mergedId),
        set: { undoneAt: now.toISOString(), undoneBy: by },
        when: notUndone,
      },
    ],
  };
}
