/** What use-case tests share: a small practice, a held clock, and the ports' stand-ins. */
import { readFileSync } from 'node:fs';
import type { StaffApi } from '../../functions/api/staff-api.ts';
import {
  type CaptureDependencies,
  captureInquiry,
  type IncomingInquiry,
} from '../../functions/capture/capture-inquiry.ts';
import type { Mail } from '../../functions/notify/mails.ts';
import { createPace } from '../../functions/notify/pace.ts';
import type { MessageTags, PersonMailer } from '../../functions/notify/person-mailer.ts';
import { type NotifyDependencies, sendMail } from '../../functions/notify/send-mail.ts';
import type { Mailer } from '../../functions/notify/ses-mailer.ts';
import { type SweepDependencies, sweep } from '../../functions/remind/sweep.ts';
import type { RouteDependencies } from '../../functions/route/dependencies.ts';
import { handleMessage } from '../../functions/route/handle-message.ts';
import { routeInquiry } from '../../functions/route/route-inquiry.ts';
import type { ScoreDependencies } from '../../functions/score/dependencies.ts';
import { scoreInquiry } from '../../functions/score/score-inquiry.ts';
import { createAppointments } from '../../shared/data/appointments.ts';
import { createConsents } from '../../shared/data/consents.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import { createNotices } from '../../shared/data/notices.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { createTimelines } from '../../shared/data/timeline.ts';
import { createWeeklyReports } from '../../shared/data/weekly-reports.ts';
import { type Environment, idPrefixes } from '../../shared/domain/ids.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { type Composed, compose } from '../../shared/domain/messages/compose.ts';
import type { Sendable } from '../../shared/domain/messages/lawful.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import type { MailMessage, Queue, RouteMessage, StepMessage } from '../../shared/queues/messages.ts';
import { systemEnvironment } from '../../shared/runtime/environment.ts';
import { createDigest } from '../../shared/secrets/digest.ts';
import { unsubscribeToken } from '../../shared/secrets/unsubscribe-token.ts';

const weekday = [{ open: '09:00', close: '17:00' }];

/** The five who take turns. */
export const coordinators = ['ana', 'ben', 'carla', 'dev', 'elena'] as const;

/** One location, two services, five coordinators in two pools, and those who lead them. */
export const smallPractice: Practice = practiceSchema.parse({
  name: 'Bayview',
  locations: [
    {
      id: 'main-street',
      name: 'Main Street',
      timeZone: 'America/Los_Angeles',
      hours: { monday: weekday, tuesday: weekday, wednesday: weekday, thursday: weekday, friday: weekday },
    },
  ],
  services: [
    { id: 'acne', name: 'Acne treatment', aliases: ['Breakouts'], valueCents: 45_000 },
    { id: 'implant', name: 'Dental implant', aliases: ['Dental implants'], valueCents: 450_000 },
  ],
  sources: [
    { id: 'search-ad', name: 'Search ad', quality: 24, match: { clickIds: ['gclid'] } },
    { id: 'website', name: 'Own website', quality: 28 },
  ],
  forms: [{ id: 'website', source: 'website' }],
  members: [
    ...coordinators.map((id) => ({ id, name: id, email: `${id}@bayview.example`, role: 'coordinator' })),
    { id: 'mia', name: 'Mia', email: 'mia@bayview.example', role: 'manager' },
    { id: 'max', name: 'Max', email: 'max@bayview.example', role: 'marketer' },
    { id: 'ada', name: 'Ada', email: 'ada@bayview.example', role: 'admin' },
  ],
  pools: [
    { id: 'skin', name: 'Skin', services: ['acne'], members: coordinators.map((id) => ({ id })) },
    { id: 'intake', name: 'Intake', fallback: true, members: coordinators.map((id) => ({ id })) },
  ],
});

/** A Friday, 8:00 in Los Angeles: an hour before opening. */
export const friday = new Date('2026-11-20T16:00:00.000Z');

