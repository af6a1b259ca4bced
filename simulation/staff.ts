/**
 * The people of a practice at work: coordinators who call, by the API and on their shifts only; those who
 * look at what was set aside, and at red flags. They know what the API and their inbox tell them.
 */
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import { businessMinutesBetween } from '../shared/domain/business-time.ts';
import { parkReasons } from '../shared/domain/inquiry/state.ts';
import { localTime } from '../shared/domain/local-time.ts';
import type { Member, Practice } from '../shared/domain/practice.ts';
import type { Disposition } from '../shared/domain/rules/facts.ts';
import { absenceOf, zoneOfMember } from './duty.ts';
import { minuteMs } from './minutes.ts';
import type { Random } from './random.ts';
import type { SentMail, World } from './world.ts';

const queueSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      version: z.int(),
      contactId: z.string(),
      stage: z.string(),
      hold: z.unknown().optional(),
      calling: z.unknown().optional(),
    }),
  ),
  cursor: z.string().optional(),
});
const tasksSchema = z.object({
  items: z.array(z.object({ id: z.string(), version: z.int(), contactId: z.string(), done: z.boolean() })),
});
type QueueItem = z.infer<typeof queueSchema>['items'][number];

/** How calls end, out of a hundred. */
const dispositionWeights: Readonly<Record<Disposition, number>> = {
  reached: 44,
  voicemail: 22,
  no_answer: 12,
  booked: 13,
  not_interested: 6,
  wrong_number: 3,
};

/** A call takes so long, in virtual minutes; one of somebody who is overwhelmed so much longer. */
const callMinutes = { least: 3, most: 8 };
const overwhelmedCallMinutes = { least: 35, most: 55 };
/** Between two calls, and before somebody without work looks again. */
const pauseMinutes = { least: 0.3, most: 1.2 };
/** What somebody who was reached agrees to, out of a hundred. */
const afterwardsWeights = { nothing: 62, appointment: 26, snoozed: 6, parked: 6 };
/** Whoever is not at work is looked for this often. */
const absentMinutes = 5;

export interface Staff {
  /** Tells whoever a mail went to. */
  onMail(sent: SentMail, mailKind: string | undefined): void;
}

/** Members who call back: those of the pools who do not lead and do not treat. */
export function callersOf(practice: Practice): Member[] {
  const inPools = new Set(practice.pools.flatMap(({ members }) => members.map(({ id }) => id)));
  return practice.members.filter(({ id, role }) => inPools.has(id) && role !== 'provider');
}

