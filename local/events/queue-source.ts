import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { arn, region } from '../template/identity.ts';
import type { QueueSourcePlan } from '../template/plan.ts';
import { type EventSource, type LoopControl, startLoop } from './pausable.ts';

export interface QueueSourceOptions {
  readonly client: SQSClient;
  readonly plan: QueueSourcePlan;
  readonly queueUrl: string;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  onError(what: string, error: unknown): void;
}

/** Batches at a time where the mapping sets no maximum. */
const defaultConcurrency = 2;

/** Feeds a function from its queue: receives, invokes, and deletes what succeeded. */
export function startQueueSource(options: QueueSourceOptions): EventSource {
  const { client, plan, queueUrl } = options;
  const limit = plan.maximumConcurrency ?? defaultConcurrency;
  const running = new Set<Promise<void>>();
  const ended = new AbortController();
  // Outlives a pause: the queue hands messages to a long poll that was cut off, too, and they would be lost
  // until their visibility timeout. What it brings meanwhile is worked on after the pause.
  let receiving: Promise<Message[]> | undefined;

  const step = async (control: LoopControl): Promise<void> => {
    if (running.size >= limit) {
      await Promise.race(running);
      return;
    }
    receiving ??= receive();
    const messages = await untilAborted(receiving, control.signal).catch((error: unknown) => {
      receiving = undefined;
      throw error;
    });
    if (messages === undefined) return;
    receiving = undefined;
    if (messages.length === 0) return;
    const work = process(messages).finally(() => running.delete(work));
    running.add(work);
  };

  const receive = async (): Promise<Message[]> => {
    const collected: Message[] = [];
    const deadline = Date.now() + plan.batchWindowSeconds * 1000;
    do {
      const wanted = Math.min(10, plan.batchSize - collected.length);
      const waitSeconds = collected.length === 0 ? 20 : Math.ceil((deadline - Date.now()) / 1000);
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: wanted,
          WaitTimeSeconds: Math.max(0, Math.min(20, waitSeconds)),
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
        { abortSignal: ended.signal },
      );
      collected.push(...Messages);
    } while (
      !ended.signal.aborted &&
      collected.length > 0 &&
      collected.length < plan.batchSize &&
      Date.now() < deadline
    );
    return collected;
  };

  const process = async (messages: readonly Message[]): Promise<void> => {
    try {
      const result = await options.invoke(plan.functionName, { Records: messages.map(recordOf) });
      await deleteAll(messages.filter(({ MessageId }) => !failedIds(result, plan).has(MessageId ?? '')));
    } catch (error) {
      // The messages become visible again after the queue's timeout, and go to its dead-letter queue in the end.
      options.onError(`${plan.queueName}: a batch of ${messages.length} failed`, error);
    }
  };

  const recordOf = (message: Message): object => ({
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: message.MessageAttributes ?? {},
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: arn('sqs', plan.queueName),
    awsRegion: region,
  });

  const deleteAll = async (messages: readonly Message[]): Promise<void> => {
    const [first] = messages;
    if (messages.length === 1 && first) {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: first.ReceiptHandle }));
      return;
    }
    for (let at = 0; at < messages.length; at += 10) {
      const Entries = messages
        .slice(at, at + 10)
        .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  };

  const loop = startLoop(step, {
    onError: (error) => options.onError(`${plan.queueName}: receiving failed`, error),
    settle: async () => {
      await Promise.all(running);
    },
  });
  return {
    ...loop,
    stop: () => {
      loop.stop();
      ended.abort();
    },
  };
}

/** What a promise brings; undefined where the signal comes first, and the promise goes on. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let end = (): void => {};
  const aborted = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

interface BatchResponse {
  readonly batchItemFailures?: readonly { readonly itemIdentifier: string }[];
}

/** Ids that a function reported as failed. */
export function failedIds(result: unknown, plan: { readonly reportsItemFailures: boolean }): Set<string> {
  if (!plan.reportsItemFailures) return new Set();
  const { batchItemFailures = [] } = (result ?? {}) as BatchResponse;
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
}
