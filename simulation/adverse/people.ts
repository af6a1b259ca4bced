/** Everybody around a practice where answers may not come: they try again, press twice, or give up. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { SesEvent } from '../../functions/feedback/take-feedback.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { parkReasons } from '../../shared/domain/inquiry/state.ts';
import type { EventOptions } from '../events.ts';
import { minuteMs, secondMs } from '../minutes.ts';
import { type Arrival, allowsMail, type Person } from '../people.ts';
import { callersOf } from '../staff.ts';
import type { SentMail } from '../world.ts';
import { longestCallMs } from './consent-judge.ts';
import type { Draw } from './draw.ts';
import { settled } from './ports.ts';
import { keepRecords } from './record-keeping.ts';
import type { Watch } from './watch.ts';
import { type AdverseWorld, googleAdsKey, origin } from './world.ts';

const json = { 'content-type': 'application/json' };
/** So many web forms come from sites that may not post. */
const foreignShare = 0.02;
/** There are fewer arrivals than this: who writes again has a number above it. */
const againFrom = 1_000_000;

export interface Everybody {
  /** Somebody sends what they have to say. */
  send(number: number, arrival: Arrival): Promise<void>;
  onMail(mail: SentMail): void;
  /** Everybody goes home. */
  stop(): void;
}

/** How much everybody does. */
export interface Habits {
  /** The share of mails that members act on. */
  readonly diligence: number;
  /** The share of mails after which they see to its records, too. */
  readonly recordKeeping: number;
  /** The share of people who unsubscribe, beside those who always do; and of those who write again after it. */
  readonly unsubscribing: number;
}

