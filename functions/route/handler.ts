/** Works through the route queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { type MailMessage, type RouteMessage, routeMessageSchema } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { noteFailuresIn } from '../../shared/runtime/failures.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import type { RouteDependencies } from './dependencies.ts';
import { handleMessage, handleTogether } from './handle-message.ts';

const settings = readSettings({ TABLE_NAME: setting, ROUTE_QUEUE_URL: setting, MAIL_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const sqs = new SQSClient(serviceCalls);
const configuration = openConfiguration(table);
const dependencies: RouteDependencies = {
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  routingStates: createRoutingStates(table),
  practice: configuration.current,
  freshPractice: configuration.fresh,
  routeQueue: createSqsQueue<RouteMessage>(sqs, settings.ROUTE_QUEUE_URL),
  mailQueue: createSqsQueue<MailMessage>(sqs, settings.MAIL_QUEUE_URL),
  environment: systemEnvironment,
};

export const handler = queueHandler(routeMessageSchema, (message) => handleMessage(dependencies, message), {
  noteFailure: noteFailuresIn(table),
  // One transaction for the whole batch.
  together: (messages) => handleTogether(dependencies, messages),
  // What is left of it takes turns on the rotation.
  oneByOne: true,
});
