/** The staff routes behind one envelope, and the health check. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Audit, AuditEntry } from '../../shared/data/audit.ts';
import type { Rollups } from '../../shared/data/rollups.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { Problem, problemHeaders, toProblem } from '../../shared/http/problem.ts';
import { routes } from '../../shared/http/routes.ts';
import { appointmentRoutes } from './appointment-routes.ts';
import type { AssignDependencies } from './assign-inquiry.ts';
import { callerOf, requireRole, signInOf } from './caller.ts';
import type { AppointmentDependencies } from './change-appointment.ts';
import type { TaskRouteDependencies } from './change-task.ts';
import { type ContactRoutesDependencies, contactRoutes } from './contact-routes.ts';
import { entryRoutes } from './entry-routes.ts';
import { inquiryRoutes } from './inquiry-routes.ts';
import { linkRoutes } from './link-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { poolRoutes } from './pool-routes.ts';
import type { RecordDependencies } from './record-entry.ts';
import { reportRoutes } from './report-routes.ts';
import { idsIn, type StaffRoute, type StaffRoutes } from './staff-route.ts';
import { taskRoutes } from './task-routes.ts';

export interface StaffApi
  extends AssignDependencies,
    RecordDependencies,
    ContactRoutesDependencies,
    TaskRouteDependencies,
    AppointmentDependencies {
  readonly rollups: Rollups;
  readonly audit: Audit;
  readonly practice: () => Promise<Practice>;
  /** The client whose access tokens count. */
  readonly clientId: string;
  /** Origin of the console, which may call from a browser. */
  readonly consoleOrigin: string;
  readonly onFailed: (error: unknown) => void;
}

type Answering = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

/**
 * Answers the events of a REST API. The route is the one that API Gateway found: the path as it came
 * has a domain's own beginning, and whatever a caller puts into it.
 */
export function createStaffApi(api: StaffApi): Answering {
  const staffRoutes: StaffRoutes = {
    ...inquiryRoutes(api),
    ...poolRoutes(api),
    ...contactRoutes(api),
    ...entryRoutes(api),
    ...linkRoutes(api),
    ...taskRoutes(api),
    ...appointmentRoutes(api),
    ...reportRoutes(api),
    ...messageRoutes(api),
  };

  const cors = {
    'access-control-allow-origin': api.consoleOrigin,
    'access-control-expose-headers': 'etag',
    vary: 'origin',
  };
  const respond = (
    statusCode: number,
    body: unknown,
    headers: Record<string, string> = {},
  ): APIGatewayProxyResult => ({
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...cors, ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  });

  function refuse(error: unknown): APIGatewayProxyResult {
    const problem = toProblem(error);
    if (problem.code === 'internal_error') api.onFailed(error);
    return {
      statusCode: problem.status,
      headers: { ...problemHeaders, ...cors },
      body: problem.toBody(),
    };
  }

  async function answer(
    event: APIGatewayProxyEvent,
    { allowed, work }: StaffRoute,
  ): Promise<APIGatewayProxyResult> {
    const { requestId, identity } = event.requestContext;
    const actor = signInOf(event) ?? 'anonymous';
    const audit = (entry: Pick<AuditEntry, 'action' | 'resource' | 'reason'>): Promise<void> =>
      api.audit.append({ actor, from: identity.sourceIp, requestId, ...entry });
    try {
      const practice = await api.practice();
      const caller = callerOf(event, practice, api.clientId);
      requireRole(caller, allowed);
      const done = await work({ event, caller, practice, audit });
      // Before the answer: what could not be written down is not shown.
      if (done.audit) await audit(done.audit);
      return respond(done.status ?? 200, done.body, done.headers);
    } catch (error) {
      if (error instanceof Problem && (error.code === 'forbidden' || error.code === 'unauthorized')) {
        const asked = [event.httpMethod, event.resource, ...idsIn(event)].join(' ');
        await audit({ action: 'denied', resource: asked, reason: error.code });
      }
      return refuse(error);
    }
  }

  const preflight: Answering = async () =>
    respond(204, undefined, {
      'access-control-allow-methods': 'GET, POST, PATCH',
      'access-control-allow-headers': 'authorization, content-type, idempotency-key, if-match',
      'access-control-max-age': '600',
    });
  const answering = new Map<string, Answering>([
    ['GET /v1/health', async () => respond(200, { status: 'ok' })],
  ]);
  for (const { method, path, access } of routes) {
    const route = staffRoutes[`${method} ${path}`];
    if (access !== 'staff' || !route) continue;
    answering.set(`${method} ${path}`, (event) => answer(event, route));
    answering.set(`OPTIONS ${path}`, preflight);
  }

  return async (event) => {
    const found = answering.get(`${event.httpMethod} ${event.resource}`);
    if (!found) return refuse(new Problem('not_found', 'There is no such route.'));
    return await found(event).catch(refuse);
  };
}
