/** Routes of inquiries: lists, one of them, and changes by hand. */
import * as z from 'zod';
import { parkReasons } from '../../shared/domain/inquiry/state.ts';
import { personOf } from '../../shared/domain/person.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { closeReasons, stages, tiers } from '../../shared/domain/stages.ts';
import { Problem } from '../../shared/http/problem.ts';
import { type AssignDependencies, assignInquiry } from './assign-inquiry.ts';
import { type Change, changeInquiry } from './change-inquiry.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { checkReferences } from './fields.ts';
import { contactsOf, type InquiryFilter, listInquiries, startsOf } from './list-inquiries.ts';
import {
  type Answer,
  etag,
  forPeople,
  jsonOf,
  pageFields,
  pageSchema,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
  seenVersion,
  shownIds,
} from './staff-route.ts';
import { inquiryView, summaryOf } from './views.ts';

const oneOf = <T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`).optional();

const redFlagReviews = ['confirmed', 'false_alarm'] as const;

const listSchema = z.lazy(() =>
  z.strictObject({
    stage: oneOf(stages),
    assignee: slugSchema.optional(),
    tier: oneOf(tiers),
    ...pageFields,
  }),
);

const instant = z.lazy(() =>
  z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-11-20T16:00:00Z' })
    .transform((text) => new Date(text).toISOString()),
);

/** What staff may change, one at a time; `closeReason` goes with a stage. */
const changeSchema = z.lazy(() => {
  const changeFields = {
    stage: oneOf(stages),
    closeReason: oneOf(closeReasons),
    release: z.literal(true, 'must be true').optional(),
    redFlag: oneOf(redFlagReviews),
    snoozeUntil: instant.optional(),
    wake: z.literal(true, 'must be true').optional(),
    park: z
      .strictObject({
        reason: z.enum(parkReasons, `must be one of ${parkReasons.join(', ')}`),
        owner: slugSchema.optional(),
        until: instant,
      })
      .optional(),
    unpark: z.literal(true, 'must be true').optional(),
    calling: z.boolean('must be true or false').optional(),
    assignTo: slugSchema.optional(),
    claim: z.literal(true, 'must be true').optional(),
    returnToPool: z.union([z.literal(true), slugSchema], 'must be true or the id of a pool').optional(),
  };
  return z.strictObject(changeFields).superRefine((change, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const { closeReason: _with, ...changes } = change;
    const given = Object.values(changes).filter((wanted) => wanted !== undefined);
    if (given.length !== 1)
      refuse(
        'stage',
        `give just one of ${Object.keys(changeFields)
          .filter((name) => name !== 'closeReason')
          .join(', ')}`,
      );
    if (change.stage === 'closed' && change.closeReason === undefined) {
      refuse('closeReason', 'is needed to close an inquiry');
    }
    if (change.stage !== 'closed' && change.closeReason !== undefined) {
      refuse('closeReason', 'goes only with the stage closed');
    }
  });
});

/** Nothing is set aside for longer: by then it is another inquiry, or none. */
const longestHoldMs = 366 * 24 * 60 * 60_000;

/** Refuses a time until which nothing can be set aside. @throws Problem `invalid_fields` */
function checkUntil(field: string, until: string | undefined, now: Date): void {
  if (until === undefined) return;
  const ms = Date.parse(until) - now.getTime();
  const reason =
    ms <= 0 ? 'must be later than now' : ms > longestHoldMs ? 'must be within a year' : undefined;
  if (reason !== undefined)
    throw new Problem('invalid_fields', 'Correct the fields named in errors.', [{ field, reason }]);
}

export function inquiryRoutes(api: AssignDependencies): StaffRoutes {
  const { inquiries, contacts } = api;

  async function listPage(
    name: string,
    resource: string,
    filter: InquiryFilter,
    { limit, cursor }: z.output<typeof pageSchema>,
  ): Promise<Answer> {
    const page = await listInquiries(api, filter, limit, fromCursor(name, cursor, startsOf(filter)));
    return {
      body: { items: page.items.map(summaryOf), ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'list', resource: `${resource} ${shownIds(contactsOf(page.items))}`.trim() },
    };
  }

  async function list({ event }: Request): Promise<Answer> {
    const { limit, cursor, ...filter } = queryOf(listSchema, event);
    const name = `inquiries ${filter.stage ?? ''} ${filter.assignee ?? ''}`;
    return await listPage(name, 'inquiries', filter, { limit, cursor });
  }

  async function queue({ event, caller: { member } }: Request): Promise<Answer> {
    const filter = { assignee: member.id };
    return await listPage(`queue ${member.id}`, 'queue', filter, queryOf(pageSchema, event));
  }

  async function show({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'inquiry');
    const record = await inquiries.find(id);
    if (!record) throw new Problem('not_found', 'There is no such inquiry.');
    const writerId = record.body?.writerId;
    const [patient, guardian] = await Promise.all([
      contacts.findWhole(record.head.contactId),
      writerId === undefined ? undefined : contacts.findWhole(writerId),
    ]);
    const [contact, writer] = [patient, guardian].map((whole) => whole && personOf(whole.family));
    const shown = [contact?.id ?? record.head.contactId, ...(writer ? [writer.id] : [])];
    return {
      body: inquiryView(record, contact, writer),
      headers: { etag: etag(record.head.version) },
      audit: { action: 'read', resource: `inquiry ${id} ${shownIds(shown)}` },
    };
  }

  async function change({ event, caller, practice, audit }: Request): Promise<Answer> {
    const id = pathId(event, 'inquiry');
    const { assignTo, claim, returnToPool, ...changes } = jsonOf(changeSchema, event);
    const now = api.environment.now();
    checkUntil('snoozeUntil', changes.snoozeUntil, now);
    checkUntil('park.until', changes.park?.until, now);
    checkReferences(practice, [['park.owner', 'members', changes.park?.owner]]);
    const version = seenVersion(event, 'inquiry');
    await audit({ action: 'change', resource: `inquiry ${id}` });
    const by = { memberId: caller.member.id, practice };
    const assignment =
      assignTo !== undefined
        ? { assignTo }
        : claim
          ? { claim }
          : returnToPool === undefined
            ? undefined
            : { returnToPool };
    if (assignment) {
      const next = await assignInquiry(api, id, version, assignment, by);
      return { body: summaryOf(next), headers: { etag: etag(next.version) } };
    }
    // Just one was given: what is left of the fields is that change.
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const wanted = Object.fromEntries(given) as Change;
    const next = await changeInquiry(api, id, version, wanted, by);
    return { body: summaryOf(next), headers: { etag: etag(next.version) } };
  }

  return {
    'GET /v1/inquiries': forPeople(list),
    'GET /v1/inquiries/{id}': forPeople(show),
    'PATCH /v1/inquiries/{id}': forPeople(change),
    'GET /v1/queue': forPeople(queue),
  };
}
