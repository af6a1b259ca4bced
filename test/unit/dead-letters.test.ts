/** Dead letters are sent again without losing one, and tell ids and codes, nothing else. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeadLetters,
  deadLetterQueues,
  type Letter,
  lookAt,
  sendAgain,
} from '../../ops/dead-letters.ts';
import { readLetter } from '../../ops/read-letter.ts';

interface Stored {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  isHeld: boolean;
}

const sentBefore = Date.now() - 60_000;
const dead = (id: string): Stored => ({ id, body: `body ${id}`, sentAt: sentBefore, isHeld: false });

/** Two queues, `dead` and `work`, that take and give as SQS does; the call of that number is the last that is answered. */
function createQueues(ids: readonly string[]) {
  const queues = { dead: ids.map(dead), work: [] as Stored[] };
  let calls = 0;
  const state = {
    queues,
    /** A call that is carried out, and whose answer never comes. */
    cutAfter: Number.POSITIVE_INFINITY,
    client: {
      async send(command: unknown): Promise<object> {
        const answer = carryOut(command);
        if (++calls === state.cutAfter) throw new Error('cut off');
        return answer;
      },
    } as unknown as SQSClient,
    /** The visibility timeouts of what was held run out. */
    release: () => {
      calls = 0;
      state.cutAfter = Number.POSITIVE_INFINITY;
      for (const letter of queues.dead) letter.isHeld = false;
    },
  };
  const queueOf = (url: string | undefined): Stored[] => queues[url as keyof typeof queues];

  function carryOut(command: unknown): object {
    if (command instanceof ReceiveMessageCommand) {
      const found = queueOf(command.input.QueueUrl)
        .filter(({ isHeld }) => !isHeld)
        .slice(0, command.input.MaxNumberOfMessages);
      for (const letter of found) letter.isHeld = true;
      return {
        Messages: found.map(({ id, body, sentAt }) => ({
          MessageId: id,
          ReceiptHandle: id,
          Body: body,
          Attributes: { SentTimestamp: String(sentAt) },
        })),
      };
    }
    if (command instanceof SendMessageBatchCommand) {
      const { Entries = [], QueueUrl } = command.input;
      // SQS takes some of a batch and refuses others.
      const taken = Entries.filter(({ MessageBody }) => MessageBody !== 'body refused');
      for (const { MessageBody = '' } of taken)
        queueOf(QueueUrl).push({
          id: `again ${MessageBody}`,
          body: MessageBody,
          sentAt: Date.now(),
          isHeld: false,
        });
      return { Failed: Entries.filter((entry) => !taken.includes(entry)).map(({ Id }) => ({ Id })) };
    }
    if (command instanceof DeleteMessageBatchCommand) {
      const gone = new Set(command.input.Entries?.map(({ ReceiptHandle }) => ReceiptHandle));
      queues.dead = queues.dead.filter(({ id }) => !gone.has(id));
      return {};
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const back = new Set(command.input.Entries?.map(({ ReceiptHandle }) => ReceiptHandle));
      for (const letter of queues.dead) if (back.has(letter.id)) letter.isHeld = false;
      return {};
    }
    throw new Error('unknown command');
  }
  return state;
}

const route = { from: 'dead', to: 'work' };
const idsOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `m${i}`);

