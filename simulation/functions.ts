/**
 * The functions themselves, put together on ports as their handlers put them together on AWS. What a
 * port promises is its own matter: another one, with faults, takes its place without a change here.
 */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createStaffApi } from '../functions/api/staff-api.ts';
import { createCaptureApi } from '../functions/capture/api.ts';
import { type SesEvent, takeFeedback } from '../functions/feedback/take-feedback.ts';
import type { Pace } from '../functions/notify/pace.ts';
import type { PersonMailer } from '../functions/notify/person-mailer.ts';
import { sendMail, sendTogether } from '../functions/notify/send-mail.ts';
import type { Mailer } from '../functions/notify/ses-mailer.ts';
import { followChange } from '../functions/people/follow-change.ts';
import { type Swept, sweep } from '../functions/remind/sweep.ts';
import { countChanges, type HeadChange } from '../functions/report/count-change.ts';
import { handleMessage, handleTogether } from '../functions/route/handle-message.ts';
import { scoreInquiry, scoreTogether } from '../functions/score/score-inquiry.ts';
import { createUnsubscribeApi } from '../functions/unsubscribe/api.ts';
import { createAppointments } from '../shared/data/appointments.ts';
import { createAudit } from '../shared/data/audit.ts';
import { createConfigurationReader } from '../shared/data/configuration.ts';
import { createConsents } from '../shared/data/consents.ts';
import { createContacts } from '../shared/data/contacts.ts';
import { createDigests } from '../shared/data/digests.ts';
import { createHybridClock, keepingTime } from '../shared/data/hybrid-clock.ts';
import { createInquiries } from '../shared/data/inquiries.ts';
import { createMailboxes } from '../shared/data/mailboxes.ts';
import { createMessages } from '../shared/data/messages.ts';
import { createNotices } from '../shared/data/notices.ts';
import { createRollups } from '../shared/data/rollups.ts';
import { createRoutingStates } from '../shared/data/rotation.ts';
import type { Row, Table } from '../shared/data/table.ts';
import { createTasks } from '../shared/data/tasks.ts';
import { createTimelines } from '../shared/data/timeline.ts';
import { createWeeklyReports } from '../shared/data/weekly-reports.ts';
import type { Environment, IdKind } from '../shared/domain/ids.ts';
import {
  type MailMessage,
  mailMessageSchema,
  type Queue,
  type RouteMessage,
  type StepMessage,
} from '../shared/queues/messages.ts';
import { createDigest } from '../shared/secrets/digest.ts';
import type { Consumer } from './queue.ts';

export const functionNames = [
  'capture',
  'score',
  'route',
  'notify',
  'remind',
  'report',
  'people',
  'api',
  'unsubscribe',
  'feedback',
] as const;
export type FunctionName = (typeof functionNames)[number];

/** What a process has of its machine. */
export interface Machine extends Omit<Environment, 'now' | 'newId'> {
  nowMs(): number;
  /** @param atMs - when it is made, by the clock of the process */
  newId(kind: IdKind, atMs: number): string;
}

/** What a function reaches the world by. */
export interface Ports {
  readonly table: Table;
  readonly scoreQueue: Queue<StepMessage>;
  readonly routeQueue: Queue<RouteMessage>;
  readonly mailQueue: Queue<MailMessage>;
  readonly mailer: Mailer;
  readonly personMailer: PersonMailer;
  readonly pace: Pace;
  readonly machine: Machine;
  /** Runs what one message of a batch of mails asks for by itself: its calls can be told from the others'. */
  readonly apart?: <T>(message: MailMessage, work: () => Promise<T>) => Promise<T>;
}

/** What went wrong where nobody else is told: a fault of ours behind an answer, an entry that cannot be read. */
export type OnTrouble = (where: string, error: unknown) => void;

export interface Surroundings {
  /** The key of digests; the rows that a run leaves can be read on with it. */
  readonly hmac: { readonly version: string; readonly key: string };
  readonly googleAdsKey: string;
  /** Where staff's links lead. */
  readonly consoleUrl: string;
  readonly staffClientId: string;
  /** Origins of sites that may post. */
  readonly allowedOrigins: readonly string[];
}

