/** What every staff route shares: what its work gets and gives, and the reading of what was sent. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import type { AuditEntry } from '../../shared/data/audit.ts';
import { type IdKind, idPrefixes, idSchema } from '../../shared/domain/ids.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { bodyText, checkFields, headerOf, mediaType, parseJson } from '../../shared/http/body.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Caller, StaffRole } from './caller.ts';

/** What is written to the audit trail of a request, beside who, whence and when. */
export type Audited = Pick<AuditEntry, 'action' | 'resource' | 'reason'>;

/** What a route's work gets. */
export interface Request {
  readonly event: APIGatewayProxyEvent;
  readonly caller: Caller;
  readonly practice: Practice;
  /**
   * Writes to the audit trail, before a change: what could not be written down is
   * not done. An entry may stand for a change that was then refused.
   */
  readonly audit: (entry: Audited) => Promise<void>;
}

export interface Answer {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  /** What to write to the audit before the answer leaves; every look at a person's data is written down. */
  readonly audit?: Audited;
}

/** The most ids that an entry of the audit names: nobody sees more people at once. */
const mostShown = 101;
/** Ids of the people whom an answer shows, for the audit: each once. */
export const shownIds = (ids: readonly string[]): string => [...new Set(ids)].slice(0, mostShown).join(' ');

/** A route: who may call it, and what it does. */
export interface StaffRoute {
  readonly allowed: readonly StaffRole[];
  readonly work: (request: Request) => Promise<Answer>;
}
/** Routes by method and path, as `shared/http/routes.ts` writes them. */
export type StaffRoutes = Readonly<Record<string, StaffRoute>>;

/** Roles that may see a person's data; marketers see numbers, never people. */
export const seesPeople: readonly StaffRole[] = ['coordinator', 'manager', 'admin'];
/** Those who decide for the practice. */
export const manages: readonly StaffRole[] = ['manager', 'admin'];
export const seesReports: readonly StaffRole[] = ['coordinator', 'manager', 'marketer', 'admin'];

/** A route for those who may see people. */
export const forPeople = (work: StaffRoute['work']): StaffRoute => ({ allowed: seesPeople, work });

/** Parameters of a list that is read in pages. */
export const pageFields = {
  limit: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be a number of at least 1')
    .max(50, 'must be a number of at most 50')
    .default(25),
  cursor: z.string().max(2_000).optional(),
};
export const pageSchema = z.strictObject(pageFields);

/** An id in the path. @throws Problem `not_found` for what cannot be one */
export function pathId(event: APIGatewayProxyEvent, kind: IdKind, parameter = 'id'): string {
  const parsed = idSchema(kind).safeParse(event.pathParameters?.[parameter]);
  if (!parsed.success) throw new Problem('not_found', `There is no such ${kind}.`);
  return parsed.data;
}

const idKinds = Object.keys(idPrefixes) as IdKind[];
/** The ids in a path; what else a caller put there is nothing that may be kept. */
export const idsIn = ({ pathParameters }: APIGatewayProxyEvent): string[] =>
  Object.values(pathParameters ?? {}).flatMap((value) =>
    value !== undefined && idKinds.some((kind) => idSchema(kind).safeParse(value).success) ? [value] : [],
  );

/** @throws Problem `invalid_fields` */
export const queryOf = <Schema extends z.ZodType>(
  schema: Schema,
  event: APIGatewayProxyEvent,
): z.output<Schema> => checkFields(schema, event.queryStringParameters ?? {});

/**
 * The fields of a JSON body.
 *
 * @throws Problem `unsupported_media_type`, `malformed_body`, `body_too_large`, `invalid_fields`
 */
export function jsonOf<Schema extends z.ZodType>(
  schema: Schema,
  event: APIGatewayProxyEvent,
): z.output<Schema> {
  const encoding = headerOf(event.headers, 'content-encoding') ?? 'identity';
  if (mediaType(headerOf(event.headers, 'content-type')) !== 'application/json' || encoding !== 'identity') {
    throw new Problem('unsupported_media_type', 'Send application/json, without a content encoding.');
  }
  return checkFields(schema, parseJson(bodyText(event)));
}

export const etag = (version: number | string): string => `"${version}"`;

const unseen = (what: string): Problem =>
  new Problem('precondition_required', `Send If-Match with the ETag of the ${what} as you read it.`);

/** What `If-Match` names, whatever it is. @throws Problem `precondition_required` where there is none */
export function seenTag(event: APIGatewayProxyEvent, what: string): string {
  const match = /^"?([^"]+)"?$/.exec(headerOf(event.headers, 'if-match')?.trim() ?? '');
  if (!match?.[1]) throw unseen(what);
  return match[1];
}

/** The version in `If-Match`. @throws Problem `precondition_required` */
export function seenVersion(event: APIGatewayProxyEvent, what: string): number {
  const match = /^"?(\d{1,9})"?$/.exec(headerOf(event.headers, 'if-match')?.trim() ?? '');
  if (!match) throw unseen(what);
  return Number(match[1]);
}
