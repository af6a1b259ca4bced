import { describe, expect, test } from 'vitest';
import { deadLetterQueues } from '../../ops/dead-letters.ts';
import { type Json, ofType, readable, synthesized, the, withoutDigest } from './synthesized.ts';

describe.each(['dev', 'prod'] as const)('pipeline of %s', (env) => {
  const { pipeline } = synthesized(env);
  const queue = (name: string): Json => the(pipeline, 'AWS::SQS::Queue', name).Properties;
  const sources = ofType(pipeline, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties);
  const sourceOf = (consumer: string): Json =>
    sources.find(({ FunctionName }) => readable(FunctionName) === consumer);

  test('every queue is encrypted with our key and takes TLS only', () => {
    const queues = ofType(pipeline, 'AWS::SQS::Queue');
    expect(queues).toHaveLength(10);
    const guarded = ofType(pipeline, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => {
      expect(Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
      return readable(Properties.Queues[0]);
    });
    for (const [id, { Properties }] of queues) {
      expect(readable(Properties.KmsMasterKeyId)).toBe('Key.Arn');
      expect(guarded).toContain(withoutDigest(id));
    }
  });

  test('feedback hears of bounces and complaints, and nothing of them is lost', () => {
    const [[, { Properties: subscription }] = ['', { Properties: {} as Json }]] = ofType(
      pipeline,
      'AWS::SNS::Subscription',
    );
    expect(subscription.Protocol).toBe('lambda');
    expect(readable(subscription.Endpoint)).toBe('Feedback.Arn');
    expect(readable(subscription.TopicArn)).toContain('MailEvents');
    expect(readable(subscription.RedrivePolicy.deadLetterTargetArn)).toBe('LostFeedback.Arn');
    const invocation = the(
      pipeline,
      'AWS::Lambda::EventInvokeConfig',
      'FeedbackEventInvokeConfig',
    ).Properties;
    expect(readable(invocation.DestinationConfig.OnFailure.Destination)).toBe('LostFeedback.Arn');
  });

  test.each([
    ['ScoreQueue', 'Score', 3],
    ['RouteQueue', 'Route', 2],
    ['MailQueue', 'Notify', 3],
  ])('%s feeds %s, %i at once, in partial batches of ten', (name, consumer, maximumConcurrency) => {
    const source = sourceOf(consumer);

    expect(readable(source.EventSourceArn)).toBe(`${name}.Arn`);
    expect(source).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: maximumConcurrency },
    });
    expect(source.FilterCriteria).toBeUndefined();
  });

  test.each([
    ['ScoreQueue', 'Score'],
    ['RouteQueue', 'Route'],
    ['MailQueue', 'Notify'],
  ])('%s hides a message six timeouts of %s long and gives it up after five tries', (name, consumer) => {
    const { Timeout } = the(pipeline, 'AWS::Lambda::Function', consumer).Properties;

    expect(queue(name).VisibilityTimeout).toBe(6 * Timeout);
    expect(queue(name).RedrivePolicy.maxReceiveCount).toBe(5);
    expect(readable(queue(name).RedrivePolicy.deadLetterTargetArn)).toBe(`${name}DeadLetters.Arn`);
    expect(queue(name).MessageRetentionPeriod).toBeGreaterThanOrEqual(4 * 24 * 3600);
  });

  test('each queue of dead letters is known to the commands, and its source with it', () => {
    const queues = ofType(pipeline, 'AWS::SQS::Queue');
    const letters = queues.filter(([, { Properties }]) => Properties.RedrivePolicy === undefined);

    expect(letters.map(([id]) => withoutDigest(id)).sort()).toEqual(
      deadLetterQueues.map((one) => one.queue).sort(),
    );
    for (const { queue: name, source } of deadLetterQueues.filter((one) => one.source !== undefined)) {
      expect(readable(queue(source ?? '').RedrivePolicy.deadLetterTargetArn)).toBe(`${name}.Arn`);
    }
  });

  test.each(deadLetterQueues)(
    '$queue keeps what it got for two weeks, rings at the first and says where to look',
    (letters) => {
      expect(queue(letters.queue).MessageRetentionPeriod).toBe(14 * 24 * 3600);
      const alarm = the(pipeline, 'AWS::CloudWatch::Alarm', `${letters.queue}DepthAlarm`).Properties;
      expect(alarm).toMatchObject({
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        AlarmActions: [expect.anything()],
      });
      expect(readable(alarm.Dimensions[0].Value)).toBe(`${letters.queue}.QueueName`);
      expect(alarm.AlarmDescription).toMatch(new RegExp(` Look: npm run ops -- dlq show ${letters.name}$`));
    },
  );

  test.each(['ScoreQueue', 'RouteQueue', 'MailQueue'])(
    '%s rings when a message waits five minutes',
    (name) => {
      expect(the(pipeline, 'AWS::CloudWatch::Alarm', `${name}AgeAlarm`).Properties).toMatchObject({
        MetricName: 'ApproximateAgeOfOldestMessage',
        Threshold: 300,
      });
    },
  );

  test('remind is started every minute, without retries, and missed starts and failed runs are kept', () => {
    const rule = the(pipeline, 'AWS::Events::Rule', 'EveryMinute').Properties;

    expect(rule.ScheduleExpression).toBe('rate(1 minute)');
    expect(rule.State).toBe('ENABLED');
    expect(rule.Targets).toHaveLength(1);
    expect(readable(rule.Targets[0].Arn)).toBe('Remind.Arn');
    expect(readable(rule.Targets[0].DeadLetterConfig.Arn)).toBe('MissedSweeps.Arn');
    expect(rule.Targets[0].RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
    const invocation = the(pipeline, 'AWS::Lambda::EventInvokeConfig', 'RemindEventInvokeConfig').Properties;
    expect(invocation).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    expect(readable(invocation.DestinationConfig.OnFailure.Destination)).toBe('MissedSweeps.Arn');
  });

  test('EventBridge may put missed starts into their queue', () => {
    const { Statement } = the(pipeline, 'AWS::SQS::QueuePolicy', 'MissedSweepsPolicy').Properties
      .PolicyDocument;

    expect(Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Principal: { Service: 'events.amazonaws.com' },
      }),
    );
  });

  test('silence rings, too: no sweep for five minutes', () => {
    expect(the(pipeline, 'AWS::CloudWatch::Alarm', 'NoSweepAlarm').Properties).toMatchObject({
      MetricName: 'Invocations',
      Period: 300,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  test.each([
    ['AuditChangedAlarm', 'audit_entry_changed', 'report'],
    ['BrokenDueEntryAlarm', 'due_entry_broken', 'remind'],
    ['MailWithoutRecipientAlarm', 'mail_without_recipient', 'notify'],
    ['MailedInPartAlarm', 'mailed_in_part', 'notify'],
    ['RulePassedOverAlarm', 'rule_passed_over', 'score'],
    ['StaffMailBouncedAlarm', 'staff_mail_bounced', 'feedback'],
  ])('%s rings when %s is counted by %s', (name, metric, service) => {
    expect(the(pipeline, 'AWS::CloudWatch::Alarm', name).Properties).toMatchObject({
      Namespace: `Firstcall/${env}`,
      MetricName: metric,
      Dimensions: [{ Name: 'service', Value: service }],
      Threshold: 1,
    });
  });

  test('report sees heads of inquiries and touches on the audit, and what it cannot take is kept', () => {
    const source = sourceOf('Report');

    expect(source).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: 10,
    });
    expect(readable(source.EventSourceArn)).toBe('Table.StreamArn');
    expect(readable(source.DestinationConfig.OnFailure.Destination)).toBe('UncountedChanges.Arn');
    expect(source.FilterCriteria.Filters.map(({ Pattern }: Json) => Pattern)).toEqual([
      '{"dynamodb":{"Keys":{"sk":{"S":["HEAD"]}}}}',
      '{"eventName":["MODIFY","REMOVE"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"AUDIT#"}]}}}}',
    ]);
  });

  test('people sees new contacts, their later points, merges, inquiries of who was known, and new configurations', () => {
    const source = sourceOf('People');

    expect(source).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: 10,
    });
    expect(readable(source.EventSourceArn)).toBe('Table.StreamArn');
    expect(readable(source.DestinationConfig.OnFailure.Destination)).toBe('UnfollowedPeople.Arn');
    expect(source.FilterCriteria.Filters.map(({ Pattern }: Json) => JSON.parse(Pattern))).toEqual([
      {
        eventName: ['INSERT', 'MODIFY'],
        dynamodb: { Keys: { pk: { S: ['CONFIG'] }, sk: { S: ['VERSION'] } } },
      },
      {
        eventName: ['INSERT'],
        dynamodb: { Keys: { pk: { S: [{ prefix: 'CON#' }] }, sk: { S: ['PROFILE', { prefix: 'POINT#' }] } } },
      },
      {
        eventName: ['INSERT', 'MODIFY'],
        dynamodb: { Keys: { pk: { S: [{ prefix: 'CON#' }] }, sk: { S: [{ prefix: 'MERGED#' }] } } },
      },
      {
        eventName: ['INSERT'],
        dynamodb: { Keys: { sk: { S: ['BODY'] } }, NewImage: { returning: { BOOL: [true] } } },
      },
      { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [{ prefix: 'AGAIN#' }] } } } },
    ]);
  });

  test('no event source has more filters than the five that one takes', () => {
    for (const { FilterCriteria } of sources) {
      expect(FilterCriteria?.Filters.length ?? 0).toBeLessThanOrEqual(5);
    }
  });

  test('two functions read the stream, which is as many as it serves', () => {
    const readers = sources.filter(({ EventSourceArn }) => readable(EventSourceArn) === 'Table.StreamArn');

    expect(readers).toHaveLength(2);
  });
});
