/**
 * The ports of one process, as the services promise them and no better: each call takes its time, in
 * which others do theirs, and may go wrong in all the ways that `faults.ts` names.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createPace } from '../../functions/notify/pace.ts';
import type { Table } from '../../shared/data/table.ts';
import { idPrefixes } from '../../shared/domain/ids.ts';
import type { MailMessage, Queue } from '../../shared/queues/messages.ts';
import type { Agenda } from '../agenda.ts';
import type { FaultKind, Operation } from '../faults.ts';
import type { Ports } from '../functions.ts';
import type { MemoryTable, Reader } from '../memory-table.ts';
import type { Draw } from './draw.ts';
import type { Invocation, Process } from './processes.ts';
import { siteOf } from './sites.ts';

/** What a service answers where it does nothing, or does not say what it did. */
export class ServiceFault extends Error {
  override readonly name: 'ThrottlingException' | 'TimeoutError';

  constructor(name: ServiceFault['name']) {
    super(name === 'TimeoutError' ? 'no answer in time' : 'slow down');
    this.name = name;
  }
}

/** One message of a batch that is worked on side by side with others. */
export interface Lane {
  readonly message: MailMessage;
  /** What was claimed for it, and is being sent. */
  claim?: string;
}
/** Which message of a batch a call belongs to, where it is worked on by itself. */
const lanes = new AsyncLocalStorage<Lane>();

const together = new WeakMap<Invocation, Map<string, Lane>>();
/** That of an inquiry whose mail is sent together with others'. */
export function laneTogether(invocation: Invocation, inquiryId: string): Lane {
  const all = together.get(invocation) ?? new Map<string, Lane>();
  together.set(invocation, all);
  const lane = all.get(inquiryId) ?? { message: { kind: 'inquiry', inquiryId, version: 0 } };
  all.set(inquiryId, lane);
  return lane;
}

/** What a staff mail is about, by its link. */
const linkedInquiry = /\/v1\/inquiries\/(\w+)/;

/** A queue as it takes messages. */
export interface Inlet<Message> {
  /** @param address - names the messages; theirs are made of it */
  put(messages: readonly Message[], address: string): void;
}

/** A call on a port, as it is made. */
export interface Call {
  readonly invocation: Invocation;
  readonly operation: Operation;
  readonly address: string;
  readonly site: string;
  readonly lane: Lane | undefined;
}

export interface Services {
  readonly agenda: Agenda;
  readonly table: MemoryTable;
  readonly scoreQueue: Inlet<Parameters<Ports['scoreQueue']['send']>[0]>;
  readonly routeQueue: Inlet<Parameters<Ports['routeQueue']['send']>[0]>;
  readonly mailQueue: Inlet<MailMessage>;
  readonly mailer: Ports['mailer'];
  readonly personMailer: Ports['personMailer'];
  readonly draws: (address: string) => Draw;
  /** How many calls take long. */
  readonly slowShare: number;
  /** How far clocks are off. */
  readonly mostSkewMs: number;
  /** Whether the call goes wrong, and how. */
  decide(call: Call, draw: Draw, can: (kind: FaultKind) => boolean): FaultKind | undefined;
  /** Told of each call at the moment at which it is done, before it is. */
  onCall(call: Call, fault: FaultKind | undefined): void;
  /** Told of what a call came to; undefined outside of any. */
  act(call: Call | undefined): void;
}

/**
 * Everything that follows from what just happened has happened, up to the next calls. Nothing of it waits
 * for more than other promises, and what is left for the next tick comes after all of those.
 */
export const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** An answer takes so long, in virtual milliseconds; now and then so much longer. */
const latencyMs = { least: 2, most: 12 };
const slowMs = { least: 50, most: 2_500 };
/** How many answers take longer, in one run or another: where many do, functions meet all the time. */
export const slowShares = [0.01, 0.05, 0.25] as const;
/** What an index shows, and what an eventually consistent read gives, is at the most so old. */
export const mostStaleMs = { index: 8_000, read: 1_500 };
/** The clock of an invocation is at the most so far from the true time, either way, in one run or another. */
export const mostSkewsMs = [1, 10, 100] as const;
const unprocessedMs = { least: 20, most: 400 };

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
function encoded(value: number, length: number): string {
  let [text, left] = ['', value];
  for (let i = 0; i < length; i++) {
    text = `${crockford[left % 32]}${text}`;
    left = Math.floor(left / 32);
  }
  return text;
}

