/** The staff API over a table in memory, called as API Gateway calls it. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { createStaffApi } from '../../functions/api/staff-api.ts';
import { createAudit } from '../../shared/data/audit.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { type EventOptions, proxyEvent } from '../../simulation/events.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, holdEnvironment, smallPractice } from './fixtures.ts';

const clientId = 'console-client';
export const consoleOrigin = 'https://console.example';

/** Claims of an access token, as API Gateway flattens them. */
export const claimsOf = (username: string, group: string): Record<string, string> => ({
  sub: 'a-uuid',
  username,
  client_id: clientId,
  token_use: 'access',
  scope: 'firstcall/staff',
  'cognito:groups': `[${group}]`,
});
export const callers = {
  coordinator: claimsOf('ana', 'coordinator'),
  manager: claimsOf('mia', 'manager'),
  marketer: claimsOf('max', 'marketer'),
  admin: claimsOf('ada', 'admin'),
};

export function createStaff(practice: Practice = smallPractice) {
  const table = createMemoryTable();
  const pipeline = createPipeline(table, practice);
  const failures: unknown[] = [];
  const api = createStaffApi({
    ...pipeline.dependencies,
    audit: createAudit(table, holdEnvironment()),
    clientId,
    consoleOrigin,
    onFailed: (error) => void failures.push(error),
  });
  const call = async (route: string, options: EventOptions = {}): Promise<APIGatewayProxyResult> =>
    api(proxyEvent(route, options));
  return {
    table,
    pipeline,
    /** Faults of ours that the API answered with 500. */
    failures,
    call,
    audits: (): string[] =>
      table
        .rows()
        .filter(({ pk }) => pk.startsWith('AUDIT#'))
        .map(({ actor, action, resource, reason }) =>
          [actor, action, resource, reason].filter(Boolean).join(' '),
        ),
  };
}

export const bodyOf = (answer: APIGatewayProxyResult) => JSON.parse(answer.body) as Record<string, unknown>;
