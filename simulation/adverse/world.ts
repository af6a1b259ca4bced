/**
 * A practice's whole system where everything that can go wrong does: every function in processes that
 * die, on queues, a stream and a mailer that promise as little as AWS's do, all at once in virtual time.
 * One seed decides everything, each thing by its own address.
 */
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { SesEvent } from '../../functions/feedback/take-feedback.ts';
import type { Mailer } from '../../functions/notify/ses-mailer.ts';
import { applyConfiguration } from '../../shared/data/apply-configuration.ts';
import { auditPk, configuration, inquirySk } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import { compose } from '../../shared/domain/messages/compose.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { MailMessage, RouteMessage, StepMessage } from '../../shared/queues/messages.ts';
import { createDigest } from '../../shared/secrets/digest.ts';
import { unsubscribeToken } from '../../shared/secrets/unsubscribe-token.ts';
import { type Agenda, createAgenda } from '../agenda.ts';
import { type EventOptions, proxyEvent } from '../events.ts';
import type { FaultKind } from '../faults.ts';
import { composeFunction, type FunctionName, type Functions, type Ports } from '../functions.ts';
import { createMemoryTable, type MemoryTable, type RowChange } from '../memory-table.ts';
import { minuteMs } from '../minutes.ts';
import type { SentMail } from '../world.ts';
import { createHistoryDigest, type Draw, drawsOf } from './draw.ts';
import { type Injected, isPossible, type Occasion, type Plan } from './plan.ts';
import {
  type Call,
  createAdversePorts,
  mostSkewsMs,
  mostStaleMs,
  type Services,
  settled,
  slowShares,
} from './ports.ts';
import { createProcesses, type Ended, type Invoke, type Process } from './processes.ts';
import { createAdverseQueue } from './queue.ts';
import { createAdverseStream } from './stream.ts';

/** Something of a run that a story can be told of. */
export type Happening =
  | { readonly is: 'call'; readonly call: Call; readonly fault: FaultKind | undefined }
  | { readonly is: 'fault'; readonly fault: Injected }
  | { readonly is: 'commit'; readonly changes: readonly RowChange[]; readonly call: Call | undefined }
  | { readonly is: 'mail'; readonly mail: SentMail; readonly call: Call }
  | { readonly is: 'trouble'; readonly where: string; readonly error: unknown }
  | { readonly is: 'said'; readonly text: string };

export interface AdverseWorldOptions {
  readonly seed: number;
  readonly practice: Practice;
  readonly from: Date;
  readonly plan: Plan;
  readonly onHappening: (happening: Happening) => void;
  /** From when on sweeps are further apart, as long as things go wrong: days pass so. */
  readonly fewSweeps?: { readonly fromMs: number; readonly everyMs: number } | undefined;
  /** Puts other ports in place of those: with a condition left out, say. */
  readonly portsOf?: ((name: FunctionName, ports: Ports) => Ports) | undefined;
}

export interface AdverseWorld {
  readonly agenda: Agenda;
  readonly table: MemoryTable;
  readonly draws: (address: string) => Draw;
  readonly injected: readonly Injected[];
  /** For each kind of call how often it was made, and died before or after. */
  readonly sites: ReadonlyMap<string, Site>;
  readonly digest: (part?: string) => string;
  practice(): Practice;
  invoke: Invoke;
  /** A call of the staff API by a member; undefined where no answer came. */
  asStaff(
    address: string,
    memberId: string,
    route: string,
    options?: EventOptions,
  ): Promise<APIGatewayProxyResult | undefined>;
  /** A visit from outside; undefined where no answer came. */
  fromOutside(
    name: 'capture' | 'unsubscribe',
    address: string,
    route: string,
    options?: EventOptions,
  ): Promise<APIGatewayProxyResult | undefined>;
  /** What is not taken up is kept for a redrive. */
  feedback(address: string, event: SesEvent, onTaken: () => void): Promise<void>;
  change(change: (practice: Practice) => void): Promise<void>;
  /** From here on nothing goes wrong any more. */
  stopFaults(): void;
  readonly deadLetters: number;
  redrive(): void;
  /** What is on its way in queues and stream. */
  readonly underWay: number;
  runUntil(instantMs: number): Promise<void>;
}

