import { basename } from 'node:path';
import { type ApiPlan, apiPlan, type FunctionOf, firewallPlan } from './api-plan.ts';
import type { Assembly, Json } from './assembly.ts';
import { attributeOf, refOf } from './physical.ts';
import { assertAllKnown, cannotRun } from './registry.ts';
import { type Resource, resolveResources } from './resolve.ts';

/** A table as the template describes it, in the words of the CreateTable call. */
export interface TablePlan {
  readonly tableName: string;
  readonly keySchema: Json[];
  readonly attributeDefinitions: Json[];
  readonly indexes: Json[];
  readonly streamViewType?: string;
  readonly ttlAttribute?: string;
}

export interface QueuePlan {
  readonly queueName: string;
  /** Attributes as the CreateQueue call takes them. */
  readonly attributes: Record<string, string>;
}

export interface SecretPlan {
  readonly arn: string;
  readonly name: string;
  /** What the template asks to be generated, or the fixed string. */
  readonly generate?: { template: Record<string, string>; key: string; length: number } | { length: number };
  readonly fixed?: string;
}

export interface FunctionPlan {
  readonly functionName: string;
  /** What people call it: the service name of its logs, else the full name. */
  readonly shortName: string;
  readonly bundleFile: string;
  readonly exportName: string;
  readonly environment: Record<string, string>;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
}

export interface QueueSourcePlan {
  readonly functionName: string;
  readonly queueName: string;
  readonly batchSize: number;
  readonly batchWindowSeconds: number;
  readonly reportsItemFailures: boolean;
  readonly maximumConcurrency?: number;
}

export interface StreamSourcePlan {
  readonly functionName: string;
  readonly tableName: string;
  readonly batchSize: number;
  readonly batchWindowSeconds: number;
  readonly reportsItemFailures: boolean;
  readonly bisects: boolean;
  /** Undefined: until the records expire. */
  readonly maximumRetries?: number;
  /** Parsed filter patterns, of which one must match; empty: every record. */
  readonly filters: Json[];
  readonly failureQueueName?: string;
}

export interface SchedulePlan {
  readonly ruleName: string;
  readonly expression: string;
  readonly functionName: string;
  readonly input?: string;
}

/** A function that is told what becomes of mails: subscribed to a topic that SES publishes to. */
export interface MailEventPlan {
  readonly functionName: string;
  readonly topicArn: string;
  /** Configuration sets of whose mails SES tells the topic when they are opened. */
  readonly opensOf: readonly string[];
}

/** An alarm that rings where messages lie in a queue. */
export interface QueueAlarmPlan {
  /** The logical id, without what the CDK puts behind it. */
  readonly name: string;
  /** What it means, in the template's words. */
  readonly text: string;
  readonly queueName: string;
  readonly threshold: number;
  readonly periodSeconds: number;
}

/** Everything the templates ask one machine to run. */
export interface Plan {
  readonly tables: readonly TablePlan[];
  readonly queues: readonly QueuePlan[];
  readonly secrets: readonly SecretPlan[];
  readonly functions: readonly FunctionPlan[];
  readonly queueSources: readonly QueueSourcePlan[];
  readonly streamSources: readonly StreamSourcePlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly mailEvents: readonly MailEventPlan[];
  readonly queueAlarms: readonly QueueAlarmPlan[];
  readonly api: ApiPlan;
  readonly userPool?: { readonly issuer: string; readonly clientId: string };
  /** Parts of the firewall that are not reproduced, by name. */
  readonly inertFirewallRules: readonly string[];
}

/**
 * Turns synthesized templates into what to run.
 *
 * @throws LocalProblem naming each resource that cannot be run here
 */
export function planOf(assembly: Assembly): Plan {
  const resources = resolveResources(assembly);
  assertAllKnown(resources);
  const ofType = (type: string): Resource[] => resources.filter((resource) => resource.type === type);
  const functions = ofType('AWS::Lambda::Function').map((fn) => functionPlan(fn, assembly));
  const functionOf = (resource: Resource, text: Json): string => {
    const found = functions.find((fn) => String(text).includes(`:function:${fn.functionName}`));
    if (!found) throw cannotRun(resource, `its target is no function of these stacks (${text})`);
    return found.functionName;
  };

  const sources = ofType('AWS::Lambda::EventSourceMapping').filter(
    (source) => source.property('Enabled') !== false,
  );
  const isQueue = (source: Resource): boolean =>
    String(source.property('EventSourceArn')).startsWith('arn:aws:sqs:');
  const firewall = ofType('AWS::WAFv2::WebACL').map(firewallPlan);

  return {
    tables: ofType('AWS::DynamoDB::Table').map(tablePlan),
    queues: ofType('AWS::SQS::Queue').map(queuePlan),
    secrets: ofType('AWS::SecretsManager::Secret').map(secretPlan),
    functions,
    queueSources: sources.filter(isQueue).map((source) => queueSourcePlan(source, functionOf)),
    streamSources: sources
      .filter((source) => !isQueue(source))
      .map((source) => streamSourcePlan(source, functionOf)),
    schedules: ofType('AWS::Events::Rule').flatMap((rule) => schedulePlans(rule, functionOf)),
    mailEvents: mailEventPlans(
      ofType('AWS::SNS::Subscription'),
      ofType('AWS::SES::ConfigurationSetEventDestination'),
      functionOf,
    ),
    queueAlarms: ofType('AWS::CloudWatch::Alarm').flatMap(queueAlarmPlan),
    api: apiPlan(
      resources,
      functionOf,
      firewall.flatMap(({ rules }) => rules),
    ),
    ...userPoolPlan(resources),
    inertFirewallRules: firewall.flatMap(({ inert }) => inert),
  };
}

