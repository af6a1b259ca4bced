import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';

const client = new SQSClient({ region: 'us-east-1' });
const sqs = mockClient(client);
const queue = createSqsQueue<{ n: number }>(client, 'https://queue.example/1');
const messages = Array.from({ length: 23 }, (_, n) => ({ n }));

beforeEach(() => sqs.reset());

describe('a queue', () => {
  it('sends one message as it is', async () => {
    await queue.send({ n: 1 });

    expect(sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)).toEqual([
      { QueueUrl: 'https://queue.example/1', MessageBody: '{"n":1}' },
    ]);
  });

  it('sends many, ten to a call, each under an id of its own', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});

    await queue.sendAll(messages);

    const batches = sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries ?? []);
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 3]);
    expect(batches.flat().map(({ MessageBody }) => JSON.parse(MessageBody ?? ''))).toEqual(messages);
    expect(new Set(batches.flat().map(({ Id }) => Id)).size).toBe(23);
  });

  it('calls nobody where there is nothing to send', async () => {
    await queue.sendAll([]);

    expect(sqs.calls()).toEqual([]);
  });

  it('fails where part of a batch was not taken, without quoting what', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolves({ Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false, Message: '{"n":0}' }] });

    await expect(queue.sendAll(messages.slice(0, 2))).rejects.toThrow(
      '1 of 2 messages were not taken: InternalError',
    );
  });
});
