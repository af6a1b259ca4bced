import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  CognitoUserPoolsAuthorizer,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
  type RestApiProps,
} from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Route } from '../../shared/http/routes.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { ImpactAlarm } from './impact-alarm.ts';
import { answerWithProblems } from './problem-responses.ts';
import { staffScope } from './staff-pool.ts';
import type { Surroundings } from './surroundings.ts';

export const stageName = 'live';

export interface InquiryApiProps extends RestApiProps {
  readonly surroundings: Surroundings;
  readonly routes: readonly Route[];
  /** The functions that answer, by the name that a route has for them. */
  readonly answeredBy: Readonly<Record<Route['answeredBy'], IFunction>>;
  readonly staff: IUserPool;
}

/** What is known of a request afterwards: no address, no agent, no parameter, the route but not the path. */
const accessLog = JSON.stringify({
  requestId: '$context.requestId',
  requestTime: '$context.requestTime',
  httpMethod: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  responseLength: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  errorType: '$context.error.responseType',
  wafStatus: '$context.waf.status',
});

/** The REST API: every route of the table of routes, and no other. */
export class InquiryApi extends RestApi {
  constructor(scope: Construct, id: string, props: InquiryApiProps) {
    const { surroundings, routes, answeredBy, staff, ...own } = props;
    const { config } = surroundings;
    super(scope, id, {
      restApiName: config.prefix,
      endpointTypes: [EndpointType.REGIONAL],
      // So that handlers see the bytes that were sent: signatures and digests are over those.
      binaryMediaTypes: ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
      // API Gateway logs through one role per account and region, which other APIs use too: so it stays.
      cloudWatchRole: true,
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
      ...own,
      deployOptions: {
        stageName,
        // Its traces would hold the address and the agent of whoever sends an inquiry, and the whole of what
        // they opened, query included. Functions trace themselves, by ids.
        tracingEnabled: false,
        metricsEnabled: true,
        // Errors, and never bodies or headers.
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        accessLogDestination: new LogGroupLogDestination(
          new EncryptedLogGroup(scope, `${id}AccessLogs`, {
            surroundings,
            logGroupName: `/firstcall/${config.env}/access`,
          }),
        ),
        accessLogFormat: AccessLogFormat.custom(accessLog),
        throttlingRateLimit: config.requestsPerSecond,
        throttlingBurstLimit: config.requestBurst,
        ...own.deployOptions,
      },
    });

    // API Gateway would make this log group itself at the first error: in the clear, and for ever.
    const executionLogs = new EncryptedLogGroup(this, 'ExecutionLogs', {
      surroundings,
      logGroupName: `API-Gateway-Execution-Logs_${this.restApiId}/${stageName}`,
    });
    this.deploymentStage.node.addDependency(executionLogs);

    this.#addRoutes(routes, answeredBy, staff);
    answerWithProblems(this, new URL(config.consoleUrl).origin);

    new ImpactAlarm(this, 'FaultAlarm', {
      surroundings,
      errorImpact:
        'The API answers with errors: patients may see their inquiry refused, and staff cannot work. Look at the errors of capture and api.',
      metric: this.metricServerError({ period: Duration.minutes(1), statistic: 'Sum' }),
    });
    this.#acknowledge();
  }

  #addRoutes(routes: readonly Route[], answeredBy: InquiryApiProps['answeredBy'], staff: IUserPool): void {
    const authorizer = new CognitoUserPoolsAuthorizer(this, 'Staff', {
      cognitoUserPools: [staff],
      // No caching: a token that has run out is refused at once.
      resultsCacheTtl: Duration.seconds(0),
    });
    const forStaff = {
      authorizer,
      authorizationType: AuthorizationType.COGNITO,
      // Without a scope the authorizer takes id tokens, too.
      authorizationScopes: [staffScope],
    };
    // One permission per function instead of one per method: those would outgrow the 20 KB that a
    // function's policy may have, and only a deployment would tell. (Test invocations need none then.)
    const integrations = {
      capture: new LambdaIntegration(answeredBy.capture, { scopePermissionToMethod: false }),
      api: new LambdaIntegration(answeredBy.api, { scopePermissionToMethod: false }),
      unsubscribe: new LambdaIntegration(answeredBy.unsubscribe, { scopePermissionToMethod: false }),
    };
    for (const route of withPreflights(routes)) {
      const method = this.root
        .resourceForPath(route.path)
        .addMethod(
          route.method,
          integrations[route.answeredBy],
          route.access === 'staff' ? forStaff : { authorizationType: AuthorizationType.NONE },
        );
      if (route.access === 'staff') continue;
      const reason = `${route.method} ${route.path} is for anybody: a patient has no account, an ad platform proves itself by its key, an unsubscribe link by its signature, a preflight carries no token. Firewall, throttling and validation guard it.`;
      Validations.of(method).acknowledge(
        { id: 'AwsSolutions-APIG4', reason },
        { id: 'AwsSolutions-COG4', reason },
      );
    }
  }

  #acknowledge(): void {
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-APIG2',
      reason:
        'Bodies reach the handlers as raw bytes, which models of API Gateway cannot check; each handler validates body and parameters by a strict schema and answers with our problem details.',
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
      reason: 'The policy that API Gateway documents for the role through which an account writes its logs.',
    });
    const traced =
      'A trace of API Gateway names the network address and the agent of whoever sent an inquiry, and the whole URL: nothing personal is in a trace. Each function is traced from its own beginning.';
    Validations.of(this.deploymentStage).acknowledge(
      { id: 'HIPAA.Security-APIGWXrayEnabled', reason: traced },
      { id: 'Serverless-APIGWXrayEnabled', reason: traced },
      {
        id: 'HIPAA.Security-APIGWCacheEnabledAndEncrypted',
        reason: 'There is no cache on purpose: answers hold patient data and go out with no-store.',
      },
      {
        id: 'HIPAA.Security-APIGWSSLEnabled',
        reason:
          'A client certificate proves API Gateway to an HTTP backend; these integrations are Lambda functions, called by IAM.',
      },
    );
  }
}

/** The routes, with a public OPTIONS for each staff path that has none: browsers ask before they send a token. */
export function withPreflights(routes: readonly Route[]): readonly Route[] {
  const answered = new Set(routes.filter(({ method }) => method === 'OPTIONS').map(({ path }) => path));
  const staffPaths = new Set(routes.filter(({ access }) => access === 'staff').map(({ path }) => path));
  const missing = [...staffPaths].filter((path) => !answered.has(path));
  return [
    ...routes,
    ...missing.map((path): Route => ({ method: 'OPTIONS', path, answeredBy: 'api', access: 'public' })),
  ];
}
