/**
 * People in the table: who they are, their contact points, whom they speak for
 * since a merge, their relations, who may be the same person, and the entries of
 * their timeline that are items of their own.
 */
import * as z from 'zod';
import { type AgeKnown, ageKnownSchema } from '../domain/age.ts';
import { type MatchKind, type MatchReason, matchKind, matchReasons } from '../domain/matching.ts';
import type { Family } from '../domain/person.ts';
import { type Lifecycle, lifecycles } from '../domain/rules/facts.ts';
import { type ZoneKnown, zoneKnownSchema } from '../domain/time-zone.ts';
import { checkedEntry, type RelationKind, relations, type TimelineEntry } from '../domain/timeline.ts';
import {
  boardOfMatches,
  byTime,
  contactAddedPoint,
  contactEntry,
  contactFacts,
  contactMatch,
  contactMerged,
  contactPk,
  contactPoint,
  contactPointPk,
  contactProfile,
  contactRelation,
  namelessDigest,
  timelineOf,
} from './keys.ts';
import { absent, type Condition, type Page, queryAll, type Row, type Table, type Write } from './table.ts';

const schemaVersion = 1;

/** A contact point in its normalised form, with the digests that stand for it in keys. */
export interface ContactPoint {
  readonly kind: 'email' | 'phone';
  readonly value: string;
  readonly digest: string;
}

/** A contact point by what stands for it in keys. */
export type PointDigest = Pick<ContactPoint, 'kind' | 'digest'>;

/** Contacts that one contact speaks for at the most, itself included. */
export const mostFamilyMembers = 20;

// What came later is absent from rows of before, and where it would only be the default.
const profileSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    version: z.int().default(0),
    name: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
    language: z.string().optional(),
    languages: z.array(z.string()).optional(),
    insurances: z.array(z.string()).default([]),
    locations: z.array(z.string()).default([]),
    tags: z.array(z.string()).default([]),
    age: ageKnownSchema.optional(),
    timeZone: zoneKnownSchema.optional(),
    lifecycle: z.enum(lifecycles).default('lead'),
    owner: z.string().optional(),
    mergedInto: z.string().optional(),
    nameDigest: z.string().optional(),
    /** Of the points they first came with. */
    pointDigests: z.object({ email: z.string().optional(), phone: z.string().optional() }).default({}),
    createdAt: z.iso.datetime(),
  }),
);
const pointSchema = z.lazy(() =>
  z.object({ sk: z.string(), kind: z.enum(['email', 'phone']), value: z.string() }),
);
const mergedSchema = z.lazy(() => z.object({ sk: z.string(), undoneAt: z.string().optional() }));
const relationSchema = z.lazy(() =>
  z.object({
    sk: z.string(),
    relation: z.enum(relations),
    undoneAt: z.string().optional(),
  }),
);
const matchStates = ['open', 'different', 'merged'] as const;
export type MatchState = (typeof matchStates)[number];
const matchSchema = z.lazy(() =>
  z.object({
    pk: z.string(),
    sk: z.string(),
    reasons: z.array(z.enum(matchReasons)),
    state: z.enum(matchStates),
    suggestedAt: z.iso.datetime(),
  }),
);

/** Another contact who may be the same person, as seen from one of the two. */
export interface Match {
  readonly contactId: string;
  readonly kind: MatchKind;
  readonly reasons: readonly MatchReason[];
  readonly state: MatchState;
  readonly suggestedAt: string;
}

/** A person as staff see them: the first e-mail address and phone number, and any later ones. */
export interface Contact {
  readonly id: string;
  /** Of the profile; 0 in rows of before there were versions. */
  readonly version: number;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly otherPoints: readonly { readonly kind: 'email' | 'phone'; readonly value: string }[];
  /** Every point of theirs, by what stands for it in keys. */
  readonly pointDigests: readonly PointDigest[];
  readonly language?: string | undefined;
  readonly languages: readonly string[];
  readonly insurances: readonly string[];
  readonly locations: readonly string[];
  readonly tags: readonly string[];
  readonly lifecycle: Lifecycle;
  readonly owner?: string | undefined;
  readonly age?: AgeKnown | undefined;
  readonly timeZone?: ZoneKnown | undefined;
  readonly createdAt: string;
  /** The contact who speaks for this one since they were merged. */
  readonly mergedInto?: string | undefined;
  /** Contacts whom this one speaks for directly. */
  readonly mergedIds: readonly string[];
  /** Contacts whom this one spoke for until the merge was undone. */
  readonly separatedIds: readonly string[];
  readonly relations: readonly { readonly contactId: string; readonly relation: RelationKind }[];
  readonly matches: readonly Match[];
}

