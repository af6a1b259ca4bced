import type { Json } from './assembly.ts';
import { accountId, arn, generatedId, generatedName, region } from './identity.ts';

/** A resource with its properties resolved as far as names go. */
export interface Placed {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  /** Resolves one property of the resource. */
  property(name: string): Json;
}

/**
 * Stands for a queue's URL until the queue's engine has said what it is:
 * resolved templates carry it, `local/` replaces it in the environments.
 */
export const queueUrlToken = (queueName: string): string => `firstcall-local-queue:${queueName};`;

const queueUrlTokens = /firstcall-local-queue:([^;]+);/g;

/** Puts the real queue URLs in the place of their tokens. */
export const withQueueUrls = (text: string, urlOf: (queueName: string) => string): string =>
  text.replace(queueUrlTokens, (_, name: string) => urlOf(name));

interface Naming {
  ref(resource: Placed): string;
  attributes?: Record<string, (resource: Placed) => string>;
}

const named =
  (property: string) =>
  (resource: Placed): string =>
    resource.property(property) ?? generatedName(resource.stack, resource.logicalId);

const tableName = named('TableName');
const queueName = named('QueueName');
const functionName = named('FunctionName');
const secretName = named('Name');
const poolId = (pool: Placed): string => `${region}_${generatedId(pool.stack, pool.logicalId, 9)}`;
const idOf =
  (length: number) =>
  (resource: Placed): string =>
    generatedId(resource.stack, resource.logicalId, length);

const namings: Record<string, Naming> = {
  'AWS::DynamoDB::Table': {
    ref: tableName,
    attributes: {
      Arn: (table) => arn('dynamodb', `table/${tableName(table)}`),
      StreamArn: (table) => arn('dynamodb', `table/${tableName(table)}/stream/local`),
    },
  },
  'AWS::SQS::Queue': {
    ref: (queue) => queueUrlToken(queueName(queue)),
    attributes: {
      Arn: (queue) => arn('sqs', queueName(queue)),
      QueueName: queueName,
      QueueUrl: (queue) => queueUrlToken(queueName(queue)),
    },
  },
  'AWS::Lambda::Function': {
    ref: functionName,
    attributes: { Arn: (fn) => arn('lambda', `function:${functionName(fn)}`) },
  },
  'AWS::SecretsManager::Secret': {
    ref: (secret) => arn('secretsmanager', `secret:${secretName(secret)}-local0`),
  },
  'AWS::ApiGateway::RestApi': {
    ref: idOf(10),
    attributes: {
      RootResourceId: (api) => `${idOf(10)(api)}-root`,
      RestApiId: idOf(10),
    },
  },
  'AWS::ApiGateway::Stage': {
    ref: (stage) => stage.property('StageName') ?? 'live',
  },
  'AWS::Cognito::UserPool': {
    ref: poolId,
    attributes: {
      Arn: (pool) => `arn:aws:cognito-idp:${region}:${accountId}:userpool/${poolId(pool)}`,
      ProviderName: (pool) => `cognito-idp.${region}.amazonaws.com/${poolId(pool)}`,
      ProviderURL: (pool) => `https://cognito-idp.${region}.amazonaws.com/${poolId(pool)}`,
      UserPoolId: poolId,
    },
  },
  'AWS::Cognito::UserPoolClient': { ref: idOf(26), attributes: { ClientId: idOf(26) } },
  'AWS::SES::ConfigurationSet': { ref: named('Name') },
  'AWS::SES::EmailIdentity': {
    ref: (identity) =>
      identity.property('EmailIdentity') ?? generatedName(identity.stack, identity.logicalId),
  },
  'AWS::SNS::Topic': { ref: (topic) => arn('sns', named('TopicName')(topic)) },
};

/** What `Ref` gives for a resource. */
export const refOf = (resource: Placed): string =>
  namings[resource.type]?.ref(resource) ?? generatedName(resource.stack, resource.logicalId);

/** What `Fn::GetAtt` gives. Attributes of what has no local meaning get a stand-in: nothing here reads them. */
export function attributeOf(resource: Placed, attribute: string): string {
  const known = namings[resource.type]?.attributes?.[attribute];
  if (known) return known(resource);
  const service = (resource.type.split('::')[1] ?? 'aws').toLowerCase();
  const id = refOf(resource);
  return attribute.endsWith('Arn') ? (id.startsWith('arn:') ? id : arn(service, id)) : `${id}.${attribute}`;
}
