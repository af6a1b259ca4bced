import { Duration, Validations } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource, type SqsEventSourceProps } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ImpactAlarm } from './impact-alarm.ts';
import type { Surroundings } from './surroundings.ts';

export interface DeadLetterQueueProps extends QueueProps {
  readonly surroundings: Surroundings;
  /** What commands call it: the alarm says to look with `npm run ops -- dlq show <letters>`. */
  readonly letters: string;
  /** What it means that something ended here; the alarm's text. */
  readonly errorImpact: string;
}

/** Where work ends that could not be done. Rings as soon as something is in it. */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    const { surroundings, letters, errorImpact, ...own } = props;
    super(scope, id, {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: surroundings.key,
      enforceSSL: true,
      // The longest there is: somebody must find the time to look.
      retentionPeriod: Duration.days(14),
      ...own,
    });
    new ImpactAlarm(this, 'DepthAlarm', {
      surroundings,
      errorImpact: `${errorImpact} Look: npm run ops -- dlq show ${letters}`,
      metric: this.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
    });
    const reason =
      'This is a dead-letter queue itself: the last stop, with an alarm on its first message and two weeks to redrive it.';
    Validations.of(this).acknowledge(
      { id: 'Serverless-SQSRedrivePolicy', reason },
      { id: 'AwsSolutions-SQS3', reason },
    );
  }
}

export interface WorkQueueProps extends QueueProps {
  readonly surroundings: Surroundings;
  /** What commands call its dead letters. */
  readonly letters: string;
  /** The time limit of the function that reads the queue. */
  readonly consumerTimeout: Duration;
  /** What it means that a message was given up; the dead letters' alarm. */
  readonly errorImpact: string;
  /** What it means that messages wait; the alarm on the oldest one's age. */
  readonly delayImpact: string;
}

/** A queue of work with its dead letters and both their alarms. Messages carry ids only. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const { surroundings, letters, consumerTimeout, errorImpact, delayImpact, ...own } = props;
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { surroundings, letters, errorImpact });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: surroundings.key,
      enforceSSL: true,
      // Six times: five retries of the poller on a throttled function still fit in.
      visibilityTimeout: Duration.seconds(consumerTimeout.toSeconds() * 6),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
      ...own,
    });
    new ImpactAlarm(this, 'AgeAlarm', {
      surroundings,
      errorImpact: delayImpact,
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
      threshold: Duration.minutes(5).toSeconds(),
    });
  }

  /**
   * Lets a function read the queue, some messages at a time. Concurrency is
   * bounded here rather than reserved with the function, since a new account
   * has ten to share between all.
   */
  feed(
    consumer: LambdaFunction,
    props: SqsEventSourceProps & Required<Pick<SqsEventSourceProps, 'maxConcurrency'>>,
  ): void {
    const source = new SqsEventSource(this.queue, {
      batchSize: 10,
      reportBatchItemFailures: true,
      ...props,
    });
    consumer.addEventSource(source);
    acknowledgeQueueSource(consumer);
  }
}

function acknowledgeQueueSource(consumer: LambdaFunction): void {
  Validations.of(consumer).acknowledge({
    id: 'Serverless-LambdaEventSourceMappingDestination',
    reason:
      'A queue as event source takes no failure destination: what fails five times goes to the dead letters of the queue.',
  });
}