/** A person: who speaks for them, and everybody they are by now. */
export interface Whole {
  readonly survivor: Contact;
  readonly family: Family<Contact>;
}

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

/** Contacts that one read asks for at the most. */
const mostAsked = 100;

/** Who did it, and when. */
export interface Done {
  readonly by: string;
  readonly now: Date;
}

/** Why two contacts cannot be merged. */
export type MergeRefusal =
  | 'same_contact'
  | 'unknown'
  /** One of the two is spoken for already: merge whoever speaks for it. */
  | 'merged_before'
  | 'family_full'
  /** Somebody changed one of the two since it was read. */
  | 'changed';

/** A suggested match as the list for review shows it. */
export interface SuggestedMatch extends Omit<Match, 'contactId'> {
  readonly contactIds: readonly [string, string];
}

export interface MatchPage {
  readonly matches: readonly SuggestedMatch[];
  /** Where the next page starts; absent on the last. */
  readonly next?: Record<string, unknown>;
}

/** Who is behind a contact point under a name. */
export interface PointHolder {
  readonly pointDigest: string;
  readonly nameDigest: string;
  readonly contactId: string;
}

const holderSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  contactId: z.string(),
  /** Set once whoever was here without a name has one: nobody is, then. */
  named: z.literal(true).optional(),
});

function parseHolders(rows: readonly Row[]): PointHolder[] {
  return rows
    .map((row) => holderSchema.parse(row))
    .filter(({ named }) => named === undefined)
    .map(({ pk, sk, contactId }) => ({
      pointDigest: pk.slice(contactPointPk('').length),
      nameDigest: sk.slice('NAME#'.length),
      contactId,
    }));
}

/** What follows the kind in a sort key. */
const afterKind = (sk: string): string => sk.slice(sk.indexOf('#') + 1);

function parseMatch(row: Row): Match {
  const { sk, reasons, state, suggestedAt } = matchSchema.parse(row);
  return { contactId: afterKind(sk), kind: matchKind(reasons), reasons, state, suggestedAt };
}

const firstPoints = (digests: z.output<typeof profileSchema>['pointDigests']): PointDigest[] =>
  (['email', 'phone'] as const).flatMap((kind) => {
    const digest = digests[kind];
    return digest === undefined ? [] : [{ kind, digest }];
  });

/** The points that a row of a contact brought: a profile those of the first inquiry, a later point itself. */
export function pointsOf(row: Row): PointDigest[] {
  if (row.sk === 'PROFILE') return firstPoints(profileSchema.parse(row).pointDigests);
  const { sk, kind } = pointSchema.parse(row);
  return [{ kind, digest: afterKind(sk) }];
}

/** A contact from all rows of its partition but the entries; undefined without a profile. */
function parseContact(rows: readonly Row[]): Contact | undefined {
  const profileRow = rows.find((row) => row.sk === 'PROFILE');
  if (profileRow === undefined) return undefined;
  const { nameDigest: _digest, pointDigests, languages, ...profile } = profileSchema.parse(profileRow);
  const ofKind = (kind: string): Row[] => rows.filter(({ sk }) => sk.startsWith(`${kind}#`));
  const added = ofKind('POINT').map((row) => pointSchema.parse(row));
  const aliases = ofKind('MERGED').map((row) => mergedSchema.parse(row));
  const standing = (undone: boolean): string[] =>
    aliases.filter(({ undoneAt }) => (undoneAt !== undefined) === undone).map(({ sk }) => afterKind(sk));
  const firstOf = (kind: 'email' | 'phone') => added.find((point) => point.kind === kind)?.value;
  const email = profile.email ?? firstOf('email');
  const phone = profile.phone ?? firstOf('phone');
  return {
    ...profile,
    email,
    phone,
    otherPoints: added
      .filter(({ value }) => value !== email && value !== phone)
      .map(({ kind, value }) => ({ kind, value })),
    pointDigests: [
      ...firstPoints(pointDigests),
      ...added.map(({ sk, kind }) => ({ kind, digest: afterKind(sk) })),
    ],
    languages: languages ?? (profile.language === undefined ? [] : [profile.language]),
    mergedIds: standing(false),
    separatedIds: standing(true),
    relations: ofKind('RELATION')
      .map((row) => relationSchema.parse(row))
      .filter(({ undoneAt }) => undoneAt === undefined)
      .map(({ sk, relation }) => ({ contactId: afterKind(sk), relation })),
    matches: ofKind('MATCH').map(parseMatch),
  };
}

