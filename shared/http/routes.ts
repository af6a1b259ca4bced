/**
 * Every route of the API: the one list that the stacks wire, the handlers
 * answer and the tests walk. A route missing here does not exist.
 */

/**
 * Who may call a route: anybody, or signed-in staff with the API's scope. Where anybody may, the
 * firewall only marks what its managed rules suspect: an inquiry is quarantined, not lost.
 */
export type RouteAccess = 'public' | 'staff';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'OPTIONS';
  /** Path as API Gateway writes it, with `{name}` for a path parameter. */
  readonly path: string;
  /** The function that answers it: a folder under `functions/`. */
  readonly answeredBy: 'capture' | 'api' | 'unsubscribe';
  readonly access: RouteAccess;
}

const staff = (method: Route['method'], path: string): Route[] => [
  { method, path, answeredBy: 'api', access: 'staff' },
];

export const routes: readonly Route[] = [
  { method: 'GET', path: '/', answeredBy: 'capture', access: 'public' },
  { method: 'GET', path: '/thank-you', answeredBy: 'capture', access: 'public' },
  { method: 'POST', path: '/v1/inquiries', answeredBy: 'capture', access: 'public' },
  { method: 'OPTIONS', path: '/v1/inquiries', answeredBy: 'capture', access: 'public' },
  { method: 'POST', path: '/v1/webhooks/google-ads', answeredBy: 'capture', access: 'public' },
  { method: 'GET', path: '/v1/unsubscribe/{token}', answeredBy: 'unsubscribe', access: 'public' },
  { method: 'POST', path: '/v1/unsubscribe/{token}', answeredBy: 'unsubscribe', access: 'public' },
  { method: 'GET', path: '/v1/health', answeredBy: 'api', access: 'public' },
  ...staff('GET', '/v1/inquiries'),
  ...staff('GET', '/v1/inquiries/{id}'),
  ...staff('PATCH', '/v1/inquiries/{id}'),
  ...staff('GET', '/v1/inquiries/{id}/messages'),
  ...staff('GET', '/v1/queue'),
  ...staff('GET', '/v1/pools/{id}/queue'),
  ...staff('POST', '/v1/contacts/search'),
  ...staff('GET', '/v1/contacts/{id}'),
  ...staff('PATCH', '/v1/contacts/{id}'),
  ...staff('GET', '/v1/contacts/{id}/timeline'),
  ...staff('GET', '/v1/contacts/{id}/consents'),
  ...staff('POST', '/v1/contacts/{id}/lift-suppression'),
  ...staff('POST', '/v1/contacts/{id}/entries'),
  ...staff('POST', '/v1/contacts/{id}/entries/{entryId}/correction'),
  ...staff('GET', '/v1/contacts/{id}/tasks'),
  ...staff('GET', '/v1/contacts/{id}/tasks/{taskId}'),
  ...staff('PATCH', '/v1/contacts/{id}/tasks/{taskId}'),
  ...staff('GET', '/v1/contacts/{id}/appointments'),
  ...staff('GET', '/v1/contacts/{id}/appointments/{appointmentId}'),
  ...staff('PATCH', '/v1/contacts/{id}/appointments/{appointmentId}'),
  ...staff('POST', '/v1/contacts/{id}/merge'),
  ...staff('POST', '/v1/contacts/{id}/unmerge'),
  ...staff('POST', '/v1/contacts/{id}/relations'),
  ...staff('POST', '/v1/contacts/{id}/matches/{otherId}'),
  ...staff('GET', '/v1/matches'),
  ...staff('GET', '/v1/tasks'),
  ...staff('POST', '/v1/tasks'),
  ...staff('GET', '/v1/appointments'),
  ...staff('POST', '/v1/appointments'),
  ...staff('GET', '/v1/reports/summary'),
  ...staff('GET', '/v1/templates'),
];