function tablePlan(table: Resource): TablePlan {
  const properties = table.properties();
  if (properties.LocalSecondaryIndexes) throw cannotRun(table, 'local secondary indexes are not supported');
  const ttl = properties.TimeToLiveSpecification;
  return {
    tableName: refOf(table),
    keySchema: properties.KeySchema,
    attributeDefinitions: properties.AttributeDefinitions,
    indexes: (properties.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }: Json) => ({
      IndexName,
      KeySchema,
      Projection,
    })),
    ...(properties.StreamSpecification && { streamViewType: properties.StreamSpecification.StreamViewType }),
    ...(ttl?.Enabled && { ttlAttribute: ttl.AttributeName }),
  };
}

const queueAttributes = [
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'VisibilityTimeout',
  'RedrivePolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
];

function queuePlan(queue: Resource): QueuePlan {
  const attributes: Record<string, string> = {};
  for (const name of queueAttributes) {
    const value = queue.property(name);
    if (value !== undefined)
      attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return { queueName: attributeOf(queue, 'QueueName'), attributes };
}

function secretPlan(secret: Resource): SecretPlan {
  const properties = secret.properties();
  const arn = refOf(secret);
  const base = { arn, name: arn.split(':secret:')[1]?.replace(/-local0$/, '') ?? arn };
  if (properties.SecretString) return { ...base, fixed: properties.SecretString };
  const generator = properties.GenerateSecretString ?? {};
  const length = Number(generator.PasswordLength ?? 32);
  if (!generator.SecretStringTemplate) return { ...base, generate: { length } };
  return {
    ...base,
    generate: {
      template: JSON.parse(generator.SecretStringTemplate),
      key: generator.GenerateStringKey,
      length,
    },
  };
}

function functionPlan(fn: Resource, assembly: Assembly): FunctionPlan {
  const properties = fn.properties();
  if (!String(properties.Runtime).startsWith('nodejs')) {
    throw cannotRun(fn, `only Node.js functions run here, not ${properties.Runtime}`);
  }
  const hash = basename(String(properties.Code?.S3Key ?? ''), '.zip');
  const folder = assembly.assets.get(hash);
  if (!folder) throw cannotRun(fn, 'its code is not among the synthesized assets');
  const [file, exportName] = splitHandler(properties.Handler);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties.Environment?.Variables ?? {})) {
    environment[name] = String(value);
  }
  return {
    functionName: refOf(fn),
    shortName: environment.POWERTOOLS_SERVICE_NAME ?? refOf(fn),
    bundleFile: `${folder}/${file}`,
    exportName,
    environment,
    memoryMiB: Number(properties.MemorySize ?? 128),
    timeoutSeconds: Number(properties.Timeout ?? 3),
  };
}

/** `index.handler` → the file without its ending, and the export. */
function splitHandler(handler: string): [string, string] {
  const dot = handler.lastIndexOf('.');
  return [handler.slice(0, dot), handler.slice(dot + 1)];
}

const reportsItemFailures = (source: Resource): boolean =>
  (source.property('FunctionResponseTypes') ?? []).includes('ReportBatchItemFailures');

function queueSourcePlan(source: Resource, functionOf: FunctionOf): QueueSourcePlan {
  // A filter on a queue deletes what does not match; whoever wants that must first teach it to local/.
  if (source.property('FilterCriteria')) throw cannotRun(source, 'filters on a queue are not supported');
  const maximumConcurrency = source.property('ScalingConfig')?.MaximumConcurrency;
  return {
    functionName: functionOf(source, arnOf(source.property('FunctionName'))),
    queueName: String(source.property('EventSourceArn')).split(':').at(-1) ?? '',
    batchSize: Number(source.property('BatchSize') ?? 10),
    batchWindowSeconds: Number(source.property('MaximumBatchingWindowInSeconds') ?? 0),
    reportsItemFailures: reportsItemFailures(source),
    ...(maximumConcurrency !== undefined && { maximumConcurrency: Number(maximumConcurrency) }),
  };
}

