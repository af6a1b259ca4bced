/** Answers unsubscribe links. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createConsents } from '../../shared/data/consents.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { countMetric, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createDigest, digestSecretSchema } from '../../shared/secrets/digest.ts';
import { createSecret } from '../../shared/secrets/secrets.ts';
import { createUnsubscribeApi } from './api.ts';

const settings = readSettings({ TABLE_NAME: setting, HMAC_SECRET_ARN: setting });
const table = openTable(settings.TABLE_NAME);
const digestSecret = createSecret(
  new SecretsManagerClient(serviceCalls),
  settings.HMAC_SECRET_ARN,
  digestSecretSchema,
);

const api = createUnsubscribeApi({
  table,
  contacts: createContacts(table),
  consents: createConsents(table),
  mailboxes: createMailboxes(table),
  practice: openConfiguration(table).current,
  environment: systemEnvironment,
  openDigest: async () => createDigest(await digestSecret()),
  onTakenBack: (outcome, purpose) => {
    logger.info('unsubscribed', { outcome, purpose });
    countMetric(outcome);
  },
});

export const handler = lambdaHandler<APIGatewayProxyEvent, APIGatewayProxyResult>(api);
