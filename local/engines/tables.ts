import { setTimeout as sleep } from 'node:timers/promises';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import {
  type CreateTableCommandInput,
  DynamoDBClient,
  type GlobalSecondaryIndexDescription,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { LocalProblem } from '../problem.ts';
import { region } from '../template/identity.ts';
import type { TablePlan } from '../template/plan.ts';

/** Credentials that the local engines accept. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Those of the environment where somebody set them, since an endpoint may be a real one. */
export const credentials = (): typeof localCredentials & { sessionToken?: string } => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return localCredentials;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
};

/** Tables made ready; `isEmpty` tells a first start. */
export interface PreparedTable {
  readonly tableName: string;
  readonly streamArn: string | undefined;
  readonly isEmpty: boolean;
}

/**
 * Creates a table as the template describes it, or brings an existing one up
 * to it.
 *
 * @throws LocalProblem if the existing one cannot be changed that way
 */
export async function prepareTable(endpoint: string, plan: TablePlan): Promise<PreparedTable> {
  const client = new DynamoDBClient({ endpoint, region, credentials: credentials() });
  try {
    const before = await describe(client, plan.tableName);
    if (before) await update(client, plan, before);
    else await create(client, plan);
    const table = await describe(client, plan.tableName);
    await setTimeToLive(client, plan);
    const { Count } = before
      ? await client.send(new dynamodb.ScanCommand({ TableName: plan.tableName, Limit: 1, Select: 'COUNT' }))
      : { Count: 0 };
    return { tableName: plan.tableName, streamArn: table?.LatestStreamArn, isEmpty: Count === 0 };
  } finally {
    client.destroy();
  }
}

async function describe(client: DynamoDBClient, tableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new dynamodb.DescribeTableCommand({ TableName: tableName }))).Table;
  } catch (error) {
    if (error instanceof dynamodb.ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(client: DynamoDBClient, plan: TablePlan): Promise<void> {
  const input: CreateTableCommandInput = {
    TableName: plan.tableName,
    KeySchema: plan.keySchema,
    AttributeDefinitions: plan.attributeDefinitions,
    BillingMode: 'PAY_PER_REQUEST',
    ...(plan.indexes.length > 0 && { GlobalSecondaryIndexes: plan.indexes }),
    ...streamOf(plan),
  };
  await client.send(new dynamodb.CreateTableCommand(input));
  await untilActive(client, plan.tableName);
}

const streamOf = (plan: TablePlan): Pick<CreateTableCommandInput, 'StreamSpecification'> =>
  plan.streamViewType
    ? {
        StreamSpecification: {
          StreamEnabled: true,
          StreamViewType: plan.streamViewType as dynamodb.StreamViewType,
        },
      }
    : {};

const sameKeys = (left: unknown, right: unknown): boolean =>
  JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));

/** Key schemas as comparable text, whatever the order of their properties. */
const sorted = (schema: unknown): string[] =>
  ((schema ?? []) as { AttributeName: string; KeyType: string }[])
    .map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`)
    .sort();

async function update(client: DynamoDBClient, plan: TablePlan, table: TableDescription): Promise<void> {
  const existing = new Map<string, GlobalSecondaryIndexDescription>(
    (table.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName ?? '', index]),
  );
  const startAnew = (what: string): LocalProblem =>
    new LocalProblem(
      `${what} of the table has changed: begin anew with \`npm start -- --fresh\` (deletes local data).`,
    );
  if (!sameKeys(table.KeySchema, plan.keySchema)) throw startAnew('The key');

  for (const index of plan.indexes) {
    const found = existing.get(index.IndexName);
    if (!found) {
      await client.send(
        new dynamodb.UpdateTableCommand({
          TableName: plan.tableName,
          AttributeDefinitions: plan.attributeDefinitions,
          GlobalSecondaryIndexUpdates: [{ Create: index }],
        }),
      );
      await untilActive(client, plan.tableName);
    } else if (
      !sameKeys(found.KeySchema, index.KeySchema) ||
      found.Projection?.ProjectionType !== index.Projection?.ProjectionType
    ) {
      throw startAnew(`The index ${index.IndexName}`);
    }
  }
  if (plan.streamViewType && !table.StreamSpecification?.StreamEnabled) {
    await client.send(new dynamodb.UpdateTableCommand({ TableName: plan.tableName, ...streamOf(plan) }));
  }
}

async function setTimeToLive(client: DynamoDBClient, plan: TablePlan): Promise<void> {
  if (!plan.ttlAttribute) return;
  const { TimeToLiveDescription: found } = await client.send(
    new dynamodb.DescribeTimeToLiveCommand({ TableName: plan.tableName }),
  );
  if (found?.TimeToLiveStatus === 'ENABLED' || found?.TimeToLiveStatus === 'ENABLING') return;
  await client.send(
    new dynamodb.UpdateTimeToLiveCommand({
      TableName: plan.tableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: plan.ttlAttribute },
    }),
  );
}

async function untilActive(client: DynamoDBClient, tableName: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const table = await describe(client, tableName);
    const indexes = table?.GlobalSecondaryIndexes ?? [];
    if (table?.TableStatus === 'ACTIVE' && indexes.every((index) => index.IndexStatus === 'ACTIVE')) return;
    await sleep(100);
  }
  throw new LocalProblem(`The table ${tableName} did not become active within a minute.`);
}
