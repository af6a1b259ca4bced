import { randomUUID } from 'node:crypto';
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Queue } from './messages.ts';

/** The most entries that SQS takes in one call. */
const batchSize = 10;

export function createSqsQueue<Message>(client: SQSClient, queueUrl: string): Queue<Message> {
  return {
    async send(message) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
    },

    async sendAll(messages) {
      const batches = Array.from({ length: Math.ceil(messages.length / batchSize) }, (_, i) =>
        messages.slice(i * batchSize, (i + 1) * batchSize),
      );
      await Promise.all(
        batches.map(async (batch) => {
          const { Failed = [] } = await client.send(
            new SendMessageBatchCommand({
              QueueUrl: queueUrl,
              Entries: batch.map((message) => ({ Id: randomUUID(), MessageBody: JSON.stringify(message) })),
            }),
          );
          if (Failed.length > 0) {
            throw new Error(
              `${Failed.length} of ${batch.length} messages were not taken: ${Failed[0]?.Code}`,
            );
          }
        }),
      );
    },
  };
}
