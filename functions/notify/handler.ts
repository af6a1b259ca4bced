/** Works through the mail queue; nothing else in the system sends mail. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESClient } from '@aws-sdk/client-ses';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createConsents } from '../../shared/data/consents.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createTimelines } from '../../shared/data/timeline.ts';
import { createWeeklyReports } from '../../shared/data/weekly-reports.ts';
import { mailMessageSchema, type RouteMessage } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { mailCalls, serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { noteFailuresIn } from '../../shared/runtime/failures.ts';
import { describeError, logger } from '../../shared/runtime/lambda.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createDigest, digestSecretSchema } from '../../shared/secrets/digest.ts';
import { createSecret } from '../../shared/secrets/secrets.ts';
import { unsubscribeToken } from '../../shared/secrets/unsubscribe-token.ts';
import { createPace } from './pace.ts';
import { createSesPersonMailer } from './person-mailer.ts';
import { sendMail, sendTogether } from './send-mail.ts';
import { createSesMailer } from './ses-mailer.ts';

const settings = readSettings({
  TABLE_NAME: setting,
  ROUTE_QUEUE_URL: setting,
  SENDER_ADDRESS: setting,
  CONFIGURATION_SET: setting,
  TRACKED_CONFIGURATION_SET: setting,
  CONSOLE_URL: setting,
  PUBLIC_URL: setting,
  HMAC_SECRET_ARN: setting,
});
/** How many of this function run at once: the concurrency of its event source. */
const processes = 3;
const table = openTable(settings.TABLE_NAME);
const ses = new SESClient(mailCalls);
const sender = {
  address: settings.SENDER_ADDRESS,
  configurationSet: settings.CONFIGURATION_SET,
  trackedConfigurationSet: settings.TRACKED_CONFIGURATION_SET,
};
const digestSecret = createSecret(
  new SecretsManagerClient(serviceCalls),
  settings.HMAC_SECRET_ARN,
  digestSecretSchema,
);
const openDigest = async () => createDigest(await digestSecret());
const dependencies = {
  table,
  inquiries: createInquiries(table),
  weeklyReports: createWeeklyReports(table),
  notices: createNotices(table),
  digests: createDigests(table),
  rollups: createRollups(table),
  practice: openConfiguration(table).current,
  mailer: createSesMailer(ses, sender),
  contacts: createContacts(table),
  timelines: createTimelines(table),
  messages: createMessages(table),
  consents: createConsents(table),
  mailboxes: createMailboxes(table),
  tasks: createTasks(table),
  personMailer: createSesPersonMailer(ses, sender, async () => {
    const digest = await openDigest();
    return (contactId, purpose) =>
      `${settings.PUBLIC_URL}/v1/unsubscribe/${unsubscribeToken(digest, contactId, purpose)}`;
  }),
  pace: createPace(processes),
  openDigest,
  environment: systemEnvironment,
  consoleUrl: settings.CONSOLE_URL,
  routeQueue: createSqsQueue<RouteMessage>(new SQSClient(serviceCalls), settings.ROUTE_QUEUE_URL),
  onEnqueueFailure: (inquiryId: string, error: unknown) =>
    logger.warn('noted, not enqueued: the sweep will', { inquiryId, ...describeError(error) }),
};

export const handler = queueHandler(mailMessageSchema, (message) => sendMail(dependencies, message), {
  noteFailure: noteFailuresIn(table),
  together: (messages) => sendTogether(dependencies, messages),
});
