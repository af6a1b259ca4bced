import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flattenClaims, matchesMediaType, proxyEvent } from '../../local/gateway/event.ts';
import { blockingRule } from '../../local/gateway/firewall.ts';
import { createRouter } from '../../local/gateway/router.ts';
import { type Gateway, startGateway } from '../../local/gateway/server.ts';
import type { ApiPlan, RoutePlan } from '../../local/template/api-plan.ts';

const route = (method: string, path: string, more: Partial<RoutePlan> = {}): RoutePlan => ({
  method,
  path,
  functionName: `${method} ${path}`,
  timeoutMs: 1000,
  ...more,
});

const api: ApiPlan = {
  apiId: 'api',
  stageName: 'live',
  binaryMediaTypes: ['application/json'],
  routes: [
    route('GET', '/'),
    route('POST', '/v1/inquiries'),
    route('GET', '/v1/inquiries/{id}', {
      authorization: { scopes: ['firstcall/staff'], header: 'authorization' },
    }),
    route('GET', '/v1/inquiries/mine'),
  ],
  responses: {
    MISSING_AUTHENTICATION_TOKEN: {
      statusCode: 404,
      headers: { 'Cache-Control': 'no-store' },
      contentType: 'application/problem+json',
      template: '{"status":404,"detail":$context.error.messageString,"id":"$context.requestId"}',
    },
  },
  firewall: [
    {
      name: 'size',
      statement: {
        SizeConstraintStatement: { FieldToMatch: { Body: {} }, ComparisonOperator: 'GT', Size: 100 },
      },
      response: { status: 413, headers: {}, contentType: 'application/json', body: '{"status":413}' },
    },
  ],
};

describe('the router', () => {
  const find = createRouter(api.routes);

  it('prefers fixed parts of a path to parameters', () => {
    expect(find('GET', '/v1/inquiries/mine')?.route.path).toBe('/v1/inquiries/mine');
    expect(find('GET', '/v1/inquiries/inq_1')).toMatchObject({
      route: { path: '/v1/inquiries/{id}' },
      pathParameters: { id: 'inq_1' },
    });
  });

  it('leaves parameters as they stood in the address', () => {
    expect(find('GET', '/v1/inquiries/a%23b')?.pathParameters).toEqual({ id: 'a%23b' });
  });

  it('knows no other method, path or empty part', () => {
    expect(find('DELETE', '/v1/inquiries')).toBeUndefined();
    expect(find('GET', '/v2')).toBeUndefined();
    expect(find('GET', '/v1/inquiries/a/b')).toBeUndefined();
    expect(find('GET', '/v1//inquiries')).toBeUndefined();
  });
});

describe('the event', () => {
  const eventOf = (contentType: string, body: string): Record<string, unknown> =>
    proxyEvent(
      api,
      { route: route('POST', '/v1/inquiries/{id}'), pathParameters: { id: 'x' } },
      {
        method: 'POST',
        path: '/v1/inquiries/x',
        query: 'a=1&a=2&b=%20',
        rawHeaders: ['Content-Type', contentType, 'X-Twice', 'one', 'X-Twice', 'two'],
        body: Buffer.from(body),
        sourceIp: '127.0.0.1',
        claims: { username: 'ana' },
      },
    ) as Record<string, unknown>;

  it('has the form of a REST API proxy integration', () => {
    expect(eventOf('application/json; charset=utf-8', '{"a":1}')).toMatchObject({
      resource: '/v1/inquiries/{id}',
      path: '/v1/inquiries/x',
      httpMethod: 'POST',
      headers: { 'X-Twice': 'two' },
      multiValueHeaders: { 'X-Twice': ['one', 'two'] },
      queryStringParameters: { a: '2', b: ' ' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: [' '] },
      pathParameters: { id: 'x' },
      stageVariables: null,
      requestContext: {
        stage: 'live',
        path: '/live/v1/inquiries/x',
        resourcePath: '/v1/inquiries/{id}',
        identity: { sourceIp: '127.0.0.1' },
        authorizer: { claims: { username: 'ana' } },
      },
      body: Buffer.from('{"a":1}').toString('base64'),
      isBase64Encoded: true,
    });
  });

  it('hands other bodies on as text, and an empty one as null', () => {
    expect(eventOf('text/plain', 'hello')).toMatchObject({ body: 'hello', isBase64Encoded: false });
    expect(eventOf('application/json', '')).toMatchObject({ body: null, isBase64Encoded: false });
  });

  it('matches media types as API Gateway does', () => {
    expect(matchesMediaType(['image/*'], 'image/png')).toBe(true);
    expect(matchesMediaType(['application/json'], 'Application/JSON;charset=x')).toBe(true);
    expect(matchesMediaType(['application/json'], 'application/jsonp')).toBe(false);
  });

  it('flattens claims', () => {
    const flat = flattenClaims({ 'cognito:groups': ['a', 'b'], exp: 0, auth_time: 5, ok: true });

    expect(flat).toEqual({
      'cognito:groups': 'a,b',
      exp: 'Thu Jan 01 00:00:00 UTC 1970',
      auth_time: '5',
      ok: 'true',
    });
  });
});

