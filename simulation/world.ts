/**
 * A practice's whole system in virtual time: every function on a table, queues, a stream and a mailer
 * in memory, driven by one agenda. One seed decides everything: there is no clock and no chance but
 * the world's own.
 */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { monotonicFactory } from 'ulid';
import type { SesEvent } from '../functions/feedback/take-feedback.ts';
import { createPace, type Pace } from '../functions/notify/pace.ts';
import type { MessageTags, PersonMailer } from '../functions/notify/person-mailer.ts';
import type { Mailer } from '../functions/notify/ses-mailer.ts';
import { applyConfiguration } from '../shared/data/apply-configuration.ts';
import { auditPk, configuration, inquirySk } from '../shared/data/keys.ts';
import type { Row } from '../shared/data/table.ts';
import { idPrefixes } from '../shared/domain/ids.ts';
import { compose } from '../shared/domain/messages/compose.ts';
import type { Practice } from '../shared/domain/practice.ts';
import type { MailMessage, RouteMessage, StepMessage } from '../shared/queues/messages.ts';
import { createDigest } from '../shared/secrets/digest.ts';
import { unsubscribeToken } from '../shared/secrets/unsubscribe-token.ts';
import { type Agenda, createAgenda } from './agenda.ts';
import { type EventOptions, proxyEvent } from './events.ts';
import {
  composeFunctions,
  type FunctionName,
  type Functions,
  type Machine,
  type Ports,
} from './functions.ts';
import { createMemoryTable, type MemoryTable, type RowChange } from './memory-table.ts';
import { minuteMs } from './minutes.ts';
import { type Consumer, createVirtualQueue } from './queue.ts';
import { createRandom, type Random } from './random.ts';

/** A mail as it left, with what asked for it. */
export interface SentMail {
  readonly at: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly asked: MailMessage;
  /** Of a message to a person: the address behind its link, and what its bounce would be known by. */
  readonly toPerson?: { readonly unsubscribeUrl: string; readonly tags: MessageTags };
  /** Sends the same mail by other mailers. */
  readonly again: (mailers: {
    readonly mailer: Mailer;
    readonly personMailer: PersonMailer;
  }) => Promise<void>;
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
  /** Where the API and the links of mails lead. */
  readonly origin?: string;
  /** Origins of sites that may post. */
  readonly allowedOrigins?: readonly string[];
  /** Told the changes of each commit, at once. */
  readonly onCommit?: (changes: readonly RowChange[]) => void;
  readonly onMail?: (sent: SentMail) => void;
  /** Puts other ports in place of the plain ones: with faults, say. */
  readonly portsOf?: (name: FunctionName, plain: Ports) => Ports;
}

export interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  /** The virtual time. */
  now(): Date;
  readonly table: MemoryTable;
  readonly functions: Functions;
  readonly mails: readonly SentMail[];
  readonly troubles: readonly Trouble[];
  /** How often staff's calls were answered with which status, by route. */
  readonly answers: ReadonlyMap<string, number>;
  readonly hmac: { readonly version: string; readonly key: string };
  /** The practice as it was last applied. */
  practice(): Practice;
  /** A post or webhook from outside, or a visit of a public page. */
  fromOutside(route: string, options?: EventOptions): Promise<APIGatewayProxyResult>;
  /** A visit of the page behind a message's link, or a click on its button for no more e-mails at all. */
  unsubscribe(method: 'GET' | 'POST', url: string): Promise<APIGatewayProxyResult>;
  /** What SES tells of a mail that went out. */
  feedback(event: SesEvent): Promise<void>;
  /** A call of the staff API by a member. */
  asStaff(memberId: string, route: string, options?: EventOptions): Promise<APIGatewayProxyResult>;
  /** Changes the configuration, as `practice -- apply` does. */
  change(author: string, change: (practice: Practice) => void): Promise<void>;
  runUntil(instant: Date): Promise<void>;
}

export const googleAdsKey = 'local-google-key';
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

/** What the filters of `people`'s event source let through: what is new, and new versions of the configuration. */
const isForPeople = ({ before, after }: RowChange): boolean =>
  after !== undefined &&
  (before === undefined || (after.pk === configuration.version.pk && after.sk === configuration.version.sk));