export function startStaff(
  world: World,
  options: { readonly overwhelmed: string | undefined; readonly calmFrom: Date },
): Staff {
  const { agenda } = world;
  const random = world.random.fork('staff');
  /** What a member was mailed about as due again. */
  const again = new Map<string, Set<string>>();
  /** Inquiries of which a first attempt was made, whoever made it. */
  const attempted = new Set<string>();
  const inMinutes = (least: number, most: number): number =>
    agenda.nowMs() + Math.round((least + random.next() * (most - least)) * minuteMs);

  const json = { 'content-type': 'application/json' };
  const bodyOf = (answer: APIGatewayProxyResult): unknown => JSON.parse(answer.body);

  /** Whether a member is at their desk. */
  function isAtWork(member: Member, lunch: Lunch): boolean {
    const [practice, now] = [world.practice(), world.now()];
    const current = practice.members.find(({ id }) => id === member.id);
    if (!current || absenceOf(current, practice, now) !== undefined) return false;
    const { time } = localTime(now, zoneOfMember(current, practice));
    if (lunch.from <= time && time < lunch.to) return false;
    if (current.shifts !== undefined) return true;
    // Who may always be given inquiries still goes home.
    const location =
      practice.locations.find(({ id }) => current.locations?.includes(id)) ?? practice.locations[0];
    const inAMinute = new Date(now.getTime() + minuteMs);
    return location !== undefined && businessMinutesBetween(now, inAMinute, location) > 0;
  }

  /** Whom to call next: the most urgent who was not called yet, else whoever is due again. */
  async function nextFor(member: Member): Promise<QueueItem | undefined> {
    const due = again.get(member.id);
    let dueAgain: QueueItem | undefined;
    let cursor: string | undefined;
    do {
      const query = { limit: '50', ...(cursor !== undefined && { cursor }) };
      const answer = await world.asStaff(member.id, 'GET /v1/queue', { query });
      if (answer.statusCode !== 200) return undefined;
      const page = queueSchema.parse(bodyOf(answer));
      // What is set aside, or in somebody's hands, is left alone.
      const free = page.items.filter(({ hold, calling }) => hold === undefined && calling === undefined);
      const owed = free.find(({ id, stage }) => stage === 'new' && !attempted.has(id));
      if (owed) return owed;
      dueAgain ??= free.find(({ id }) => due?.has(id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return dueAgain;
  }

  /** The first of somebody's tasks, done; whether there was one. */
  async function doTask(member: Member): Promise<boolean> {
    const answer = await world.asStaff(member.id, 'GET /v1/tasks', { query: { limit: '5' } });
    if (answer.statusCode !== 200) return false;
    const task = tasksSchema.parse(bodyOf(answer)).items.find(({ done }) => !done);
    if (!task) return false;
    await world.asStaff(member.id, 'PATCH /v1/contacts/{id}/tasks/{taskId}', {
      pathParameters: { id: task.contactId, taskId: task.id },
      headers: { ...json, 'If-Match': `"${task.version}"` },
      body: JSON.stringify({ done: true }),
    });
    return true;
  }

  async function work(member: Member, own: Random, lunch: Lunch): Promise<void> {
    const later = (least: number, most = least): void =>
      agenda.at(inMinutes(least, most), () => work(member, own, lunch));
    if (!isAtWork(member, lunch)) return later(absentMinutes);
    const item = await nextFor(member);
    if (!item) {
      const hadTask = await doTask(member);
      return hadTask ? later(callMinutes.least) : later(pauseMinutes.least, pauseMinutes.most);
    }
    const isSlow = member.id === options.overwhelmed && world.now() < options.calmFrom;
    const takes = isSlow ? overwhelmedCallMinutes : callMinutes;
    // Whoever has too much on their hands forgets to say that they are calling.
    if (!isSlow) {
      await world.asStaff(member.id, 'PATCH /v1/inquiries/{id}', {
        pathParameters: { id: item.id },
        headers: { ...json, 'If-Match': `"${item.version}"` },
        body: JSON.stringify({ calling: true }),
      });
    }
    agenda.at(inMinutes(takes.least, takes.most), async () => {
      attempted.add(item.id);
      again.get(member.id)?.delete(item.id);
      const disposition = own.weighted(dispositionWeights);
      await record(member, item, disposition);
      const agreed = own.weighted(afterwardsWeights);
      if (disposition === 'reached') agenda.at(inMinutes(0.5, 0.9), () => agree(member, item, agreed));
      later(pauseMinutes.least, pauseMinutes.most);
    });
  }

  /** What was agreed on with somebody who was reached. */
  async function agree(
    member: Member,
    { id }: QueueItem,
    what: keyof typeof afterwardsWeights,
  ): Promise<void> {
    const days = random.between(1, 5);
    const at = new Date(agenda.nowMs() + days * 24 * 60 * minuteMs).toISOString();
    if (what === 'appointment') {
      await world.asStaff(member.id, 'POST /v1/appointments', {
        headers: json,
        body: JSON.stringify({ inquiryId: id, at }),
      });
    } else if (what === 'snoozed') await decide(member.id, id, { snoozeUntil: at });
    else if (what === 'parked') {
      await decide(member.id, id, { park: { reason: random.pick(parkReasons), until: at } });
    }
  }

  async function record(
    member: Member,
    { id, contactId }: QueueItem,
    disposition: Disposition,
  ): Promise<void> {
    await world.asStaff(member.id, 'POST /v1/contacts/{id}/entries', {
      pathParameters: { id: contactId },
      headers: json,
      body: JSON.stringify({ kind: 'call', disposition, inquiryId: id }),
    });
  }

  /** Somebody who leads decides about an inquiry that waits for a human, some minutes after the mail. */
  async function decide(memberId: string, inquiryId: string, change: object): Promise<void> {
    const shown = await world.asStaff(memberId, 'GET /v1/inquiries/{id}', {
      pathParameters: { id: inquiryId },
    });
    if (shown.statusCode !== 200) return;
    await world.asStaff(memberId, 'PATCH /v1/inquiries/{id}', {
      pathParameters: { id: inquiryId },
      headers: { ...json, 'If-Match': String(shown.headers?.['etag']) },
      body: JSON.stringify(change),
    });
  }

  for (const member of callersOf(world.practice())) {
    const own = random.fork(member.id);
    const start = own.pick(['11:45', '12:00', '12:15', '12:30', '12:45']);
    const lunch = { from: start, to: addMinutes(start, 30) };
    agenda.at(inMinutes(0, 2), () => work(member, own, lunch));
  }

  return {
    onMail({ to, asked }, mailKind) {
      const member = world.practice().members.find(({ email }) => to.includes(email));
      if (!member) return;
      if (asked.kind === 'alert') {
        const result = random.chance(0.3) ? 'confirmed' : 'false_alarm';
        agenda.at(inMinutes(1, 4), () => decide(member.id, asked.inquiryId, { redFlag: result }));
      } else if (asked.kind === 'inquiry' && mailKind === 'review') {
        const change = random.chance(0.5) ? { release: true } : { stage: 'closed', closeReason: 'spam' };
        agenda.at(inMinutes(20, 90), () => decide(member.id, asked.inquiryId, change));
      } else if (asked.kind === 'inquiry' && mailKind === 'follow_up') {
        const due = again.get(member.id) ?? new Set();
        again.set(member.id, due.add(asked.inquiryId));
      }
    },
  };
}

/** A break at noon, in clock times of the member. */
interface Lunch {
  readonly from: string;
  readonly to: string;
}

function addMinutes(time: string, minutes: number): string {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const total = hour * 60 + minute + minutes;
  return `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`;
}
