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
import { sendMail } from '../functions/notify/send-mail.ts';
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
import type { Environment } from '../shared/domain/ids.ts';
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

/** What a function reaches the world by. */
export interface Ports {
  readonly table: Table;
  readonly scoreQueue: Queue<StepMessage>;
  readonly routeQueue: Queue<RouteMessage>;
  readonly mailQueue: Queue<MailMessage>;
  readonly mailer: Mailer;
  readonly personMailer: PersonMailer;
  readonly pace: Pace;
  readonly environment: Environment;
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

/**
 * Works through a batch as `queueHandler` does: together where that is possible, then what is left one
 * after the other, since what runs side by side would end in an order of its own each time.
 */
async function workThrough<Message>(
  messages: readonly Message[],
  work: (message: Message) => Promise<unknown>,
  together?: (messages: readonly Message[]) => Promise<readonly (string | undefined)[]>,
): Promise<(Error | undefined)[]> {
  // A failure in one go leaves everything to be done one by one.
  const done = together && messages.length > 1 ? await together(messages).catch(() => []) : [];
  const failed: (Error | undefined)[] = [];
  for (const [i, message] of messages.entries()) {
    const outcome = done[i] ?? (await work(message).catch(asError));
    failed.push(outcome instanceof Error ? outcome : undefined);
  }
  return failed;
}

/** Puts every function together on the ports that it is given. */
export function composeFunctions(
  portsOf: (name: FunctionName) => Ports,
  { hmac, googleAdsKey, consoleUrl, staffClientId, allowedOrigins }: Surroundings,
  onTrouble: OnTrouble,
): Functions {
  const digest = createDigest(hmac);
  /** What most functions are made of, each with a configuration of its own that it keeps for a while. */
  const dependenciesOf = (name: FunctionName) => {
    const ports = portsOf(name);
    const { table, environment } = ports;
    const configuration = createConfigurationReader({
      table,
      now: environment.now,
      onStale: (error) => onTrouble(`${name}: configuration`, error),
    });
    return {
      ...ports,
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
  };

  const captureApi = (() => {
    const capture = dependenciesOf('capture');
    return createCaptureApi({
      allowedOrigins,
      pageLinks: [],
      practice: capture.practice,
      digest: async () => digest,
      googleAdsKey: async () => googleAdsKey,
      capture,
      onRefused: (route, code) => onTrouble(`capture: refused ${route}`, new Error(code)),
      onFailed: (route, error) => onTrouble(`capture: ${route}`, error),
    });
  })();

  const scoring = {
    ...dependenciesOf('score'),
    onRuleFault: (_id: string, { rule, reason }: { readonly rule: string; readonly reason: string }) =>
      onTrouble(`score: rule ${rule}`, new Error(reason)),
  };
  const routing = dependenciesOf('route');
  const notifying = { ...dependenciesOf('notify'), consoleUrl };
  const reminding = {
    ...dependenciesOf('remind'),
    remainingMs: () => 60_000,
    onBroken: ({ pk, sk }: { readonly pk: string; readonly sk: string }, error: unknown) =>
      onTrouble(`remind: ${pk} ${sk}`, error),
  };
  const reporting = dependenciesOf('report');
  const following = {
    ...dependenciesOf('people'),
    onBroken: (inquiryId: string, error: unknown) => onTrouble(`people: ${inquiryId}`, error),
  };
  const staffApi = (() => {
    const api = dependenciesOf('api');
    return createStaffApi({
      ...api,
      audit: createAudit(api.table, api.environment),
      clientId: staffClientId,
      consoleOrigin: new URL(consoleUrl).origin,
      onFailed: (error) => onTrouble('api', error),
    });
  })();

  const unsubscribing = createUnsubscribeApi({ ...dependenciesOf('unsubscribe'), onTakenBack: () => {} });
  const feedback = dependenciesOf('feedback');

  return {
    capture: captureApi,
    score: (messages) =>
      workThrough(
        messages,
        (message) => scoreInquiry(scoring, message),
        (all) => scoreTogether(scoring, all),
      ),
    route: (messages) =>
      workThrough(
        messages,
        (message) => handleMessage(routing, message),
        (all) => handleTogether(routing, all),
      ),
    notify: (messages) =>
      workThrough(messages, (message) => sendMail(notifying, mailMessageSchema.parse(message))),
    remind: () => sweep(reminding),
    report: async (changes) =>
      (await countChanges(reporting, changes)).map((outcome) =>
        outcome instanceof Error ? outcome : undefined,
      ),
    people: async (row) => {
      await followChange(following, row);
    },
    unsubscribe: unsubscribing,
    feedback: async (event) => {
      await takeFeedback(feedback, event);
    },
    api: staffApi,
  };
}
