/** What a system leaves behind: its rows, what waits in its queues, what it logged. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { LocalSystem } from '../../local/system.ts';
import type { Row } from '../../shared/data/table.ts';

const region = 'us-east-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface Evidence {
  /** Every item of the table, in the order of its keys. */
  rows(): Promise<Row[]>;
  /** Every item but the audit trail, which grows with each denial. */
  rowsWithoutAudit(): Promise<Row[]>;
  /** Messages in all queues, those under way among them. */
  queued(): Promise<number>;
  /** Everything in the log folder. */
  logs(): string;
  close(): void;
}

export function evidenceOf({
  system,
}: {
  readonly system: Pick<LocalSystem, 'endpoints' | 'tableName' | 'queueUrls' | 'home'>;
}): Evidence {
  const dynamodb = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: system.endpoints.dynamodb, region, credentials }),
  );
  const sqs = new SQSClient({ endpoint: system.endpoints.sqs, region, credentials });

  async function rows(): Promise<Row[]> {
    const found: Row[] = [];
    const scan = { TableName: system.tableName, ConsistentRead: true };
    for await (const page of paginateScan({ client: dynamodb }, scan)) {
      found.push(...((page.Items ?? []) as Row[]));
    }
    const keyOf = ({ pk, sk }: Row): string => `${pk}\0${sk}`;
    return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  async function depthOf(queueUrl: string): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
  }

  const logFolder = join(system.home, 'logs');
  return {
    rows,
    rowsWithoutAudit: async () => (await rows()).filter(({ pk }) => !pk.startsWith('AUDIT#')),
    queued: async () => {
      const depths = await Promise.all(Object.values(system.queueUrls).map(depthOf));
      return depths.reduce((sum, depth) => sum + depth, 0);
    },
    logs: () =>
      readdirSync(logFolder)
        .map((name) => readFileSync(join(logFolder, name), 'utf8'))
        .join('\n'),
    close: () => {
      dynamodb.destroy();
      sqs.destroy();
    },
  };
}
