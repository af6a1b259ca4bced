import type { ServerResponse } from 'node:http';
import type { ApiPlan } from '../template/api-plan.ts';
import { matchesMediaType } from './event.ts';

/** API Gateway's own reasons for an answer that no function gives, with their usual status and text. */
const defaults = {
  ACCESS_DENIED: [403, 'Forbidden'],
  BAD_REQUEST_BODY: [400, 'Invalid request body'],
  DEFAULT_4XX: [400, 'Bad request'],
  DEFAULT_5XX: [500, 'Internal server error'],
  INTEGRATION_FAILURE: [502, 'Internal server error'],
  INTEGRATION_TIMEOUT: [504, 'Endpoint request timed out'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'Missing Authentication Token'],
  REQUEST_TOO_LARGE: [413, 'Request Too Long'],
  UNAUTHORIZED: [401, 'Unauthorized'],
  WAF_FILTERED: [403, 'Forbidden'],
} as const satisfies Record<string, readonly [number, string]>;

export type GatewayResponseType = keyof typeof defaults;

/** Answers in the gateway's own name, in the words of the template where it has some. */
export function sendGatewayResponse(
  response: ServerResponse,
  api: ApiPlan,
  type: GatewayResponseType,
  requestId: string,
): void {
  const [defaultStatus, message] = defaults[type];
  const plan = api.responses[type] ?? api.responses[defaultStatus < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX'];
  const status = plan?.statusCode ?? defaultStatus;
  const variables: Record<string, string> = {
    'context.error.message': message,
    'context.error.messageString': JSON.stringify(message),
    'context.error.responseType': type,
    'context.requestId': requestId,
    'context.extendedRequestId': requestId,
    'context.status': String(status),
  };
  const template = plan?.template ?? '{"message":$context.error.messageString}';
  const body = template.replace(
    /\$\{(context[\w.]*)\}|\$(context\.\w+(?:\.\w+)*)/g,
    (_, braced, plain) => variables[braced ?? plain] ?? '',
  );
  response.writeHead(status, {
    'content-type': plan?.contentType ?? 'application/json',
    'x-amzn-requestid': requestId,
    'x-amzn-errortype': type,
    ...lowerCased(plan?.headers ?? {}),
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

interface ProxyResult {
  readonly statusCode?: unknown;
  readonly headers?: Record<string, unknown> | null;
  readonly multiValueHeaders?: Record<string, unknown[]> | null;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

/** Sends a function's answer; false if it is not one that a proxy integration may give. */
export function sendProxyResult(
  response: ServerResponse,
  api: ApiPlan,
  result: unknown,
  request: { readonly requestId: string; readonly accept: string },
): boolean {
  if (result === null || typeof result !== 'object') return false;
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = result as ProxyResult;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return false;
  if (body !== undefined && body !== null && typeof body !== 'string') return false;

  const outgoing: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) outgoing[name.toLowerCase()] = String(value);
  for (const [name, values] of Object.entries(multiValueHeaders ?? {}))
    outgoing[name.toLowerCase()] = values.map(String);
  outgoing['content-type'] ??= 'application/json';
  outgoing['x-amzn-requestid'] = request.requestId;
  // As in AWS: base64 is undone only for a client that asks for one of the API's binary types first.
  const decodes =
    isBase64Encoded === true && matchesMediaType(api.binaryMediaTypes, request.accept.split(',')[0] ?? '');
  const bytes = Buffer.from(body ?? '', decodes ? 'base64' : 'utf8');
  if (status !== 204 && status !== 304) outgoing['content-length'] = String(bytes.length);
  try {
    response.writeHead(status, outgoing);
  } catch {
    // A header that HTTP does not allow.
    return false;
  }
  response.end(bytes);
  return true;
}
