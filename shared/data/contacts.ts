/** People and their contact points in the table, and one person's timeline. */
import * as z from 'zod';
import {
  byTime,
  contactEntry,
  contactPk,
  contactPoint,
  contactPointPk,
  contactProfile,
  namelessDigest,
  timelineOf,
} from './keys.ts';
import { absent, type Page, queryAll, type Row, type Table, type Write } from './table.ts';

const schemaVersion = 1;

/** A contact point in its normalised form, with the digests that stand for it in keys. */
export interface ContactPoint {
  readonly kind: 'email' | 'phone';
  readonly value: string;
  readonly digest: string;
}

const profileSchema = z.object({
  id: z.string(),
  name: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
  language: z.string().optional(),
  createdAt: z.iso.datetime(),
});
const pointSchema = z.object({ kind: z.enum(['email', 'phone']), value: z.string() });

/** A person as staff see them: the first e-mail address and phone number, and any later ones. */
export interface Contact {
  readonly id: string;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly otherPoints: readonly { readonly kind: 'email' | 'phone'; readonly value: string }[];
  readonly createdAt: string;
}

export interface NewContact {
  readonly id: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly language: string | undefined;
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

/** A timeline entry that is an item of its own. */
export const entrySchema = z.object({
  entryId: z.string(),
  contactId: z.string(),
  inquiryId: z.string().optional(),
  kind: z.enum(['stage_changed', 'released']),
  actor: z.string(),
  at: z.iso.datetime(),
  details: z.record(z.string(), z.string()),
});
export type TimelineEntry = z.infer<typeof entrySchema>;

export type Contacts = ReturnType<typeof createContacts>;

export function createContacts(table: Table) {
  return {
    /** Holders of any of the points under the name, or under no name yet: one read, at most four keys. */
    async findHolders(points: readonly ContactPoint[], nameDigest: string): Promise<PointHolder[]> {
      const names = nameDigest === namelessDigest ? [namelessDigest] : [nameDigest, namelessDigest];
      const keys = points.flatMap(({ digest }) => names.map((name) => contactPoint(digest, name)));
      if (keys.length === 0) return [];
      return parseHolders(await table.batchGet(keys, { consistent: true }));
    },

    /** Everybody behind a point, whatever their name. */
    async findAllHolders(point: ContactPoint): Promise<PointHolder[]> {
      return parseHolders(await queryAll(table, { pk: contactPointPk(point.digest), consistent: true }));
    },

    async find(id: string): Promise<Contact | undefined> {
      const rows = await queryAll(table, { pk: contactPk(id), from: 'POINT#', to: 'PROFILE' });
      const profileRow = rows.find((row) => row.sk === 'PROFILE');
      if (profileRow === undefined) return undefined;
      const { language: _language, ...profile } = profileSchema.parse(profileRow);
      const added = rows.filter((row) => row !== profileRow).map((row) => pointSchema.parse(row));
      const firstOf = (kind: 'email' | 'phone') => added.find((point) => point.kind === kind)?.value;
      const email = profile.email ?? firstOf('email');
      const phone = profile.phone ?? firstOf('phone');
      return {
        ...profile,
        email,
        phone,
        otherPoints: added.filter(({ value }) => value !== email && value !== phone),
      };
    },

    create: (contact: NewContact, now: Date): Write => ({
      put: { ...contactProfile(contact.id), ...contact, createdAt: now.toISOString(), schemaVersion },
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
        pk: contactPk(contactId),
        sk: `POINT#${point.digest}`,
        kind: point.kind,
        value: point.value,
        addedAt: now.toISOString(),
        schemaVersion,
      },
    }),

    /** Names a person who had no name; refused where they got one meanwhile. */
    nameThem: (contactId: string, name: string): Write => ({
      update: contactProfile(contactId),
      set: { name },
      when: [
        [
          ['pk', 'present'],
          ['name', 'absent'],
        ],
      ],
    }),

    addEntry: (entry: TimelineEntry): Write => ({
      put: {
        ...contactEntry(entry.contactId, entry.entryId),
        timelinePk: timelineOf(entry.contactId),
        timelineSk: byTime(entry.at, entry.entryId),
        ...entry,
        schemaVersion,
      },
      when: absent,
    }),

    /** One page of a person's timeline, newest first: index rows, whose items hold the entries. */
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