export interface HeldEnvironment extends Environment {
  /** Moves the clock on. */
  advance(ms: number): void;
  set(at: string | Date): void;
}

/** A clock that stands until it is moved, and ids that count up and so sort by time. */
export function holdEnvironment(start: Date = friday): HeldEnvironment {
  let at = start.getTime();
  let ids = 0;
  return {
    now: () => new Date(at),
    newId: (kind) => `${idPrefixes[kind]}_${String(++ids).padStart(26, '0')}`,
    // Its own clock stands: those who meet at an engine step aside by the machine's.
    pause: systemEnvironment.pause,
    backOff: systemEnvironment.backOff,
    advance: (ms) => {
      at += ms;
    },
    set: (time) => {
      at = new Date(time).getTime();
    },
  };
}

export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => minutes(60 * n);

export interface FakeQueue<Message> extends Queue<Message> {
  /** What was sent and not yet taken. */
  readonly sent: Message[];
  /** Whether sending fails. */
  broken: boolean;
  take(): Message[];
}

export function fakeQueue<Message>(): FakeQueue<Message> {
  const queue: FakeQueue<Message> = {
    sent: [],
    broken: false,
    async send(message) {
      await queue.sendAll([message]);
    },
    async sendAll(messages) {
      if (queue.broken) throw new Error('the queue is away');
      queue.sent.push(...messages);
    },
    take: () => queue.sent.splice(0),
  };
  return queue;
}

export interface FakeMailer extends Mailer {
  readonly sent: { readonly to: readonly string[]; readonly mail: Mail }[];
  /** Runs while a mail is on its way; may throw. */
  onSend: () => Promise<void>;
}

export function fakeMailer(): FakeMailer {
  const mailer: FakeMailer = {
    sent: [],
    onSend: async () => {},
    async send(to, mail) {
      await mailer.onSend();
      mailer.sent.push({ to, mail });
    },
  };
  return mailer;
}

export interface FakePersonMailer extends PersonMailer {
  readonly sent: (Composed & { readonly message: Sendable['message']; readonly tags: MessageTags })[];
  /** Runs while a message is on its way; may throw. */
  onSend: () => Promise<void>;
}

export function fakePersonMailer(): FakePersonMailer {
  const mailer: FakePersonMailer = {
    sent: [],
    onSend: async () => {},
    async send(sendable, tags) {
      await mailer.onSend();
      const url = (contactId: string, purpose: string) =>
        `https://api.example/v1/unsubscribe/${unsubscribeToken(digest, contactId, purpose)}`;
      mailer.sent.push({ ...compose(sendable, url), message: sendable.message, tags });
    },
  };
  return mailer;
}

export const digest = createDigest({ version: '1', key: 'a key for tests only' });

/** Maria's inquiry, as a channel hands it over. */
export const incoming = (change: Partial<IncomingInquiry> = {}): IncomingInquiry => ({
  channel: 'web_form',
  name: 'Maria Lopez',
  email: 'maria@example.com',
  phone: '+16505550188',
  language: 'es',
  locationId: 'main-street',
  serviceId: 'acne',
  sourceId: 'website',
  attributedBy: 'form',
  campaign: undefined,
  fields: { name: 'Maria Lopez', email: 'maria@example.com', phone: '(650) 555-0188', service: 'acne' },
  quarantine: [],
  ...change,
});

