/** Every row of the table, page by page. Nothing but commands like these ever scans: functions may not even. */
import { BatchWriteCommand, paginateScan, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { asRestored } from '../shared/data/restored.ts';
import { absent, type Row } from '../shared/data/table.ts';
import type { System } from './system.ts';

/**
 * The rows as they are read, each as it is at that moment. One reader, so that it takes its time and the
 * table's capacity is left to the functions.
 */
export async function* scan({
  client,
  tableName,
}: Pick<System, 'client' | 'tableName'>): AsyncGenerator<Row[]> {
  const pages = paginateScan({ client }, { TableName: tableName, ConsistentRead: true });
  for await (const { Items } of pages) yield (Items ?? []) as Row[];
}

/** Writes that are under way at the same time. */
const atOnce = 25;

/** Whether the sweep finds a row once its time has come. */
const isOnDueIndex = ({ duePk }: Row): boolean => duePk !== undefined;

/**
 * Puts rows where there are none; what is there already stays as it is, so that doing it again goes on where
 * it was cut off. Those on the due index come last: a sweep that runs meanwhile would ask for their mails
 * while it is not there yet who wants none, and what it wrote in its place would stay. Gives how many were
 * put.
 *
 * @param read - reads all of the rows from the first on; done twice, so that few of them are held at a time
 */
export async function putBack(
  { table }: Pick<System, 'table'>,
  read: () => AsyncIterable<readonly Row[]>,
  now: Date,
  onProgress: (rows: number) => void,
): Promise<{ readonly put: number; readonly there: number }> {
  const done = { put: 0, there: 0 };
  for (const areDue of [false, true]) {
    for await (const page of read()) {
      const rows = page.filter((row) => isOnDueIndex(row) === areDue);
      for (let i = 0; i < rows.length; i += atOnce) {
        const written = await Promise.all(
          rows.slice(i, i + atOnce).map((row) => table.write({ put: asRestored(row, now), when: absent })),
        );
        for (const { committed } of written) done[committed ? 'put' : 'there'] += 1;
        onProgress(done.put + done.there);
      }
    }
  }
  return done;
}

/** Whether there is nothing in the table. */
export async function isEmpty({ client, tableName }: Pick<System, 'client' | 'tableName'>): Promise<boolean> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName, Limit: 1 }));
  return Items.length === 0;
}

/** Deletes every row, those that the running system writes meanwhile included. */
export async function wipe(
  system: Pick<System, 'client' | 'tableName'>,
  onProgress: (rows: number) => void,
): Promise<void> {
  const { client, tableName } = system;
  let deleted = 0;
  while (!(await isEmpty(system))) {
    for await (const page of scan(system)) {
      for (let i = 0; i < page.length; i += atOnce) {
        let requests = page
          .slice(i, i + atOnce)
          .map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
        deleted += requests.length;
        while (requests.length > 0) {
          const { UnprocessedItems } = await client.send(
            new BatchWriteCommand({ RequestItems: { [tableName]: requests } }),
          );
          requests = (UnprocessedItems?.[tableName] ?? []) as typeof requests;
        }
      }
      onProgress(deleted);
    }
  }
}
