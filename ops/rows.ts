/** Every row of the table, page by page. Nothing but commands like these ever scans: functions may not even. */
import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Row } from '../shared/data/table.ts';
import type { System } from './system.ts';

/**
 * The rows as they are read, each as it is at that moment. One reader, so that it takes its time and the
 * table's capacity is left to the functions.
 */
export async function* scan({
  client,
  tableName,
}: Pick<System, 'tableName'> & { readonly client: DynamoDBDocumentClient }): AsyncGenerator<Row[]> {
  const pages = paginateScan({ client }, { TableName: tableName, ConsistentRead: true });
  for await (const { Items } of pages) yield (Items ?? []) as Row[];
}
