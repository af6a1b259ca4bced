/** The staff routes, and the health check. */
import { Router } from '@aws-lambda-powertools/event-handler/http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import type { Audit, AuditEntry } from '../../shared/data/audit.ts';
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { timelineOf } from '../../shared/data/keys.ts';
import type { Rollups } from '../../shared/data/rollups.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import { type Environment, type IdKind, idSchema } from '../../shared/domain/ids.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { summarize } from '../../shared/domain/rollup.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { closeReasons, stages, tiers } from '../../shared/domain/stages.ts';
import { bodyText, checkFields, headerOf, mediaType, parseJson } from '../../shared/http/body.ts';
import { Problem, problemHeaders, toProblem } from '../../shared/http/problem.ts';
import { routes } from '../../shared/http/routes.ts';
import { type Caller, callerOf, requireRole, type StaffRole, signInOf } from './caller.ts';
import { changeInquiry } from './change-inquiry.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
import { listInquiries, startsOf } from './list-inquiries.ts';
import { readTimeline } from './read-timeline.ts';
import { inquiryView, summaryOf } from './views.ts';

export interface StaffApi {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
  readonly rollups: Rollups;
  readonly routingStates: RoutingStates;
  readonly audit: Audit;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
  /** The client whose access tokens count. */
  readonly clientId: string;
  /** Origin of the console, which may call from a browser. */
  readonly consoleOrigin: string;
  readonly onFailed: (error: unknown) => void;
}

/** Roles that may see a person's data; marketers see numbers, never people. */
const seesPeople: readonly StaffRole[] = ['coordinator', 'manager', 'admin'];
const seesReports: readonly StaffRole[] = ['coordinator', 'manager', 'marketer', 'admin'];

