/** Contact points: who is behind a mailbox or a number, under which name. */
import * as z from 'zod';
import { contactAddedPoint, contactPoint, contactPointPk, namelessDigest } from '../keys.ts';
import type { Row, Table, Write } from '../table.ts';
import type { ContactPoint, PointDigest } from './contact.ts';
import { schemaVersion } from './rows.ts';

/** Holders that one read asks for at the most. */
const mostAsked = 100;

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

export function createPoints(table: Table) {
  async function holdersOf({ digest }: Pick<ContactPoint, 'digest'>, limit: number): Promise<PointHolder[]> {
    const { rows } = await table.query({ pk: contactPointPk(digest), limit, consistent: true });
    return parseHolders(rows);
  }

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
  };
}
