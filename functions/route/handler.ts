/** Works through the route queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { type MailMessage, stepMessageSchema } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { routeInquiry, routeTogether } from './route-inquiry.ts';

const settings = readSettings({ TABLE_NAME: setting, MAIL_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const dependencies = {
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  routingStates: createRoutingStates(table),
  practice: openConfiguration(table).current,
  mailQueue: createSqsQueue<MailMessage>(new SQSClient({}), settings.MAIL_QUEUE_URL),
  environment: systemEnvironment,
};

export const handler = queueHandler(stepMessageSchema, (message) => routeInquiry(dependencies, message), {
  // One transaction for the whole batch.
  together: (messages) => routeTogether(dependencies, messages),
  // What is left of it takes turns on the rotation.
  oneByOne: true,
});