describe('the firewall', () => {
  it('combines statements', () => {
    const posts = {
      ByteMatchStatement: {
        FieldToMatch: { UriPath: {} },
        SearchString: '/v1',
        PositionalConstraint: 'STARTS_WITH',
      },
    };
    const big = {
      SizeConstraintStatement: { FieldToMatch: { Body: {} }, ComparisonOperator: 'GE', Size: 5 },
    };
    const rules = [
      {
        name: 'both',
        statement: { AndStatement: { Statements: [posts, { NotStatement: { Statement: big } }] } },
      },
    ];

    expect(blockingRule(rules, { method: 'POST', path: '/v1/x', bodyBytes: 4 })?.name).toBe('both');
    expect(blockingRule(rules, { method: 'POST', path: '/v1/x', bodyBytes: 5 })).toBeUndefined();
    expect(blockingRule(rules, { method: 'POST', path: '/v2', bodyBytes: 4 })).toBeUndefined();
  });
});

describe('the gateway', () => {
  let gateway: Gateway;
  let answer: unknown;
  const tokens: Record<string, Record<string, unknown>> = {
    good: { token_use: 'access', scope: 'x firstcall/staff', username: 'ana' },
    id: { token_use: 'id' },
    unscoped: { token_use: 'access', scope: 'x' },
  };
  beforeAll(async () => {
    gateway = await startGateway({
      port: 0,
      api,
      document: (path) => (path === '/docs/api.md' ? '# The API\n' : undefined),
      verify: async (token) => tokens[token],
      invoke: async (functionName, event) => {
        if (answer instanceof Error) throw answer;
        return answer ?? { statusCode: 200, body: JSON.stringify({ functionName, event }) };
      },
    });
  });
  afterAll(() => gateway.stop());
  const call = (path: string, init?: object): Promise<Response> => fetch(gateway.origin + path, init);
  const withToken = (token: string): object => ({ headers: { authorization: `Bearer ${token}` } });

  it('answers unknown paths in the words of the template', async () => {
    const response = await call('/nothing');

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ status: 404, detail: 'Missing Authentication Token' });
  });

  it('serves documents beside the API, to be read', async () => {
    const response = await call('/docs/api.md');

    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('# The API\n');
    expect((await call('/docs/api.md', { method: 'POST' })).status).toBe(404);
    expect((await call('/docs/other.md')).status).toBe(404);
  });

  it('checks tokens as a Cognito authorizer with a scope does', async () => {
    expect((await call('/v1/inquiries/1')).status).toBe(401);
    expect((await call('/v1/inquiries/1', withToken('forged'))).status).toBe(401);
    expect((await call('/v1/inquiries/1', withToken('id'))).status).toBe(401);
    expect((await call('/v1/inquiries/1', withToken('unscoped'))).status).toBe(403);
    const good = await call('/v1/inquiries/1', withToken('good'));
    expect(await good.json()).toMatchObject({
      event: { requestContext: { authorizer: { claims: { username: 'ana' } } } },
    });
  });

  it('blocks what the firewall blocks, before the function', async () => {
    const response = await call('/v1/inquiries', { method: 'POST', body: 'x'.repeat(101) });

    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ status: 413 });
  });

  it('gives a function’s status, headers and cookies', async () => {
    answer = {
      statusCode: 303,
      headers: { Location: '/x' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
    };
    const response = await call('/', { redirect: 'manual' });
    answer = undefined;

    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/x');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('answers 502 for a function that fails or answers nonsense', async () => {
    answer = new Error('secret detail');
    const failed = await call('/');
    answer = { statusCode: 'soon' };
    const nonsense = await call('/');
    answer = undefined;

    expect(failed.status).toBe(502);
    expect(await failed.text()).not.toContain('secret');
    expect(nonsense.status).toBe(502);
  });
});
