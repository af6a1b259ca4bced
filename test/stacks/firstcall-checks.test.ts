import { App, Duration, Stack } from 'aws-cdk-lib';
import { AttributeType, type ITable, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import {
  Code,
  FilterCriteria,
  FilterRule,
  Function as LambdaFunction,
  Runtime,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import {
  DynamoEventSource,
  type DynamoEventSourceProps,
  SqsDlq,
  SqsEventSource,
  type SqsEventSourceProps,
} from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { FirstcallChecks } from '../../lib/firstcall-checks.ts';

function consumerIn(stack: Stack): LambdaFunction {
  return new LambdaFunction(stack, 'Consumer', {
    code: Code.fromInline('-'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    timeout: Duration.seconds(10),
  });
}

function findingsOf(visibilitySeconds: number, source: SqsEventSourceProps): string[] {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const consumer = consumerIn(stack);
  const queue = new Queue(stack, 'Queue', { visibilityTimeout: Duration.seconds(visibilitySeconds) });
  consumer.addEventSource(new SqsEventSource(queue, source));
  return new FirstcallChecks().validateScope(app).violations.map(({ ruleName }) => ruleName);
}

const good = { reportBatchItemFailures: true, maxConcurrency: 2 };

const timeout = 30_000;

test('a well-wired queue passes', { timeout }, () => {
  expect(findingsOf(60, good)).toEqual([]);
});

test.each<[string, number, SqsEventSourceProps]>([
  ['Firstcall-QueueVisibility', 59, good],
  ['Firstcall-PartialBatch', 60, { maxConcurrency: 2 }],
  ['Firstcall-BoundedConcurrency', 60, { reportBatchItemFailures: true }],
  [
    'Firstcall-NoQueueFilter',
    60,
    { ...good, filters: [FilterCriteria.filter({ body: FilterRule.isEqual('x') })] },
  ],
])('%s is found', { timeout }, (rule, visibilitySeconds, source) => {
  expect(findingsOf(visibilitySeconds, source)).toEqual([rule]);
});

function findingsOfStream(source: Partial<DynamoEventSourceProps> & { readonly keepsFailures?: false }) {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const table = new Table(stack, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
  });
  const { keepsFailures, ...own } = source;
  consumerIn(stack).addEventSource(
    new DynamoEventSource(table as ITable, {
      startingPosition: StartingPosition.TRIM_HORIZON,
      reportBatchItemFailures: true,
      retryAttempts: 10,
      filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })],
      ...(keepsFailures !== false && { onFailure: new SqsDlq(new Queue(stack, 'Failures')) }),
      ...own,
    }),
  );
  return new FirstcallChecks().validateScope(app).violations.map(({ ruleName }) => ruleName);
}

test('a well-wired stream passes', { timeout }, () => {
  expect(findingsOfStream({})).toEqual([]);
});

test.each<[string, Parameters<typeof findingsOfStream>[0]]>([
  ['Firstcall-StreamFilter', { filters: [] }],
  ['Firstcall-PartialBatch', { reportBatchItemFailures: false }],
  ['Firstcall-StreamGivesUp', { retryAttempts: -1 }],
  ['Firstcall-StreamGivesUp', { keepsFailures: false }],
])('%s is found', { timeout }, (rule, source) => {
  expect(findingsOfStream(source)).toEqual([rule]);
});
