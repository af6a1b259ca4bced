/**
 * A practice's whole system in virtual time: every function on a table, queues, a stream and a mailer
 * in memory, driven by one agenda. One seed decides everything: there is no clock and no chance but
 * the world's own.
 */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { ulid } from 'ulid';
import type { Mail } from '../functions/notify/mails.ts';
import type { Mailer } from '../functions/notify/ses-mailer.ts';
import { applyConfiguration } from '../shared/data/apply-configuration.ts';
import { auditPk, inquirySk } from '../shared/data/keys.ts';
import type { Row } from '../shared/data/table.ts';
import { type Environment, idPrefixes } from '../shared/domain/ids.ts';
import type { Practice } from '../shared/domain/practice.ts';
import type { MailMessage, StepMessage } from '../shared/queues/messages.ts';
import { type Agenda, createAgenda } from './agenda.ts';
import { type EventOptions, proxyEvent } from './events.ts';
import { composeFunctions, type FunctionName, type Functions, type Ports } from './functions.ts';
import { createMemoryTable, type MemoryTable, type RowChange } from './memory-table.ts';
import { type Consumer, createVirtualQueue } from './queue.ts';
import { createRandom, type Random } from './random.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** A mail as it left, with what asked for it. */
export interface SentMail {
  readonly at: string;
  readonly to: readonly string[];
  readonly mail: Mail;
  readonly asked: MailMessage;
}

/** Something that should not have happened, where it was noticed. */
export interface Trouble {
  readonly at: string;
  readonly where: string;
  readonly error: Error;
}

export interface WorldOptions {
  readonly seed: number;
  readonly practice: Practice;
  readonly from: Date;
  /** Told the changes of each commit, at once. */
  readonly onCommit?: (changes: readonly RowChange[]) => void;
  readonly onMail?: (sent: SentMail) => void;
  /** Puts other ports in place of the plain ones: with faults, say. */
  readonly portsOf?: (name: FunctionName, plain: Ports) => Ports;
}

export interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly environment: Environment;
  readonly table: MemoryTable;
  readonly functions: Functions;
  readonly mails: readonly SentMail[];
  readonly troubles: readonly Trouble[];
  readonly hmac: { readonly version: string; readonly key: string };
  /** The practice as it was last applied. */
  practice(): Practice;
  /** A post or webhook from outside, or a visit of a public page. */
  fromOutside(route: string, options?: EventOptions): Promise<APIGatewayProxyResult>;
  /** A call of the staff API by a member. */
  asStaff(memberId: string, route: string, options?: EventOptions): Promise<APIGatewayProxyResult>;
  /** Changes the configuration, as `practice -- apply` does. */
  change(author: string, change: (practice: Practice) => void): Promise<void>;
  runUntil(instant: Date): Promise<void>;
}

export const googleAdsKey = 'local-google-key';
export const consoleUrl = 'http://localhost:4000';
const staffClientId = 'console-client';

/** The stream brings a change so much later. */
const streamDelayMs = 300;
const streamBatch = 100;
/** A batch of the stream that failed comes again so often, and this long after. */
const mostStreamAttempts = 10;
const streamPauseMs = 1_000;

/** What the filter of `report`'s event source lets through. */
const isForReport = ({ before, after }: RowChange): boolean => {
  const row = after ?? before;
  return row?.sk === inquirySk.head || (before !== undefined && row?.pk.startsWith(auditPk('')) === true);
};

