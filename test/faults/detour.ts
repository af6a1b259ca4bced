/**
 * Makes calls of the functions go wrong, by the kinds that the simulation knows too
 * (`simulation/faults.ts`), between the functions and the real engines. What the services would answer
 * is answered in their own words, so that the SDK and its second tries are part of what is tested.
 */
import type { Answer, Call, Detour } from '../../local/system.ts';
import type { FaultKind, Operation } from '../../simulation/faults.ts';
import { faultsOf } from '../../simulation/faults.ts';
import type { Random } from '../../simulation/random.ts';

const operations: Readonly<Record<string, Operation>> = {
  GetItem: 'get',
  BatchGetItem: 'batchGet',
  Query: 'query',
  PutItem: 'write',
  UpdateItem: 'write',
  DeleteItem: 'write',
  TransactWriteItems: 'transact',
  SendMessage: 'send',
  SendMessageBatch: 'sendAll',
  SendRawEmail: 'mail',
};

/** Where one process is killed whole, a single invocation need not be; stream and schedule have no call. */
const notHere: readonly FaultKind[] = [
  'crash_before',
  'crash_after',
  'replay',
  'lagging',
  'missed',
  'fired_twice',
];

/** The faults that can be made of a call; a message's are made where it is sent. */
export function faultsOfCall({ operation }: Pick<Call, 'operation'>): readonly FaultKind[] {
  const own = operations[operation];
  if (own === undefined) return [];
  const kinds = [...faultsOf(own), ...(own === 'send' || own === 'sendAll' ? faultsOf('delivery') : [])];
  return kinds.filter((kind) => !notHere.includes(kind));
}

/** How old an answer may be that is given again: as far as an index may lag behind. */
const stalestMs = 15_000;
/** The SDK tries thrice at the most; a fault lasts for one try, or for all of them. */
const tries = [1, 1, 10];

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify(body),
});

function throttled({ service }: Call): Answer {
  if (service === 'ses') {
    return {
      status: 400,
      headers: { 'content-type': 'text/xml' },
      body: '<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Maximum sending rate exceeded.</Message></Error></ErrorResponse>',
    };
  }
  const prefix = service === 'sqs' ? 'com.amazonaws.sqs#' : 'com.amazonaws.dynamodb.v20120810#';
  return json(400, { __type: `${prefix}ThrottlingException`, message: 'Rate exceeded' });
}

function conflict({ request }: Call): Answer {
  const { TransactItems } = request as { readonly TransactItems: readonly unknown[] };
  const reasons = TransactItems.map((_, i) => ({ Code: i === 0 ? 'TransactionConflict' : 'None' }));
  return json(400, {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    CancellationReasons: reasons,
  });
}

interface Entry {
  readonly Id: string;
  readonly DelaySeconds?: number;
}

/** Takes the first half of a batch, and says that it did not take the rest. */
async function partly({ request }: Call, forward: (request: object) => Promise<Answer>): Promise<Answer> {
  const { Entries, ...rest } = request as { readonly Entries: readonly Entry[] };
  const taken = Entries.slice(0, Math.floor(Entries.length / 2));
  const Failed = Entries.slice(taken.length).map(({ Id }) => ({
    Id,
    SenderFault: false,
    Code: 'ServiceUnavailable',
  }));
  if (taken.length === 0) return json(200, { Successful: [], Failed });
  const answer = await forward({ ...rest, Entries: taken });
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), Failed }) };
}

type Keys = Readonly<Record<string, { readonly Keys: readonly object[] }>>;

