import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Claims } from '../engines/issuer.ts';
import type { ApiPlan, RoutePlan } from '../template/api-plan.ts';
import { flattenClaims, proxyEvent } from './event.ts';
import { blockingRule } from './firewall.ts';
import { sendGatewayResponse, sendProxyResult } from './responses.ts';
import { createRouter } from './router.ts';

/** API Gateway's own limit for a request. */
const payloadLimitBytes = 10 * 1024 * 1024;

export interface GatewayOptions {
  readonly port: number;
  readonly api: ApiPlan;
  /** A text that is served at a path beside the API; undefined where there is none. */
  document?(path: string): string | undefined;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** The claims of a valid token; undefined for any other. */
  verify(token: string): Promise<Claims | undefined>;
}

/** The one origin of the local system. */
export interface Gateway {
  readonly origin: string;
  /** Serves another version of the API from now on. */
  use(api: ApiPlan): void;
  /** Stops listening and waits for the answers under way. */
  stop(): Promise<void>;
  kill(): void;
}

/** Serves a REST API on the loopback interface. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  let api = options.api;
  let route = createRouter(api.routes);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const refuse = (type: Parameters<typeof sendGatewayResponse>[2]): void =>
      sendGatewayResponse(response, api, type, requestId);

    const body = await readBody(request);
    if (!body) return refuse('REQUEST_TOO_LARGE');
    const target = request.url ?? '/';
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const method = request.method ?? 'GET';
    const document = method === 'GET' ? options.document?.(path) : undefined;
    if (document !== undefined) {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(document);
      return;
    }

    // The order of AWS: the firewall, then the route, then the authorizer.
    const rule = blockingRule(api.firewall, { method, path, bodyBytes: body.length });
    if (rule?.response) {
      const { status, headers, contentType, body: text = '' } = rule.response;
      response
        .writeHead(status, { ...(contentType && { 'content-type': contentType }), ...headers })
        .end(text);
      return;
    }
    if (rule) return refuse('WAF_FILTERED');
    const match = route(method, path);
    if (!match) return refuse('MISSING_AUTHENTICATION_TOKEN');

    let claims: Record<string, string> | undefined;
    if (match.route.authorization) {
      const outcome = await authorize(match.route.authorization, request, options.verify);
      if (typeof outcome === 'string') return refuse(outcome);
      claims = outcome;
    }

    const event = proxyEvent(api, match, {
      method,
      path,
      query: mark < 0 ? '' : target.slice(mark + 1),
      rawHeaders: request.rawHeaders,
      body,
      sourceIp: '127.0.0.1',
      ...(claims && { claims }),
    });
    let result: unknown;
    try {
      result = await withTimeout(options.invoke(match.route.functionName, event), match.route.timeoutMs);
    } catch {
      return refuse('INTEGRATION_FAILURE');
    }
    if (result === timedOut) return refuse('INTEGRATION_TIMEOUT');
    const accept = request.headers.accept ?? '';
    if (!sendProxyResult(response, api, result, { requestId, accept })) refuse('INTEGRATION_FAILURE');
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => {
      // The client went away, or the gateway itself is at fault; either way nothing more to say.
      if (response.headersSent) response.destroy();
      else sendGatewayResponse(response, api, 'DEFAULT_5XX', randomUUID());
    });
  };

  const main = createServer({ keepAliveTimeout: 65_000 }, listener);
  const port = await listen(main, options.port, '127.0.0.1');
  const servers = [main];
  // Where `localhost` means ::1 first, the same port must be ours there too.
  const second = createServer({ keepAliveTimeout: 65_000 }, listener);
  try {
    await listen(second, port, '::1');
    servers.push(second);
  } catch {
    second.close();
  }

  return {
    origin: `http://localhost:${port}`,
    use: (next) => {
      api = next;
      route = createRouter(next.routes);
    },
    stop: async () => {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeIdleConnections();
              // Clients that keep their connection open must not hold up the stop.
              setTimeout(() => server.closeAllConnections(), 2000).unref();
            }),
        ),
      );
    },
    kill: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** The whole body; undefined if it is over the limit. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Read on to the end, so that the client gets to see the answer.
    if (bytes <= payloadLimitBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > payloadLimitBytes ? undefined : Buffer.concat(chunks);
}

/** Claims for the function, or why not: as the gateway's Cognito authorizer decides it. */
async function authorize(
  { scopes, header }: NonNullable<RoutePlan['authorization']>,
  request: IncomingMessage,
  verify: GatewayOptions['verify'],
): Promise<Record<string, string> | 'UNAUTHORIZED' | 'ACCESS_DENIED'> {
  const value = request.headers[header];
  const token = typeof value === 'string' ? value.replace(/^Bearer\s+/i, '').trim() : '';
  if (!token) return 'UNAUTHORIZED';
  const claims = await verify(token);
  if (!claims) return 'UNAUTHORIZED';
  // With scopes the gateway takes access tokens, without them id tokens.
  if (claims.token_use !== (scopes.length > 0 ? 'access' : 'id')) return 'UNAUTHORIZED';
  if (scopes.length > 0) {
    const granted = String(claims.scope ?? '').split(' ');
    if (!scopes.some((scope) => granted.includes(scope))) return 'ACCESS_DENIED';
  }
  return flattenClaims(claims);
}

const timedOut = Symbol('timed out');

async function withTimeout<T>(work: Promise<T>, limitMs: number): Promise<T | typeof timedOut> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(() => resolve(timedOut), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
