/** Works through the score queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createTimelines } from '../../shared/data/timeline.ts';
import { type MailMessage, type RouteMessage, stepMessageSchema } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { noteFailuresIn } from '../../shared/runtime/failures.ts';
import { countMetric, logger } from '../../shared/runtime/lambda.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import type { ScoreDependencies } from './dependencies.ts';
import { scoreInquiry, scoreTogether } from './score-inquiry.ts';

const settings = readSettings({ TABLE_NAME: setting, ROUTE_QUEUE_URL: setting, MAIL_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const sqs = new SQSClient(serviceCalls);
const dependencies: ScoreDependencies = {
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  timelines: createTimelines(table),
  tasks: createTasks(table),
  notices: createNotices(table),
  routingStates: createRoutingStates(table),
  practice: openConfiguration(table).current,
  routeQueue: createSqsQueue<RouteMessage>(sqs, settings.ROUTE_QUEUE_URL),
  mailQueue: createSqsQueue<MailMessage>(sqs, settings.MAIL_QUEUE_URL),
  environment: systemEnvironment,
  onRuleFault: (inquiryId, { rule, reason }) => {
    logger.error('rule passed over', { inquiryId, rule, reason });
    countMetric('rule_passed_over');
  },
};

export const handler = queueHandler(stepMessageSchema, (message) => scoreInquiry(dependencies, message), {
  noteFailure: noteFailuresIn(table),
  together: (messages) => scoreTogether(dependencies, messages),
});
