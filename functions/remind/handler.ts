/** Runs the sweep, once a minute. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createContacts } from '../../shared/data/contacts.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createWeeklyReports } from '../../shared/data/weekly-reports.ts';
import type { MailMessage, RouteMessage, StepMessage } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { countMetric, describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { sweep } from './sweep.ts';

const settings = readSettings({
  TABLE_NAME: setting,
  SCORE_QUEUE_URL: setting,
  ROUTE_QUEUE_URL: setting,
  MAIL_QUEUE_URL: setting,
});
const table = openTable(settings.TABLE_NAME);
const sqs = new SQSClient(serviceCalls);
const dependencies = {
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  routingStates: createRoutingStates(table),
  weeklyReports: createWeeklyReports(table),
  tasks: createTasks(table),
  notices: createNotices(table),
  digests: createDigests(table),
  practice: openConfiguration(table).current,
  scoreQueue: createSqsQueue<StepMessage>(sqs, settings.SCORE_QUEUE_URL),
  routeQueue: createSqsQueue<RouteMessage>(sqs, settings.ROUTE_QUEUE_URL),
  mailQueue: createSqsQueue<MailMessage>(sqs, settings.MAIL_QUEUE_URL),
  environment: systemEnvironment,
  onBroken: ({ pk, sk }: { pk: string; sk: string }, error: unknown) => {
    logger.error('due entry failed', { pk, sk, ...describeError(error) });
    countMetric('due_entry_broken');
  },
};

export const handler = lambdaHandler(async (_event: unknown, context) => {
  const swept = await sweep({ ...dependencies, remainingMs: () => context.getRemainingTimeInMillis() });
  if (Object.values(swept).some((n) => n > 0)) logger.info('swept', { ...swept });
});
