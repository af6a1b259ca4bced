import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stepMessageSchema } from '../../shared/queues/messages.ts';
import { describeError } from '../../shared/runtime/lambda.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';

const id = (n: number): string => `inq_${String(n).padStart(26, '0')}`;
const record = (n: number, body: string = JSON.stringify({ inquiryId: id(n), version: 1 })): SQSRecord =>
  ({ messageId: `m${n}`, body, eventSource: 'aws:sqs' }) as SQSRecord;
const context = {
  awsRequestId: 'r',
  functionName: 'f',
  memoryLimitInMB: '128',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:1:function:f',
  getRemainingTimeInMillis: () => 1_000,
} as unknown as Context;
const run = (work: (message: { inquiryId: string }) => Promise<string>, ...Records: SQSRecord[]) =>
  queueHandler(stepMessageSchema, work, { noteFailure })(
    { Records } as SQSEvent,
    context,
  ) as Promise<SQSBatchResponse>;

let printed: string[];
let noted: { of: string; error: unknown }[];
const noteFailure = async (of: string, error: unknown) => void noted.push({ of, error });
beforeEach(() => {
  printed = [];
  noted = [];
  const write = (chunk: unknown) => {
    printed.push(String(chunk));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void printed.push(args.join(' ')));
  }
});
afterEach(() => vi.restoreAllMocks());

describe('a handler of a queue', () => {
  it('works on each by itself where the batch failed in one go, and on none again that was done', async () => {
    const done: string[] = [];
    const work = async ({ inquiryId }: { inquiryId: string }) => {
      done.push(inquiryId);
      return 'scored';
    };
    const handle = (together: () => Promise<readonly (string | Error | undefined)[]>) =>
      queueHandler(stepMessageSchema, work, { noteFailure, together })(
        { Records: [record(1), record(2)] } as SQSEvent,
        context,
      );

    const failed = async () => {
      throw new Error('maria@example.com');
    };
    expect(await handle(failed)).toEqual({ batchItemFailures: [] });
    expect(done).toEqual([id(1), id(2)]);
    expect(await handle(async () => ['routed', undefined])).toEqual({ batchItemFailures: [] });
    expect(done).toEqual([id(1), id(2), id(2)]);
    // What failed in one go is not tried again at once, and comes again.
    expect(await handle(async () => [new Error('maria@example.com'), 'routed'])).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }],
    });
    expect(done).toEqual([id(1), id(2), id(2)]);
    expect(printed.join('\n')).not.toContain('maria');
  });

  it('works on each message by itself, and only what failed comes again', async () => {
    const done: string[] = [];

    const answer = await run(
      async ({ inquiryId }) => {
        if (inquiryId === id(2)) throw new Error('maria@example.com');
        done.push(inquiryId);
        return 'scored';
      },
      record(1),
      record(2),
      record(3),
    );

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm2' }] });
    expect(done).toEqual([id(1), id(3)]);
    // By what a dead letter is known by.
    expect(noted).toEqual([{ of: 'm2', error: expect.any(Error) }]);
  });

  it('gives back a whole batch that failed, and throws nothing that would print it', async () => {
    const answer = await run(async () => Promise.reject(new Error('secret')), record(1), record(2));

    expect(answer.batchItemFailures).toHaveLength(2);
  });

  it.each(['', 'no JSON', '{"inquiryId":"inq_1#","version":1}', '{"name":"maria"}'])(
    'fails a message that is none of ours: %j',
    async (body) => {
      expect(await run(async () => 'scored', record(1, body))).toEqual({
        batchItemFailures: [{ itemIdentifier: 'm1' }],
      });
    },
  );

  it('logs ids and outcomes, and nothing of a body or of an error', async () => {
    await run(
      async ({ inquiryId }) => {
        if (inquiryId === id(2)) throw new TypeError('cannot read maria@example.com');
        return 'scored';
      },
      record(1),
      record(2),
      record(3, '{"name":"Maria Canary"}'),
    );

    const log = printed.join('\n');
    expect(log).toContain(id(1));
    expect(log).toContain('TypeError');
    expect(log).not.toMatch(/maria|canary/i);
  });
});

describe('what is logged of an error', () => {
  it('is its name, code and place, never its message', () => {
    const described = describeError(Object.assign(new RangeError('maria\nat maria'), { code: 'E_X' }));

    expect(described).toMatchObject({ errorName: 'RangeError', errorCode: 'E_X' });
    expect(JSON.stringify(described)).not.toContain('maria');
    expect(describeError('maria')).toEqual({ errorName: 'string' });
  });
});
