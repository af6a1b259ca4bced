import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { FirstcallFunction } from '../constructs/firstcall-function.ts';
import { ImpactAlarm } from '../constructs/impact-alarm.ts';
import {
  onIndexes,
  onTable,
  readSecrets,
  readStreamOf,
  receiveFrom,
  sendTo,
  useKey,
} from '../constructs/permissions.ts';
import { DeadLetterQueue, WorkQueue } from '../constructs/work-queue.ts';
import type { FoundationStack } from './foundation.ts';

export interface PipelineStackProps extends StackProps {
  readonly config: Configuration;
  readonly foundation: FoundationStack;
}

const timeouts = {
  score: Duration.seconds(15),
  route: Duration.seconds(15),
  notify: Duration.seconds(30),
  remind: Duration.seconds(50),
  report: Duration.seconds(30),
  people: Duration.seconds(30),
  feedback: Duration.seconds(30),
};

/**
 * How many of each may run at once: together eight, since a new account has ten
 * and must be left some to take inquiries with. Routing stays at two whatever
 * the account has: more would only contend for the same pools.
 */
const concurrency = { score: 3, route: 2, notify: 3 };

const queuesAreRetried =
  'A queue invokes it: what fails goes back to the queue and, after five times, to its dead letters.';

/** From a stored inquiry to the e-mail: score, route, notify; and remind, report and people beside them. */
export class PipelineStack extends Stack {
  readonly scoreQueue: IQueue;
  readonly routeQueue: IQueue;
  readonly mailQueue: IQueue;

  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    const { config, foundation, ...own } = props;
    super(scope, id, { description: `Firstcall ${config.env}: from inquiry to e-mail`, ...own });
    const { surroundings, table, mail } = foundation;
    const { key } = surroundings;

    const scoring = new WorkQueue(this, 'ScoreQueue', {
      surroundings,
      letters: 'score',
      consumerTimeout: timeouts.score,
      errorImpact:
        'An inquiry could not be scored and has no tier: nobody is assigned to it until its dead letter is looked at.',
      delayImpact: 'Inquiries wait more than five minutes for their score: nobody has been told of them yet.',
    });
    const routing = new WorkQueue(this, 'RouteQueue', {
      surroundings,
      letters: 'route',
      consumerTimeout: timeouts.route,
      errorImpact: 'An inquiry has a score but could not be given to a coordinator: nobody is going to call.',
      delayImpact: 'Inquiries wait more than five minutes for a coordinator: their clock is running.',
    });
    const mailing = new WorkQueue(this, 'MailQueue', {
      surroundings,
      letters: 'mail',
      consumerTimeout: timeouts.notify,
      errorImpact:
        'An e-mail to a coordinator could not be sent: the inquiry is assigned, but its coordinator may not know.',
      delayImpact: 'E-mails to coordinators wait more than five minutes: first calls will be late.',
    });
    this.scoreQueue = scoring.queue;
    this.routeQueue = routing.queue;
    this.mailQueue = mailing.queue;

