/** The faults of the real engines are what they say, and whoever judges a run finds what is wrong. */
import { describe, expect, it } from 'vitest';
import type { Answer, Call } from '../../local/system.ts';
import type { FaultKind } from '../../simulation/faults.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createRandom } from '../../simulation/random.ts';
import { faultsOfCall, faultyDetour } from '../faults/detour.ts';
import { judge } from '../faults/judge.ts';
import type { Noted } from '../faults/messages.ts';
import { createPipeline } from '../support/fixtures.ts';

const call = (operation: string, request: object, change: Partial<Call> = {}): Call => ({
  functionName: 'score',
  service: /Message/.test(operation) ? 'sqs' : /Email/.test(operation) ? 'ses' : 'dynamodb',
  operation,
  request,
  callId: 'call-1',
  attempt: 1,
  ...change,
});

/** A detour that does just this to every call, and what reached the engine. */
function withFault(kind: FaultKind) {
  const forwarded: unknown[] = [];
  const happened: FaultKind[] = [];
  const random = {
    ...createRandom(1),
    chance: () => true,
    pick: <T>(values: readonly T[]): T => values.find((one) => one === kind) ?? (values.at(-1) as T),
  };
  const detour = faultyDetour({ random, rate: 1, onFault: (fault) => void happened.push(fault) });
  let answers = 0;
  return {
    forwarded,
    happened,
    send: (made: Call): Promise<Answer | undefined> =>
      detour(made, async (request) => {
        forwarded.push(request ?? made.request);
        answers += 1;
        return { status: 200, headers: {}, body: JSON.stringify({ answer: answers }) };
      }),
  };
}
const bodyOf = (answer: Answer | undefined) => JSON.parse(answer?.body ?? '{}');

describe('a fault', () => {
  it.each([
    ['GetItem', {}],
    ['TransactWriteItems', { TransactItems: [] }],
    ['SendMessage', {}],
    ['SendRawEmail', {}],
  ])('throttled: %s is refused in each try, and nothing is done', async (operation, request) => {
    const { send, forwarded } = withFault('throttled');
    for (const attempt of [1, 2, 3]) {
      const answer = await send(call(operation, request, { attempt }));
      expect([answer?.status, /Throttling/.test(answer?.body ?? '')]).toEqual([400, true]);
    }
    expect(forwarded).toEqual([]);
  });

  it('timed_out: the write is done once, and no try is answered', async () => {
    const { send, forwarded } = withFault('timed_out');
    for (const attempt of [1, 2, 3]) expect(await send(call('PutItem', {}, { attempt }))).toBeUndefined();
    expect(forwarded).toHaveLength(1);
  });

  it('answer_lost: the second try reaches the engine', async () => {
    const { send, forwarded } = withFault('answer_lost');
    expect(await send(call('UpdateItem', {}))).toBeUndefined();
    expect(await send(call('UpdateItem', {}, { attempt: 2 }))).toMatchObject({ status: 200 });
    expect(forwarded).toHaveLength(2);
  });

  it('conflict: the transaction is cancelled, with a reason for each write', async () => {
    const { send, forwarded } = withFault('conflict');
    const answer = await send(call('TransactWriteItems', { TransactItems: [{}, {}] }));
    expect(bodyOf(answer)).toMatchObject({
      __type: expect.stringContaining('TransactionCanceledException'),
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
    });
    expect(forwarded).toEqual([]);
  });

  it('partial_batch: half is taken, and the rest is told of', async () => {
    const Entries = [1, 2, 3].map((n) => ({ Id: `${n}` }));
    const { send, forwarded } = withFault('partial_batch');
    const answer = await send(call('SendMessageBatch', { QueueUrl: 'q', Entries }));
    expect(forwarded).toEqual([{ QueueUrl: 'q', Entries: Entries.slice(0, 1) }]);
    expect(bodyOf(answer).Failed.map(({ Id }: { Id: string }) => Id)).toEqual(['2', '3']);
  });

  it('unprocessed_keys: half is read, and the rest is left', async () => {
    const Keys = [{ pk: 1 }, { pk: 2 }];
    const { send, forwarded } = withFault('unprocessed_keys');
    const answer = await send(call('BatchGetItem', { RequestItems: { t: { Keys, ConsistentRead: true } } }));
    expect(forwarded).toEqual([{ RequestItems: { t: { Keys: [{ pk: 1 }], ConsistentRead: true } } }]);
    expect(bodyOf(answer).UnprocessedKeys).toEqual({ t: { Keys: [{ pk: 2 }], ConsistentRead: true } });
  });

  it('stale_index: the answer of a moment ago, but never to a consistent read', async () => {
    const { send } = withFault('stale_index');
    const ask = (until: string, callId: string, change: object = {}) =>
      send(call('Query', { IndexName: 'due', Values: { ':v1': until }, ...change }, { callId }));
    const first = bodyOf(await ask('2026-11-20T16:00:00.000Z', 'a'));
    expect(bodyOf(await ask('2026-11-20T16:00:01.000Z', 'b'))).toEqual(first);
    const consistent = { IndexName: undefined, ConsistentRead: true };
    const one = bodyOf(await ask('2026-11-20T16:00:00.000Z', 'c', consistent));
    expect(bodyOf(await ask('2026-11-20T16:00:00.000Z', 'd', consistent))).not.toEqual(one);
  });

  it('duplicate and late: the message is there twice or more, or only later', async () => {
    const twice = withFault('duplicate');
    await twice.send(call('SendMessage', { MessageBody: '{}' }));
    expect(twice.forwarded.length).toBeGreaterThan(1);
    const late = withFault('late');
    await late.send(call('SendMessageBatch', { Entries: [{ Id: '1' }] }));
    expect(late.forwarded).toEqual([{ Entries: [{ Id: '1', DelaySeconds: expect.any(Number) }] }]);
  });

  it('happens only to what it can happen to', () => {
    expect(faultsOfCall({ operation: 'GetSecretValue' })).toEqual([]);
    expect(faultsOfCall({ operation: 'TransactWriteItems' })).toEqual(['throttled', 'timed_out', 'conflict']);
    expect(faultsOfCall({ operation: 'SendMessage' })).toEqual([
      'throttled',
      'timed_out',
      'duplicate',
      'late',
    ]);
  });
});

