import { join } from 'node:path';
import { Duration, Validations } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ApplicationLogLevel, Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import {
  type BundlingOptions,
  NodejsFunction,
  type NodejsFunctionProps,
  OutputFormat,
} from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { ImpactAlarm } from './impact-alarm.ts';
import { auditIsAppendOnly } from './permissions.ts';
import type { Surroundings } from './surroundings.ts';

/** Of what the functions count themselves: one for each environment, or those of one account would ring each other's alarms. */
const metricsNamespace = ({ env }: Configuration): string => `Firstcall/${env}`;

/**
 * The level of Lambda's own filter, before the log group. A line without a level counts as INFO there,
 * and the lines that carry metrics have none: any higher it would drop them, and every alarm on them
 * would be silent. The logger keeps to the configured level by itself.
 */
const filterLevel = ({ logLevel }: Configuration): ApplicationLogLevel =>
  logLevel === 'DEBUG' ? ApplicationLogLevel.DEBUG : ApplicationLogLevel.INFO;

const projectRoot = join(import.meta.dirname, '..', '..');

/**
 * What the SDK imports where it is needed, and here never is. Sources of credentials
 * when the environment has none: in Lambda it always has, and each bundle is 130 KB
 * smaller. Streams of events, which no operation in use answers with: 15 KB.
 */
const neverAsked = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/core/event-streams',
  '@smithy/credential-provider-imds',
];

/** Everything else goes into the bundle, the SDK too: what was tested is what runs. */
export const bundling: BundlingOptions = {
  format: OutputFormat.ESM,
  mainFields: ['module', 'main'],
  minify: true,
  externalModules: neverAsked,
  esbuildArgs: {
    // Its ES modules import all of `node:http`, and with it fetch and WebSocket: 25 ms of each cold start.
    // Its CommonJS modules ask for that where they use it, and nothing here does.
    '--alias:nodemailer/lib/mail-composer': './node_modules/nodemailer/dist/cjs/mail-composer/index.js',
  },
  // Some libraries are CommonJS still and call `require` for Node's own modules.
  banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
};

export interface FirstcallFunctionProps extends NodejsFunctionProps {
  readonly surroundings: Surroundings;
  readonly table: ITable;
  /** What it means for patients and staff that the function fails; the alarm's text. */
  readonly errorImpact: string;
  /** All it may do, beside writing its own log and traces. */
  readonly permissions: readonly PolicyStatement[];
}

/**
 * A function: `functions/<id in lower case>/handler.ts`, bundled by itself, with
 * its log group, its role and its alarm. The role's policy is complete before
 * the function exists, since an event source checks it when it is made.
 */
export class FirstcallFunction extends NodejsFunction {
  readonly #name: string;
  readonly #config: Configuration;

  constructor(scope: Construct, id: string, props: FirstcallFunctionProps) {
    const { surroundings, table, errorImpact, permissions, ...own } = props;
    const { config } = surroundings;
    const name = id.toLowerCase();

    const logGroup = new EncryptedLogGroup(scope, `${id}Logs`, {
      surroundings,
      logGroupName: `/firstcall/${config.env}/${name}`,
    });
    const policy = new ManagedPolicy(scope, `${id}Policy`, {
      description: `All that the function ${name} may do`,
      statements: [
        new PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
        new PolicyStatement({
          actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
          resources: ['*'],
        }),
        ...permissions,
        auditIsAppendOnly(table),
      ],
    });
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      managedPolicies: [policy],
    });

    super(scope, id, {
      description: `Firstcall ${config.env}: ${name}`,
      entry: join(projectRoot, 'functions', name, 'handler.ts'),
      projectRoot,
      depsLockFilePath: join(projectRoot, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(15),
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: filterLevel(config),
      logGroup,
      ...own,
      // Immutable, so that no construct widens it in passing.
      role: role.withoutPolicyUpdates(),
      bundling: {
        ...bundling,
        ...own.bundling,
      },
      environment: {
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(config),
        POWERTOOLS_LOG_LEVEL: config.logLevel,
        TABLE_NAME: table.tableName,
        ...own.environment,
      },
    });

    this.#name = name;
    this.#config = config;
    new ImpactAlarm(this, 'ErrorAlarm', {
      surroundings,
      errorImpact,
      metric: new MathExpression({
        expression: 'errors + throttles',
        label: 'Failed or refused invocations',
        period: Duration.minutes(1),
        usingMetrics: { errors: this.metricErrors(), throttles: this.metricThrottles() },
      }),
    });

    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Writing traces and listing streams are the only actions on it, and IAM knows no resource for either.',
    });
    Validations.of(this).acknowledge(
      {
        id: 'HIPAA.Security-LambdaConcurrency',
        reason:
          'A new account has ten concurrent executions and refuses to reserve from them; the event sources bound each function instead, and the API its rate.',
      },
      {
        id: 'HIPAA.Security-LambdaInsideVPC',
        reason:
          'It talks to AWS services alone, over TLS and by IAM; a VPC would add endpoints and cold starts and no barrier.',
      },
    );
  }

  /** How often the function has counted something, by the code it counts under. */
  metricCounted(code: string): Metric {
    return new Metric({
      namespace: metricsNamespace(this.#config),
      metricName: code,
      dimensionsMap: { service: this.#name },
      period: Duration.minutes(1),
      statistic: 'Sum',
    });
  }

  /** Says why the function itself needs no dead-letter queue: who calls it takes care of what fails. */
  acknowledgeNoDeadLetters(reason: string): void {
    Validations.of(this).acknowledge(
      { id: 'HIPAA.Security-LambdaDLQ', reason },
      { id: 'Serverless-LambdaDLQ', reason },
    );
  }
}
