/** Takes inquiries from outside: the hosted form, posts of web forms, webhooks. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { hasteningCalls, serviceCalls } from '../../shared/runtime/calls.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createDigest, digestSecretSchema } from '../../shared/secrets/digest.ts';
import { createSecret } from '../../shared/secrets/secrets.ts';
import { createCaptureApi } from './api.ts';

const settings = readSettings({
  TABLE_NAME: setting,
  SCORE_QUEUE_URL: setting,
  HMAC_SECRET_ARN: setting,
  WEBHOOK_SECRET_ARN: setting,
  ALLOWED_ORIGINS: z.string().default(''),
  /** Set on a developer's machine only, where it names the inbox and the like. */
  PAGE_LINKS: z
    .string()
    .transform((text) => JSON.parse(text))
    .pipe(z.array(z.object({ text: z.string(), href: z.string() })))
    .default([]),
});
/** A practice that changes its webhook key waits this long at the most. */
const webhookSecretAgeMs = 5 * 60_000;
const secretsManager = new SecretsManagerClient(serviceCalls);
// The inquiry is stored before it is enqueued: a queue that hangs must not cost the answer; the sweep enqueues.
const sqs = new SQSClient(hasteningCalls);
const table = openTable(settings.TABLE_NAME);
const digestSecret = createSecret(secretsManager, settings.HMAC_SECRET_ARN, digestSecretSchema);
const webhookSecret = createSecret(
  secretsManager,
  settings.WEBHOOK_SECRET_ARN,
  z.object({ googleAdsKey: z.string().min(8) }),
  webhookSecretAgeMs,
);

const api = createCaptureApi({
  allowedOrigins: settings.ALLOWED_ORIGINS.split(',').filter((origin) => origin !== ''),
  pageLinks: settings.PAGE_LINKS,
  practice: openConfiguration(table).current,
  digest: async () => createDigest(await digestSecret()),
  googleAdsKey: async () => (await webhookSecret()).googleAdsKey,
  capture: {
    table,
    inquiries: createInquiries(table),
    contacts: createContacts(table),
    scoreQueue: createSqsQueue(sqs, settings.SCORE_QUEUE_URL),
    environment: systemEnvironment,
    onEnqueueFailure: (inquiryId, error) =>
      logger.warn('stored, not enqueued: the sweep will', { inquiryId, ...describeError(error) }),
  },
  onRefused: (route, code) => logger.info('request refused', { route, code }),
  onFailed: (route, error) => logger.error('request failed', { route, ...describeError(error) }),
});

export const handler = lambdaHandler(api);
