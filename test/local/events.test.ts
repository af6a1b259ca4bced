import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import { matchesPattern, unknownOperator } from '../../local/events/filters.ts';
import { startLoop } from '../../local/events/pausable.ts';
import { startQueueAlarms } from '../../local/events/queue-alarms.ts';
import { untilNextMs } from '../../local/events/schedule.ts';
import { openStream } from '../../local/events/stream-reader.ts';
import { startStreamSource } from '../../local/events/stream-source.ts';

describe('matchesPattern', () => {
  const head = { dynamodb: { Keys: { sk: { S: ['HEAD'] } } } };
  const audit = {
    eventName: ['MODIFY', 'REMOVE'],
    dynamodb: { Keys: { pk: { S: [{ prefix: 'AUDIT#' }] } } },
  };
  const event = (eventName: string, pk: string, sk: string): object => ({
    eventName,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  });

  it('compares with lists of values', () => {
    expect(matchesPattern(head, event('INSERT', 'a', 'HEAD'))).toBe(true);
    expect(matchesPattern(head, event('INSERT', 'a', 'HEAD#2'))).toBe(false);
    expect(matchesPattern(head, { eventName: 'INSERT' })).toBe(false);
  });

  it('compares with prefixes, every part at once', () => {
    expect(matchesPattern(audit, event('MODIFY', 'AUDIT#2026', 'x'))).toBe(true);
    expect(matchesPattern(audit, event('INSERT', 'AUDIT#2026', 'x'))).toBe(false);
    expect(matchesPattern(audit, event('MODIFY', 'INQ#1', 'x'))).toBe(false);
  });

  it('compares yes and no as they are in a record, and several parts of it at once', () => {
    const returning = {
      eventName: ['INSERT'],
      dynamodb: { Keys: { sk: { S: ['BODY'] } }, NewImage: { returning: { BOOL: [true] } } },
    };
    const body = (eventName: string, image?: object): object => ({
      eventName,
      dynamodb: { Keys: { pk: { S: 'INQ#1' }, sk: { S: 'BODY' } }, ...(image && { NewImage: image }) },
    });

    expect(matchesPattern(returning, body('INSERT', { returning: { BOOL: true } }))).toBe(true);
    expect(matchesPattern(returning, body('INSERT', { returning: { BOOL: false } }))).toBe(false);
    expect(matchesPattern(returning, body('INSERT', { returning: { S: 'true' } }))).toBe(false);
    expect(matchesPattern(returning, body('INSERT', { other: { BOOL: true } }))).toBe(false);
    expect(matchesPattern(returning, body('MODIFY', { returning: { BOOL: true } }))).toBe(false);
    expect(matchesPattern(returning, body('REMOVE'))).toBe(false);
  });

  it('takes a record of a person or of a point of theirs, and none of an alias', () => {
    const ofContact = (sk: unknown): object => ({
      eventName: ['INSERT'],
      dynamodb: { Keys: { pk: { S: [{ prefix: 'CON#' }] }, sk: { S: [sk] } } },
    });
    const people = [ofContact('PROFILE'), ofContact({ prefix: 'POINT#' })];
    const taken = (sk: string, pk = 'CON#con_1'): boolean =>
      people.some((pattern) => matchesPattern(pattern, event('INSERT', pk, sk)));

    expect(['PROFILE', 'POINT#1.abc'].map((sk) => taken(sk))).toEqual([true, true]);
    expect(['MATCH#con_2', 'MERGED#con_2', 'ENTRY#ent_1', 'POINT'].map((sk) => taken(sk))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(taken('PROFILE', 'PT#1.abc')).toBe(false);
  });

  it('knows the other operators', () => {
    expect(matchesPattern({ a: [{ 'anything-but': ['x'] }] }, { a: 'y' })).toBe(true);
    expect(matchesPattern({ a: [{ exists: false }] }, {})).toBe(true);
    expect(matchesPattern({ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 3 })).toBe(true);
    expect(matchesPattern({ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 4 })).toBe(false);
  });

  it('names an operator that is not known', () => {
    expect(unknownOperator(audit)).toBeUndefined();
    expect(unknownOperator({ a: { b: [{ cidr: '10.0.0.0/8' }] } })).toBe('cidr');
  });
});

describe('untilNextMs', () => {
  const now = new Date('2026-11-20T15:04:05.000Z');
  const next = (expression: string): string =>
    new Date(now.getTime() + untilNextMs(expression, now)).toISOString();

  it('reads rates', () => {
    expect(next('rate(1 minute)')).toBe('2026-11-20T15:05:00.000Z');
    expect(next('rate(1 hour)')).toBe('2026-11-20T16:00:00.000Z');
  });

  it('reads cron expressions, in UTC', () => {
    expect(next('cron(0/15 * * * ? *)')).toBe('2026-11-20T15:15:00.000Z');
    expect(next('cron(30 6 ? * MON-FRI *)')).toBe('2026-11-23T06:30:00.000Z');
    expect(next('cron(0 8 1 JAN,JUL ? *)')).toBe('2027-01-01T08:00:00.000Z');
  });

  it('refuses anything else', () => {
    expect(() => next('every minute')).toThrow('cannot be read');
    expect(() => next('cron(0 8 L * ? *)')).toThrow('cannot be read');
  });
});

describe('startLoop', () => {
  it('pauses only when the step under way is done, and goes on', async () => {
    let steps = 0;
    const loop = startLoop(
      async (control) => {
        await control.sleep(5);
        steps += 1;
      },
      { onError: () => {}, settle: async () => {} },
    );
    await loop.pause();
    const paused = steps;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(steps).toBe(paused);

    loop.resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(steps).toBeGreaterThan(paused);
    loop.stop();
  });
});

describe('startQueueAlarms', () => {
  it('rings once, in the words of the template, and says when all is well', async () => {
    const depths: Record<string, string> = { dead: '0', other: '0' };
    const client = {
      send: async ({ input }: { input: { QueueUrl: string } }) => {
        looks += 1;
        return { Attributes: { ApproximateNumberOfMessages: depths[input.QueueUrl] } };
      },
    } as unknown as SQSClient;
    let looks = 0;
    const plan = (queueName: string) => ({ name: 'A', text: 'x', queueName, threshold: 1, periodSeconds: 0 });
    const lines: string[] = [];
    const alarms = startQueueAlarms({
      client,
      alarms: [{ ...plan('dead'), name: 'Dead', text: 'Nobody is going to call.' }, plan('other')],
      queueUrl: (name) => name,
      report: (line) => lines.push(line),
      onError: () => {},
    });
    /** Looks at once: whoever goes on after a pause does not wait. */
    const look = async (seen: () => boolean): Promise<void> => {
      await alarms.pause();
      alarms.resume();
      await vi.waitUntil(seen);
    };

    await look(() => looks >= 2);
    expect(lines).toEqual([]);
    depths['dead'] = '2';
    await look(() => lines.length > 0);
    const before = looks;
    await look(() => looks >= before + 2);
    depths['dead'] = '0';
    await look(() => lines.length > 1);
    alarms.stop();

    expect(lines).toEqual(['ALARM Dead: Nobody is going to call.', 'OK Dead']);
  });
});

describe('startStreamSource', () => {
  /** A stream of one shard that holds this record. */
  const clientOf = (record: StreamRecord): DynamoDBStreamsClient =>
    ({
      async send(command: object) {
        if (command instanceof DescribeStreamCommand) {
          return { StreamDescription: { Shards: [{ ShardId: 'shard' }] } };
        }
        return command instanceof GetShardIteratorCommand
          ? { ShardIterator: 'iterator' }
          : { Records: [record] };
      },
    }) as unknown as DynamoDBStreamsClient;

  it('mends the empty maps of images, and leaves everything else as it was stored', async () => {
    const read = Promise.withResolvers<unknown>();
    // As DynamoDB Local gives it: an empty map without its type.
    const image = {
      empty: {},
      full: { M: { inner: {}, list: { L: [{}, { L: [] }, { NULL: true }] } } },
      bytes: { B: new Uint8Array([1, 2]) },
      text: { S: '' },
    };
    const source = startStreamSource({
      stream: openStream(
        clientOf({
          eventID: '1',
          eventName: 'MODIFY',
          dynamodb: {
            Keys: { pk: { S: 'INQ#1' } },
            NewImage: image as never,
            OldImage: { empty: {} } as never,
            SequenceNumber: '7',
            ApproximateCreationDateTime: new Date(1_500),
          },
        }),
        'arn',
      ),
      plan: {
        functionName: 'report',
        tableName: 'table',
        batchSize: 10,
        batchWindowSeconds: 0,
        reportsItemFailures: true,
        bisects: true,
        filters: [],
      },
      streamArn: 'arn',
      positionFile: join(mkdtempSync(join(tmpdir(), 'firstcall-stream-')), 'position.json'),
      invoke: async (_function, event) => {
        read.resolve(event);
        return { batchItemFailures: [] };
      },
      sendFailure: async () => {},
      onError: (_what, error) => read.reject(error),
    });

    const event = await read.promise;
    source.stop();

    expect(event).toMatchObject({
      Records: [
        {
          eventName: 'MODIFY',
          dynamodb: {
            Keys: { pk: { S: 'INQ#1' } },
            NewImage: {
              empty: { M: {} },
              full: { M: { inner: { M: {} }, list: { L: [{ M: {} }, { L: [] }, { NULL: true }] } } },
              bytes: { B: 'AQI=' },
              text: { S: '' },
            },
            OldImage: { empty: { M: {} } },
            SequenceNumber: '7',
            ApproximateCreationDateTime: 1,
          },
        },
      ],
    });
  });
});
