import { App, Duration, Stack } from 'aws-cdk-lib';
import {
  Code,
  FilterCriteria,
  FilterRule,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource, type SqsEventSourceProps } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { FirstcallChecks } from '../../lib/firstcall-checks.ts';

function findingsOf(visibilitySeconds: number, source: SqsEventSourceProps): string[] {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const consumer = new LambdaFunction(stack, 'Consumer', {
    code: Code.fromInline('-'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    timeout: Duration.seconds(10),
  });
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
