/**
 * Permissions as statements, so that a stack reads what a function may do and a
 * test can hold it to exactly that. Actions are spelled out: no wildcard, and no
 * convenience grant that brings more than was asked.
 */
import { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IndexName } from './inquiry-table.ts';

type TableAction = 'BatchGetItem' | 'ConditionCheckItem' | 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem';

const actionsOf = (actions: readonly TableAction[]): string[] =>
  actions.map((action) => `dynamodb:${action}`);

/** Operations on the items of the table, its indexes excluded. */
export const onTable = (table: ITable, ...actions: TableAction[]): PolicyStatement =>
  new PolicyStatement({ actions: actionsOf(actions), resources: [table.tableArn] });

/** Queries of the named indexes. */
export const onIndexes = (table: ITable, ...indexes: IndexName[]): PolicyStatement =>
  new PolicyStatement({
    actions: ['dynamodb:Query'],
    resources: indexes.map((index) => `${table.tableArn}/index/${index}`),
  });

/** What is written to the audit stays as it is, whatever else a policy allows. */
export const auditIsAppendOnly = (table: ITable): PolicyStatement =>
  new PolicyStatement({
    effect: Effect.DENY,
    actions: [
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:PartiQLDelete',
      'dynamodb:PartiQLUpdate',
      'dynamodb:UpdateItem',
    ],
    resources: [table.tableArn],
    conditions: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['AUDIT#*'] } },
  });

export const sendTo = (...queues: IQueue[]): PolicyStatement =>
  new PolicyStatement({ actions: ['sqs:SendMessage'], resources: queues.map((queue) => queue.queueArn) });

/** What Lambda's poller does in the function's name. */
export const receiveFrom = (queue: IQueue): PolicyStatement =>
  new PolicyStatement({
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    resources: [queue.queueArn],
  });

/** What Lambda's poller does in the function's name; listing streams knows no resource. */
export const readStreamOf = (table: ITable): PolicyStatement[] => [
  new PolicyStatement({
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    resources: [table.tableStreamArn ?? ''],
  }),
  new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
];

export const readSecrets = (...secrets: ISecret[]): PolicyStatement =>
  new PolicyStatement({
    actions: ['secretsmanager:GetSecretValue'],
    resources: secrets.map((secret) => secret.secretArn),
  });

const keyActions = {
  // DynamoDB encrypts with keys of its own, wrapped by ours, and asks for all of these.
  dynamodb: [
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ],
  sqs: ['kms:Decrypt', 'kms:GenerateDataKey'],
  secretsmanager: ['kms:Decrypt'],
} as const;

/** Use of the key through these services and in no other way. */
export const useKey = (key: IKey, ...services: (keyof typeof keyActions)[]): PolicyStatement[] =>
  services.map(
    (service) =>
      new PolicyStatement({
        actions: [...keyActions[service]],
        resources: [key.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `${service}.${Stack.of(key).region}.amazonaws.com` },
        },
      }),
  );
