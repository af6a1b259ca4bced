/** A queue that delivers at least once: late, in another order, again; what fails five times is set aside. */
import type { Agenda } from '../agenda.ts';
import type { FaultKind } from '../faults.ts';
import { type Draw, shortened } from './draw.ts';
import { type Inlet, settled } from './ports.ts';
import type { Ended } from './processes.ts';

export interface Delivery<Message> {
  /** Names the delivery of a batch. */
  readonly address: string;
  readonly messages: readonly Message[];
}

export interface AdverseQueueOptions<Message> {
  readonly name: string;
  readonly agenda: Agenda;
  readonly draws: (address: string) => Draw;
  readonly decide: (address: string, draw: Draw) => FaultKind | undefined;
  /** How many batches are worked on at once. */
  readonly concurrency: number;
  /** How long a message that was taken is hidden. */
  readonly visibilityMs: number;
  /** Gives an error for each message that failed, by position. */
  readonly work: (delivery: Delivery<Message>) => Promise<Ended<readonly (Error | undefined)[]>>;
}

export interface AdverseQueue<Message> extends Inlet<Message> {
  /** Messages on their way, hidden ones too. */
  readonly waiting: number;
  readonly deadLetters: readonly Message[];
  /** Sends what was set aside again. */
  redrive(): void;
}

/** A message is there so long after it was sent, in virtual milliseconds. */
const delayMs = { least: 10, most: 400 };
const lateMs = { least: 30_000, most: 600_000 };
const againMs = { least: 0, most: 300_000 };
const mostCopies = 5;
/** Deliveries are looked for this often: what came meanwhile is one batch. */
const pollMs = 50;
const batchSize = 10;
const mostReceives = 5;

interface Underway {
  readonly id: string;
  readonly body: string;
  receives: number;
}

export function createAdverseQueue<Message>(options: AdverseQueueOptions<Message>): AdverseQueue<Message> {
  const { name, agenda, draws, decide, work } = options;
  const ready: Underway[] = [];
  const dead: Underway[] = [];
  let [waiting, busy, polledAtMs] = [0, 0, -1];

  function poll(atMs: number): void {
    const nextMs = Math.ceil(atMs / pollMs) * pollMs;
    if (polledAtMs === nextMs) return;
    polledAtMs = nextMs;
    agenda.at(nextMs, () => {
      if (polledAtMs === nextMs) polledAtMs = -1;
      take();
      return settled();
    });
  }

  function arrive(message: Underway, afterMs: number): void {
    waiting++;
    agenda.at(agenda.nowMs() + afterMs, () => {
      ready.push(message);
      poll(agenda.nowMs());
    });
  }

  function take(): void {
    while (ready.length > 0 && busy < options.concurrency) {
      const batch = ready.splice(0, batchSize);
      waiting -= batch.length;
      busy++;
      void receive(batch);
    }
  }

  async function receive(batch: readonly Underway[]): Promise<void> {
    const [first] = batch as [Underway];
    const takenMs = agenda.nowMs();
    for (const message of batch) message.receives++;
    const ended = await work({
      address: `${name}:${first.id}${first.receives > 1 ? `@${first.receives}` : ''}`,
      messages: batch.map(({ body }) => JSON.parse(body) as Message),
    });
    busy--;
    for (const [i, message] of batch.entries()) {
      if (ended.ended === 'done' && ended.value[i] === undefined) continue;
      if (message.receives >= mostReceives) dead.push(message);
      else arrive(message, takenMs + options.visibilityMs - agenda.nowMs());
    }
    if (ready.length > 0) poll(agenda.nowMs());
  }

  return {
    get waiting() {
      return waiting + busy;
    },
    get deadLetters() {
      return dead.map(({ body }) => JSON.parse(body) as Message);
    },
    put(messages, address) {
      for (const [i, message] of messages.entries()) {
        const id = shortened(`${address}.${i}`);
        const [body, draw] = [JSON.stringify(message), draws(`${name} ${id}`)];
        const usualMs = draw.between(delayMs.least, delayMs.most);
        const fault = decide(`${name}:${id}`, draw);
        const isLate = fault === 'late';
        arrive({ id, body, receives: 0 }, isLate ? draw.between(lateMs.least, lateMs.most) : usualMs);
        if (fault !== 'duplicate') continue;
        const copies = draw.between(1, mostCopies);
        for (let copy = 1; copy <= copies; copy++)
          arrive({ id: `${id}+${copy}`, body, receives: 0 }, draw.between(againMs.least, againMs.most));
      }
    },
    redrive() {
      for (const message of dead.splice(0)) arrive({ ...message, receives: 0 }, delayMs.most);
    },
  };
}