/** A mapping may name its function by ARN or by name. */
const arnOf = (name: Json): string =>
  String(name).includes(':function:') ? String(name) : `:function:${name}`;

function streamSourcePlan(source: Resource, functionOf: FunctionOf): StreamSourcePlan {
  const streamArn = String(source.property('EventSourceArn'));
  const tableName = /^arn:aws:dynamodb:[^:]*:[^:]*:table\/([^/]+)\/stream\//.exec(streamArn)?.[1];
  if (!tableName)
    throw cannotRun(source, `its source is neither a queue nor a table's stream (${streamArn})`);
  const retries = source.property('MaximumRetryAttempts');
  const failureArn = source.property('DestinationConfig')?.OnFailure?.Destination;
  if (failureArn && !String(failureArn).startsWith('arn:aws:sqs:')) {
    throw cannotRun(source, 'only a queue can take its failed batches here');
  }
  return {
    functionName: functionOf(source, arnOf(source.property('FunctionName'))),
    tableName,
    batchSize: Number(source.property('BatchSize') ?? 100),
    batchWindowSeconds: Number(source.property('MaximumBatchingWindowInSeconds') ?? 0),
    reportsItemFailures: reportsItemFailures(source),
    bisects: source.property('BisectBatchOnFunctionError') === true,
    ...(retries !== undefined && Number(retries) >= 0 && { maximumRetries: Number(retries) }),
    filters: (source.property('FilterCriteria')?.Filters ?? []).map(({ Pattern }: Json) =>
      JSON.parse(Pattern),
    ),
    ...(failureArn && { failureQueueName: String(failureArn).split(':').at(-1) ?? '' }),
  };
}

function schedulePlans(rule: Resource, functionOf: FunctionOf): SchedulePlan[] {
  const { ScheduleExpression, EventPattern, State, Targets = [] } = rule.properties();
  if (State === 'DISABLED') return [];
  if (EventPattern || !ScheduleExpression) throw cannotRun(rule, 'only rules with a schedule run here');
  return Targets.map((target: Json) => {
    if (target.InputPath || target.InputTransformer) throw cannotRun(rule, 'input paths are not supported');
    return {
      ruleName: refOf(rule),
      expression: ScheduleExpression,
      functionName: functionOf(rule, target.Arn),
      ...(target.Input && { input: target.Input }),
    };
  });
}

/** Alarms on what lies in a queue; of all others the metrics are not kept here. */
function queueAlarmPlan(alarm: Resource): QueueAlarmPlan[] {
  const { MetricName, Namespace, Dimensions = [], Threshold, Period, AlarmDescription } = alarm.properties();
  const queueName = Dimensions.find(({ Name }: Json) => Name === 'QueueName')?.Value;
  if (Namespace !== 'AWS/SQS' || MetricName !== 'ApproximateNumberOfMessagesVisible' || !queueName) return [];
  return [
    {
      name: alarm.logicalId.replace(/[0-9A-F]{8}$/, ''),
      text: String(AlarmDescription ?? ''),
      queueName: String(queueName),
      threshold: Number(Threshold),
      periodSeconds: Number(Period),
    },
  ];
}

/** Functions that hear of mails; other subscriptions are e-mails about alarms, which nothing rings here. */
function mailEventPlans(
  subscriptions: readonly Resource[],
  destinations: readonly Resource[],
  functionOf: FunctionOf,
): MailEventPlan[] {
  return subscriptions.flatMap((subscription) => {
    const { Protocol, Endpoint, TopicArn } = subscription.properties();
    if (Protocol !== 'lambda') return [];
    // What SES tells this topic of, by configuration set.
    const told = destinations.filter(
      (destination) => destination.property('EventDestination')?.SnsDestination?.TopicARN === TopicArn,
    );
    if (told.length === 0) throw cannotRun(subscription, 'only topics of SES reach functions here');
    const opensOf = told
      .filter((destination) => destination.property('EventDestination')?.MatchingEventTypes?.includes('open'))
      .map((destination) => String(destination.property('ConfigurationSetName')));
    return [{ functionName: functionOf(subscription, Endpoint), topicArn: String(TopicArn), opensOf }];
  });
}

function userPoolPlan(resources: readonly Resource[]): Pick<Plan, 'userPool'> {
  const pool = resources.find(({ type }) => type === 'AWS::Cognito::UserPool');
  const client = resources.find(({ type }) => type === 'AWS::Cognito::UserPoolClient');
  if (!pool || !client) return {};
  return { userPool: { issuer: attributeOf(pool, 'ProviderURL'), clientId: refOf(client) } };
}
