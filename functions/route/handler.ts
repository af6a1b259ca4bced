/** Works through the route queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createConfigurationReader } from '../../shared/data/configuration.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { type MailMessage, stepMessageSchema } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { routeInquiry } from './route-inquiry.ts';

const settings = readSettings({ TABLE_NAME: setting, MAIL_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const configuration = createConfigurationReader({ table, now: systemEnvironment.now });
const dependencies = {
  table,
  inquiries: createInquiries(table),
  routingStates: createRoutingStates(table),
  practice: () => configuration.current(),
  mailQueue: createSqsQueue<MailMessage>(new SQSClient({}), settings.MAIL_QUEUE_URL),
  environment: systemEnvironment,
};

export const handler = queueHandler(stepMessageSchema, (message) => routeInquiry(dependencies, message));
