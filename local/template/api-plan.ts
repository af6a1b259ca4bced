import type { Json } from './assembly.ts';
import { attributeOf, refOf } from './physical.ts';
import { cannotRun } from './registry.ts';
import type { Resource } from './resolve.ts';

/** Finds the function that an ARN, or a text around it, names. */
export type FunctionOf = (resource: Resource, arn: Json) => string;

export interface RoutePlan {
  readonly method: string;
  /** As API Gateway writes it: `/v1/inquiries/{id}`. */
  readonly path: string;
  readonly functionName: string;
  readonly timeoutMs: number;
  /** Undefined: public. */
  readonly authorization?: { readonly scopes: readonly string[]; readonly header: string };
}

export interface GatewayResponsePlan {
  readonly statusCode?: number;
  readonly headers: Record<string, string>;
  readonly contentType?: string;
  readonly template?: string;
}

/** A rule of the firewall that can be told from one request alone. */
export interface FirewallRulePlan {
  readonly name: string;
  readonly statement: Json;
  readonly response?: {
    status: number;
    headers: Record<string, string>;
    contentType?: string;
    body?: string;
  };
}

export interface ApiPlan {
  readonly apiId: string;
  readonly stageName: string;
  readonly binaryMediaTypes: readonly string[];
  readonly routes: readonly RoutePlan[];
  readonly responses: Readonly<Record<string, GatewayResponsePlan>>;
  readonly firewall: readonly FirewallRulePlan[];
}

/** The REST API of the stacks: there is one, since there is one origin. */
export function apiPlan(
  resources: readonly Resource[],
  functionOf: FunctionOf,
  firewall: readonly FirewallRulePlan[],
): ApiPlan {
  const ofType = (type: string): Resource[] => resources.filter((resource) => resource.type === type);
  const [api, another] = ofType('AWS::ApiGateway::RestApi');
  if (another) throw cannotRun(another, 'one API is all that one origin can serve');
  const paths = api ? pathsOf(api, ofType('AWS::ApiGateway::Resource')) : new Map<string, string>();
  const authorizers = new Map(ofType('AWS::ApiGateway::Authorizer').map((item) => [refOf(item), item]));
  const responses: Record<string, GatewayResponsePlan> = {};
  for (const response of ofType('AWS::ApiGateway::GatewayResponse')) {
    responses[response.property('ResponseType')] = gatewayResponsePlan(response);
  }
  const [stage] = ofType('AWS::ApiGateway::Stage');
  return {
    apiId: api ? refOf(api) : 'none',
    stageName: stage ? refOf(stage) : 'live',
    binaryMediaTypes: api?.property('BinaryMediaTypes') ?? [],
    routes: ofType('AWS::ApiGateway::Method').map((method) =>
      routePlan(method, paths, authorizers, functionOf),
    ),
    responses,
    firewall,
  };
}

function pathsOf(api: Resource, resources: readonly Resource[]): Map<string, string> {
  const byId = new Map(resources.map((resource) => [refOf(resource), resource]));
  const root = attributeOf(api, 'RootResourceId');
  const pathOf = (id: string): string => {
    if (id === root) return '';
    const resource = byId.get(id);
    return resource ? `${pathOf(resource.property('ParentId'))}/${resource.property('PathPart')}` : '';
  };
  return new Map([[root, '/'], ...[...byId.keys()].map((id): [string, string] => [id, pathOf(id)])]);
}

function routePlan(
  method: Resource,
  paths: Map<string, string>,
  authorizers: Map<string, Resource>,
  functionOf: FunctionOf,
): RoutePlan {
  const properties = method.properties();
  const integration = properties.Integration ?? {};
  if (integration.Type !== 'AWS_PROXY') {
    throw cannotRun(method, `only proxy integrations of functions run here, not ${integration.Type}`);
  }
  const required = Object.values(properties.RequestParameters ?? {}).some(Boolean);
  if (properties.RequestModels || required) throw cannotRun(method, 'request validation is not supported');
  const base = {
    method: properties.HttpMethod,
    path: paths.get(properties.ResourceId) ?? '/',
    functionName: functionOf(method, integration.Uri),
    timeoutMs: Number(integration.TimeoutInMillis ?? 29_000),
  };
  const type = properties.AuthorizationType ?? 'NONE';
  if (type === 'NONE') return base;
  const authorizer = authorizers.get(properties.AuthorizerId);
  if (type !== 'COGNITO_USER_POOLS' || !authorizer) {
    throw cannotRun(method, `authorization ${type} is not supported`);
  }
  const source = String(authorizer.property('IdentitySource') ?? 'method.request.header.Authorization');
  return {
    ...base,
    authorization: {
      scopes: properties.AuthorizationScopes ?? [],
      header: (source.split('.').at(-1) ?? 'authorization').toLowerCase(),
    },
  };
}

function gatewayResponsePlan(response: Resource): GatewayResponsePlan {
  const { StatusCode, ResponseParameters = {}, ResponseTemplates = {} } = response.properties();
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries<string>(ResponseParameters)) {
    const header = name.replace('gatewayresponse.header.', '');
    headers[header] = value.replace(/^'(.*)'$/s, '$1');
  }
  const [first] = Object.entries<string>(ResponseTemplates);
  return {
    ...(StatusCode && { statusCode: Number(StatusCode) }),
    headers,
    ...(first && { contentType: first[0], template: first[1] }),
  };
}

const runnableStatements = new Set([
  'SizeConstraintStatement',
  'ByteMatchStatement',
  'AndStatement',
  'OrStatement',
  'NotStatement',
]);

function isRunnable(statement: Json): boolean {
  const [kind] = Object.keys(statement ?? {});
  if (!kind || !runnableStatements.has(kind)) return false;
  const inner = statement[kind];
  if (kind === 'AndStatement' || kind === 'OrStatement') return inner.Statements.every(isRunnable);
  if (kind === 'NotStatement') return isRunnable(inner.Statement);
  const [field] = Object.keys(inner.FieldToMatch ?? {});
  return kind === 'SizeConstraintStatement' ? field === 'Body' : field === 'UriPath' || field === 'Method';
}

/** The blocking rules that can be told from one request alone, and the names of the others. */
export function firewallPlan(acl: Resource): { rules: FirewallRulePlan[]; inert: string[] } {
  const { Rules = [], CustomResponseBodies = {} } = acl.properties();
  const rules: FirewallRulePlan[] = [];
  const inert: string[] = [];
  for (const rule of [...Rules].sort((left: Json, right: Json) => left.Priority - right.Priority)) {
    if (!rule.Action?.Block || !isRunnable(rule.Statement)) {
      inert.push(rule.Name);
      continue;
    }
    const custom = rule.Action.Block.CustomResponse;
    const body = CustomResponseBodies[custom?.CustomResponseBodyKey];
    const headers = (custom?.ResponseHeaders ?? []).map(({ Name, Value }: Json) => [Name, Value]);
    rules.push({
      name: rule.Name,
      statement: rule.Statement,
      ...(custom && {
        response: {
          status: Number(custom.ResponseCode),
          headers: Object.fromEntries(headers),
          ...(body && { body: body.Content, contentType: contentTypes[body.ContentType] ?? 'text/plain' }),
        },
      }),
    });
  }
  return { rules, inert };
}

const contentTypes: Record<string, string> = {
  APPLICATION_JSON: 'application/json',
  TEXT_HTML: 'text/html',
  TEXT_PLAIN: 'text/plain',
};
