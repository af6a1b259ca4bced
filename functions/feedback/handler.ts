/** Takes up what SES tells of mails that went out. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SNSEvent } from 'aws-lambda';
import { createConsents } from '../../shared/data/consents.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { countMetric, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createDigest, digestSecretSchema } from '../../shared/secrets/digest.ts';
import { createSecret } from '../../shared/secrets/secrets.ts';
import { readSesEvent, takeFeedback } from './take-feedback.ts';

const settings = readSettings({ TABLE_NAME: setting, HMAC_SECRET_ARN: setting });
const table = openTable(settings.TABLE_NAME);
const digestSecret = createSecret(
  new SecretsManagerClient(serviceCalls),
  settings.HMAC_SECRET_ARN,
  digestSecretSchema,
);
const dependencies = {
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  consents: createConsents(table),
  messages: createMessages(table),
  mailboxes: createMailboxes(table),
  tasks: createTasks(table),
  practice: openConfiguration(table).current,
  environment: systemEnvironment,
  openDigest: async () => createDigest(await digestSecret()),
};

export const handler = lambdaHandler<SNSEvent, void>(async ({ Records }) => {
  for (const { Sns } of Records) {
    const event = readSesEvent(Sns.Message);
    if (!event) continue;
    for (const outcome of await takeFeedback(dependencies, event)) {
      // The event names the recipient: of it nothing but its kind is logged.
      logger.info('feedback taken', { eventType: event.eventType, outcome });
      countMetric(outcome);
    }
  }
});