const pageSchema = {
  limit: z.coerce.number('must be a number').int('must be a whole number').min(1).max(50).default(25),
  cursor: z.string().max(2_000).optional(),
};
const oneOf = <T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`).optional();

const listSchema = z.strictObject({
  stage: oneOf(stages),
  assignee: slugSchema.optional(),
  tier: oneOf(tiers),
  ...pageSchema,
});
const queueSchema = z.strictObject(pageSchema);

const dateSchema = z.iso.date('must be a date such as 2026-11-20');
/** The longest period of one summary, in days. */
const mostSummaryDays = 400;
const summarySchema = z
  .strictObject({ from: dateSchema, to: dateSchema })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before from' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= mostSummaryDays * 86_400_000, {
    path: ['from'],
    message: `must be at most ${mostSummaryDays} days before to`,
  });

const changeSchema = z
  .strictObject({
    stage: z.enum(stages, `must be one of ${stages.join(', ')}`).optional(),
    closeReason: z.enum(closeReasons, `must be one of ${closeReasons.join(', ')}`).optional(),
    release: z.literal(true, 'must be true').optional(),
  })
  .superRefine((change, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if ((change.stage === undefined) === (change.release === undefined)) {
      refuse('stage', 'give either stage or release');
    }
    if (change.stage === 'closed' && change.closeReason === undefined) {
      refuse('closeReason', 'is needed to close an inquiry');
    }
    if (change.stage !== 'closed' && change.closeReason !== undefined) {
      refuse('closeReason', 'goes only with the stage closed');
    }
  });

/** What a route's work gets. */
interface Request {
  readonly event: APIGatewayProxyEvent;
  readonly caller: Caller;
  readonly practice: Practice;
  /** Whence the request came, for the audit. */
  readonly trace: Pick<AuditEntry, 'from' | 'requestId'>;
}
interface Answer {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  /** What to write to the audit; every look at a person's data is written down. */
  readonly audit?: Pick<AuditEntry, 'action' | 'resource'>;
}

/** The id in the path. @throws Problem `not_found` for what cannot be one */
function pathId(event: APIGatewayProxyEvent, kind: IdKind): string {
  const parsed = idSchema(kind).safeParse(event.pathParameters?.['id']);
  if (!parsed.success) throw new Problem('not_found', `There is no such ${kind}.`);
  return parsed.data;
}

const queryOf = <Schema extends z.ZodType>(schema: Schema, event: APIGatewayProxyEvent): z.output<Schema> =>
  checkFields(schema, event.queryStringParameters ?? {});

/** A path as the router writes it: `{id}` is `:id`. */
const toRouterPath = (path: string): `/${string}` => path.replaceAll(/\{(\w+)\}/g, ':$1') as `/${string}`;

const etag = (version: number): string => `"${version}"`;

/** The version in `If-Match`. @throws Problem `precondition_required` */
function seenVersion(event: APIGatewayProxyEvent): number {
  const match = /^"?(\d{1,9})"?$/.exec(headerOf(event.headers, 'if-match')?.trim() ?? '');
  if (!match) {
    throw new Problem('precondition_required', 'Send If-Match with the ETag of the inquiry as you read it.');
  }
  return Number(match[1]);
}

export function createStaffApi(api: StaffApi): Router {
  const { table, inquiries, contacts, rollups, audit } = api;
  const listOf = { table, inquiries };

  async function showInquiry({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'inquiry');
    const record = await inquiries.find(id);
    if (!record) throw new Problem('not_found', 'There is no such inquiry.');
    const contact = await contacts.find(record.head.contactId);
    return {
      body: inquiryView(record, contact),
      headers: { etag: etag(record.head.version) },
      audit: { action: 'read', resource: `inquiry ${id}` },
    };
  }

  async function list({ event }: Request): Promise<Answer> {
    const { limit, cursor, ...filter } = queryOf(listSchema, event);
    const name = `inquiries ${filter.stage ?? ''} ${filter.assignee ?? ''}`;
    const after = fromCursor(name, cursor, startsOf(filter));
    const page = await listInquiries(listOf, filter, limit, after);
    return {
      body: { items: page.items.map(summaryOf), ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'list', resource: 'inquiries' },
    };
  }

  async function queue({ event, caller }: Request): Promise<Answer> {
    const { limit, cursor } = queryOf(queueSchema, event);
    const name = `queue ${caller.member.id}`;
    const filter = { assignee: caller.member.id };
    const page = await listInquiries(listOf, filter, limit, fromCursor(name, cursor, startsOf(filter)));
    return {
      body: { items: page.items.map(summaryOf), ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'list', resource: 'queue' },
    };
  }

  async function change({ event, caller, trace }: Request): Promise<Answer> {
    const id = pathId(event, 'inquiry');
    if (mediaType(headerOf(event.headers, 'content-type')) !== 'application/json') {
      throw new Problem('unsupported_media_type', 'Send application/json.');
    }
    const wanted = checkFields(changeSchema, parseJson(bodyText(event)));
    const version = seenVersion(event);
    // Before the change: what could not be written down is not done. An entry may stand for a change refused.
    await audit.append({
      ...trace,
      actor: signInOf(event) ?? caller.member.id,
      action: 'change',
      resource: `inquiry ${id}`,
    });
    const next = await changeInquiry(
      api,
      id,
      version,
      wanted.stage === undefined
        ? { release: true }
        : { stage: wanted.stage, closeReason: wanted.closeReason },
      caller.member.id,
    );
    return { body: summaryOf(next), headers: { etag: etag(next.version) } };
  }

  async function timeline({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { limit, cursor } = queryOf(queueSchema, event);
    const name = `timeline ${id}`;
    const after = fromCursor(name, cursor, startsIn('timeline', timelineOf(id)));
    const page = await readTimeline({ table, contacts }, id, limit, after);
    if (page.items.length === 0 && cursor === undefined && !(await contacts.find(id))) {
      throw new Problem('not_found', 'There is no such contact.');
    }
    return {
      body: { items: page.items, ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'read', resource: `timeline ${id}` },
    };
  }

  async function summary({ event, practice }: Request): Promise<Answer> {
    const { from, to } = queryOf(summarySchema, event);
    const byLocation = await Promise.all(
      practice.locations.map(async ({ id }) => ({ id, days: await rollups.days(id, from, to) })),
    );
    const counts = byLocation.map(({ id, days }) => ({ id, counts: days.map((day) => day.counts) }));
    return {
      body: {
        from,
        to,
        ...summarize(counts.flatMap((location) => location.counts)),
        locations: counts.map((location) => ({ id: location.id, ...summarize(location.counts) })),
      },
    };
  }

  const staffRoutes: Readonly<
    Record<string, readonly [readonly StaffRole[], (request: Request) => Promise<Answer>]>
  > = {
    'GET /v1/inquiries': [seesPeople, list],
    'GET /v1/inquiries/{id}': [seesPeople, showInquiry],
    'PATCH /v1/inquiries/{id}': [seesPeople, change],
    'GET /v1/queue': [seesPeople, queue],
    'GET /v1/contacts/{id}/timeline': [seesPeople, timeline],
    'GET /v1/reports/summary': [seesReports, summary],
  };

  const cors = {
    'access-control-allow-origin': api.consoleOrigin,
    'access-control-expose-headers': 'etag',
    vary: 'origin',
  };
  const respond = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
    new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...cors, ...headers },
    });

  function refuse(error: unknown): Response {
    const problem = toProblem(error);
    if (problem.code === 'internal_error') api.onFailed(error);
    return new Response(problem.toBody(), {
      status: problem.status,
      headers: { ...problemHeaders, ...cors },
    });
  }

  async function answer(
    event: APIGatewayProxyEvent,
    allowed: readonly StaffRole[],
    work: (request: Request) => Promise<Answer>,
  ): Promise<Response> {
    const { requestId, identity } = event.requestContext;
    const trace = { from: identity.sourceIp, requestId };
    const route = `${event.httpMethod} ${event.resource}`;
    const actor = signInOf(event) ?? 'anonymous';
    try {
      const practice = await api.practice();
      const caller = callerOf(event, practice, api.clientId);
      requireRole(caller, allowed);
      const done = await work({ event, caller, practice, trace });
      // Before the answer: what could not be written down is not shown.
      if (done.audit) await audit.append({ ...trace, actor, ...done.audit });
      return respond(done.status ?? 200, done.body, done.headers);
    } catch (error) {
      if (error instanceof Problem && (error.code === 'forbidden' || error.code === 'unauthorized')) {
        await audit.append({ ...trace, actor, action: 'denied', resource: route, reason: error.code });
      }
      return refuse(error);
    }
  }

  const router = new Router();
  router.errorHandler(Error, async (error) => refuse(error));
  router.notFound(async () => refuse(new Problem('not_found', 'There is no such route.')));
  router.get('/v1/health', async () => respond(200, { status: 'ok' }));
  for (const { method, path, access } of routes) {
    const route = staffRoutes[`${method} ${path}`];
    if (access !== 'staff' || !route) continue;
    const [allowed, work] = route;
    router.route(({ event }) => answer(event as APIGatewayProxyEvent, allowed, work), {
      method: method as 'GET' | 'PATCH',
      path: toRouterPath(path),
    });
  }
  const preflight = async (): Promise<Response> =>
    respond(204, undefined, {
      'access-control-allow-methods': 'GET, PATCH',
      'access-control-allow-headers': 'authorization, content-type, if-match',
      'access-control-max-age': '600',
    });
  for (const path of new Set(routes.filter(({ access }) => access === 'staff').map((route) => route.path))) {
    router.route(preflight, { method: 'OPTIONS', path: toRouterPath(path) });
  }
  return router;
}
