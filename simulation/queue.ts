/** A queue in virtual time, as SQS promises it and no better: at least once, a little later, in no order. */
import type { Queue } from '../shared/queues/messages.ts';
import type { Agenda } from './agenda.ts';
import type { Random } from './random.ts';

/** What works through a queue; gives an error for each message that failed, by position. */
export type Consumer<Message> = (messages: readonly Message[]) => Promise<readonly (Error | undefined)[]>;

export interface VirtualQueueOptions<Message> {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly consume: Consumer<Message>;
  /** Told of a message that failed each time. */
  readonly onDead: (message: Message, error: Error) => void;
}

/** A message is there so long after it was sent, in virtual milliseconds. */
const delayMs = { least: 20, most: 400 };
/** Deliveries are looked for this often: what came meanwhile is one batch. */
const pollMs = 100;
const batchSize = 10;
/** How long a message that failed, or that comes twice, is hidden. */
const visibilityMs = 60_000;
const mostReceives = 5;
/** The share of messages that are delivered once more. */
const duplicateShare = 0.01;

interface Underway {
  /** As it travels. */
  readonly body: string;
  receives: number;
}

export function createVirtualQueue<Message>(options: VirtualQueueOptions<Message>): Queue<Message> {
  const { agenda, random, consume, onDead } = options;
  /** Messages by the instant at which they are looked for. */
  const visible = new Map<number, Underway[]>();

  function enqueue(message: Underway, afterMs: number): void {
    const atMs = Math.ceil((agenda.nowMs() + afterMs) / pollMs) * pollMs;
    const batch = visible.get(atMs);
    if (batch) {
      batch.push(message);
      return;
    }
    visible.set(atMs, [message]);
    agenda.at(atMs, () => deliver(atMs));
  }

  async function deliver(atMs: number): Promise<void> {
    const due = visible.get(atMs) ?? [];
    visible.delete(atMs);
    for (let from = 0; from < due.length; from += batchSize) {
      await work(due.slice(from, from + batchSize));
    }
  }

  async function work(batch: readonly Underway[]): Promise<void> {
    const messages = batch.map(({ body }) => JSON.parse(body) as Message);
    const failed = await consume(messages);
    for (const [i, message] of batch.entries()) {
      const error = failed[i];
      message.receives += 1;
      if (error === undefined) {
        if (random.chance(duplicateShare)) enqueue({ ...message }, visibilityMs);
      } else if (message.receives >= mostReceives) onDead(messages[i] as Message, error);
      else enqueue(message, visibilityMs);
    }
  }

  const queue: Queue<Message> = {
    send: (message) => queue.sendAll([message]),
    async sendAll(messages) {
      for (const message of messages) {
        const body = JSON.stringify(message);
        enqueue({ body, receives: 0 }, random.between(delayMs.least, delayMs.most));
      }
    },
  };
  return queue;
}
