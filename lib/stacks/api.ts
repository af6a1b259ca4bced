import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { routes } from '../../shared/http/routes.ts';
import type { Configuration } from '../config.ts';
import { Firewall } from '../constructs/firewall.ts';
import { FirstcallFunction } from '../constructs/firstcall-function.ts';
import { InquiryApi } from '../constructs/inquiry-api.ts';
import { onIndexes, onTable, readSecrets, sendTo, useKey } from '../constructs/permissions.ts';
import { StaffPool } from '../constructs/staff-pool.ts';
import type { FoundationStack } from './foundation.ts';
import type { PipelineStack } from './pipeline.ts';

export interface ApiStackProps extends StackProps {
  readonly config: Configuration;
  readonly foundation: FoundationStack;
  readonly pipeline: PipelineStack;
}

const callersRetry =
  'API Gateway invokes it and waits: whoever called gets the error and tries again; nothing is left to queue.';

/** What the world sees: the REST API, its firewall, who may sign in, and the functions that answer. */
export class ApiStack extends Stack {
  constructor(scope: Construct, id: string, props: ApiStackProps) {
    const { config, foundation, pipeline, ...own } = props;
    super(scope, id, { description: `Firstcall ${config.env}: the API`, ...own });
    const { surroundings, table, digestSecret, webhookSecret } = foundation;
    const { key } = surroundings;

    const staff = new StaffPool(this, 'Staff', { config });

    const capture = new FirstcallFunction(this, 'Capture', {
      surroundings,
      table,
      timeout: Duration.seconds(10),
      memorySize: 1024,
      errorImpact: 'Inquiries are refused: patients see an error instead of the thank-you page.',
      environment: {
        SCORE_QUEUE_URL: pipeline.scoreQueue.queueUrl,
        HMAC_SECRET_ARN: digestSecret.secretArn,
        WEBHOOK_SECRET_ARN: webhookSecret.secretArn,
        ALLOWED_ORIGINS: [...new Set([...config.formOrigins, new URL(config.consoleUrl).origin])].join(','),
      },
      permissions: [
        onTable(table, 'BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
        sendTo(pipeline.scoreQueue),
        readSecrets(digestSecret, webhookSecret),
        ...useKey(key, 'dynamodb', 'sqs', 'secretsmanager'),
      ],
    });
    capture.acknowledgeNoDeadLetters(callersRetry);

    const api = new FirstcallFunction(this, 'Api', {
      surroundings,
      table,
      timeout: Duration.seconds(10),
      memorySize: 1024,
      errorImpact: 'Staff cannot see or work on inquiries; those that arrive are still stored and mailed.',
      environment: {
        STAFF_CLIENT_ID: staff.client.userPoolClientId,
        CONSOLE_URL: config.consoleUrl,
        SCORE_QUEUE_URL: pipeline.scoreQueue.queueUrl,
        ROUTE_QUEUE_URL: pipeline.routeQueue.queueUrl,
        MAIL_QUEUE_URL: pipeline.mailQueue.queueUrl,
        HMAC_SECRET_ARN: digestSecret.secretArn,
      },
      permissions: [
        onTable(table, 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
        onIndexes(table, 'queue', 'board', 'timeline'),
        // What staff change may be a trigger of rules, and those are looked at where inquiries are scored.
        // Whoever is given an inquiry by hand is told; what goes back to a pool is handed out there.
        sendTo(pipeline.scoreQueue, pipeline.routeQueue, pipeline.mailQueue),
        // People are searched for by phone number or mailbox, whose digests are the keys.
        readSecrets(digestSecret),
        ...useKey(key, 'dynamodb', 'sqs', 'secretsmanager'),
      ],
    });
    api.acknowledgeNoDeadLetters(callersRetry);

    const unsubscribe = new FirstcallFunction(this, 'Unsubscribe', {
      surroundings,
      table,
      timeout: Duration.seconds(10),
      errorImpact:
        'Unsubscribe links fail: people who want no more e-mail get an error, and the law gives us little time.',
      environment: { HMAC_SECRET_ARN: digestSecret.secretArn },
      permissions: [
        onTable(table, 'PutItem', 'Query', 'UpdateItem'),
        readSecrets(digestSecret),
        ...useKey(key, 'dynamodb', 'secretsmanager'),
      ],
    });
    unsubscribe.acknowledgeNoDeadLetters(callersRetry);

    const restApi = new InquiryApi(this, 'RestApi', {
      surroundings,
      routes,
      answeredBy: { capture, api, unsubscribe },
      staff,
    });
    new Firewall(this, 'Firewall', { surroundings, stage: restApi.deploymentStage, routes });
  }
}
