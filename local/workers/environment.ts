import { devNull } from 'node:os';
import { credentials } from '../engines/tables.ts';
import type { Endpoints } from '../home.ts';
import { arn, region } from '../template/identity.ts';
import { withQueueUrls } from '../template/physical.ts';
import type { FunctionPlan } from '../template/plan.ts';
import type { WorkerSettings } from './pool.ts';

/** The address that the development stacks are synthesized with; `PORT` moves it. */
const synthesizedOrigin = 'http://localhost:4000';

export interface PageLink {
  readonly text: string;
  readonly href: string;
}

export interface Surroundings {
  readonly origin: string;
  readonly endpoints: Endpoints;
  readonly logFile: string;
  readonly concurrency: number;
  readonly clockAheadMs?: number;
  /** What this function's pages link to beside what they know; most have no pages. */
  readonly pageLinks?: readonly PageLink[];
  queueUrl(queueName: string): string;
}

/** What a thread is started with: the template's environment, and what Lambda itself would set. */
export function workerSettings(plan: FunctionPlan, around: Surroundings): WorkerSettings {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials();
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(plan.environment)) {
    environment[name] = withQueueUrls(value, around.queueUrl).replaceAll(synthesizedOrigin, around.origin);
  }
  return {
    functionName: plan.functionName,
    functionArn: arn('lambda', `function:${plan.functionName}`),
    bundleFile: `${plan.bundleFile}.mjs`,
    exportName: plan.exportName,
    memoryMiB: plan.memoryMiB,
    timeoutSeconds: plan.timeoutSeconds,
    logFile: around.logFile,
    concurrency: around.concurrency,
    clockAheadMs: around.clockAheadMs ?? 0,
    environment: {
      ...environment,
      ...(around.pageLinks && { PAGE_LINKS: JSON.stringify(around.pageLinks) }),
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
      AWS_LAMBDA_FUNCTION_NAME: plan.functionName,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMiB),
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${plan.functionName}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
      TZ: ':UTC',
      // A developer's own profile must not reach in; in Lambda there is none.
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_DYNAMODB: around.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: around.endpoints.sqs,
      AWS_ENDPOINT_URL_SES: around.endpoints.ses,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: around.endpoints.secretsManager,
    },
  };
}
