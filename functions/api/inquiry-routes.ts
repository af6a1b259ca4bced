/** Routes of inquiries: lists, one of them, and changes by hand. */
import * as z from 'zod';
import { personOf } from '../../shared/domain/person.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { closeReasons, stages, tiers } from '../../shared/domain/stages.ts';
import { Problem } from '../../shared/http/problem.ts';
import { type Change, type ChangeDependencies, changeInquiry } from './change-inquiry.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { type InquiryFilter, listInquiries, startsOf } from './list-inquiries.ts';
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

const listSchema = z.strictObject({
  stage: oneOf(stages),
  assignee: slugSchema.optional(),
  tier: oneOf(tiers),
  ...pageFields,
});

const changeSchema = z
  .strictObject({
    stage: oneOf(stages),
    closeReason: oneOf(closeReasons),
    release: z.literal(true, 'must be true').optional(),
    redFlag: oneOf(redFlagReviews),
  })
  .superRefine((change, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const changes = [change.stage, change.release, change.redFlag].filter((wanted) => wanted !== undefined);
    if (changes.length !== 1) refuse('stage', 'give either stage, release or redFlag');
    if (change.stage === 'closed' && change.closeReason === undefined) {
      refuse('closeReason', 'is needed to close an inquiry');
    }
    if (change.stage !== 'closed' && change.closeReason !== undefined) {
      refuse('closeReason', 'goes only with the stage closed');
    }
  });

export function inquiryRoutes(api: ChangeDependencies): StaffRoutes {
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
      audit: { action: 'list', resource },
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
    const { stage, closeReason, redFlag } = jsonOf(changeSchema, event);
    const version = seenVersion(event, 'inquiry');
    await audit({ action: 'change', resource: `inquiry ${id}` });
    const wanted: Change =
      stage !== undefined ? { stage, closeReason } : redFlag === undefined ? { release: true } : { redFlag };
    const next = await changeInquiry(api, id, version, wanted, { memberId: caller.member.id, practice });
    return { body: summaryOf(next), headers: { etag: etag(next.version) } };
  }

  return {
    'GET /v1/inquiries': forPeople(list),
    'GET /v1/inquiries/{id}': forPeople(show),
    'PATCH /v1/inquiries/{id}': forPeople(change),
    'GET /v1/queue': forPeople(queue),
  };
}
