/** Routes of what people are to each other: suggested matches, merges, relations. */
import * as z from 'zod';
import { boardOfMatches } from '../../shared/data/keys.ts';
import { idSchema } from '../../shared/domain/ids.ts';
import { relations } from '../../shared/domain/timeline.ts';
import { contactAnswer } from './contact-answer.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
import { optionalLine } from './fields.ts';
import {
  decideDifferent,
  type LinkDependencies,
  mergeContacts,
  relateContacts,
  unmergeContacts,
  unrelateContacts,
} from './link-contacts.ts';
import { type PeopleDependencies, suggestedMatches } from './read-people.ts';
import {
  type Answer,
  forPeople,
  jsonOf,
  pageSchema,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
  shownIds,
} from './staff-route.ts';

const contactId = idSchema('contact');
const mergeSchema = z.lazy(() => z.strictObject({ contactId, reason: optionalLine }));
const unmergeSchema = z.lazy(() => z.strictObject({ contactId }));
const decisionSchema = z.lazy(() =>
  z.strictObject({ decision: z.literal('different', 'must be different') }),
);
const relationSchema = z.lazy(() =>
  z
    .strictObject({
      contactId,
      relation: z.enum(relations, `must be one of ${relations.join(', ')}`).optional(),
      remove: z.literal(true, 'must be true').optional(),
    })
    .refine(({ relation, remove }) => (relation === undefined) !== (remove === undefined), {
      path: ['relation'],
      message: 'give either relation or remove',
    }),
);

export function linkRoutes(api: LinkDependencies & PeopleDependencies): StaffRoutes {
  /** Writes down that two contacts are to be changed, changes them, and shows the first. */
  async function link(
    { event, audit }: Request,
    otherId: string,
    work: (id: string) => Promise<void>,
  ): Promise<Answer> {
    const id = pathId(event, 'contact');
    await audit({ action: 'change', resource: `contact ${id} ${otherId}` });
    await work(id);
    return await contactAnswer(api, id, { consistent: true });
  }

  async function merge(request: Request): Promise<Answer> {
    const { contactId: other, reason } = jsonOf(mergeSchema, request.event);
    const by = request.caller.member.id;
    return await link(request, other, (id) => mergeContacts(api, id, other, reason, by));
  }

  async function unmerge(request: Request): Promise<Answer> {
    const { contactId: other } = jsonOf(unmergeSchema, request.event);
    return await link(request, other, (id) => unmergeContacts(api, id, other, request.caller.member.id));
  }

  async function relate(request: Request): Promise<Answer> {
    const { contactId: other, relation } = jsonOf(relationSchema, request.event);
    const by = request.caller.member.id;
    return await link(request, other, (id) =>
      relation === undefined
        ? unrelateContacts(api, id, other, by)
        : relateContacts(api, id, other, relation, by),
    );
  }

  async function decide(request: Request): Promise<Answer> {
    const other = pathId(request.event, 'contact', 'otherId');
    jsonOf(decisionSchema, request.event);
    return await link(request, other, (id) => decideDifferent(api, id, other, request.caller.member.id));
  }

  async function matches({ event }: Request): Promise<Answer> {
    const { limit, cursor } = queryOf(pageSchema, event);
    const after = fromCursor('matches', cursor, startsIn('board', boardOfMatches('open')));
    const { items, next } = await suggestedMatches(api, limit, after);
    const shown = items.flatMap((match) => match.contacts.map(({ id }) => id));
    return {
      body: { items, ...(next && { cursor: toCursor('matches', next) }) },
      audit: { action: 'list', resource: `matches ${shownIds(shown)}`.trim() },
    };
  }

  return {
    'POST /v1/contacts/{id}/merge': forPeople(merge),
    'POST /v1/contacts/{id}/unmerge': forPeople(unmerge),
    'POST /v1/contacts/{id}/relations': forPeople(relate),
    'POST /v1/contacts/{id}/matches/{otherId}': forPeople(decide),
    'GET /v1/matches': forPeople(matches),
  };
}
