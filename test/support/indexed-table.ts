/** A table on DynamoDB Local as the stack makes it, for tests and benchmarks. */
import {
  CreateTableCommand,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoTable, indexKeys } from '../../shared/data/dynamo-table.ts';
import type { Table } from '../../shared/data/table.ts';

const keySchema = (pk: string, sk: string): KeySchemaElement[] => [
  { AttributeName: pk, KeyType: 'HASH' },
  { AttributeName: sk, KeyType: 'RANGE' },
];

/** Makes an empty table with the four sparse indexes that the stack gives it. */
export async function createIndexedTable(client: DynamoDBDocumentClient, tableName: string): Promise<Table> {
  return (await createStreamedTable(client, tableName)).table;
}

/** The same, with the address of its stream. */
export async function createStreamedTable(
  client: DynamoDBDocumentClient,
  tableName: string,
): Promise<{ readonly table: Table; readonly streamArn: string }> {
  const indexes = Object.entries(indexKeys);
  const created = await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', ...indexes.flatMap(([, { pk, sk }]) => [pk, sk])].map((name) => ({
        AttributeName: name,
        AttributeType: 'S',
      })),
      KeySchema: keySchema('pk', 'sk'),
      GlobalSecondaryIndexes: indexes.map(
        ([name, { pk, sk }]): GlobalSecondaryIndex => ({
          IndexName: name,
          KeySchema: keySchema(pk, sk),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        }),
      ),
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  const streamArn = created.TableDescription?.LatestStreamArn ?? '';
  return { table: createDynamoTable({ client, tableName }), streamArn };
}
