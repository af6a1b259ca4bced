/** The way from a command to the table: of the system that runs here, or of the environment's account. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { ConfigurationMissing, readConfiguration } from '../shared/data/configuration.ts';
import { createDocumentClient, createDynamoTable } from '../shared/data/dynamo-table.ts';
import type { Table } from '../shared/data/table.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { Refusal } from './terminal.ts';

/** What a running system writes down for commands like these. */
const runtimeSchema = z.object({ tableName: z.string(), endpoints: z.object({ dynamodb: z.string() }) });

/** The table's name and the way to it: from the environment, else of the system running here. */
function findTable(): { tableName: string; config: DynamoDBClientConfig } {
  // The SDK finds everything else in the environment by itself, AWS_ENDPOINT_URL_DYNAMODB included.
  if (process.env['TABLE_NAME']) return { tableName: process.env['TABLE_NAME'], config: {} };

  const home = process.env['FIRSTCALL_HOME'] ?? join(import.meta.dirname, '..', '.firstcall');
  try {
    const runtime = JSON.parse(readFileSync(join(home, 'runtime.json'), 'utf8'));
    const { tableName, endpoints } = runtimeSchema.parse(runtime);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    return { tableName, config: { endpoint: endpoints.dynamodb, region: 'us-east-1', credentials } };
  } catch {
    throw new Refusal('Firstcall is not running here. Start Firstcall first: npm start');
  }
}

/**
 * Runs a command on the table.
 *
 * @throws Refusal for what commonly goes wrong on the way, with what to do about it
 */
export async function onTable<Result>(run: (table: Table) => Promise<Result>): Promise<Result> {
  const { tableName, config } = findTable();
  const table = createDynamoTable({ client: createDocumentClient({ ...config, maxAttempts: 2 }), tableName });
  try {
    return await run(table);
  } catch (error) {
    throw explain(error, tableName);
  }
}

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