/** The whole pipeline over a table, queue by queue. */
export function createPipeline(table: Table, practice: Practice = smallPractice) {
  const environment = holdEnvironment();
  const state = { practice };
  const queues = {
    score: fakeQueue<StepMessage>(),
    route: fakeQueue<RouteMessage>(),
    mail: fakeQueue<MailMessage>(),
  };
  const mailer = fakeMailer();
  const personMailer = fakePersonMailer();
  const enqueueFailures: string[] = [];
  const broken: { readonly pk: string; readonly sk: string }[] = [];
  const ruleFaults: string[] = [];
  const inquiries = createInquiries(table);
  const dependencies = {
    table,
    inquiries,
    contacts: createContacts(table),
    timelines: createTimelines(table),
    routingStates: createRoutingStates(table),
    rollups: createRollups(table),
    weeklyReports: createWeeklyReports(table),
    digests: createDigests(table),
    notices: createNotices(table),
    appointments: createAppointments(table),
    tasks: createTasks(table),
    practice: async () => state.practice,
    freshPractice: async () => state.practice,
    digest,
    openDigest: async () => digest,
    environment,
    scoreQueue: queues.score,
    routeQueue: queues.route,
    mailQueue: queues.mail,
    mailer,
    consoleUrl: 'https://console.example',
    messages: createMessages(table),
    consents: createConsents(table),
    mailboxes: createMailboxes(table),
    personMailer,
    pace: createPace(1),
    remainingMs: () => 60_000,
    onEnqueueFailure: (id: string) => void enqueueFailures.push(id),
    onRuleFault: (_inquiryId: string, { rule }: { readonly rule: string }) => void ruleFaults.push(rule),
    onBroken: (entry: { readonly pk: string; readonly sk: string }) => void broken.push(entry),
  } satisfies Pick<StaffApi, 'timelines' | 'openDigest' | 'appointments'> &
    CaptureDependencies &
    ScoreDependencies &
    RouteDependencies &
    NotifyDependencies &
    SweepDependencies;
  let keys = 0;

  const pipeline = {
    ...dependencies,
    dependencies,
    queues,
    state,
    enqueueFailures,
    ruleFaults,
    broken,
    capture: (
      change: Partial<IncomingInquiry> = {},
      identity = { key: `form ${++keys}`, content: 'a body' },
    ) => captureInquiry(dependencies, incoming(change), identity),
    /** Captures and gives the id. */
    async captured(change: Partial<IncomingInquiry> = {}): Promise<string> {
      const done = await pipeline.capture(change);
      if (done.outcome !== 'captured') throw new Error(done.outcome);
      return done.id;
    },
    score: (inquiryId: string) => scoreInquiry(dependencies, { inquiryId, version: 1 }),
    route: (inquiryId: string) => routeInquiry(dependencies, { inquiryId }),
    notify: (inquiryId: string) => sendMail(dependencies, { kind: 'inquiry', inquiryId, version: 1 }),
    sweep: () => sweep(dependencies),
    /** Works through all queues until they are empty. */
    async drain(): Promise<void> {
      while (Object.values(queues).some(({ sent }) => sent.length > 0)) {
        for (const message of queues.score.take()) await scoreInquiry(dependencies, message);
        for (const message of queues.route.take()) await handleMessage(dependencies, message);
        for (const message of queues.mail.take()) await sendMail(dependencies, message);
      }
    },
    /** Captures an inquiry and sees it through to its mail. */
    async mailed(change: Partial<IncomingInquiry> = {}): Promise<string> {
      const id = await pipeline.captured(change);
      await pipeline.drain();
      return id;
    },
    async head(id: string): Promise<Inquiry> {
      const head = await inquiries.findHead(id);
      if (!head) throw new Error(`no inquiry ${id}`);
      return head;
    },
    /** Changes the practice as `practice apply` would show it to a running function. */
    change(change: (practice: Practice) => void): void {
      state.practice = structuredClone(state.practice);
      change(state.practice);
    },
  };
  return pipeline;
}

/** A member's `enabled`, set. */
export const enable =
  (enabled: boolean, ...ids: string[]) =>
  (practice: Practice): void => {
    for (const member of practice.members) if (ids.includes(member.id)) member.enabled = enabled;
  };

export const webFormSample = readFileSync('test/fixtures/web-form.txt', 'utf8').trimEnd();
export const googleAdsSample = readFileSync('test/fixtures/google-ads-lead.json', 'utf8');