/** The profile must be as it was read. */
const asRead = ({ version }: Pick<Contact, 'version'>): Condition[number] =>
  version === 0
    ? [
        ['pk', 'present'],
        ['version', 'absent'],
      ]
    : [['version', '=', version]];

/** Never there, or taken back. */
const absentOrUndone: Condition = [[['pk', 'absent']], [['undoneAt', 'present']]];
const notUndone: Condition = [
  [
    ['pk', 'present'],
    ['undoneAt', 'absent'],
  ],
];

export type Contacts = ReturnType<typeof createContacts>;

export function createContacts(table: Table) {
  async function find(id: string, { consistent = false } = {}): Promise<Contact | undefined> {
    return parseContact(await queryAll(table, { pk: contactPk(id), ...contactFacts, consistent }));
  }

  async function findSurvivor(id: string, { consistent = false } = {}): Promise<Contact | undefined> {
    const seen = new Set<string>();
    let contact = await find(id, { consistent });
    while (contact?.mergedInto !== undefined && !seen.has(contact.id)) {
      seen.add(contact.id);
      contact = (await find(contact.mergedInto, { consistent })) ?? contact;
    }
    return contact;
  }

  async function holdersOf({ digest }: Pick<ContactPoint, 'digest'>, limit: number): Promise<PointHolder[]> {
    const { rows } = await table.query({ pk: contactPointPk(digest), limit, consistent: true });
    return parseHolders(rows);
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

  const relation = (guardianId: string, wardId: string) =>
    [
      { key: contactRelation(guardianId, wardId), relation: 'guardian_of' },
      { key: contactRelation(wardId, guardianId), relation: 'ward_of' },
    ] as const;

  /** Of the two copies of a match, the one that is on the list for review. */
  const isListed = (contactId: string, otherId: string): boolean => contactId < otherId;
  const listing = (state: MatchState, at: string, contactId: string, otherId: string) =>
    isListed(contactId, otherId) && {
      boardPk: boardOfMatches(state === 'open' ? 'open' : 'decided'),
      boardSk: byTime(at, `${contactId}#${otherId}`),
    };
  const bothWays = (a: string, b: string): readonly (readonly [string, string])[] => [
    [a, b],
    [b, a],
  ];

  return {
    /** Holders of any of the points under any of the names, or under no name yet: one read. */
    async findHolders(
      points: readonly Pick<ContactPoint, 'digest'>[],
      nameDigests: readonly string[],
    ): Promise<PointHolder[]> {
      const names = [...new Set([...nameDigests, namelessDigest])];
      const keys = points.flatMap(({ digest }) => names.map((name) => contactPoint(digest, name)));
      if (keys.length === 0) return [];
      return parseHolders(await table.batchGet(keys, { consistent: true }));
    },

    /**
     * Everybody behind a point, whatever their name; of a line that very many share, as many as one
     * read gives. Whoever is there without a name sorts first, and so is always among them.
     */
    async findAllHolders(point: Pick<ContactPoint, 'digest'>): Promise<PointHolder[]> {
      return await holdersOf(point, mostAsked);
    },

    /** Ids of everybody behind a point, each once; `most` of them at the most. */
    async findByPoint(point: PointDigest, most = mostAsked): Promise<string[]> {
      const holders = await holdersOf(point, most);
      return [...new Set(holders.map(({ contactId }) => contactId))];
    },

    /** One contact with everything but its entries: one Query. */
    find,

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

    /** Puts a person behind a point under a name; refused where somebody already is. */
    hold: ({ pointDigest, nameDigest, contactId }: PointHolder): Write => ({
      put: { ...contactPoint(pointDigest, nameDigest), contactId, schemaVersion },
      when: [[['pk', 'absent']], [['named', '=', true]]],
    }),

    /**
     * Ends the holding of somebody who now has a name. Marked rather than removed:
     * so capture, which faces the internet, needs no right to delete anything.
     */
    release: ({ pointDigest, contactId }: PointHolder): Write => ({
      put: { ...contactPoint(pointDigest, namelessDigest), contactId, named: true, schemaVersion },
      when: [
        [
          ['contactId', '=', contactId],
          ['named', 'absent'],
        ],
      ],
    }),

    /** Adds a point to a person who came with others before. */
    addPoint: (contactId: string, point: ContactPoint, now: Date): Write => ({
      put: {
        ...contactAddedPoint(contactId, point.digest),
        kind: point.kind,
        value: point.value,
        addedAt: now.toISOString(),
        schemaVersion,
      },
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

    /** Notes who is whose guardian; refused where it is noted already. */
    relate: (guardianId: string, wardId: string): Write[] =>
      relation(guardianId, wardId).map(({ key, relation: is }) => ({
        put: { ...key, relation: is, schemaVersion },
        when: absentOrUndone,
      })),

    /**
     * Notes who wrote for whom, where nothing was ever said of the two: a relation that
     * stands, whichever way, and one that staff took back stay as they are. No condition,
     * so that an inquiry need not ask before.
     */
    noteGuardian: (guardianId: string, wardId: string): Write[] =>
      relation(guardianId, wardId).map(({ key, relation: is }) => ({
        update: key,
        setIfAbsent: { relation: is, schemaVersion },
      })),

    /** Takes a relation back, whichever of the two is the guardian. */
    unrelate: (a: string, b: string, { by, now }: Done): Write[] =>
      bothWays(a, b).map(([id, otherId]) => ({
        update: contactRelation(id, otherId),
        set: { undoneAt: now.toISOString(), undoneBy: by },
        when: notUndone,
      })),

    /**
     * Suggests that two contacts may be the same person; refused where that was
     * suggested before, so that what is decided never comes back. In one
     * transaction: each of the two has a copy.
     */
    suggest: (a: string, b: string, reasons: readonly MatchReason[], now: Date): Write[] =>
      bothWays(a, b).map(([id, otherId]) => ({
        put: {
          ...contactMatch(id, otherId),
          reasons: [...reasons],
          state: 'open',
          suggestedAt: now.toISOString(),
          ...listing('open', now.toISOString(), id, otherId),
          schemaVersion,
        },
        when: absent,
      })),

    /** Decides a suggested match, or opens it again; refused where there is none, or it stands so already. */
    decideMatch: (a: string, b: string, state: MatchState, { by, now }: Done): Write[] =>
      bothWays(a, b).map(([id, otherId]) => ({
        update: contactMatch(id, otherId),
        set: {
          state,
          decidedBy: by,
          decidedAt: now.toISOString(),
          ...listing(state, now.toISOString(), id, otherId),
        },
        when: [
          [
            ['pk', 'present'],
            ['state', '<>', state],
          ],
        ],
      })),

    /** One page of the matches that wait for a human, newest first; may be short with a next one. */
    async openMatches(limit: number, after?: Record<string, unknown>): Promise<MatchPage> {
      const { rows: listed, next } = await table.query({
        index: 'board',
        pk: boardOfMatches('open'),
        limit,
        newestFirst: true,
        ...(after && { after }),
      });
      const rows = await table.batchGet(listed);
      const matches = rows
        .map((row) => {
          const { contactId, ...match } = parseMatch(row);
          return { contactIds: [afterKind(row.pk), contactId] as const, ...match };
        })
        // The index may lag behind a decision.
        .filter(({ state }) => state === 'open')
        .sort((a, b) => (a.suggestedAt < b.suggestedAt ? 1 : a.suggestedAt > b.suggestedAt ? -1 : 0));
      return { matches, ...(next && { next }) };
    },

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
