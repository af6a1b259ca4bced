import type { _Record as StreamRecord } from '@aws-sdk/client-dynamodb-streams';
import { readOptional, writePrivate } from '../home.ts';
import { messageOf } from '../problem.ts';
import { arn, region } from '../template/identity.ts';
import type { StreamSourcePlan } from '../template/plan.ts';
import { matchesPattern } from './filters.ts';
import { type EventSource, type LoopControl, startLoop } from './pausable.ts';
import { failedIds } from './queue-source.ts';
import type { StreamReader } from './stream-reader.ts';

export interface StreamSourceOptions {
  readonly stream: StreamReader;
  readonly plan: StreamSourcePlan;
  readonly streamArn: string;
  /** Remembers how far the function has read, so that a restart goes on from there. */
  readonly positionFile: string;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** Takes the description of a batch that was given up. */
  sendFailure(description: object): Promise<void>;
  onError(what: string, error: unknown): void;
}

/** How far each shard has been read; `done` once a closed shard has been read to its end. */
type Position = Record<string, { sequenceNumber?: string; done?: true }>;

/** As Lambda does. */
const shortestPollMs = 250;
const idlePollMs = 1000;
const shardListMs = 30_000;

/** The record as a function sees it. */
interface LambdaRecord {
  readonly eventID: string | undefined;
  readonly dynamodb: { readonly SequenceNumber?: string; readonly ApproximateCreationDateTime?: number };
}

/** Feeds a function from a table's stream, shard by shard, in order. */
export function startStreamSource(options: StreamSourceOptions): EventSource {
  const { stream, plan, streamArn } = options;
  const position: Position = readOptional<Position>(options.positionFile) ?? {};
  /** Shards that have not been read to their end. */
  const open = new Set<string>();
  let listedAt = 0;
  // Read once per batching window, all that came within it comes together.
  const busyPollMs = Math.max(shortestPollMs, plan.batchWindowSeconds * 1000);
  let pauseMs = busyPollMs;

  const step = async (control: LoopControl): Promise<void> => {
    if (Date.now() - listedAt > shardListMs || open.size === 0) await listShards();
    let found = 0;
    for (const shardId of [...open]) {
      if (control.signal.aborted) return;
      found += await readShard(shardId, control);
    }
    // Quickly while there is something to read, slower and slower while there is not.
    pauseMs = found > 0 ? busyPollMs : Math.max(busyPollMs, Math.min(idlePollMs, pauseMs * 1.5));
    await control.sleep(pauseMs);
  };

  const listShards = async (): Promise<void> => {
    const shards = await stream.shards();
    listedAt = Date.now();
    const ids = new Set(shards.map(({ ShardId }) => ShardId));
    for (const known of Object.keys(position)) if (!ids.has(known)) delete position[known];
    for (const { ShardId, ParentShardId } of shards) {
      if (!ShardId || position[ShardId]?.done || open.has(ShardId)) continue;
      // A child's records come after all of its parent's.
      if (ParentShardId && ids.has(ParentShardId) && !position[ParentShardId]?.done) continue;
      open.add(ShardId);
    }
  };

  const readShard = async (shardId: string, control: LoopControl): Promise<number> => {
    const { records, ended } = await stream.readAfter(
      shardId,
      position[shardId]?.sequenceNumber,
      control.signal,
    );
    const matching = records.filter(
      (record) =>
        plan.filters.length === 0 ||
        plan.filters.some((filter) => matchesPattern(filter, filterable(record))),
    );
    for (let at = 0; at < matching.length; at += plan.batchSize) {
      const batch = matching.slice(at, at + plan.batchSize).map((record) => lambdaRecord(record, streamArn));
      const finished = await deliver(batch, control);
      // Stopped in the middle: the next reading begins again after what was remembered.
      if (!finished) return matching.length;
      // Of the last batch it is remembered with what no filter wanted.
      if (at + plan.batchSize < matching.length) remember(shardId, batch.at(-1)?.dynamodb.SequenceNumber);
    }
    // Past those that no filter wanted, too.
    if (records.length > 0) remember(shardId, records.at(-1)?.dynamodb?.SequenceNumber);
    if (ended) {
      open.delete(shardId);
      position[shardId] = { done: true };
      writePrivate(options.positionFile, position);
      listedAt = 0;
    }
    return records.length;
  };

  const remember = (shardId: string, sequenceNumber: string | undefined): void => {
    if (!sequenceNumber) return;
    position[shardId] = { sequenceNumber };
    writePrivate(options.positionFile, position);
  };

  /** True when every record was taken or given up; false when the loop was stopped before. */
  const deliver = async (batch: readonly LambdaRecord[], control: LoopControl): Promise<boolean> => {
    let rest = batch;
    for (let attempt = 0; rest.length > 0; ) {
      if (control.signal.aborted) return false;
      const outcome = await tryBatch(rest);
      if (outcome.kind === 'done') return true;
      if (outcome.kind === 'from') {
        // Those before the first failed one are done; that one has had its attempt.
        if (outcome.index > 0) attempt = 0;
        rest = rest.slice(outcome.index);
      } else if (plan.bisects && rest.length > 1) {
        // Halving, as AWS does it, is not counted as a retry.
        const middle = Math.ceil(rest.length / 2);
        if (!(await deliver(rest.slice(0, middle), control))) return false;
        rest = rest.slice(middle);
        attempt = 0;
        continue;
      }
      attempt += 1;
      if (plan.maximumRetries !== undefined && attempt > plan.maximumRetries) {
        const given = outcome.kind === 'from' && plan.bisects ? rest.slice(0, 1) : rest;
        await giveUp(given, outcome.reason, attempt);
        rest = rest.slice(given.length);
        attempt = 0;
        continue;
      }
      await control.sleep(Math.min(10_000, 200 * 2 ** attempt));
    }
    return true;
  };

  type Outcome =
    | { kind: 'done' }
    | { kind: 'from'; index: number; reason: string }
    | { kind: 'failed'; reason: string };

  const tryBatch = async (batch: readonly LambdaRecord[]): Promise<Outcome> => {
    try {
      const failed = failedIds(await options.invoke(plan.functionName, { Records: batch }), plan);
      if (failed.size === 0) return { kind: 'done' };
      const index = batch.findIndex(({ dynamodb }) => failed.has(dynamodb.SequenceNumber ?? ''));
      return { kind: 'from', index: Math.max(0, index), reason: 'reported as failed' };
    } catch (error) {
      options.onError(`${plan.tableName}: a batch of ${batch.length} stream records failed`, error);
      return { kind: 'failed', reason: messageOf(error) };
    }
  };

  const giveUp = async (batch: readonly LambdaRecord[], reason: string, attempts: number): Promise<void> => {
    const [first, last] = [batch[0], batch.at(-1)];
    options.onError(`${plan.tableName}: gave up ${batch.length} stream records`, new Error(reason));
    // Like AWS, this says where the records are, not what they hold.
    await options.sendFailure({
      requestContext: {
        functionArn: arn('lambda', `function:${plan.functionName}`),
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: attempts,
      },
      version: '1.0',
      timestamp: new Date().toISOString(),
      DDBStreamBatchInfo: {
        streamArn,
        startSequenceNumber: first?.dynamodb.SequenceNumber,
        endSequenceNumber: last?.dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: arrival(first),
        approximateArrivalOfLastRecord: arrival(last),
        batchSize: batch.length,
      },
    });
  };

  return startLoop(step, {
    onError: (error) => options.onError(`${plan.tableName}: reading the stream failed`, error),
    settle: async () => {},
  });
}

