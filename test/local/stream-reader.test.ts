import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStream, type StreamReader } from '../../local/events/stream-reader.ts';

/** One shard, whose records are numbers; a page holds so many of them at the most. */
function createStream(pageSize = 3) {
  const numbers: string[] = [];
  const stream = {
    numbers,
    trimmedTo: 0,
    closed: false,
    expires: false,
    reads: 0,
    client: {
      async send(command: object) {
        if (command instanceof DescribeStreamCommand) {
          return { StreamDescription: { Shards: [{ ShardId: 'shard' }] } };
        }
        if (command instanceof GetShardIteratorCommand) {
          const { SequenceNumber } = command.input;
          const at = SequenceNumber === undefined ? stream.trimmedTo : numbers.indexOf(SequenceNumber) + 1;
          if (at < stream.trimmedTo) throw new TrimmedDataAccessException({ $metadata: {}, message: '' });
          return { ShardIterator: String(at) };
        }
        if (!(command instanceof GetRecordsCommand)) throw new Error('unknown command');
        stream.reads++;
        if (stream.expires) {
          stream.expires = false;
          throw new ExpiredIteratorException({ $metadata: {}, message: '' });
        }
        const at = Number(command.input.ShardIterator);
        const page = numbers.slice(at, at + pageSize);
        const next = at + page.length;
        return {
          Records: page.map((SequenceNumber) => ({ dynamodb: { SequenceNumber } })),
          ...(!(stream.closed && next === numbers.length) && { NextShardIterator: String(next) }),
        };
      },
    } as unknown as DynamoDBStreamsClient,
    add(count: number): void {
      for (let i = 0; i < count; i++) numbers.push(String(numbers.length));
    },
  };
  return stream;
}

const { signal } = new AbortController();

/** Somebody who follows the stream at their own pace. */
function createFollower(reader: StreamReader) {
  const seen: string[] = [];
  return {
    seen,
    ended: false,
    async turn(): Promise<number> {
      const page = await reader.readAfter('shard', seen.at(-1), signal);
      seen.push(...page.records.map(({ dynamodb }) => String(dynamodb?.SequenceNumber)));
      this.ended ||= page.ended;
      return page.records.length;
    },
  };
}

describe('the reader of a stream', () => {
  it('shows what one has read to the other, all of it in one turn, and reads it once', async () => {
    const stream = createStream();
    const reader = openStream(stream.client, 'arn');
    const [quick, slow] = [createFollower(reader), createFollower(reader)];
    stream.add(8);

    while ((await quick.turn()) > 0);
    const { reads } = stream;
    expect(await slow.turn()).toBe(8);

    expect(stream.reads).toBe(reads);
    expect(slow.seen).toEqual(stream.numbers);
  });

  it('shows each follower everything once and in order, whoever is faster and whatever happens', async () => {
    const event = fc.oneof(
      fc.record({ add: fc.nat(5) }),
      fc.record({ turn: fc.nat(2) }),
      fc.record({ both: fc.constant(true) }),
      fc.record({ expire: fc.constant(true) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const stream = createStream();
        const reader = openStream(stream.client, 'arn');
        const followers = [0, 1, 2].map(() => createFollower(reader));
        for (const one of events) {
          if ('add' in one) stream.add(one.add);
          else if ('turn' in one) await followers[one.turn]?.turn();
          else if ('both' in one) await Promise.all(followers.map((follower) => follower.turn()));
          else stream.expires = true;
        }
        stream.expires = false;
        stream.closed = true;
        for (const follower of followers) {
          for (let turn = 0; turn < 400 && !follower.ended; turn++) await follower.turn();
          expect(follower.seen).toEqual(stream.numbers);
        }
      }),
    );
  });

  it('goes on with the oldest there is where the position was trimmed', async () => {
    const stream = createStream();
    const follower = createFollower(openStream(stream.client, 'arn'));
    stream.add(2);
    await follower.turn();
    stream.add(4);
    stream.trimmedTo = 4;

    const later = createFollower(openStream(stream.client, 'arn'));
    later.seen.push(...follower.seen);
    await later.turn();

    expect(later.seen).toEqual(['0', '1', '4', '5']);
  });
});
