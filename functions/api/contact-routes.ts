/** Routes of people: search, one of them, changes, their timeline. */
import * as z from 'zod';
import type { ContactPatch } from '../../shared/data/contacts.ts';
import { type Place, placeShape } from '../../shared/data/timeline.ts';
import { minorFrom } from '../../shared/domain/age.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { lifecycles } from '../../shared/domain/rules/facts.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { languageTag, limits, line } from '../../shared/domain/text-fields.ts';
import { isTimeZone } from '../../shared/domain/time-zone.ts';
import { Problem } from '../../shared/http/problem.ts';
import { type ChangeContactDependencies, changeContact } from './change-contact.ts';
import { contactAnswer } from './contact-answer.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { checkReferences, listOf, required, requiredLine, requiredName, slugs } from './fields.ts';
import { findPeopleBehind, type PeopleDependencies } from './read-people.ts';
import { readTimeline } from './read-timeline.ts';
import {
  type Answer,
  forPeople,
  jsonOf,
  pageSchema,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
  seenTag,
  shownIds,
} from './staff-route.ts';
import { timelineItem } from './views.ts';

export type ContactRoutesDependencies = PeopleDependencies & ChangeContactDependencies;

const searchSchema = z.lazy(() =>
  z
    .strictObject({
      phone: line(limits.phone),
      email: line(limits.email),
    })
    .refine(({ phone, email }) => (phone === undefined) !== (email === undefined), {
      path: ['phone'],
      message: 'give either phone or email',
    }),
);

const changeSchema = z.lazy(() =>
  z
    .strictObject({
      name: requiredName.optional(),
      lifecycle: z.enum(lifecycles, `must be one of ${lifecycles.join(', ')}`).optional(),
      tags: slugs(50).optional(),
      languages: listOf(required(languageTag), 10).optional(),
      insurances: listOf(requiredLine, 10).optional(),
      locations: slugs(20).optional(),
      /** Whether they may be under age: then a guardian is written to. */
      minor: z.boolean('must be true or false').optional(),
      /** Null: not known any more. */
      timeZone: z
        .string()
        .refine(isTimeZone, 'must be an IANA time zone such as America/Los_Angeles')
        .nullable()
        .optional(),
      /** Null takes the owner away. */
      owner: slugSchema.nullable().optional(),
    })
    .refine((change) => Object.keys(change).length > 0, 'give at least one field to change'),
);

/** The point that was asked for, in its one form. @throws Problem `invalid_fields` for what cannot be one */
async function pointOf(
  { phone, email }: z.output<typeof searchSchema>,
  practice: Practice,
): Promise<{ readonly kind: 'email' | 'phone'; readonly value: string }> {
  // The numbering plans of the world are a fifth of this bundle, and this is the one route that needs them.
  const { normalizeEmail, normalizePhone } = await import('../../shared/domain/contact-point.ts');
  const kind = phone === undefined ? 'email' : 'phone';
  const value =
    phone === undefined ? normalizeEmail(email ?? '') : normalizePhone(phone, practice.phoneCountry);
  if (value !== undefined) return { kind, value };
  const wanted = kind === 'phone' ? 'a phone number' : 'an e-mail address';
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
    { field: kind, reason: `cannot be ${wanted}` },
  ]);
}

export function contactRoutes(api: ContactRoutesDependencies): StaffRoutes {
  async function search({ event, practice }: Request): Promise<Answer> {
    const { kind, value } = await pointOf(jsonOf(searchSchema, event), practice);
    const digest = (await api.openDigest())(kind, value);
    const { people, more } = await findPeopleBehind(api, { kind, digest });
    return {
      body: { items: people, ...(more && { more }) },
      audit: { action: 'list', resource: `contacts ${shownIds(people.map(({ id }) => id))}`.trim() },
    };
  }

  async function show({ event }: Request): Promise<Answer> {
    return await contactAnswer(api, pathId(event, 'contact'));
  }

  async function change({ event, caller, practice, audit }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { owner, minor, timeZone, ...wanted } = jsonOf(changeSchema, event);
    const seen = seenTag(event, 'contact');
    checkReferences(practice, [
      ['locations', 'locations', wanted.locations],
      ['owner', 'members', owner],
    ]);
    await audit({ action: 'change', resource: `contact ${id}` });
    const at = api.environment.now().toISOString();
    const patch = {
      ...wanted,
      ...(minor !== undefined && { age: minor ? minorFrom(at) : { at } }),
      ...(timeZone !== undefined && { timeZone: { at, ...(timeZone !== null && { zone: timeZone }) } }),
      ...(owner !== undefined && { owner: owner ?? undefined }),
    } as ContactPatch;
    await changeContact(api, id, seen, patch, caller.member.id);
    return await contactAnswer(api, id, { consistent: true });
  }

  async function timeline({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { limit, cursor } = queryOf(pageSchema, event);
    const name = `timeline ${id}`;
    const after = fromCursor(name, cursor, placeShape) as Place | undefined;
    const { contactId, items, next } = await readTimeline(api, id, limit, after);
    return {
      body: {
        contactId,
        items: items.map(timelineItem),
        ...(next && { cursor: toCursor(name, { ...next }) }),
      },
      audit: {
        action: 'read',
        resource: `timeline ${shownIds([id, contactId, ...items.map((item) => item.contactId)])}`,
      },
    };
  }

  return {
    'POST /v1/contacts/search': forPeople(search),
    'GET /v1/contacts/{id}': forPeople(show),
    'PATCH /v1/contacts/{id}': forPeople(change),
    'GET /v1/contacts/{id}/timeline': forPeople(timeline),
  };
}
