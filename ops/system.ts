/** The way from a command to the table and the queues: of the system that runs here, or of the environment's account. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { paginateListQueues, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ConfigurationMissing, readConfiguration } from '../shared/data/configuration.ts';
import { createDocumentClient, createDynamoTable } from '../shared/data/dynamo-table.ts';
import type { Table } from '../shared/data/table.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { Refusal } from './terminal.ts';

/** What a running system writes down for commands like these. */
const runtimeSchema = z.object({
  tableName: z.string(),
  endpoints: z.object({ dynamodb: z.string(), sqs: z.string().optional() }),
  queueUrls: z.record(z.string(), z.string()).default({}),
});

/** Where the table and the queues are, and how to get there. */
interface Place {
  readonly tableName: string;
  readonly dynamodb: DynamoDBClientConfig;
  readonly sqs: SQSClientConfig;
  /** The state folder of the system that runs here, with its queues; absent in an AWS account. */
  readonly local?: { readonly home: string; readonly queueUrls: Readonly<Record<string, string>> };
}

/** The table's name and the way to it: from the environment, else of the system running here. */
function findPlace(): Place {
  // The SDK finds everything else in the environment by itself, AWS_ENDPOINT_URL_DYNAMODB included.
  if (process.env['TABLE_NAME']) return { tableName: process.env['TABLE_NAME'], dynamodb: {}, sqs: {} };

  const home = process.env['FIRSTCALL_HOME'] ?? join(import.meta.dirname, '..', '.firstcall');
  try {
    const runtime = JSON.parse(readFileSync(join(home, 'runtime.json'), 'utf8'));
    const { tableName, endpoints, queueUrls } = runtimeSchema.parse(runtime);
    const access = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    };
    return {
      tableName,
      dynamodb: { endpoint: endpoints.dynamodb, ...access },
      sqs: { ...(endpoints.sqs !== undefined && { endpoint: endpoints.sqs }), ...access },
      local: { home, queueUrls },
    };
  } catch {
    throw new Refusal('Firstcall is not running here. Start Firstcall first: npm start');
  }
}

/** What a command works on: the table, the engine beneath it for what no function may do, and the queues. */
export interface System {
  readonly table: Table;
  readonly tableName: string;
  readonly client: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  /** The state folder, where the system is the one that runs here. */
  readonly home: string | undefined;
  /**
   * The URL of a queue of the stack `Pipeline`, by its logical id without the digest.
   *
   * @throws Refusal where there is none
   */
  urlOf(queue: string): Promise<string>;
}

/** The stack whose queues belong to a table: that of the same environment. */
function pipelineOf(tableName: string): string {
  const given = process.env['PIPELINE_STACK'];
  if (given) return given;
  const [, environment] = /^(.+)-Foundation-/.exec(tableName) ?? [];
  if (environment === undefined) {
    throw new Refusal(
      `The table ${tableName} does not say which queues are its own: name their stack, PIPELINE_STACK=Firstcall-prod-Pipeline say.`,
    );
  }
  return `${environment}-Pipeline`;
}

/** URLs of an account's queues whose names begin like this. */
async function listQueues(sqs: SQSClient, prefix: string): Promise<string[]> {
  const urls: string[] = [];
  for await (const { QueueUrls } of paginateListQueues({ client: sqs }, { QueueNamePrefix: prefix })) {
    urls.push(...(QueueUrls ?? []));
  }
  return urls;
}

/**
 * Runs a command on the system.
 *
 * @throws Refusal for what commonly goes wrong on the way, with what to do about it
 */
export async function onSystem<Result>(run: (system: System) => Promise<Result>): Promise<Result> {
  const { tableName, dynamodb, sqs: toQueues, local } = findPlace();
  const client = createDocumentClient({ ...dynamodb, maxAttempts: 2 });
  const sqs = new SQSClient({ ...toQueues, maxAttempts: 2 });
  let urls: Promise<string[]> | undefined;
  try {
    return await run({
      table: createDynamoTable({ client, tableName }),
      tableName,
      client,
      sqs,
      home: local?.home,
      async urlOf(queue) {
        const stack = pipelineOf(tableName);
        urls ??= local ? Promise.resolve(Object.values(local.queueUrls)) : listQueues(sqs, `${stack}-`);
        // CloudFormation puts a digest behind the logical id, and something of its own behind that.
        const named = new RegExp(`/${stack}-${queue}[0-9A-F]{8}-[^/]*$`);
        const url = (await urls).find((each) => named.test(each));
        if (url === undefined) throw new Refusal(`The stack ${stack} has no queue ${queue} here.`);
        return url;
      },
    });
  } catch (error) {
    throw explain(error, tableName);
  } finally {
    sqs.destroy();
    client.destroy();
  }
}

/** Runs a command on the table. */
export const onTable = <Result>(run: (table: Table) => Promise<Result>): Promise<Result> =>
  onSystem(({ table }) => run(table));

/**
 * Runs a command on the table and the practice in force.
 *
 * @throws Refusal also where no practice has been applied
 */
export const onPractice = <Result>(
  run: (table: Table, practice: Practice) => Promise<Result>,
): Promise<Result> =>
  onTable(async (table) => {
    const found = await readConfiguration(table);
    if (found === undefined) throw new ConfigurationMissing();
    return run(table, found.practice);
  });

/** Indexes follow the table within far less. */
const settleMs = 2_000;
/** Waits until indexes have caught up with what was written. */
export const settle = (): Promise<void> => sleep(settleMs);

/** Who runs the command, as it shall stand with what they change. */
export const authorOf = (given: string | undefined): string => given ?? userInfo().username;

const unreachable = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'TimeoutError'];

/** An error's code, or its name. */
export const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.name;
};

function explain(error: unknown, tableName: string): unknown {
  const code = codeOf(error);
  if (unreachable.includes(code)) {
    return new Refusal(`The table cannot be reached (${code}). Start Firstcall first: npm start`);
  }
  if (code === 'ResourceNotFoundException') {
    return new Refusal(
      `There is no table ${tableName} here. Start Firstcall first (npm start), or check TABLE_NAME.`,
    );
  }
  if (code === 'CredentialsProviderError' || code === 'AccessDeniedException') {
    return new Refusal(
      `AWS gives no access to the table ${tableName} (${code}): check the credentials in use.`,
    );
  }
  if (error instanceof ConfigurationMissing) return new Refusal(error.message);
  return error;
}