export function createEverybody(
  world: AdverseWorld,
  watch: Watch,
  people: readonly Person[],
  { diligence, recordKeeping, unsubscribing }: Habits,
): Everybody {
  const { agenda, draws } = world;
  const habits = new Map(people.flatMap(({ email, habit }) => (email ? [[email, habit] as const] : [])));
  /** What came, by its number. */
  const sent = new Map<number, Arrival>();
  /** Mails whose link was clicked: one that comes twice is clicked once. */
  const clicked = new Set<string>();
  /** How many mails there were about each inquiry. */
  const mailsAbout = new Map<string, number>();
  let isOver = false;

  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      agenda.at(agenda.nowMs() + ms, () => {
        resolve();
        return settled();
      });
    });

  /** Asks until there is an answer that is no fault; undefined where that never comes. */
  async function insist(
    draw: Draw,
    times: number,
    ask: (attempt: number) => Promise<APIGatewayProxyResult | undefined>,
  ): Promise<APIGatewayProxyResult | undefined> {
    for (let attempt = 0; attempt < times; attempt++) {
      if (attempt > 0) await pass(draw.between(2 * secondMs, 20 * secondMs));
      const answer = await ask(attempt);
      if (answer !== undefined && answer.statusCode < 500) return answer;
    }
    return undefined;
  }

  function requestOf(number: number, { by, fields }: Arrival): { route: string; event: EventOptions } {
    if (by === 'google_ads') {
      const columns = { FULL_NAME: 'name', EMAIL: 'email', PHONE_NUMBER: 'phone', SERVICE: 'service' };
      const body = {
        google_key: googleAdsKey,
        lead_id: `lead-${number}`,
        campaign_id: 4711,
        user_column_data: Object.entries(columns).flatMap(([column_id, field]) =>
          fields[field] === undefined ? [] : [{ column_id, string_value: fields[field] }],
        ),
      };
      return { route: 'POST /v1/webhooks/google-ads', event: { headers: json, body: JSON.stringify(body) } };
    }
    const frontDesk = world
      .practice()
      .forms.find(({ maySetChannel, origins }) => maySetChannel && origins.length > 0);
    if (by === 'front_desk' && frontDesk) {
      const headers = { ...json, origin: frontDesk.origins[0] };
      return { route: 'POST /v1/inquiries', event: { headers, body: JSON.stringify(fields) } };
    }
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(isForeign(number) && { origin: 'https://elsewhere.example' }),
    };
    return {
      route: 'POST /v1/inquiries',
      event: { headers, body: new URLSearchParams(fields).toString() },
    };
  }

  /** Whether it comes from a site that may not post: it is set aside for somebody to look at. */
  const isForeign = (number: number): boolean => draws(`origin ${number}`).chance(foreignShare);

  /** A manager finds it among what was set aside. */
  function lookInto(number: number, inquiryId: string): void {
    const draw = draws(`quarantine ${number}`);
    const manager = world.practice().members.find(({ role }) => role === 'manager');
    if (!manager || !draw.chance(0.7)) return;
    agenda.at(agenda.nowMs() + draw.between(1, 30) * minuteMs, () => {
      if (isOver) return;
      const change = draw.chance(0.6) ? { release: true } : { stage: 'closed', closeReason: 'spam' };
      void patch(`quarantine-${number}`, draw, manager.id, inquiryId, change);
      return settled();
    });
  }

  /** Whether they saw a success. */
  async function submit(name: string, number: number, arrival: Arrival): Promise<boolean> {
    const { route, event } = requestOf(number, arrival);
    const draw = draws(`client ${name}`);
    const answer = await insist(draw, 5, (attempt) =>
      world.fromOutside('capture', `capture:${name}.${attempt}`, route, event),
    );
    if (answer === undefined || answer.statusCode >= 300) return false;
    const { id } = JSON.parse(answer.body) as { id: string };
    watch.acknowledged(number, id);
    if (name === String(number) && arrival.by === 'web_form' && isForeign(number)) lookInto(number, id);
    return true;
  }

  /** A call of the API by a member, made again under its key where no answer came. */
  const asked = (
    name: string,
    draw: Draw,
    memberId: string,
    route: string,
    options: () => EventOptions,
  ): Promise<APIGatewayProxyResult | undefined> =>
    insist(draw, 3, (attempt) => {
      const event = options();
      const headers = { ...json, 'idempotency-key': name, ...event.headers };
      return world.asStaff(`api:${name}.${attempt}`, memberId, route, { ...event, headers });
    });

  const versionOf = (inquiryId: string): string =>
    `"${world.table.peek(inquiryHead(inquiryId))?.['version']}"`;

  const patch = (name: string, draw: Draw, memberId: string, inquiryId: string, change: object) =>
    asked(name, draw, memberId, 'PATCH /v1/inquiries/{id}', () => ({
      pathParameters: { id: inquiryId },
      headers: { 'If-Match': versionOf(inquiryId) },
      body: JSON.stringify(change),
    }));

  async function call(name: string, draw: Draw, memberId: string, inquiryId: string): Promise<void> {
    const contactId = String(world.table.peek(inquiryHead(inquiryId))?.['contactId']);
    if (draw.chance(0.4)) {
      await patch(`${name}c`, draw, memberId, inquiryId, { calling: true });
      await pass(draw.between(minuteMs, 4 * minuteMs));
    }
    const dispositions = ['reached', 'reached', 'voicemail', 'no_answer', 'booked', 'not_interested'];
    const disposition = draw.pick(dispositions);
    await asked(`${name}d`, draw, memberId, 'POST /v1/contacts/{id}/entries', () => ({
      pathParameters: { id: contactId },
      body: JSON.stringify({ kind: 'call', disposition, inquiryId }),
    }));
    if (disposition !== 'reached') return;
    const later = new Date(agenda.nowMs() + draw.between(10, 90) * minuteMs).toISOString();
    const what = draw.next();
    if (what < 0.25)
      await asked(`${name}a`, draw, memberId, 'POST /v1/appointments', () => ({
        body: JSON.stringify({ inquiryId, at: later }),
      }));
    else if (what < 0.35) await patch(`${name}s`, draw, memberId, inquiryId, { snoozeUntil: later });
    else if (what < 0.42) {
      const park = { reason: draw.pick(parkReasons), until: later };
      await patch(`${name}p`, draw, memberId, inquiryId, { park });
    } else if (what < 0.6) {
      const change = { stage: 'closed', closeReason: 'not_interested' };
      await patch(`${name}x`, draw, memberId, inquiryId, change);
    } else if (what < 0.66)
      await asked(`${name}t`, draw, memberId, 'POST /v1/tasks', () => ({
        body: JSON.stringify({ inquiryId, title: 'Call again', dueAt: later }),
      }));
  }

  /** The person wrote back. */
  async function noteReply(name: string, draw: Draw, memberId: string, inquiryId: string): Promise<void> {
    const contactId = String(world.table.peek(inquiryHead(inquiryId))?.['contactId']);
    await asked(`${name}r`, draw, memberId, 'POST /v1/contacts/{id}/entries', () => ({
      pathParameters: { id: contactId },
      body: JSON.stringify({ kind: 'email', direction: 'received', inquiryId }),
    }));
  }

  /** What a member does about an inquiry that a mail told them of. */
  async function act(name: string, draw: Draw, memberId: string, inquiryId: string): Promise<void> {
    if (!draw.chance(diligence)) return;
    const what = draw.next();
    const others = callersOf(world.practice()).filter(({ id, enabled }) => enabled && id !== memberId);
    if (what < 0.72) await call(name, draw, memberId, inquiryId);
    else if (what < 0.76) await patch(name, draw, memberId, inquiryId, { assignTo: draw.pick(others).id });
    else if (what < 0.79) await patch(name, draw, memberId, inquiryId, { returnToPool: true });
    else if (what < 0.82) await patch(name, draw, memberId, inquiryId, { wake: true });
    else if (what < 0.86) await noteReply(name, draw, memberId, inquiryId);
    else if (what < 0.88) {
      await asked(`${name}q`, draw, memberId, 'GET /v1/queue', () => ({ query: { limit: '10' } }));
      await asked(`${name}i`, draw, memberId, 'GET /v1/inquiries/{id}', () => ({
        pathParameters: { id: inquiryId },
      }));
    }
  }

  const contacts = (): readonly string[] =>
    [...watch.observer.inquiries.values()].map(({ head }) => head.contactId);

  /** Some time later somebody sees to its records. */
  function seeToRecords(name: string, memberId: string, inquiryId: string): void {
    const draw = draws(`records ${name}`);
    if (!draw.chance(recordKeeping)) return;
    agenda.at(agenda.nowMs() + draw.between(0, 20) * minuteMs, () => {
      if (isOver) return;
      let n = 0;
      void keepRecords(world, draw, inquiryId, contacts, watch.consent, (route, options) =>
        asked(`${name}o${n++}`, draw, memberId, route, options),
      );
      return settled();
    });
  }
  function onStaffMail(mail: SentMail, memberId: string): void {
    const { asked: message } = mail;
    if (!('inquiryId' in message)) {
      if (message.kind === 'task') finishTask(message.contactId, message.taskId, memberId);
      return;
    }
    const { inquiryId, kind } = message;
    const n = (mailsAbout.get(inquiryId) ?? 0) + 1;
    mailsAbout.set(inquiryId, n);
    const name = `${watch.arrivalOf(inquiryId)}-${n}`;
    const draw = draws(`staff ${name}`);
    const mailKind = world.table.peek(inquiryHead(inquiryId))?.['mailKind'];
    agenda.at(agenda.nowMs() + draw.between(20 * secondMs, 15 * minuteMs), () => {
      if (isOver) return;
      if (kind === 'alert') {
        const redFlag = draw.chance(0.3) ? 'confirmed' : 'false_alarm';
        void patch(name, draw, memberId, inquiryId, { redFlag });
      } else if (mailKind === 'review') {
        const change = draw.chance(0.5) ? { release: true } : { stage: 'closed', closeReason: 'spam' };
        void patch(name, draw, memberId, inquiryId, change);
      } else if (kind === 'inquiry') {
        void act(name, draw, memberId, inquiryId);
        seeToRecords(name, memberId, inquiryId);
      }
      return settled();
    });
  }

  function finishTask(contactId: string, taskId: string, memberId: string): void {
    const name = `task-${taskId.slice(-8)}`;
    const draw = draws(`staff ${name}`);
    agenda.at(agenda.nowMs() + draw.between(minuteMs, 10 * minuteMs), () => {
      if (isOver) return;
      const row = world.table.peek({ pk: `CON#${contactId}`, sk: `TASK#${taskId}` });
      void asked(name, draw, memberId, 'PATCH /v1/contacts/{id}/tasks/{taskId}', () => ({
        pathParameters: { id: contactId, taskId },
        headers: { 'If-Match': `"${row?.['version']}"` },
        body: JSON.stringify({ done: true }),
      }));
      return settled();
    });
  }

  /** SES tells what came of a mail; an event of a topic may come twice. */
  async function tell(name: string, event: SesEvent, onTaken: () => void): Promise<void> {
    const draw = draws(`told ${name}`);
    await pass(draw.between(1, 10) * secondMs);
    const first = world.feedback(`feedback:${name}`, event, onTaken);
    if (draw.chance(0.2)) {
      await pass(draw.between(0, 60) * secondMs);
      await world.feedback(`feedback:${name}t`, event, () => {});
    }
    await first;
  }

  const mailOf = ({ tags }: NonNullable<SentMail['toPerson']>): SesEvent['mail'] => ({
    tags: { inquiry: [tags.inquiry], contact: [tags.contact], message: [tags.message] },
  });

  /** It does not reach them, or they say that they do not want it. */
  async function turnDown(
    name: string,
    email: string,
    toPerson: NonNullable<SentMail['toPerson']>,
  ): Promise<void> {
    const of = [{ emailAddress: email }];
    const what = draws(`turned down ${email}`).chance(0.7)
      ? { eventType: 'Bounce', bounce: { bounceType: 'Permanent', bouncedRecipients: of } }
      : { eventType: 'Complaint', complaint: { complainedRecipients: of } };
    await tell(name, { ...what, mail: mailOf(toPerson) }, () => watch.suppress(email));
    await lift(name, email, toPerson.tags.contact, 'bounce' in what ? 'bounce' : 'complaint');
  }

  /** They have said on the phone that it was a mistake, and a manager has mails go to them again. */
  async function lift(name: string, email: string, contactId: string, confirm: string): Promise<void> {
    const draw = draws(`lifts ${name}`);
    if (!draw.chance(recordKeeping / 2)) return;
    await pass(draw.between(0, 20 * minuteMs));
    const manager = world.practice().members.find(({ role }) => role === 'manager');
    if (isOver || !manager) return;
    const namesIt = draw.chance(0.5);
    let tries = 0;
    let refused = (): void => {};
    const answer = await asked(
      `lift-${name}`,
      draw,
      manager.id,
      'POST /v1/contacts/{id}/lift-suppression',
      () => {
        // It may be done at any of several tries, whether an answer comes or not.
        if (tries++ === 0) refused = watch.lift(email);
        const reason = 'They called about it.';
        return {
          pathParameters: { id: contactId },
          body: JSON.stringify({ confirm, reason, ...(namesIt && { email }) }),
        };
      },
    );
    // At once where the mailbox is another contact's, a parent's say; later, where it is lifted by then.
    if (answer !== undefined && answer.statusCode >= 300 && tries === 1) refused();
  }

  async function opens(name: string, toPerson: NonNullable<SentMail['toPerson']>): Promise<void> {
    const draw = draws(`opens ${name}`);
    if (!draw.chance(0.15)) return;
    await pass(draw.between(1, 15) * minuteMs);
    const timestamp = new Date(agenda.nowMs()).toISOString();
    const event = { eventType: 'Open', mail: mailOf(toPerson), open: { timestamp } };
    await tell(`${name}o`, event, () => {});
  }

  async function optOut(
    name: string,
    email: string,
    { tags, unsubscribeUrl }: NonNullable<SentMail['toPerson']>,
  ): Promise<void> {
    const draw = draws(`reader ${name}`);
    await pass(draw.between(minuteMs, 20 * minuteMs));
    const click = (again = ''): Promise<boolean> =>
      clickLink(`${name}${again}`, draw, email, tags.contact, unsubscribeUrl);
    if (isOver || !(await click()) || !draw.chance(unsubscribing)) return;
    await writeAgain(draw, watch.arrivalOf(tags.inquiry));
    await pass(draw.between(0, 30 * secondMs));
    if (!isOver && draw.chance(0.5)) await click('c');
  }

  async function clickLink(
    name: string,
    draw: Draw,
    email: string,
    contactId: string,
    url: string,
  ): Promise<boolean> {
    const beganMs = agenda.nowMs();
    const token = url.slice(`${origin}/v1/unsubscribe/`.length);
    const answer = await insist(draw, 4, (attempt) =>
      world.fromOutside('unsubscribe', `unsubscribe:${name}.${attempt}`, 'POST /v1/unsubscribe/{token}', {
        pathParameters: { token },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'all=yes',
      }),
    );
    if (answer?.statusCode !== 200) return false;
    watch.consent.withdrew(email, contactId, beganMs);
    return true;
  }

  /** They write once more, and agree to be e-mailed or say nothing of it. */
  async function writeAgain(draw: Draw, before: number | undefined): Promise<void> {
    await pass(draw.between(secondMs, 10 * minuteMs));
    const arrival = before === undefined ? undefined : sent.get(before);
    if (!arrival || before === undefined || isOver) return;
    const number = againFrom * draw.between(1, 1_000_000) + before;
    const { consentEmail: _, ...fields } = arrival.fields;
    await send(number, {
      ...arrival,
      fields: {
        ...fields,
        idempotencyKey: `again-${number}`,
        ...(draw.chance(0.4) && { consentEmail: 'yes' }),
      },
    });
  }

  async function send(number: number, arrival: Arrival): Promise<void> {
    sent.set(number, arrival);
    const { email } = arrival.fields;
    // An ad's form has no box for it. Whoever gives no address may be somebody whose address is known.
    const agrees = allowsMail(arrival) && arrival.by !== 'google_ads';
    const settle = agrees ? watch.consent.agreesIn(number, email) : undefined;
    const draw = draws(`presses ${number}`);
    const first = submit(String(number), number, arrival);
    // Some press twice.
    if (draw.chance(0.03)) {
      await pass(draw.between(0, 300));
      await submit(`${number}b`, number, arrival);
    }
    // Where no answer came it may have been taken by the last try.
    const isSeen = await first;
    settle?.(agenda.nowMs() + (isSeen ? 0 : longestCallMs));
  }

  return {
    send,
    onMail(mail) {
      const [email = ''] = mail.to;
      if (!mail.toPerson) {
        const member = world.practice().members.find((one) => one.email === email);
        if (member) onStaffMail(mail, member.id);
        return;
      }
      const { tags } = mail.toPerson;
      const name = `${watch.arrivalOf(tags.inquiry)}-${tags.message}`;
      if (habits.get(email) === 'bounces') void turnDown(name, email, mail.toPerson);
      else {
        void opens(name, mail.toPerson);
        const wantsNone =
          habits.get(email) === 'unsubscribes' || draws(`reads ${email}`).chance(unsubscribing);
        if (wantsNone && !clicked.has(name)) void optOut(name, email, mail.toPerson);
        clicked.add(name);
      }
    },
    stop() {
      isOver = true;
    },
  };
}
