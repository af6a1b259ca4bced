/** Who calls a staff route: what the authorizer found in the token, checked again. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import { findMemberBySignIn, type Member, type Practice } from '../../shared/domain/practice.ts';
import { Problem } from '../../shared/http/problem.ts';

/** Roles that sign in, as groups of the user pool. */
export const staffRoles = ['coordinator', 'manager', 'marketer', 'admin'] as const;
export type StaffRole = (typeof staffRoles)[number];

/** API Gateway hands claims on as strings; groups come as one, in brackets and spaces or commas. */
const claimsSchema = z.object({
  username: z.string().min(1),
  client_id: z.string(),
  token_use: z.literal('access'),
  'cognito:groups': z.string().default(''),
});

/** Whom the token names, whether or not they may do anything; for the audit trail. */
export const signInOf = (event: APIGatewayProxyEvent): string | undefined =>
  claimsSchema.shape.username.safeParse(event.requestContext.authorizer?.['claims']?.username).data;

export interface Caller {
  readonly member: Member;
  readonly roles: readonly StaffRole[];
}

/**
 * The caller behind an event.
 *
 * @throws Problem `unauthorized` where the token is not an access token of our
 * client, `forbidden` where the member is unknown or disabled
 */
export function callerOf(event: APIGatewayProxyEvent, practice: Practice, clientId: string): Caller {
  const claims = claimsSchema.safeParse(event.requestContext.authorizer?.['claims']);
  if (!claims.success || claims.data.client_id !== clientId) {
    throw new Problem('unauthorized', 'Sign in again: the token is not an access token of this API.');
  }
  const member = findMemberBySignIn(practice, claims.data.username);
  if (!member?.enabled)
    throw new Problem('forbidden', 'This person is not an enabled member of the practice.');
  const groups = claims.data['cognito:groups'].split(/[[\],\s]+/);
  return {
    member,
    roles: staffRoles.filter((role) => groups.includes(role)),
  };
}

/** Refuses who has none of the roles. @throws Problem `forbidden` */
export function requireRole(caller: Caller, allowed: readonly StaffRole[]): void {
  if (caller.roles.some((role) => allowed.includes(role))) return;
  throw new Problem('forbidden', `This needs the role ${allowed.join(' or ')}.`);
}