export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, from, portsOf = (_name: FunctionName, plain: Ports) => plain } = options;
  const random = createRandom(seed);
  const agenda = createAgenda(from.getTime());
  const idRandom = random.fork('ids');
  const environment: Environment = {
    now: () => new Date(agenda.nowMs()),
    newId: (kind) => `${idPrefixes[kind]}_${ulid(agenda.nowMs(), idRandom.next)}`,
  };
  const mails: SentMail[] = [];
  const troubles: Trouble[] = [];
  const noteTrouble = (where: string, error: unknown): void => {
    troubles.push({
      at: environment.now().toISOString(),
      where,
      error: error instanceof Error ? error : new Error(String(error)),
    });
  };

  const table = createMemoryTable({
    onCommit: (changes) => {
      options.onCommit?.(changes);
      agenda.at(agenda.nowMs() + streamDelayMs, () => stream(changes));
    },
  });

  // The queues come before the functions that work through them, and these before anything is delivered.
  let functions: Functions | undefined;
  const working = (): Functions => {
    if (!functions) throw new Error('the world is not put together yet');
    return functions;
  };
  const queue = <Message>(name: string, consume: Consumer<Message>) =>
    createVirtualQueue<Message>({
      agenda,
      random: random.fork(`queue ${name}`),
      consume,
      onDead: (message, error) => noteTrouble(`${name} queue: dead letter ${JSON.stringify(message)}`, error),
    });
  const scoreQueue = queue<StepMessage>('score', (messages) => working().score(messages));
  const routeQueue = queue<StepMessage>('route', (messages) => working().route(messages));
  // One after the other, so that it is known which message a mail was sent for.
  let asked: MailMessage | undefined;
  const mailQueue = queue<MailMessage>('mail', async (messages) => {
    const failed: (Error | undefined)[] = [];
    for (const message of messages) {
      asked = message;
      failed.push(...(await working().notify([message])));
    }
    return failed;
  });
  const mailer: Mailer = {
    async send(to, mail) {
      if (asked === undefined) throw new Error('nobody asked for this mail');
      const sent = { at: environment.now().toISOString(), to, mail, asked };
      mails.push(sent);
      options.onMail?.(sent);
    },
  };

  const plain: Ports = { table, scoreQueue, routeQueue, mailQueue, mailer, environment };
  const hmac = { version: '1', key: `simulation-${seed}`.padEnd(32, '.') };
  functions = composeFunctions(
    (name) => portsOf(name, plain),
    { hmac, googleAdsKey, consoleUrl, staffClientId },
    noteTrouble,
  );

  async function again(where: string, work: () => Promise<void>, attempt = 1): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (attempt >= mostStreamAttempts) return noteTrouble(where, error);
      agenda.at(agenda.nowMs() + streamPauseMs, () => again(where, work, attempt + 1));
    }
  }

  async function stream(changes: readonly RowChange[]): Promise<void> {
    const counted = changes.filter(isForReport);
    for (let at = 0; at < counted.length; at += streamBatch) {
      const batch = counted.slice(at, at + streamBatch);
      await again('report', () => countHeads(batch));
    }
    for (const { before, after } of changes) {
      if (before === undefined && after !== undefined) await again('people', () => working().people(after));
    }
  }

  async function countHeads(changes: readonly RowChange[]): Promise<void> {
    const heads: { before: Row | undefined; after: Row }[] = [];
    for (const { before, after } of changes) {
      const row = after ?? before;
      if (row?.sk !== inquirySk.head) noteTrouble('audit changed', new Error(row?.pk));
      else if (after) heads.push({ before, after });
    }
    if (heads.length === 0) return;
    const [failed] = (await working().report(heads)).filter((outcome) => outcome !== undefined);
    if (failed) throw failed;
  }

  const sweepEveryMinute = async (): Promise<void> => {
    agenda.at(agenda.nowMs() + minuteMs, sweepEveryMinute);
    await working()
      .remind()
      .catch((error: unknown) => noteTrouble('remind', error));
  };

  let practice = options.practice;
  async function apply(author: string, wanted: Practice): Promise<void> {
    const applied = await applyConfiguration({
      table,
      practice: wanted,
      author,
      now: environment.now,
      force: true,
    });
    if (applied.outcome !== 'applied')
      throw new Error(`the configuration was not applied: ${applied.outcome}`);
    practice = wanted;
  }
  await apply('practice', practice);
  // On the minute, as EventBridge does.
  agenda.at(Math.ceil(agenda.nowMs() / minuteMs) * minuteMs, sweepEveryMinute);

  return {
    agenda,
    random,
    environment,
    table,
    functions,
    mails,
    troubles,
    hmac,
    practice: () => practice,
    fromOutside: (route, event) => working().capture(proxyEvent(route, event)),
    asStaff: (memberId, route, event = {}) => {
      const member = practice.members.find(({ id }) => id === memberId);
      const claims = {
        sub: memberId,
        username: member?.signIn ?? memberId,
        client_id: staffClientId,
        token_use: 'access',
        scope: 'firstcall/staff',
        'cognito:groups': `[${member?.role}]`,
      };
      return working().api(proxyEvent(route, { ...event, claims }));
    },
    async change(author, change) {
      const wanted = structuredClone(practice);
      change(wanted);
      await apply(author, wanted);
    },
    runUntil: (instant) => agenda.runUntil(instant.getTime()),
  };
}
