import { randomUUID } from 'node:crypto';
import type { ApiPlan } from '../template/api-plan.ts';
import { accountId } from '../template/identity.ts';
import type { RouteMatch } from './router.ts';

/** What the gateway knows of a request. */
export interface GatewayRequest {
  readonly method: string;
  /** As in the address, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly claims?: Record<string, string>;
}

type Values = Record<string, string>;
type MultiValues = Record<string, string[]>;

/** The event of a REST API's proxy integration (format 1.0). */
export function proxyEvent(api: ApiPlan, match: RouteMatch, request: GatewayRequest): object {
  const headers: Values = {};
  const multiValueHeaders: MultiValues = {};
  let contentType = '';
  let userAgent: string | null = null;
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string;
    const value = request.rawHeaders[at + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'content-type') contentType = value;
    else if (lower === 'user-agent') userAgent = value;
    // The gateway's own connection; a function never sees these.
    else if (lower === 'connection' || lower === 'keep-alive' || lower === 'transfer-encoding') continue;
    addValue(headers, multiValueHeaders, name, value);
  }
  addValue(headers, multiValueHeaders, 'X-Forwarded-For', request.sourceIp);
  addValue(headers, multiValueHeaders, 'X-Forwarded-Proto', 'http');

  const query: Values = {};
  const multiValueQuery: MultiValues = {};
  for (const [name, value] of new URLSearchParams(request.query))
    addValue(query, multiValueQuery, name, value);

  const isBinary = request.body.length > 0 && matchesMediaType(api.binaryMediaTypes, contentType);
  const now = new Date();
  return {
    resource: match.route.path,
    path: request.path,
    httpMethod: request.method,
    headers,
    multiValueHeaders,
    queryStringParameters: nullIfEmpty(query),
    multiValueQueryStringParameters: nullIfEmpty(multiValueQuery),
    pathParameters: nullIfEmpty(match.pathParameters),
    stageVariables: null,
    requestContext: {
      accountId,
      apiId: api.apiId,
      domainName: 'localhost',
      domainPrefix: 'localhost',
      extendedRequestId: randomUUID(),
      httpMethod: request.method,
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.sourceIp,
        user: null,
        userAgent,
        userArn: null,
      },
      path: `/${api.stageName}${request.path}`,
      protocol: 'HTTP/1.1',
      requestId: randomUUID(),
      requestTime: requestTime(now),
      requestTimeEpoch: now.getTime(),
      resourceId: match.route.path,
      resourcePath: match.route.path,
      stage: api.stageName,
      ...(request.claims && { authorizer: { claims: request.claims } }),
    },
    body: request.body.length === 0 ? null : request.body.toString(isBinary ? 'base64' : 'utf8'),
    isBase64Encoded: isBinary,
  };
}

function addValue(single: Values, multiple: MultiValues, name: string, value: string): void {
  // defineProperty, not assignment: a client may call a header or parameter `__proto__`.
  if (name === '__proto__') {
    Object.defineProperty(single, name, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
  single[name] = value;
  const values = Object.hasOwn(multiple, name) ? multiple[name] : undefined;
  if (values) values.push(value);
  else multiple[name] = [value];
}

const nullIfEmpty = <T extends object>(values: T): T | null =>
  Object.keys(values).length > 0 ? values : null;

/** Whether a content type is among those that the API takes as bytes. */
export function matchesMediaType(mediaTypes: readonly string[], contentType: string): boolean {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (type === '') return mediaTypes.includes('*/*');
  return mediaTypes.some((pattern) => {
    if (pattern === '*/*' || pattern === type) return true;
    return pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1));
  });
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** `09/Apr/2026:12:34:56 +0000` */
function requestTime(now: Date): string {
  const date = `${two(now.getUTCDate())}/${months[now.getUTCMonth()]}/${now.getUTCFullYear()}`;
  return `${date}:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Claims as API Gateway hands them on: all strings, lists joined by commas, times as dates. */
export function flattenClaims(claims: Record<string, unknown>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(claims)) {
    if ((name === 'exp' || name === 'iat') && typeof value === 'number') {
      const date = new Date(value * 1000);
      const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
      const month = months[date.getUTCMonth()];
      flat[name] =
        `${days[date.getUTCDay()]} ${month} ${two(date.getUTCDate())} ${time} UTC ${date.getUTCFullYear()}`;
    } else {
      flat[name] = Array.isArray(value) ? value.join(',') : String(value);
    }
  }
  return flat;
}