/** When a record came, to the second. */
const arrival = (record: LambdaRecord | undefined): string =>
  new Date((record?.dynamodb.ApproximateCreationDateTime ?? Date.now() / 1000) * 1000).toISOString();

const filterable = (record: StreamRecord): object => ({
  eventName: record.eventName,
  dynamodb: record.dynamodb,
});

/** A record in the form that functions get: times in seconds, bytes in base64. */
function lambdaRecord(record: StreamRecord, streamArn: string): LambdaRecord {
  const { ApproximateCreationDateTime: created, Keys, NewImage, OldImage, ...rest } = record.dynamodb ?? {};
  return {
    eventID: record.eventID,
    ...{
      eventName: record.eventName,
      eventVersion: record.eventVersion ?? '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: region,
      eventSourceARN: streamArn,
    },
    dynamodb: {
      ...(rest as { SequenceNumber?: string }),
      ...(Keys && { Keys: wireAttributes(Keys) }),
      ...(NewImage && { NewImage: wireAttributes(NewImage) }),
      ...(OldImage && { OldImage: wireAttributes(OldImage) }),
      ...(created && { ApproximateCreationDateTime: Math.floor(created.getTime() / 1000) }),
    },
  };
}

const wireAttributes = (attributes: object): object =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, wireValue(value)]));

/** One attribute's value, `{ S: 'text' }`, as functions get it. */
function wireValue(value: object): object {
  const [typed] = Object.entries(value);
  // In the images of its streams DynamoDB Local writes an empty map as a value without a type,
  // which no function could read; DynamoDB itself sends what was stored.
  if (typed === undefined) return { M: {} };
  const [type, content] = typed;
  if (type === 'M') return { M: wireAttributes(content) };
  if (type === 'L') return { L: content.map(wireValue) };
  if (type === 'B') return { B: base64(content) };
  return type === 'BS' ? { BS: content.map(base64) } : value;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