    const score = new FirstcallFunction(this, 'Score', {
      surroundings,
      table,
      timeout: timeouts.score,
      errorImpact: 'Inquiries are stored but not scored: they wait until this works again.',
      environment: { ROUTE_QUEUE_URL: routing.queue.queueUrl, MAIL_QUEUE_URL: mailing.queue.queueUrl },
      permissions: [
        receiveFrom(scoring.queue),
        // Facts that changed are stored with the head, its entry and its person in one transaction.
        onTable(table, 'BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
        // The alert of a red flag waits for no routing.
        sendTo(routing.queue, mailing.queue),
        ...useKey(key, 'dynamodb', 'sqs'),
      ],
    });
    score.acknowledgeNoDeadLetters(queuesAreRetried);
    scoring.feed(score, { maxConcurrency: concurrency.score });
    new ImpactAlarm(this, 'RulePassedOverAlarm', {
      surroundings,
      errorImpact:
        'A triage rule could not be looked at and counts as one that does not hold: inquiries are decided without it. Its id is in the log of score; mend or disable it.',
      metric: score.metricCounted('rule_passed_over'),
    });

    const route = new FirstcallFunction(this, 'Route', {
      surroundings,
      table,
      timeout: timeouts.route,
      errorImpact: 'Inquiries are scored but given to nobody: they wait until this works again.',
      environment: { ROUTE_QUEUE_URL: routing.queue.queueUrl, MAIL_QUEUE_URL: mailing.queue.queueUrl },
      permissions: [
        receiveFrom(routing.queue),
        onTable(table, 'BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
        // What waits in a pool, and what somebody has who is disabled.
        onIndexes(table, 'queue'),
        // Where there is more than one run takes on, it asks itself to go on.
        sendTo(routing.queue, mailing.queue),
        ...useKey(key, 'dynamodb', 'sqs'),
      ],
    });
    route.acknowledgeNoDeadLetters(queuesAreRetried);
    routing.feed(route, { maxConcurrency: concurrency.route });

    const notify = new FirstcallFunction(this, 'Notify', {
      surroundings,
      table,
      timeout: timeouts.notify,
      errorImpact:
        'Coordinators get no e-mail about new inquiries or reminders: watch the queue in the console.',
      environment: {
        SENDER_ADDRESS: config.senderAddress,
        CONFIGURATION_SET: mail.staff.configurationSetName,
        TRACKED_CONFIGURATION_SET: mail.patients.configurationSetName,
        CONSOLE_URL: config.consoleUrl,
        PUBLIC_URL: config.publicUrl,
        HMAC_SECRET_ARN: foundation.digestSecret.secretArn,
        ROUTE_QUEUE_URL: routing.queue.queueUrl,
      },
      permissions: [
        receiveFrom(mailing.queue),
        // Once the managers are told of an escalation, somebody else is to have it.
        sendTo(routing.queue),
        onTable(table, 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
        // A digest counts what waits for a member.
        onIndexes(table, 'queue'),
        mail.maySend(),
        // Links to unsubscribe are signed with it, and mailboxes known by it.
        readSecrets(foundation.digestSecret),
        ...useKey(key, 'dynamodb', 'sqs', 'secretsmanager'),
      ],
    });
    notify.acknowledgeNoDeadLetters(queuesAreRetried);
    mailing.feed(notify, { maxConcurrency: concurrency.notify });
    new ImpactAlarm(this, 'MailWithoutRecipientAlarm', {
      surroundings,
      errorImpact:
        'An e-mail about an inquiry, or the alert of an emergency, had nobody to go to: its assignee is disabled, and no manager or admin is enabled. Enable one, and look at the open inquiries.',
      metric: notify.metricCounted('mail_without_recipient'),
    });
    new ImpactAlarm(this, 'MailedInPartAlarm', {
      surroundings,
      errorImpact:
        'A mail to several members reached some of them only: SES refused the others, who may not know of an inquiry or an emergency. Look at the e-mail addresses of the members, and at the limits of SES.',
      metric: notify.metricCounted('mailed_in_part'),
    });

    this.#followMail(foundation);
    this.#remindEveryMinute(foundation, [scoring.queue, routing.queue, mailing.queue]);
    this.#reportFromStream(foundation);
    this.#followPeopleFromStream(foundation, scoring.queue, routing.queue);
  }

  /** Bounces, complaints and openings, as SES tells them to the topic. */
  #followMail({ surroundings, table, digestSecret, mail }: FoundationStack): void {
    const lost = new DeadLetterQueue(this, 'LostFeedback', {
      surroundings,
      letters: 'feedback',
      errorImpact:
        'A bounce or a complaint was not taken up: a mailbox that should get no more e-mail may get some.',
    });
    const feedback = new FirstcallFunction(this, 'Feedback', {
      surroundings,
      table,
      timeout: timeouts.feedback,
      errorImpact: 'Bounces and complaints are not taken up: people who complained may be written to again.',
      environment: { HMAC_SECRET_ARN: digestSecret.secretArn },
      retryAttempts: 2,
      onFailure: new SqsDestination(lost),
      permissions: [
        onTable(table, 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
        readSecrets(digestSecret),
        sendTo(lost),
        ...useKey(surroundings.key, 'dynamodb', 'sqs', 'secretsmanager'),
      ],
    });
    feedback.acknowledgeNoDeadLetters(
      'A failed event goes to the failure destination of its invocations, which says more than a dead-letter queue would.',
    );
    mail.events.addSubscription(new LambdaSubscription(feedback, { deadLetterQueue: lost }));
    new ImpactAlarm(this, 'StaffMailBouncedAlarm', {
      surroundings,
      errorImpact:
        "A member's own mailbox bounced or complained: they may not be told of their inquiries. Look at the e-mail addresses of the members.",
      metric: feedback.metricCounted('staff_mail_bounced'),
    });
  }

  #remindEveryMinute({ surroundings, table }: FoundationStack, queues: [IQueue, IQueue, IQueue]): void {
    const [scoreQueue, routeQueue, mailQueue] = queues;
    const missed = new DeadLetterQueue(this, 'MissedSweeps', {
      surroundings,
      letters: 'sweeps',
      errorImpact:
        'A sweep over what is due failed or was not started. The next one makes up for it; if this rings again and again, nobody is reminded and stuck inquiries stay stuck.',
    });
    const remind = new FirstcallFunction(this, 'Remind', {
      surroundings,
      table,
      timeout: timeouts.remind,
      errorImpact: 'Overdue inquiries are not reminded of, and stuck ones are not set going again.',
      environment: {
        SCORE_QUEUE_URL: scoreQueue.queueUrl,
        ROUTE_QUEUE_URL: routeQueue.queueUrl,
        MAIL_QUEUE_URL: mailQueue.queueUrl,
      },
      // The next minute's sweep is the retry.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      onFailure: new SqsDestination(missed),
      permissions: [
        onIndexes(table, 'due'),
        onTable(table, 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
        sendTo(...queues, missed),
        ...useKey(surroundings.key, 'dynamodb', 'sqs'),
      ],
    });
    remind.acknowledgeNoDeadLetters(
      'A failed sweep goes to the failure destination of its invocations, which says more than a dead-letter queue would.',
    );
    new Rule(this, 'EveryMinute', {
      description: 'Starts the sweep over what is due',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(remind, {
          deadLetterQueue: missed,
          maxEventAge: Duration.minutes(1),
          retryAttempts: 0,
        }),
      ],
    });
    new ImpactAlarm(this, 'NoSweepAlarm', {
      surroundings,
      errorImpact:
        'There has been no sweep over what is due for five minutes: overdue inquiries are not reminded of, and stuck ones are not set going again.',
      metric: remind.metricInvocations({ period: Duration.minutes(5) }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    });
    new ImpactAlarm(this, 'BrokenDueEntryAlarm', {
      surroundings,
      errorImpact:
        'Something that is due cannot be read and was put off: one inquiry or weekly report is stuck until somebody looks at it. Its key is in the log of remind; npm run ops -- reconcile says what is wrong with it.',
      metric: remind.metricCounted('due_entry_broken'),
    });
  }

  #reportFromStream({ surroundings, table }: FoundationStack): void {
    const uncounted = new DeadLetterQueue(this, 'UncountedChanges', {
      surroundings,
      letters: 'figures',
      errorImpact:
        'Changes to inquiries are missing from the reports. Nobody waits longer for a call, but the figures are too low until they are rebuilt.',
    });
    const report = new FirstcallFunction(this, 'Report', {
      surroundings,
      table,
      timeout: timeouts.report,
      errorImpact:
        'The figures in the reports stand still, and a tampering with the audit would go unnoticed.',
      permissions: [
        ...readStreamOf(table),
        onTable(table, 'Query', 'UpdateItem'),
        sendTo(uncounted),
        ...useKey(surroundings.key, 'dynamodb', 'sqs'),
      ],
    });
    report.acknowledgeNoDeadLetters(
      'The stream invokes it: what fails goes to the failure destination of the event source.',
    );
    report.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        // Nobody waits for a figure: within a second an inquiry is often routed and told of, and so counted in one go.
        maxBatchingWindow: Duration.seconds(1),
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: 10,
        onFailure: new SqsDlq(uncounted),
        // Heads of inquiries, never bodies or the roll-ups that it writes itself; and any touch on the audit.
        filters: [
          FilterCriteria.filter({ dynamodb: { Keys: { sk: { S: FilterRule.isEqual('HEAD') } } } }),
          FilterCriteria.filter({
            eventName: FilterRule.or('MODIFY', 'REMOVE'),
            dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('AUDIT#') } } },
          }),
        ],
      }),
    );
    new ImpactAlarm(this, 'AuditChangedAlarm', {
      surroundings,
      errorImpact:
        "An entry of the audit was changed or removed, which nothing of Firstcall does: somebody with access to the table did. Treat it as a security incident; the entry's key is in the log of report.",
      metric: report.metricCounted('audit_entry_changed'),
    });
  }
  // The second reader of the stream: DynamoDB advises against a third, which would be throttled.
  #followPeopleFromStream(
    { surroundings, table }: FoundationStack,
    scoreQueue: IQueue,
    routeQueue: IQueue,
  ): void {
    const unfollowed = new DeadLetterQueue(this, 'UnfollowedPeople', {
      surroundings,
      letters: 'people',
      errorImpact:
        'A change of the configuration may not be followed at once (open work of somebody who was disabled stays with them), and for some new contacts nobody looked who else is behind their phone number or mailbox, or open inquiries of somebody who wrote again kept their score. Nobody waits longer for a call; duplicates may go unnoticed.',
    });
    const people = new FirstcallFunction(this, 'People', {
      surroundings,
      table,
      timeout: timeouts.people,
      errorImpact:
        'Duplicates among contacts are not suggested to staff, and scores do not follow what people add later. Inquiries go their way as before.',
      environment: { SCORE_QUEUE_URL: scoreQueue.queueUrl, ROUTE_QUEUE_URL: routeQueue.queueUrl },
      permissions: [
        ...readStreamOf(table),
        onTable(table, 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
        onIndexes(table, 'timeline'),
        sendTo(scoreQueue, routeQueue, unfollowed),
        ...useKey(surroundings.key, 'dynamodb', 'sqs'),
      ],
    });
    people.acknowledgeNoDeadLetters(
      'The stream invokes it: what fails goes to the failure destination of the event source.',
    );
    const ofContact = { pk: { S: FilterRule.beginsWith('CON#') } };
    people.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 50,
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: 10,
        onFailure: new SqsDlq(unfollowed),
        // Who came new or with which later point, who is one with whom, and who came again; never what it
        // writes itself. Each version of the configuration, for what waits and for who is disabled. And what
        // it is asked to follow once more: five filters are as many as an event source takes.
        filters: [
          FilterCriteria.filter({
            eventName: FilterRule.or('INSERT', 'MODIFY'),
            dynamodb: {
              Keys: { pk: { S: FilterRule.isEqual('CONFIG') }, sk: { S: FilterRule.isEqual('VERSION') } },
            },
          }),
          FilterCriteria.filter({
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: {
              Keys: {
                ...ofContact,
                sk: { S: [...FilterRule.isEqual('PROFILE'), ...FilterRule.beginsWith('POINT#')] },
              },
            },
          }),
          FilterCriteria.filter({
            eventName: FilterRule.or('INSERT', 'MODIFY'),
            dynamodb: { Keys: { ...ofContact, sk: { S: FilterRule.beginsWith('MERGED#') } } },
          }),
          FilterCriteria.filter({
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: {
              Keys: { sk: { S: FilterRule.isEqual('BODY') } },
              NewImage: { returning: { BOOL: [true] } },
            },
          }),
          FilterCriteria.filter({
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('AGAIN#') } } },
          }),
        ],
      }),
    );
  }
}
