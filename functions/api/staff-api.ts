/** The staff routes behind one envelope, and the health check. */
import { Router } from '@aws-lambda-powertools/event-handler/http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
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
import type { StaffRoute, StaffRoutes } from './staff-route.ts';
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

/** A path as the router writes it: `{id}` is `:id`. */
const toRouterPath = (path: string): `/${string}` => path.replaceAll(/\{(\w+)\}/g, ':$1') as `/${string}`;

export function createStaffApi(api: StaffApi): Router {
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

  async function answer(event: APIGatewayProxyEvent, { allowed, work }: StaffRoute): Promise<Response> {
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
        const route = `${event.httpMethod} ${event.resource}`;
        await audit({ action: 'denied', resource: route, reason: error.code });
      }
      return refuse(error);
    }
  }

  const router = new Router();
  router.errorHandler(Error, async (error) => refuse(error));
  router.notFound(async () => refuse(new Problem('not_found', 'There is no such route.')));
  router.get('/v1/health', async () => respond(200, { status: 'ok' }));
  const listed = routes.filter(({ access }) => access === 'staff');
  for (const { method, path } of listed) {
    const route = staffRoutes[`${method} ${path}`];
    if (!route) continue;
    router.route(({ event }) => answer(event as APIGatewayProxyEvent, route), {
      method: method as 'GET' | 'POST' | 'PATCH',
      path: toRouterPath(path),
    });
  }
  const preflight = async (): Promise<Response> =>
    respond(204, undefined, {
      'access-control-allow-methods': 'GET, POST, PATCH',
      'access-control-allow-headers': 'authorization, content-type, idempotency-key, if-match',
      'access-control-max-age': '600',
    });
  for (const path of new Set(listed.map((route) => route.path))) {
    router.route(preflight, { method: 'OPTIONS', path: toRouterPath(path) });
  }
  return router;
}