export interface Site {
  calls: number;
  before: number;
  after: number;
}

export const googleAdsKey = 'local-google-key';
const staffClientId = 'console-client';
export const origin = 'http://localhost:4000';

/** As the event sources have it. */
const concurrency = { score: 3, route: 2, mail: 3 };
const visibilityMs = { score: 90_000, route: 90_000, mail: 180_000 };

const isForReport = ({ before, after }: RowChange): boolean => {
  const row = after ?? before;
  return row?.sk === inquirySk.head || (before !== undefined && row?.pk.startsWith(auditPk('')) === true);
};
const isForPeople = ({ before, after }: RowChange): boolean =>
  after !== undefined &&
  (before === undefined || (after.pk === configuration.version.pk && after.sk === configuration.version.sk));

export async function createAdverseWorld(options: AdverseWorldOptions): Promise<AdverseWorld> {
  const { seed, from, plan, onHappening, portsOf = (_name: FunctionName, ports: Ports) => ports } = options;
  const agenda = createAgenda(from.getTime());
  const draws = drawsOf(seed);
  const history = createHistoryDigest();
  const injected: Injected[] = [];
  const sites = new Map<string, Site>();
  let isCalm = false;
  let acting: Call | undefined;

  const note = (injection: Injected): void => {
    injected.push(injection);
    onHappening({ is: 'fault', fault: injection });
  };
  /** Whether something goes wrong here, and that it did. */
  function decide(occasion: Occasion): FaultKind | undefined {
    if (isCalm) return undefined;
    // Beside what else is drawn for it: a list of faults draws nothing.
    const kind = plan.decide({ ...occasion, draw: occasion.draw.beside() });
    if (kind === undefined || !isPossible(occasion, kind)) return undefined;
    note({ address: occasion.address, kind, atMs: agenda.nowMs(), site: occasion.site });
    return kind;
  }

  const onTrouble = (where: string, error: unknown): void => onHappening({ is: 'trouble', where, error });

  const table = createMemoryTable({
    remember: { nowMs: agenda.nowMs, forMs: mostStaleMs.index + 5_000 },
    onCommit(changes) {
      onHappening({ is: 'commit', changes, call: acting });
      stream.push(changes);
    },
  });

  const queue = <Message>(
    name: 'score' | 'route' | 'mail',
    work: (address: string, messages: readonly Message[]) => Promise<Ended<readonly (Error | undefined)[]>>,
  ) =>
    createAdverseQueue<Message>({
      name,
      agenda,
      draws,
      decide: (address, draw) => decide({ operation: 'delivery', address, site: `${name} delivery`, draw }),
      concurrency: concurrency[name],
      visibilityMs: visibilityMs[name],
      work: ({ address, messages }) => work(address, messages),
    });
  const scoreQueue = queue<StepMessage>('score', (address, messages) =>
    invoke('score', address, (score) => score(messages)),
  );
  const routeQueue = queue<RouteMessage>('route', (address, messages) =>
    invoke('route', address, (route) => route(messages)),
  );
  const mailQueue = queue<MailMessage>('mail', (address, messages) =>
    invoke('notify', address, (notify) => notify(messages)),
  );

  const stream = createAdverseStream({
    agenda,
    draws,
    decide: (address, consumer, draw) =>
      decide({ operation: 'stream', address, site: `${consumer} stream`, draw }),
    onGivenUp: (consumer, change, error) =>
      onTrouble(`${consumer}: gave up ${(change.after ?? change.before)?.pk}`, error),
    consumers: [
      {
        name: 'report',
        filter: isForReport,
        batchSize: 100,
        async work(changes, address) {
          const heads = changes.flatMap((change, position) =>
            change.after?.sk === inquirySk.head
              ? [{ position, head: { before: change.before, after: change.after } }]
              : [],
          );
          for (const change of changes) {
            const row = change.after ?? change.before;
            if (row?.sk !== inquirySk.head) onTrouble('audit changed', new Error(row?.pk));
          }
          const ended = await invoke('report', address, (report) => report(heads.map(({ head }) => head)));
          if (ended.ended !== 'done') return ended;
          const failed = ended.value.findIndex((error) => error !== undefined);
          return { ended: 'done', value: failed < 0 ? undefined : heads[failed]?.position };
        },
      },
      {
        name: 'people',
        filter: isForPeople,
        batchSize: 50,
        work: (changes, address) =>
          invoke('people', address, async (people) => {
            let failed: number | undefined;
            for (const [position, { after }] of changes.entries()) {
              // The others of the batch are worked on all the same; they come again with the one that failed.
              await people(after as Row).catch((error: unknown) => {
                onTrouble('people', error);
                failed ??= position;
              });
            }
            return failed;
          }),
      },
    ],
  });

  const hmac = { version: '1', key: `simulation-${seed}`.padEnd(32, '.') };
  const digest = createDigest(hmac);
  function send(mail: Omit<SentMail, 'at' | 'asked' | 'again'>): void {
    const call = acting;
    const asked = call?.lane?.message;
    if (!call || !asked) throw new Error('nobody asked for this mail');
    const again = async (): Promise<void> => {};
    onHappening({
      is: 'mail',
      mail: { ...mail, at: new Date(agenda.nowMs()).toISOString(), asked, again },
      call,
    });
  }
  const mailer: Mailer = {
    async send(to, { subject, text }) {
      send({ to, subject, text });
    },
  };
  const personMailer: Services['personMailer'] = {
    async send(sendable, tags) {
      const { to, subject, text, unsubscribeUrl } = compose(
        sendable,
        (contactId, purpose) => `${origin}/v1/unsubscribe/${unsubscribeToken(digest, contactId, purpose)}`,
      );
      send({ to: [to], subject, text, toPerson: { unsubscribeUrl, tags } });
    },
  };

  const services: Services = {
    agenda,
    table,
    scoreQueue,
    routeQueue,
    mailQueue,
    mailer,
    personMailer,
    draws,
    slowShare: draws('slowness').pick(slowShares),
    mostSkewMs: draws('clocks').pick(mostSkewsMs),
    decide: ({ operation, address, site }, draw, can) => decide({ operation, address, site, draw, can }),
    onCall(call, fault) {
      const site = sites.get(call.site) ?? { calls: 0, before: 0, after: 0 };
      // What is only called once nothing goes wrong any more could not have died.
      if (!isCalm) sites.set(call.site, site);
      site.calls++;
      if (fault === 'crash_before') site.before++;
      if (fault === 'crash_after') site.after++;
      history.add(`${agenda.nowMs()} ${call.address} ${call.site} ${fault ?? ''}`);
      onHappening({ is: 'call', call, fault });
    },
    act(call) {
      acting = call;
    },
  };
  const surroundings = {
    hmac,
    googleAdsKey,
    consoleUrl: origin,
    staffClientId,
    allowedOrigins: options.practice.forms.flatMap(({ origins }) => origins),
  };
  const invoke: Invoke = createProcesses(
    <Name extends FunctionName>(name: Name, process: Process): Functions[Name] =>
      composeFunction(name, portsOf(name, createAdversePorts(services, process)), surroundings, onTrouble),
  );

  function sweepAgain(): Promise<void> {
    const { fewSweeps } = options;
    const isSeldom = fewSweeps !== undefined && agenda.nowMs() >= fewSweeps.fromMs && !isCalm;
    agenda.at(agenda.nowMs() + (isSeldom ? fewSweeps.everyMs : minuteMs), sweepAgain);
    startSweep();
    return settled();
  }
  function startSweep(): void {
    const address = `remind:${new Date(agenda.nowMs()).toISOString().slice(5, 16)}`;
    const draw = draws(address);
    const fault = decide({ operation: 'schedule', address, site: 'remind schedule', draw });
    if (fault === 'missed') return;
    for (const one of fault === 'fired_twice' ? [address, `${address}+`] : [address])
      void invoke('remind', one, (sweep) => sweep()).then((ended) => {
        if (ended.ended === 'failed') onTrouble('remind', ended.error);
      });
  }

  let practice = options.practice;
  async function apply(wanted: Practice): Promise<void> {
    const now = (): Date => new Date(agenda.nowMs());
    const applied = await applyConfiguration({
      table,
      practice: wanted,
      author: 'practice',
      now,
      force: true,
    });
    if (applied.outcome !== 'applied') throw new Error(`not applied: ${applied.outcome}`);
    practice = wanted;
  }
  await apply(practice);
  agenda.at(Math.ceil(agenda.nowMs() / minuteMs) * minuteMs, sweepAgain);

  const lostFeedback: (() => Promise<void>)[] = [];
  async function feedback(address: string, event: SesEvent, onTaken: () => void): Promise<void> {
    // SNS and Lambda try again twice.
    for (let attempt = 0; attempt < 3; attempt++) {
      const ended = await invoke('feedback', `${address}.${attempt}`, (feedback) => feedback(event));
      if (ended.ended === 'done') return onTaken();
      await new Promise<void>((resolve) => {
        agenda.at(agenda.nowMs() + minuteMs, () => {
          resolve();
          return settled();
        });
      });
    }
    lostFeedback.push(() => feedback(`${address}+`, event, onTaken));
  }

  /** What whoever called learns: an answer, or none. A function that fails has API Gateway answer for it. */
  const answerOf = (ended: Ended<APIGatewayProxyResult>): APIGatewayProxyResult | undefined => {
    if (ended.ended === 'done') return ended.value;
    if (ended.ended === 'died') return undefined;
    onTrouble('unanswered', ended.error);
    return { statusCode: 502, body: '{}' };
  };

  return {
    agenda,
    table,
    draws,
    injected,
    sites,
    digest(part) {
      if (part !== undefined) history.add(part);
      return history.text();
    },
    practice: () => practice,
    invoke,
    async asStaff(address, memberId, route, event = {}) {
      const member = practice.members.find(({ id }) => id === memberId);
      const claims = {
        sub: memberId,
        username: member?.signIn ?? memberId,
        client_id: staffClientId,
        token_use: 'access',
        scope: 'firstcall/staff',
        'cognito:groups': `[${member?.role}]`,
      };
      return answerOf(await invoke('api', address, (api) => api(proxyEvent(route, { ...event, claims }))));
    },
    async fromOutside(name, address, route, event) {
      return answerOf(await invoke(name, address, (run) => run(proxyEvent(route, event))));
    },
    feedback,
    async change(change) {
      const wanted = structuredClone(practice);
      change(wanted);
      await apply(wanted);
    },
    stopFaults() {
      isCalm = true;
    },
    get deadLetters() {
      const queues = [scoreQueue, routeQueue, mailQueue];
      return queues.reduce((sum, { deadLetters }) => sum + deadLetters.length, lostFeedback.length);
    },
    redrive() {
      for (const one of [scoreQueue, routeQueue, mailQueue]) one.redrive();
      for (const again of lostFeedback.splice(0)) void again();
    },
    get underWay() {
      return scoreQueue.waiting + routeQueue.waiting + mailQueue.waiting + stream.waiting;
    },
    runUntil: (instantMs) => agenda.runUntil(instantMs),
  };
}
