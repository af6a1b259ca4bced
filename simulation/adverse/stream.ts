/**
 * The stream of a table: what changed, in shards. Changes of one item come in their order and each
 * consumer goes through each shard by itself, at its own pace, again and again from where it failed.
 */
import type { Row } from '../../shared/data/table.ts';
import type { Agenda } from '../agenda.ts';
import type { FaultKind } from '../faults.ts';
import type { RowChange } from '../memory-table.ts';
import { type Draw, shortened } from './draw.ts';
import { settled } from './ports.ts';
import type { Ended } from './processes.ts';

export interface StreamConsumer {
  readonly name: string;
  /** What the filter of the event source lets through. */
  readonly filter: (change: RowChange) => boolean;
  readonly batchSize: number;
  /** Gives the position of the first change that was not worked on; undefined where all were. */
  readonly work: (changes: readonly RowChange[], address: string) => Promise<Ended<number | undefined>>;
}

export interface AdverseStreamOptions {
  readonly agenda: Agenda;
  readonly draws: (address: string) => Draw;
  readonly decide: (address: string, consumer: string, draw: Draw) => FaultKind | undefined;
  readonly consumers: readonly StreamConsumer[];
  /** Told of a change that was given up after the last attempt. */
  readonly onGivenUp: (consumer: string, change: RowChange, error: unknown) => void;
}

const shardCount = 4;
/** A change is there so long after its commit, in virtual milliseconds. */
const delayMs = { least: 100, most: 900 };
const lagMs = { least: 20_000, most: 400_000 };
const retryMs = 1_000;
/** As the event sources have it: a record is tried so often again. */
const mostAttempts = 11;

const shardOf = ({ before, after }: RowChange): number => {
  const pk = (after ?? before)?.pk ?? '';
  return Number.parseInt(shortened(pk).slice(-2), 36) % shardCount;
};

/** A change by what it is of, whatever else the stream holds. */
const nameOf = ({ before, after }: RowChange): string => {
  const { pk, sk, version } = (after ?? before) as Row;
  return shortened(`${pk} ${sk} ${version}`);
};

export interface AdverseStream {
  push(changes: readonly RowChange[]): void;
  /** Changes that some consumer has yet to work on. */
  readonly waiting: number;
}

interface Reading {
  readonly changes: RowChange[];
  at: number;
  attempts: number;
  size: number;
  isBusy: boolean;
  isAsked: boolean;
  /** How often a batch was read that begins with the same change. */
  readonly reads: Map<string, number>;
}

export function createAdverseStream(options: AdverseStreamOptions): AdverseStream {
  const { agenda, draws, decide, consumers } = options;
  const readings = consumers.map((consumer) =>
    Array.from({ length: shardCount }, (_, shard) => ({
      consumer,
      shard,
      reading: {
        changes: [],
        at: 0,
        attempts: 0,
        size: consumer.batchSize,
        isBusy: false,
        isAsked: false,
        reads: new Map(),
      } as Reading,
    })),
  );
  type One = (typeof readings)[number][number];

  function ask(one: One, afterMs: number): void {
    const { reading } = one;
    if (reading.isAsked || reading.isBusy) return;
    reading.isAsked = true;
    agenda.at(agenda.nowMs() + afterMs, () => {
      reading.isAsked = false;
      void read(one);
      return settled();
    });
  }

  async function read(one: One): Promise<void> {
    const { consumer, shard, reading } = one;
    if (reading.isBusy || reading.at >= reading.changes.length) return;
    const first = reading.changes[reading.at] as RowChange;
    const name = `${consumer.name}:${shard}.${nameOf(first)}`;
    const reads = (reading.reads.get(name) ?? 0) + 1;
    reading.reads.set(name, reads);
    const address = reads === 1 ? name : `${name}@${reads}`;
    const draw = draws(`stream ${address}`);
    const fault = decide(address, consumer.name, draw);
    if (fault === 'lagging') return ask(one, draw.between(lagMs.least, lagMs.most));
    reading.isBusy = true;
    const batch = reading.changes.slice(reading.at, reading.at + reading.size);
    const ended = await consumer.work(batch, address);
    reading.isBusy = false;
    const failedAt = ended.ended === 'done' ? ended.value : 0;
    if (failedAt === undefined) {
      reading.at += batch.length;
      reading.size = consumer.batchSize;
      reading.attempts = 0;
      // The place that was reached is not kept: what was brought comes again, in its order.
      if (fault === 'replay') reading.at -= draw.between(1, batch.length);
    } else {
      reading.attempts = failedAt > 0 ? 1 : reading.attempts + 1;
      reading.at += failedAt;
      // Half of it, until it is known which change it is.
      reading.size = Math.max(1, Math.ceil((batch.length - failedAt) / 2));
      if (reading.attempts >= mostAttempts) {
        const change = reading.changes[reading.at++] as RowChange;
        options.onGivenUp(consumer.name, change, ended.ended === 'failed' ? ended.error : ended.ended);
        reading.attempts = 0;
      }
    }
    if (reading.at < reading.changes.length) ask(one, failedAt === undefined ? delayMs.least : retryMs);
  }

  return {
    push(changes) {
      for (const change of changes) {
        const wanted = readings.filter(([one]) => one?.consumer.filter(change));
        if (wanted.length === 0) continue;
        const shard = shardOf(change);
        for (const ofConsumer of wanted) {
          const one = ofConsumer[shard] as One;
          one.reading.changes.push(change);
          const draw = draws(`stream ${one.consumer.name} ${one.shard} ${one.reading.changes.length}`);
          ask(one, draw.between(delayMs.least, delayMs.most));
        }
      }
    },
    get waiting() {
      return readings.flat().reduce((sum, { reading }) => sum + reading.changes.length - reading.at, 0);
    },
  };
}
