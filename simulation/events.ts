/** Proxy events as API Gateway sends them. */
import type { APIGatewayProxyEvent, APIGatewayProxyEventHeaders } from 'aws-lambda';

export interface EventOptions {
  readonly headers?: APIGatewayProxyEventHeaders;
  readonly body?: string | Uint8Array;
  readonly pathParameters?: Record<string, string>;
  /** The address as it came, where it is not the route's with its parameters. */
  readonly path?: string;
  readonly query?: Record<string, string>;
  /** What the authorizer found in the token, if the route has one. */
  readonly claims?: Record<string, string> | undefined;
}

/** An event of a route: `GET /v1/inquiries/{id}`. Its body is in base64, as binary media types make it. */
export function proxyEvent(route: string, options: EventOptions = {}): APIGatewayProxyEvent {
  const { headers = {}, body, pathParameters, query, claims } = options;
  const [httpMethod = '', resource = ''] = route.split(' ');
  const {
    path = resource.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(pathParameters?.[name] ?? ''),
    ),
  } = options;
  return {
    httpMethod,
    resource,
    path,
    headers,
    multiValueHeaders: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === undefined ? undefined : [value]]),
    ),
    body: body === undefined ? null : Buffer.from(body as string).toString('base64'),
    isBase64Encoded: body !== undefined,
    pathParameters: pathParameters ?? null,
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query
      ? Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value]]))
      : null,
    stageVariables: null,
    requestContext: {
      requestId: 'request-1',
      httpMethod,
      path,
      resourcePath: resource,
      stage: 'live',
      identity: { sourceIp: '203.0.113.7' },
      ...(claims && { authorizer: { claims } }),
    } as unknown as APIGatewayProxyEvent['requestContext'],
  };
}