export interface Functions {
  capture(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult>;
  readonly score: Consumer<StepMessage>;
  readonly route: Consumer<RouteMessage>;
  readonly notify: Consumer<MailMessage>;
  remind(): Promise<Swept>;
  /** Gives an error for each change that has to come again, by position. */
  report(changes: readonly HeadChange[]): Promise<readonly (Error | undefined)[]>;
  people(row: Row): Promise<void>;
  api(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult>;
  unsubscribe(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult>;
  feedback(event: SesEvent): Promise<void>;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** How a function works through a batch: what `queueHandler` is told of it. */
interface BatchOptions<Message> {
  readonly together?: (messages: readonly Message[]) => Promise<readonly (string | Error | undefined)[]>;
  readonly oneByOne: boolean;
}

/** Works through a batch as `queueHandler` does: together where that is possible, then what is left. */
async function workThrough<Message>(
  messages: readonly Message[],
  work: (message: Message) => Promise<unknown>,
  { together, oneByOne }: BatchOptions<Message>,
): Promise<(Error | undefined)[]> {
  // A failure in one go leaves everything to be done one by one.
  const done = together && messages.length > 1 ? await together(messages).catch(() => []) : [];
  const one = async (message: Message, i: number): Promise<Error | undefined> => {
    const outcome = done[i] ?? (await work(message).catch(asError));
    return outcome instanceof Error ? outcome : undefined;
  };
  if (!oneByOne) return await Promise.all(messages.map(one));
  const failed: (Error | undefined)[] = [];
  for (const [i, message] of messages.entries()) failed.push(await one(message, i));
  return failed;
}

/** What most functions are made of, each with a configuration of its own that it keeps for a while. */
function dependenciesOf(name: FunctionName, { ports, surroundings, onTrouble }: Parts) {
  const { machine, ...others } = ports;
  const clock = createHybridClock(machine.nowMs);
  const table = keepingTime(ports.table, clock);
  const environment: Environment = {
    ...machine,
    now: clock.now,
    newId: (kind) => machine.newId(kind, clock.now().getTime()),
  };
  const configuration = createConfigurationReader({
    table,
    now: environment.now,
    onStale: (error) => onTrouble(`${name}: configuration`, error),
  });
  const digest = createDigest(surroundings.hmac);
  return {
    ...others,
    table,
    environment,
    inquiries: createInquiries(table),
    contacts: createContacts(table),
    timelines: createTimelines(table),
    routingStates: createRoutingStates(table),
    rollups: createRollups(table),
    weeklyReports: createWeeklyReports(table),
    appointments: createAppointments(table),
    messages: createMessages(table),
    consents: createConsents(table),
    mailboxes: createMailboxes(table),
    tasks: createTasks(table),
    notices: createNotices(table),
    digests: createDigests(table),
    practice: configuration.current,
    freshPractice: configuration.fresh,
    openDigest: async () => digest,
    onEnqueueFailure: (_id: string, error: unknown) => onTrouble(`${name}: enqueue`, error),
  };
}

/** What a function is put together of. */
interface Parts {
  readonly ports: Ports;
  readonly surroundings: Surroundings;
  readonly onTrouble: OnTrouble;
}

const composers: { readonly [Name in FunctionName]: (parts: Parts) => Functions[Name] } = {
  capture(parts) {
    const { allowedOrigins, googleAdsKey } = parts.surroundings;
    const capture = dependenciesOf('capture', parts);
    return createCaptureApi({
      allowedOrigins,
      pageLinks: [],
      practice: capture.practice,
      digest: capture.openDigest,
      googleAdsKey: async () => googleAdsKey,
      capture,
      onRefused: (route, code) => parts.onTrouble(`capture: refused ${route}`, new Error(code)),
      onFailed: (route, error) => parts.onTrouble(`capture: ${route}`, error),
    });
  },
  score(parts) {
    const scoring = {
      ...dependenciesOf('score', parts),
      onRuleFault: (_id: string, { rule, reason }: { readonly rule: string; readonly reason: string }) =>
        parts.onTrouble(`score: rule ${rule}`, new Error(reason)),
    };
    return (messages) =>
      workThrough(messages, (message) => scoreInquiry(scoring, message), {
        together: (all) => scoreTogether(scoring, all),
        oneByOne: false,
      });
  },
  route(parts) {
    const routing = dependenciesOf('route', parts);
    return (messages) =>
      workThrough(messages, (message) => handleMessage(routing, message), {
        together: (all) => handleTogether(routing, all),
        oneByOne: true,
      });
  },
  notify(parts) {
    const notifying = {
      ...dependenciesOf('notify', parts),
      consoleUrl: parts.surroundings.consoleUrl,
    };
    const { apart = (_message, work) => work() } = parts.ports;
    const send = (message: MailMessage) => sendMail(notifying, mailMessageSchema.parse(message));
    return (messages) =>
      workThrough(messages, (message) => apart(message, () => send(message)), {
        together: (all) =>
          sendTogether(
            notifying,
            all.map((message) => mailMessageSchema.parse(message)),
          ),
        oneByOne: false,
      });
  },
  remind(parts) {
    const reminding = {
      ...dependenciesOf('remind', parts),
      remainingMs: () => 60_000,
      onBroken: ({ pk, sk }: { readonly pk: string; readonly sk: string }, error: unknown) =>
        parts.onTrouble(`remind: ${pk} ${sk}`, error),
    };
    return () => sweep(reminding);
  },
  report(parts) {
    const reporting = dependenciesOf('report', parts);
    return async (changes) =>
      (await countChanges(reporting, changes)).map((outcome) =>
        outcome instanceof Error ? outcome : undefined,
      );
  },
  people(parts) {
    const following = {
      ...dependenciesOf('people', parts),
      onBroken: (inquiryId: string, error: unknown) => parts.onTrouble(`people: ${inquiryId}`, error),
    };
    return async (row) => {
      await followChange(following, row);
    };
  },
  api(parts) {
    const { staffClientId, consoleUrl } = parts.surroundings;
    const api = dependenciesOf('api', parts);
    return createStaffApi({
      ...api,
      audit: createAudit(api.table, api.environment),
      clientId: staffClientId,
      consoleOrigin: new URL(consoleUrl).origin,
      onFailed: (error) => parts.onTrouble('api', error),
    });
  },
  unsubscribe: (parts) =>
    createUnsubscribeApi({ ...dependenciesOf('unsubscribe', parts), onTakenBack: () => {} }),
  feedback(parts) {
    const feedback = dependenciesOf('feedback', parts);
    return async (event) => {
      await takeFeedback(feedback, event);
    };
  },
};

/** Puts one function together, as one process of it does as it starts. */
export const composeFunction = <Name extends FunctionName>(
  name: Name,
  ports: Ports,
  surroundings: Surroundings,
  onTrouble: OnTrouble,
): Functions[Name] => composers[name]({ ports, surroundings, onTrouble });

/** Puts every function together on the ports that it is given. */
export function composeFunctions(
  portsOf: (name: FunctionName) => Ports,
  surroundings: Surroundings,
  onTrouble: OnTrouble,
): Functions {
  const composed = functionNames.map(
    (name) => [name, composeFunction(name, portsOf(name), surroundings, onTrouble)] as const,
  );
  return Object.fromEntries(composed) as unknown as Functions;
}
