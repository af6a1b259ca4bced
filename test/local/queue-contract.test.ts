/**
 * What every queue means to whoever sends to it and works through it: those of the simulations, in
 * virtual time, and the local system's, so that runs on the former can be believed.
 */
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MessagingEngine, startMessaging } from '../../local/engines/messaging.ts';
import { startQueueSource } from '../../local/events/queue-source.ts';
import type { Queue } from '../../shared/queues/messages.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { drawsOf } from '../../simulation/adverse/draw.ts';
import { createAdverseQueue } from '../../simulation/adverse/queue.ts';
import { createAgenda } from '../../simulation/agenda.ts';
import { createVirtualQueue } from '../../simulation/queue.ts';
import { createRandom } from '../../simulation/random.ts';
import { createQuietPorts } from '../support/quiet-ports.ts';
import { awaitIn, untilIn } from '../support/virtual-time.ts';

interface Message {
  readonly n: number;
  readonly text?: string;
}

/** A queue under test: what is sent, what works through it, and time. */
interface Tried {
  readonly queue: Queue<Message>;
  /** How long what failed is hidden. */
  readonly hiddenMs: number;
  nowMs(): number;
  dead(): Promise<readonly Message[]>;
  /** Lets time pass until something holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
  end(): void;
}

/** Works through a batch; says of each whether it failed. */
type Work = (batch: readonly Message[]) => readonly boolean[];

let engine: MessagingEngine;
let client: SQSClient;
let made = 0;
beforeAll(async () => {
  engine = await startMessaging({ queues: true, mail: false, mailPort: 0 });
  client = new SQSClient({
    endpoint: `http://127.0.0.1:${engine.queuesPort}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client?.destroy();
  await engine?.stop();
});

async function inMemory(work: Work): Promise<Tried> {
  const agenda = createAgenda(0);
  const dead: Message[] = [];
  const queue = createVirtualQueue<Message>({
    agenda,
    // Nothing comes twice by chance: what is looked at here is why else it does.
    random: { ...createRandom('contract'), chance: () => false },
    consume: async (batch) => work(batch).map((failed) => (failed ? new Error('no') : undefined)),
    onDead: (message) => void dead.push(message),
  });
  return {
    queue,
    hiddenMs: 60_000,
    nowMs: agenda.nowMs,
    dead: async () => dead,
    until: (holds) => untilIn(agenda, holds),
    end: () => {},
  };
}

/** That of the fault simulator, behind its ports, while nothing goes wrong. */
async function adverse(work: Work): Promise<Tried> {
  const agenda = createAgenda(0);
  const hiddenMs = 90_000;
  const inlet = createAdverseQueue<Message>({
    name: 'score',
    agenda,
    draws: drawsOf(1),
    decide: () => undefined,
    concurrency: 3,
    visibilityMs: hiddenMs,
    work: async ({ messages }) => ({
      ended: 'done',
      value: work(messages).map((failed) => (failed ? new Error('no') : undefined)),
    }),
  });
  // What a message says is nothing to a queue.
  const queue = createQuietPorts({ agenda, scoreQueue: inlet as never }).scoreQueue as Queue<never>;
  return {
    queue: {
      send: (message) => awaitIn(agenda, queue.send(message as never)),
      sendAll: (messages) => awaitIn(agenda, queue.sendAll(messages as readonly never[])),
    },
    hiddenMs,
    nowMs: agenda.nowMs,
    dead: async () => inlet.deadLetters,
    until: (holds) => untilIn(agenda, holds),
    end: () => {},
  };
}

async function createQueue(attributes: Record<string, string>): Promise<{ url: string; arn: string }> {
  made += 1;
  const { QueueUrl: url = '' } = await client.send(
    new CreateQueueCommand({ QueueName: `tried-${made}`, Attributes: attributes }),
  );
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { url, arn: Attributes?.['QueueArn'] ?? '' };
}

async function local(work: Work): Promise<Tried> {
  const letters = await createQueue({});
  const { url } = await createQueue({
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount: 5 }),
  });
  const source = startQueueSource({
    client,
    plan: {
      queueName: 'tried',
      functionName: 'tried',
      batchSize: 10,
      batchWindowSeconds: 0,
      maximumConcurrency: 2,
      reportsItemFailures: true,
    },
    queueUrl: url,
    invoke: async (_, event) => {
      const { Records } = event as { Records: { messageId: string; body: string }[] };
      const failed = work(Records.map(({ body }) => JSON.parse(body) as Message));
      return {
        batchItemFailures: Records.filter((_record, i) => failed[i]).map(({ messageId }) => ({
          itemIdentifier: messageId,
        })),
      };
    },
    onError: () => {},
  });
  const dead: Message[] = [];
  return {
    queue: createSqsQueue<Message>(client, url),
    hiddenMs: 1_000,
    nowMs: () => performance.now(),
    dead: async () => {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: letters.url, MaxNumberOfMessages: 10 }),
      );
      dead.push(...Messages.map(({ Body = '' }) => JSON.parse(Body) as Message));
      return dead;
    },
    until: async (holds) => {
      await expect.poll(holds, { timeout: 30_000, interval: 50 }).toBe(true);
    },
    end: source.stop,
  };
}

describe.each([
  ['in memory', inMemory],
  ['of the fault simulator', adverse],
  ['of the local system', local],
])('a queue %s', (_, start) => {
  let seen: { readonly n: number; readonly atMs: number; readonly batch: number }[];
  let failing: (message: Message) => boolean;
  let tried: Tried | undefined;
  const times = (n: number): number[] => seen.filter((one) => one.n === n).map(({ atMs }) => atMs);

  async function startTried(): Promise<Tried> {
    let batches = 0;
    const clock = { nowMs: (): number => 0 };
    tried = await start((batch) => {
      batches += 1;
      seen.push(...batch.map(({ n }) => ({ n, atMs: clock.nowMs(), batch: batches })));
      return batch.map((message) => failing(message));
    });
    clock.nowMs = tried.nowMs;
    return tried;
  }
  beforeEach(() => {
    seen = [];
    failing = () => false;
    return () => tried?.end();
  });

  it('delivers each message as it was sent, ten to a batch at the most', async () => {
    const { queue, until } = await startTried();

    await queue.sendAll(Array.from({ length: 25 }, (_message, n) => ({ n, text: 'é "x"' })));
    await queue.send({ n: 25 });
    await queue.sendAll([]);
    await until(() => seen.length >= 26);

    expect(seen.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 26 }, (_n, n) => n),
    );
    const sizes = Object.values(Object.groupBy(seen, ({ batch }) => batch)).map((batch) => batch?.length);
    expect(Math.max(...sizes.map(Number))).toBeLessThanOrEqual(10);
  });

  it('brings what failed again once it is no longer hidden, and its neighbours no more', async () => {
    const { queue, until, hiddenMs } = await startTried();
    failing = ({ n }) => n === 3 && times(3).length <= 1;

    await queue.sendAll(Array.from({ length: 8 }, (_message, n) => ({ n })));
    await until(() => times(3).length === 2);

    const [first = 0, second = 0] = times(3);
    // A queue's clock and this one are not the same to the millisecond.
    expect(second - first).toBeGreaterThan(hiddenMs * 0.9);
    expect(seen).toHaveLength(9);
  });

  it('gives up what failed five times, and nothing else', async () => {
    const { queue, until, dead } = await startTried();
    failing = ({ n }) => n === 1;

    await queue.sendAll([{ n: 0 }, { n: 1, text: 'poison' }, { n: 2 }]);
    await until(async () => (await dead()).length > 0);

    expect(await dead()).toEqual([{ n: 1, text: 'poison' }]);
    expect([times(0), times(1), times(2)].map(({ length }) => length)).toEqual([1, 5, 1]);
  });
});

describe('the queue of the local system, as SQS', () => {
  it('takes ten messages in a call, and one of a mebibyte', async () => {
    const { url: QueueUrl } = await createQueue({});
    const batchOf = (n: number) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: Array.from({ length: n }, (_entry, i) => ({ Id: `${i}`, MessageBody: '{}' })),
        }),
      );
    const send = (bytes: number) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(bytes) }));

    expect((await batchOf(10)).Successful).toHaveLength(10);
    await expect(batchOf(11)).rejects.toThrow();
    await send(1024 * 1024);
    await expect(send(1024 * 1024 + 1)).rejects.toThrow();
  });
});