/** Reads the first half of the keys, and leaves the rest unprocessed. */
async function unprocessed(
  { request }: Call,
  forward: (request: object) => Promise<Answer>,
): Promise<Answer> {
  const { RequestItems, ...rest } = request as { readonly RequestItems: Keys };
  const [table = '', asked] = Object.entries(RequestItems)[0] ?? [];
  if (!asked) return await forward(request as object);
  const middle = Math.floor(asked.Keys.length / 2);
  const left = { [table]: { ...asked, Keys: asked.Keys.slice(middle) } };
  if (middle === 0) return json(200, { Responses: { [table]: [] }, UnprocessedKeys: left });
  const now = { [table]: { ...asked, Keys: asked.Keys.slice(0, middle) } };
  const answer = await forward({ ...rest, RequestItems: now });
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), UnprocessedKeys: left }) };
}

/** The same messages, some seconds later. */
function delayed({ request }: Call, DelaySeconds: number): object {
  const { Entries } = request as { readonly Entries?: readonly Entry[] };
  if (!Entries) return { ...(request as object), DelaySeconds };
  return { ...(request as object), Entries: Entries.map((entry) => ({ ...entry, DelaySeconds })) };
}

/** What a read asks, whenever it is asked: until when a range reaches does not matter. */
const question = ({ functionName, operation, request }: Call): string =>
  `${functionName} ${operation} ${JSON.stringify(request).replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, '""')}`;

const isConsistent = ({ request }: Call): boolean =>
  JSON.stringify(request).includes('"ConsistentRead":true');

/**
 * A detour with faults: each call has one with the same chance, of a kind that can happen to it.
 *
 * @param onFault - told of each fault before it happens
 */
export function faultyDetour(options: {
  readonly random: Random;
  /** The share of calls that go wrong. */
  readonly rate: number;
  readonly onFault: (kind: FaultKind, call: Call) => void;
}): Detour {
  const { random, rate, onFault } = options;
  /** What goes wrong with a call, and in how many more of its tries. */
  const underway = new Map<string, { readonly kind: FaultKind; left: number }>();
  const answers = new Map<string, { readonly answer: Answer; readonly atMs: number }>();

  function drawn(call: Call): FaultKind | undefined {
    const known = underway.get(call.callId);
    if (known) {
      known.left -= 1;
      return known.left >= 0 ? known.kind : undefined;
    }
    const kinds = faultsOfCall(call);
    if (kinds.length === 0 || !random.chance(rate)) return undefined;
    const kind = random.pick(kinds);
    // Only the answer of the first try is lost: the second finds what it did.
    const left = kind === 'throttled' || kind === 'timed_out' ? random.pick(tries) : 1;
    underway.set(call.callId, { kind, left: left - 1 });
    return kind;
  }

  return async (call, forward) => {
    const kind = drawn(call);
    const fresh = async (): Promise<Answer> => {
      const answer = await forward();
      const isRead = ['GetItem', 'BatchGetItem', 'Query'].includes(call.operation);
      if (isRead) answers.set(question(call), { answer, atMs: Date.now() });
      return answer;
    };
    if (kind === undefined) return await fresh();
    const old = kind === 'stale_index' || kind === 'stale_read' ? answers.get(question(call)) : undefined;
    if (kind === 'stale_index' || kind === 'stale_read') {
      const isIndex = (call.request as { readonly IndexName?: string }).IndexName !== undefined;
      const fits = isIndex === (kind === 'stale_index') && !isConsistent(call);
      if (!old || !fits || Date.now() - old.atMs > stalestMs) return await fresh();
    }
    onFault(kind, call);
    switch (kind) {
      case 'throttled':
        return throttled(call);
      case 'conflict':
        return conflict(call);
      case 'timed_out':
        // Done once, whatever becomes of the other tries.
        if (call.attempt === 1) await forward();
        return undefined;
      case 'answer_lost':
        await forward();
        return undefined;
      case 'partial_batch':
        return await partly(call, forward);
      case 'unprocessed_keys':
        return await unprocessed(call, forward);
      case 'duplicate':
        for (let again = random.between(1, 5); again > 0; again--) await forward();
        return await forward();
      case 'late':
        return await forward(delayed(call, random.between(2, 30)));
      default:
        return old?.answer ?? (await fresh());
    }
  };
}
