/** Works through the score queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { stepMessageSchema } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { scoreInquiry } from './score-inquiry.ts';

const settings = readSettings({ TABLE_NAME: setting, ROUTE_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const dependencies = {
  inquiries: createInquiries(table),
  practice: openConfiguration(table),
  routeQueue: createSqsQueue<{ inquiryId: string; version: number }>(
    new SQSClient({}),
    settings.ROUTE_QUEUE_URL,
  ),
  environment: systemEnvironment,
};

export const handler = queueHandler(stepMessageSchema, (message) => scoreInquiry(dependencies, message));