describe('sending again', () => {
  it('sends those that were chosen, and the others lie there for everybody to see', async () => {
    const { client, queues } = createQueues(idsOf(25));

    const sent = await sendAgain(
      client,
      route,
      ({ id }) => ['m3', 'm17'].includes(id),
      () => {},
    );

    expect(sent).toBe(2);
    expect(queues.work.map(({ body }) => body)).toEqual(['body m3', 'body m17']);
    expect(queues.dead.map(({ id }) => id)).toEqual(idsOf(25).filter((id) => id !== 'm3' && id !== 'm17'));
    expect(queues.dead.some(({ isHeld }) => isHeld)).toBe(false);
  });

  it('keeps what the queue refuses', async () => {
    const { client, queues } = createQueues(['m1', 'refused']);

    expect(
      await sendAgain(
        client,
        route,
        () => true,
        () => {},
      ),
    ).toBe(1);
    expect(queues.dead).toMatchObject([{ id: 'refused', isHeld: false }]);
  });

  it('loses none, wherever it is cut off, and a second time sends the rest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 35 }),
        fc.integer({ min: 1, max: 16 }),
        async (n, cutAfter) => {
          const state = createQueues(idsOf(n));
          state.cutAfter = cutAfter;

          await sendAgain(
            state.client,
            route,
            () => true,
            () => {},
          ).catch(() => {});

          const there = (): Set<string> =>
            new Set([...state.queues.dead, ...state.queues.work].map(({ body }) => body));
          expect(there().size).toBe(n);

          state.release();
          await sendAgain(
            state.client,
            route,
            () => true,
            () => {},
          );

          expect(state.queues.dead).toEqual([]);
          expect(there().size).toBe(n);
          // At the most the ten of one call came twice.
          expect(state.queues.work.length).toBeLessThanOrEqual(n + 10);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('does not send again what failed meanwhile, and so ends', async () => {
    const { client, queues } = createQueues(['m1']);
    queues.dead.push({ ...dead('late'), sentAt: Date.now() + 1_000 });

    expect(
      await sendAgain(
        client,
        route,
        () => true,
        () => {},
      ),
    ).toBe(1);
    expect(queues.dead).toMatchObject([{ id: 'late', isHeld: false }]);
  });

  it('looks without taking', async () => {
    const { client, queues } = createQueues(idsOf(25));

    expect(await lookAt(client, 'dead', 1_000)).toHaveLength(25);
    expect(queues.dead.filter(({ isHeld }) => isHeld)).toEqual([]);
  });
});

describe('what a letter tells', () => {
  const queueOf = (name: string): DeadLetters => {
    const found = deadLetterQueues.find((queue) => queue.name === name);
    if (!found) throw new Error(name);
    return found;
  };
  const letter = (body: unknown, attributes: Letter['attributes'] = {}): Letter => ({
    id: 'm1',
    handle: 'h',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes,
    sentAt: new Date(0),
  });
  const inquiryId = 'inq_00000000000000000000000001';

  it.each([
    ['score', { inquiryId, version: 3 }, { about: inquiryId, inquiryId, noted: 'm1' }],
    ['route', { kind: 'pool', poolId: 'skin' }, { about: 'pool skin', noted: 'm1' }],
    [
      'mail',
      { kind: 'message', inquiryId, key: 'ack' },
      { about: `message ${inquiryId} ack`, inquiryId, noted: 'm1' },
    ],
    ['score', { inquiryId: 'maria', version: 1 }, { about: 'no message of ours', noted: 'm1' }],
    ['mail', 'maria@example.com', { about: 'no message of ours', noted: 'm1' }],
  ])('of a message to %s is by ids (%#)', (name, body, told) => {
    expect(readLetter(queueOf(name), letter(body))).toEqual(told);
  });

  it('of an event is the run that failed, and nothing of what it was called with', () => {
    const told = readLetter(
      queueOf('feedback'),
      letter({
        requestContext: { requestId: '0b-5c', condition: 'RetriesExhausted', approximateInvokeCount: 3 },
        requestPayload: { Records: [{ Sns: { Message: 'maria@example.com' } }] },
        responsePayload: { errorType: 'Error', errorMessage: 'maria@example.com' },
      }),
    );

    expect(told).toEqual({
      about: 'run 0b-5c of feedback',
      noted: 'm1',
      condition: 'RetriesExhausted, Error, 3 tries',
    });
  });

  it('of an event that was never delivered is the code of that', () => {
    const undelivered = letter('{"a":"maria"}', {
      ERROR_CODE: { DataType: 'String', StringValue: 'NO_PERMISSIONS' },
      ERROR_MESSAGE: { DataType: 'String', StringValue: 'maria' },
    });

    expect(readLetter(queueOf('sweeps'), undelivered)).toEqual({
      about: 'an event for remind',
      noted: 'm1',
      condition: 'NO_PERMISSIONS',
    });
  });

  it('of records of the stream is where they stood', () => {
    const position = letter({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 11 },
      DDBStreamBatchInfo: { startSequenceNumber: '4100', endSequenceNumber: '4100', batchSize: 1 },
    });

    expect(readLetter(queueOf('figures'), position)).toEqual({
      about: 'a change at 4100',
      noted: '4100',
      condition: 'RetryAttemptsExhausted, 11 tries',
    });
  });
});
