/**
 * What can go wrong between a function and the services that it reaches, each with a name of its own:
 * one list for whatever makes it happen, in memory or between the functions and real engines.
 */

/** What a function calls on a port, and what the services do by themselves. */
export const operations = [
  'get',
  'batchGet',
  'query',
  'write',
  'transact',
  'send',
  'sendAll',
  'mail',
  'delivery',
  'stream',
  'schedule',
] as const;
export type Operation = (typeof operations)[number];

interface Kind {
  /** In words that a story can be told with. */
  readonly what: string;
  /** What it can happen to. */
  readonly at: readonly Operation[];
}

const reads = ['get', 'batchGet', 'query'] as const;
const writes = ['write', 'transact'] as const;
const sends = ['send', 'sendAll', 'mail'] as const;
const calls = [...reads, ...writes, ...sends] as const;

const kinds = {
  crash_before: { what: 'the invocation dies before the call', at: calls },
  crash_after: { what: 'the call is done, and the invocation dies before its answer', at: calls },
  throttled: { what: 'the service refuses the call; nothing is done', at: calls },
  timed_out: {
    what: 'the call is done, but the caller is told that it timed out',
    at: [...writes, ...sends],
  },
  // DynamoDB takes the second try of a transaction for the first, by its token; that of a single write it does not.
  answer_lost: {
    what: 'the write is done, its answer lost, and the SDK’s second try finds its condition failed',
    at: ['write'],
  },
  conflict: { what: 'the transaction meets another one under way; nothing is done', at: ['transact'] },
  partial_batch: {
    what: 'some of the messages are taken, and the caller is told of the rest',
    at: ['sendAll'],
  },
  unprocessed_keys: { what: 'some of the rows are read only later', at: ['batchGet'] },
  stale_index: { what: 'the index shows what was some seconds ago', at: ['query'] },
  stale_read: { what: 'the read, not asked to be consistent, gives what was some seconds ago', at: reads },
  duplicate: { what: 'the message is delivered again, one to five times', at: ['delivery'] },
  late: { what: 'the message comes minutes later, behind others', at: ['delivery'] },
  replay: { what: 'the stream brings the batch again', at: ['stream'] },
  lagging: { what: 'a shard of the stream falls behind the others', at: ['stream'] },
  missed: { what: 'the schedule does not fire', at: ['schedule'] },
  fired_twice: { what: 'the schedule fires twice, both at once', at: ['schedule'] },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof kinds;
export const faultKinds: Readonly<Record<FaultKind, Kind>> = kinds;
export const faultNames = Object.keys(kinds) as FaultKind[];

/** The faults that can happen to an operation. */
export const faultsOf = (operation: Operation): readonly FaultKind[] =>
  faultNames.filter((name) => faultKinds[name].at.includes(operation));
