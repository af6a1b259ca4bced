import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type Shard,
  type _Record as StreamRecord,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';

/** What was found after a position. */
export interface Page {
  readonly records: readonly StreamRecord[];
  /** Whether the shard has been read to its end, after which nothing comes any more. */
  readonly ended: boolean;
}

/** Reads a table's stream for all the functions that follow it. */
export interface StreamReader {
  shards(): Promise<readonly Shard[]>;
  /**
   * The records after a position; from the oldest there is where it is undefined, or has
   * been trimmed. Empty where nothing has come, and now and then where something has:
   * ask again.
   */
  readAfter(shardId: string, sequenceNumber: string | undefined, signal: AbortSignal): Promise<Page>;
}

interface KeptPage extends Page {
  readonly after: string | undefined;
}

interface ShardState {
  /** What was read last, in order and without gaps. */
  kept: KeptPage[];
  /** Where the newest reading may go on without asking for an iterator. */
  next: { readonly after: string | undefined; readonly iterator: string } | undefined;
}

const mostRecords = 1_000;
/** Pages that a slower function finds here; one that is further behind reads by itself. */
const mostKept = 50;

/**
 * Opens a stream. What one function's turn has read is kept for the others: DynamoDB
 * Local would spend as much again on each.
 */
export function openStream(client: DynamoDBStreamsClient, streamArn: string): StreamReader {
  const states = new Map<string, ShardState>();

  const stateOf = (shardId: string): ShardState => {
    const state = states.get(shardId) ?? { kept: [], next: undefined };
    states.set(shardId, state);
    return state;
  };

  const iteratorAfter = async (
    shardId: string,
    sequenceNumber: string | undefined,
  ): Promise<string | undefined> => {
    const of = { StreamArn: streamArn, ShardId: shardId };
    try {
      if (sequenceNumber !== undefined) {
        const from = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: sequenceNumber } as const;
        return (await client.send(new GetShardIteratorCommand({ ...of, ...from }))).ShardIterator;
      }
    } catch (error) {
      // What was remembered has been trimmed meanwhile: go on with the oldest there is.
      if (!(error instanceof TrimmedDataAccessException)) throw error;
    }
    const from = { ShardIteratorType: 'TRIM_HORIZON' } as const;
    return (await client.send(new GetShardIteratorCommand({ ...of, ...from }))).ShardIterator;
  };

  /** All that is kept after a position, up to a page's most; undefined where there is nothing. */
  const keptAfter = ({ kept }: ShardState, sequenceNumber: string | undefined): Page | undefined => {
    const first = kept.findIndex(({ after }) => after === sequenceNumber);
    if (first < 0) return undefined;
    const records: StreamRecord[] = [];
    let ended = false;
    for (const page of kept.slice(first)) {
      if (records.length > 0 && records.length + page.records.length > mostRecords) break;
      records.push(...page.records);
      ended = page.ended;
    }
    return { records, ended };
  };

  const read = async (
    shardId: string,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<Page & { readonly next: string | undefined }> => {
    const { next } = stateOf(shardId);
    const iterator = next && next.after === after ? next.iterator : await iteratorAfter(shardId, after);
    if (iterator === undefined) return { records: [], ended: false, next: undefined };
    try {
      const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: mostRecords });
      const page = await client.send(command, { abortSignal: signal });
      return {
        records: page.Records ?? [],
        ended: page.NextShardIterator === undefined,
        next: page.NextShardIterator,
      };
    } catch (error) {
      stateOf(shardId).next = undefined;
      if (error instanceof ExpiredIteratorException || error instanceof TrimmedDataAccessException) {
        return { records: [], ended: false, next: undefined };
      }
      throw error;
    }
  };

  return {
    shards: async () => {
      const shards: Shard[] = [];
      let last: string | undefined;
      do {
        const { StreamDescription: page } = await client.send(
          new DescribeStreamCommand({ StreamArn: streamArn, ...(last && { ExclusiveStartShardId: last }) }),
        );
        shards.push(...(page?.Shards ?? []));
        last = page?.LastEvaluatedShardId;
      } while (last);
      for (const shardId of states.keys()) {
        if (!shards.some(({ ShardId }) => ShardId === shardId)) states.delete(shardId);
      }
      return shards;
    },
    readAfter: async (shardId, sequenceNumber, signal) => {
      const state = stateOf(shardId);
      const known = keptAfter(state, sequenceNumber);
      if (known) return known;
      const { next, ...page } = await read(shardId, sequenceNumber, signal);
      const newest = page.records.at(-1)?.dynamodb?.SequenceNumber ?? sequenceNumber;
      state.next = next === undefined ? undefined : { after: newest, iterator: next };
      if (page.records.length > 0) {
        const before = state.kept.at(-1)?.records.at(-1)?.dynamodb?.SequenceNumber;
        // What was read from elsewhere than the end leaves a gap, or was there before.
        if (before !== sequenceNumber) state.kept = [];
        state.kept.push({ ...page, after: sequenceNumber });
        if (state.kept.length > mostKept) state.kept.shift();
      }
      return page;
    },
  };
}
