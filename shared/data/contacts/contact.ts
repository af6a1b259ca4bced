/** A contact as their partition has them, and as staff see them: parsed from rows, with what others need to write over one. */
import * as z from 'zod';
import { type AgeKnown, ageKnownSchema } from '../../domain/age.ts';
import { type Lifecycle, lifecycles } from '../../domain/rules/facts.ts';
import { type ZoneKnown, zoneKnownSchema } from '../../domain/time-zone.ts';
import { type RelationKind, relations } from '../../domain/timeline.ts';
import type { Condition, Row } from '../table.ts';
import { type Match, parseMatch } from './matches.ts';
import { afterKind } from './rows.ts';

/** A contact point in its normalised form, with the digests that stand for it in keys. */
export interface ContactPoint {
  readonly kind: 'email' | 'phone';
  readonly value: string;
  readonly digest: string;
}

/** A contact point by what stands for it in keys. */
export type PointDigest = Pick<ContactPoint, 'kind' | 'digest'>;

// What came later is absent from rows of before, and where it would only be the default.
export const profileSchema = z.lazy(() =>
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
export const mergedSchema = z.lazy(() => z.object({ sk: z.string(), undoneAt: z.string().optional() }));
const relationSchema = z.lazy(() =>
  z.object({
    sk: z.string(),
    relation: z.enum(relations),
    undoneAt: z.string().optional(),
  }),
);
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
export function parseContact(rows: readonly Row[]): Contact | undefined {
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
export const asRead = ({ version }: Pick<Contact, 'version'>): Condition[number] =>
  version === 0
    ? [
        ['pk', 'present'],
        ['version', 'absent'],
      ]
    : [['version', '=', version]];