export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, from, portsOf = (_name: FunctionName, plain: Ports) => plain } = options;
  const { origin = 'http://localhost:4000' } = options;
  const random = createRandom(seed);
  const agenda = createAgenda(from.getTime());
  const idRandom = random.fork('ids');
  const nextUlid = monotonicFactory(idRandom.next);
  const machine: Machine = {
    nowMs: agenda.nowMs,
    newId: (kind, atMs) => `${idPrefixes[kind]}_${nextUlid(atMs)}`,
    // One function after the other: nobody else would move on meanwhile.
    pause: async () => {},
    backOff: async () => {},
  };
  const now = (): Date => new Date(agenda.nowMs());
  const mails: SentMail[] = [];
  const troubles: Trouble[] = [];
  const answers = new Map<string, number>();
  const noteTrouble = (where: string, error: unknown): void => {
    troubles.push({
      at: now().toISOString(),
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
  const routeQueue = queue<RouteMessage>('route', (messages) => working().route(messages));
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
  function note(mail: Omit<SentMail, 'at' | 'asked'>): void {
    if (asked === undefined) throw new Error('nobody asked for this mail');
    const sent = { ...mail, at: now().toISOString(), asked };
    mails.push(sent);
    options.onMail?.(sent);
  }
  const mailer: Mailer = {
    async send(to, mail) {
      const { subject, text } = mail;
      note({ to, subject, text, again: (other) => other.mailer.send(to, mail) });
    },
  };
  const hmac = { version: '1', key: `simulation-${seed}`.padEnd(32, '.') };
  const digest = createDigest(hmac);
  const personMailer: PersonMailer = {
    async send(sendable, tags) {
      const { to, subject, text, unsubscribeUrl } = compose(
        sendable,
        (contactId, purpose) => `${origin}/v1/unsubscribe/${unsubscribeToken(digest, contactId, purpose)}`,
      );
      note({
        to: [to],
        subject,
        text,
        toPerson: { unsubscribeUrl, tags },
        again: (other) => other.personMailer.send(sendable, tags),
      });
    },
  };
  const own = createPace(1);
  const pace: Pace = {
    staffMail: own.staffMail,
    // Nobody waits within a function, which would take real time: without a turn it comes again later.
    turn: (now, sendPerSecond) => own.turn(now, sendPerSecond, 0),
  };

  const plain: Ports = {
    table,
    scoreQueue,
    routeQueue,
    mailQueue,
    mailer,
    personMailer,
    pace,
    machine,
  };
  functions = composeFunctions(
    (name) => portsOf(name, plain),
    { hmac, googleAdsKey, consoleUrl: origin, staffClientId, allowedOrigins: options.allowedOrigins ?? [] },
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
    for (const change of changes.filter(isForPeople)) {
      await again('people', () => working().people(change.after as Row));
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
      now,
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
    now,
    table,
    functions,
    mails,
    troubles,
    answers,
    hmac,
    practice: () => practice,
    fromOutside: (route, event) => working().capture(proxyEvent(route, event)),
    unsubscribe: (method, url) =>
      working().unsubscribe(
        proxyEvent(`${method} /v1/unsubscribe/{token}`, {
          pathParameters: { token: url.slice(url.lastIndexOf('/') + 1) },
          ...(method === 'POST' && {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: 'all=yes',
          }),
        }),
      ),
    feedback: (event) => working().feedback(event),
    asStaff: async (memberId, route, event = {}) => {
      const member = practice.members.find(({ id }) => id === memberId);
      const claims = {
        sub: memberId,
        username: member?.signIn ?? memberId,
        client_id: staffClientId,
        token_use: 'access',
        scope: 'firstcall/staff',
        'cognito:groups': `[${member?.role}]`,
      };
      const answer = await working().api(proxyEvent(route, { ...event, claims }));
      const name = `${route} ${answer.statusCode}`;
      answers.set(name, (answers.get(name) ?? 0) + 1);
      return answer;
    },
    async change(author, change) {
      const wanted = structuredClone(practice);
      change(wanted);
      await apply(author, wanted);
    },
    runUntil: (instant) => agenda.runUntil(instant.getTime()),
  };
}