describe('the judge of a run', () => {
  const nowIso = '2026-11-20T16:00:30.000Z';
  const mail = (inquiryId: string, to: string, atMs: number, callId: string): Noted => ({
    what: 'mail',
    mail: { inquiryId, to, subject: 'New inquiry' },
    atMs,
    callId,
  });

  async function aRun() {
    const table = createMemoryTable();
    const pipeline = createPipeline(table);
    const ids: string[] = [];
    for (let n = 0; n < 10; n++) {
      const fields = { message: `inquiry ${n}.` };
      ids.push(await pipeline.mailed({ email: `p${n}@example.com`, phone: `+1650555010${n}`, fields }));
    }
    const [id = ''] = ids;
    const noted: Noted[] = [mail(id, 'ana@bayview.example', 0, 'a'), { what: 'marked', inquiryId: id }];
    return { id, ids, rows: table.rows(), noted };
  }
  type Run = Awaited<ReturnType<typeof aRun>>;
  const judged = ({ ids, rows, noted }: Run) => judge({ rows, noted, acknowledged: new Set(ids), nowIso });
  const fine = {
    absent: [],
    twice: [],
    restless: [],
    doubleAssigned: [],
    miscounted: [],
    unfair: [],
    mailedTooOften: [],
  };
  /** Changes the head of the first inquiry. */
  const headChanged = (run: Run, change: object): Run => ({
    ...run,
    rows: run.rows.map((row) => (row.pk.endsWith(run.id) && row.sk === 'HEAD' ? { ...row, ...change } : row)),
  });

  it('has nothing against a run in which nothing went wrong', async () => {
    expect(judged(await aRun())).toMatchObject({
      stored: 10,
      atRest: 10,
      mails: 1,
      mailedAgain: 0,
      wrong: fine,
    });
  });

  it.each<[keyof typeof fine, (run: Run) => Run]>([
    ['absent', (run) => ({ ...run, ids: [...run.ids, 'inq_01ARZ3NDEKTSV4RRFFQ69G5FAV'] })],
    ['absent', (run) => ({ ...run, rows: run.rows.filter(({ sk }) => sk !== 'BODY') })],
    [
      'twice',
      (run) => ({ ...run, rows: [...run.rows, ...run.rows.filter(({ sk }) => sk === 'BODY').slice(0, 1)] }),
    ],
    ['restless', (run) => headChanged(run, { mailState: 'sending' })],
    ['restless', (run) => headChanged(run, { progress: 'routed' })],
    ['restless', (run) => headChanged(run, { dueSk: '2026-11-20T16:00:00.000Z#x' })],
    ['doubleAssigned', (run) => ({ ...run, noted: [mail(run.id, 'ben@bayview.example', 0, 'b')] })],
    ['miscounted', (run) => headChanged(run, { assignedTo: 'ben' })],
    [
      'unfair',
      (run) => ({
        ...run,
        rows: run.rows.map((row) => (row.sk === 'HEAD' ? { ...row, assignedTo: 'ana' } : row)),
      }),
    ],
    // Marked as sent, and again hours later; or not marked, but within the lease.
    [
      'mailedTooOften',
      (run) => ({ ...run, noted: [...run.noted, mail(run.id, 'ana@bayview.example', 9_999_999, 'b')] }),
    ],
    [
      'mailedTooOften',
      (run) => ({
        ...run,
        noted: [...run.noted.slice(0, 1), mail(run.id, 'ana@bayview.example', 1_000, 'b')],
      }),
    ],
  ])('finds what is wrong: %s', async (what, spoil) => {
    const { wrong } = judged(spoil(await aRun()));
    expect(wrong[what].length).toBeGreaterThan(0);
  });

  it('lets a mail go out again that nobody lived to write down, and whose SDK tried again', async () => {
    const run = await aRun();
    const [first] = run.noted as [Noted];
    const later = mail(run.id, 'ana@bayview.example', 90_000, 'b');
    const tried = mail(run.id, 'ana@bayview.example', 90_010, 'b');
    expect(judged({ ...run, noted: [first, later, tried] })).toMatchObject({ mailedAgain: 2, wrong: fine });
  });
});
