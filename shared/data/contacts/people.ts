/** People themselves: their profile, and the entries of their timeline that are items of their own. */
import type { AgeKnown } from '../../domain/age.ts';
import type { Lifecycle } from '../../domain/rules/facts.ts';
import type { ZoneKnown } from '../../domain/time-zone.ts';
import { checkedEntry, type TimelineEntry } from '../../domain/timeline.ts';
import { byTime, contactEntry, contactFacts, contactPk, contactProfile, timelineOf } from '../keys.ts';
import { absent, type Page, queryAll, type Table, type Write } from '../table.ts';
import { asRead, type Contact, type ContactPoint, parseContact } from './contact.ts';
import { schemaVersion } from './rows.ts';

export interface NewContact {
  readonly id: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly language: string | undefined;
  readonly insurances?: readonly string[];
  readonly locations?: readonly string[];
  readonly age?: AgeKnown;
  readonly timeZone?: ZoneKnown;
  readonly nameDigest?: string | undefined;
  readonly pointDigests?: Readonly<Partial<Record<ContactPoint['kind'], string>>>;
  /** Set where an inquiry made them that was set aside: nobody is suggested to be them on its word. */
  readonly suspected?: boolean;
}

/** What of a profile staff, rules and later inquiries change; what is left out stays as it is. */
export interface ContactPatch {
  readonly name?: string | undefined;
  readonly languages?: readonly string[];
  readonly insurances?: readonly string[];
  readonly locations?: readonly string[];
  readonly tags?: readonly string[];
  readonly lifecycle?: Lifecycle;
  readonly age?: AgeKnown;
  readonly timeZone?: ZoneKnown;
  /** Undefined takes the owner away. */
  readonly owner?: string | undefined;
}

export type FindContact = (
  id: string,
  options?: { readonly consistent?: boolean },
) => Promise<Contact | undefined>;

export function createPeople(table: Table) {
  const find: FindContact = async (id, { consistent = false } = {}) =>
    parseContact(await queryAll(table, { pk: contactPk(id), ...contactFacts, consistent }));

  return {
    /** One contact with everything but its entries: one Query. */
    find,

    create: (contact: NewContact, now: Date): Write => ({
      put: {
        ...contactProfile(contact.id),
        ...contact,
        version: 1,
        createdAt: now.toISOString(),
        schemaVersion,
      },
      when: absent,
    }),

    /** Names a person who had no name; refused where they got one meanwhile. */
    nameThem: (contactId: string, name: string, nameDigest: string): Write => ({
      update: contactProfile(contactId),
      set: { name, nameDigest },
      add: { version: 1 },
      when: [
        [
          ['pk', 'present'],
          ['name', 'absent'],
        ],
      ],
    }),

    /**
     * Changes a profile over the version that was read; refused where somebody was
     * faster. Under the names that they gave themselves, people are found as before.
     */
    change: (contact: Pick<Contact, 'id' | 'version'>, patch: ContactPatch, now: Date): Write[] => [
      {
        update: contactProfile(contact.id),
        set: { ...patch, changedAt: now.toISOString() },
        add: { version: 1 },
        when: [asRead(contact)],
      },
    ],

    /** Adds an entry. What could not be read back is never written: it throws. */
    addEntry: (entry: TimelineEntry): Write => ({
      put: {
        ...contactEntry(entry.contactId, entry.entryId),
        timelinePk: timelineOf(entry.contactId),
        timelineSk: byTime(entry.at, entry.entryId),
        ...checkedEntry(entry),
        schemaVersion,
      },
      when: absent,
    }),

    /** One page of a contact's timeline, newest first: index rows, whose items hold the entries. */
    timelinePage: (contactId: string, limit: number, after?: Record<string, unknown>): Promise<Page> =>
      table.query({
        index: 'timeline',
        pk: timelineOf(contactId),
        limit,
        newestFirst: true,
        ...(after && { after }),
      }),
  };
}
