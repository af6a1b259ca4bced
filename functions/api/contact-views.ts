/** What the API answers about people: schemas of its own, as in `views.ts`. */
import * as z from 'zod';
import type { Contact } from '../../shared/data/contacts.ts';
import { matchReasons } from '../../shared/domain/matching.ts';
import { lifecycles } from '../../shared/domain/rules/facts.ts';
import { relations } from '../../shared/domain/timeline.ts';

const pointSchema = z.lazy(() => z.object({ kind: z.enum(['email', 'phone']), value: z.string() }));
const matchKindSchema = z.enum(['likely_same', 'may_be_family']);

export const personSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
    lifecycle: z.enum(lifecycles),
    /** When anything was last recorded of them. */
    lastActivityAt: z.string().optional(),
  }),
);
export type PersonView = z.infer<typeof personSchema>;

export const contactViewSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    version: z.int(),
    name: z.string().optional(),
    points: z.array(pointSchema),
    lifecycle: z.enum(lifecycles),
    tags: z.array(z.string()),
    languages: z.array(z.string()),
    insurances: z.array(z.string()),
    locations: z.array(z.string()),
    owner: z.string().optional(),
    /** They may be under age until then. */
    minorUntil: z.string().optional(),
    timeZone: z.string().optional(),
    createdAt: z.string(),
    /** Contacts that were merged into this one, directly or through another. */
    alsoKnownAs: z.array(
      z.object({
        id: z.string(),
        /** Who speaks for it directly; an undoing names this one. */
        mergedInto: z.string(),
        name: z.string().optional(),
        points: z.array(pointSchema),
      }),
    ),
    relations: z.array(z.object({ relation: z.enum(relations), contact: personSchema })),
    /** People who may be the same, for a human to decide. */
    matches: z.array(
      z.object({
        contact: personSchema,
        kind: matchKindSchema,
        reasons: z.array(z.enum(matchReasons)),
        suggestedAt: z.string(),
      }),
    ),
  }),
);
export type ContactView = z.infer<typeof contactViewSchema>;

export const matchViewSchema = z.lazy(() =>
  z.object({
    contacts: z.array(personSchema).length(2),
    kind: matchKindSchema,
    reasons: z.array(z.enum(matchReasons)),
    suggestedAt: z.string(),
  }),
);
export type MatchView = z.infer<typeof matchViewSchema>;

/** Every point of a contact, the first of each kind first. */
export const pointsOf = ({ email, phone, otherPoints }: Contact): ContactView['points'] => [
  ...(email === undefined ? [] : [{ kind: 'email' as const, value: email }]),
  ...(phone === undefined ? [] : [{ kind: 'phone' as const, value: phone }]),
  ...otherPoints,
];

export const personView = (contact: Contact, lastActivityAt?: string): PersonView =>
  personSchema.parse({ ...contact, lastActivityAt });
