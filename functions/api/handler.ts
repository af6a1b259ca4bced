/** Answers the staff routes. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createAppointments } from '../../shared/data/appointments.ts';
import { createAudit } from '../../shared/data/audit.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createTimelines } from '../../shared/data/timeline.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { hasteningCalls, serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createDigest, digestSecretSchema } from '../../shared/secrets/digest.ts';
import { createSecret } from '../../shared/secrets/secrets.ts';
import { createStaffApi } from './staff-api.ts';

const settings = readSettings({
  TABLE_NAME: setting,
  STAFF_CLIENT_ID: setting,
  CONSOLE_URL: setting,
  SCORE_QUEUE_URL: setting,
  ROUTE_QUEUE_URL: setting,
  MAIL_QUEUE_URL: setting,
  HMAC_SECRET_ARN: setting,
});
// What staff did is stored before rules are asked to look at it: a queue that hangs must not cost the answer.
const sqs = new SQSClient(hasteningCalls);
const digestSecret = createSecret(
  new SecretsManagerClient(serviceCalls),
  settings.HMAC_SECRET_ARN,
  digestSecretSchema,
);
const table = openTable(settings.TABLE_NAME);

const api = createStaffApi({
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  timelines: createTimelines(table),
  tasks: createTasks(table),
  appointments: createAppointments(table),
  rollups: createRollups(table),
  routingStates: createRoutingStates(table),
  audit: createAudit(table, systemEnvironment),
  practice: openConfiguration(table).current,
  environment: systemEnvironment,
  openDigest: async () => createDigest(await digestSecret()),
  scoreQueue: createSqsQueue(sqs, settings.SCORE_QUEUE_URL),
  routeQueue: createSqsQueue(sqs, settings.ROUTE_QUEUE_URL),
  mailQueue: createSqsQueue(sqs, settings.MAIL_QUEUE_URL),
  onEnqueueFailure: (inquiryId, error) =>
    logger.warn('stored, not enqueued: the sweep will', { inquiryId, ...describeError(error) }),
  clientId: settings.STAFF_CLIENT_ID,
  consoleOrigin: new URL(settings.CONSOLE_URL).origin,
  onFailed: (error) => logger.error('request failed', describeError(error)),
});

export const handler = lambdaHandler<APIGatewayProxyEvent, APIGatewayProxyResult>(api);