/** Nothing comes any more. One for each who waits: what waits for a promise is kept as long as that is. */
const never = (): Promise<never> => new Promise(() => {});

/** What happens to a call whatever it is. */
const everyCall: ReadonlySet<FaultKind> = new Set(['crash_before', 'crash_after', 'throttled', 'timed_out']);

export function createAdversePorts(services: Services, process: Process): Ports {
  const { agenda, table } = services;

  type Own<T> = Partial<Record<FaultKind, (draw: Draw, address: string) => Promise<T>>>;

  /** Makes a call: some time later it is done, if it is, and goes on from there, if it does. */
  function call<T>(
    operation: Operation,
    about: string,
    effect: (address: string) => Promise<T>,
    own: Own<T> = {},
    lane: Lane | undefined = lanes.getStore(),
  ): Promise<T> {
    const invocation = process.current;
    // Of a process that has ended, or stands still between two invocations, nothing goes on.
    if (!invocation || invocation.isDead) return never();
    const address = `${invocation.address}/${invocation.calls++}`;
    const one: Call = {
      invocation,
      operation,
      address,
      site: `${invocation.name} ${operation} ${about}`,
      lane,
    };
    const draw = services.draws(address);
    const takesMs = draw.chance(services.slowShare)
      ? draw.between(slowMs.least, slowMs.most)
      : draw.between(latencyMs.least, latencyMs.most);
    const fault = services.decide(one, draw, (kind) => everyCall.has(kind) || own[kind] !== undefined);
    const done = (): Promise<T> => {
      services.act(one);
      try {
        return effect(address);
      } finally {
        services.act(undefined);
      }
    };
    return new Promise<T>((resolve, reject) => {
      const happens = async (): Promise<T> => {
        if (fault === undefined) return await done();
        if (fault === 'crash_before') {
          invocation.die();
          return await never();
        }
        if (fault === 'throttled') throw new ServiceFault('ThrottlingException');
        if (fault === 'crash_after') {
          await done().catch(() => undefined);
          invocation.die();
          return await never();
        }
        if (fault === 'timed_out') {
          await done().catch(() => undefined);
          throw new ServiceFault('TimeoutError');
        }
        services.act(one);
        const answer = own[fault]?.(draw, address) ?? effect(address);
        services.act(undefined);
        return await answer;
      };
      agenda.at(agenda.nowMs() + takesMs, () => {
        services.onCall(one, fault);
        // What was on its way when the process died still arrives; its answer reaches nobody.
        happens().then(
          (value) => !invocation.isDead && resolve(value),
          (error: unknown) => !invocation.isDead && reject(error),
        );
        return settled();
      });
    });
  }

  /** Waits without calling anything. */
  function pass(ms: number): Promise<void> {
    const invocation = process.current;
    if (!invocation || invocation.isDead) return never();
    return new Promise((resolve) => {
      agenda.at(agenda.nowMs() + ms, () => {
        if (!invocation.isDead) resolve();
        return settled();
      });
    });
  }

  /** The table to somebody whom the changes of late have not all reached. */
  const staleReader = (draw: Draw, mostMs: number): Reader =>
    table.asOf(agenda.nowMs() - draw.between(1, mostMs), () => draw.chance(0.6));

  const batchGet: Table['batchGet'] = (keys, options) =>
    call('batchGet', siteOf.batchGet(keys), () => table.batchGet(keys, options), {
      ...(!options?.consistent && {
        stale_read: (draw) => staleReader(draw, mostStaleMs.read).batchGet(keys),
      }),
      // The adapter asks for the rest again: the rows are of different moments.
      async unprocessed_keys(draw) {
        const isLater = keys.map(() => draw.chance(0.5));
        const first = await table.batchGet(keys.filter((_, i) => !isLater[i]));
        await pass(draw.between(unprocessedMs.least, unprocessedMs.most));
        return [...first, ...(await table.batchGet(keys.filter((_, i) => isLater[i])))];
      },
    });

  const adverseTable: Table = {
    get: (key, options) =>
      call('get', siteOf.get(key), () => table.get(key, options), {
        ...(!options?.consistent && { stale_read: (draw) => staleReader(draw, mostStaleMs.read).get(key) }),
      }),
    // Nothing is asked of the service where nothing is wanted.
    batchGet: async (keys, options) => (keys.length === 0 ? [] : await batchGet(keys, options)),
    query: (query) =>
      call('query', siteOf.query(query), () => table.query(query), {
        ...(query.index !== undefined && {
          stale_index: (draw) => staleReader(draw, mostStaleMs.index).query(query),
        }),
        ...(query.index === undefined &&
          !query.consistent && {
            stale_read: (draw) => staleReader(draw, mostStaleMs.read).query(query),
          }),
      }),
    write: (write) =>
      call('write', siteOf.write(write), () => table.write(write), {
        async answer_lost() {
          const written = await table.write(write);
          // Without a condition the second try does the same again.
          return written.committed && write.when !== undefined ? await table.write(write) : written;
        },
      }),
    transact: (writes) =>
      call('transact', siteOf.transact(writes), () => table.transact(writes), {
        conflict: async () => ({ committed: false, failed: new Map() }),
      }),
  };

  function adverseQueue<Message extends object>(name: string, inlet: Inlet<Message>): Queue<Message> {
    const kindOf = (message: Message): string => ('kind' in message ? String(message.kind) : 'inquiry');
    return {
      send: (message) =>
        call('send', `${name} ${kindOf(message)}`, async (address) => inlet.put([message], address)),
      async sendAll(messages) {
        const batches = Array.from({ length: Math.ceil(messages.length / 10) }, (_, i) =>
          messages.slice(i * 10, (i + 1) * 10),
        );
        await Promise.all(
          batches.map((batch) =>
            call('sendAll', name, async (address) => inlet.put(batch, address), {
              async partial_batch(draw, address) {
                const taken = batch.filter(() => draw.chance(0.5));
                inlet.put(taken, address);
                if (taken.length < batch.length) throw new Error('some messages were not taken');
              },
            }),
          ),
        );
      },
    };
  }

  function clockMs(): number {
    const invocation = process.current;
    if (!invocation) return agenda.nowMs();
    const { mostSkewMs } = services;
    invocation.skewMs ??= services.draws(`clock ${invocation.address}`).between(-mostSkewMs, mostSkewMs);
    return agenda.nowMs() + invocation.skewMs;
  }

  return {
    table: adverseTable,
    scoreQueue: adverseQueue('score', services.scoreQueue),
    routeQueue: adverseQueue('route', services.routeQueue),
    mailQueue: adverseQueue('mail', services.mailQueue),
    mailer: {
      async send(to, mail) {
        const about = linkedInquiry.exec(mail.text)?.[1];
        const invocation = process.current;
        const lane =
          lanes.getStore() ??
          (about !== undefined && invocation ? laneTogether(invocation, about) : undefined);
        await call('mail', `staff ${lane?.message.kind}`, () => services.mailer.send(to, mail), {}, lane);
      },
    },
    personMailer: {
      send: (sendable, tags) => call('mail', 'person', () => services.personMailer.send(sendable, tags)),
    },
    apart: (message, work) => lanes.run({ message }, work),
    // Three of these run at once: the concurrency of the event source.
    pace: createPace(3),
    machine: {
      nowMs: clockMs,
      newId(kind, atMs) {
        const invocation = process.current;
        const n = invocation ? invocation.ids++ : 0;
        const draw = services.draws(`id ${invocation?.address}`);
        const made =
          encoded(draw.between(0, 2 ** 31), 7) + encoded(draw.between(0, 2 ** 24), 5) + encoded(n, 4);
        return `${idPrefixes[kind]}_${encoded(atMs, 10)}${made}`;
      },
      pause: pass,
      backOff: (mostMs) => {
        const invocation = process.current;
        const draw = services.draws(`pause ${invocation?.address}/${invocation?.calls}`);
        return pass(Math.floor(draw.next() * mostMs));
      },
    },
  };
}
