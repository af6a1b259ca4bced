/**
 * An inquiry: what somebody asked for, how far the practice has come with it,
 * and what has to happen next. Everything in this room is pure: state and `now` in, the
 * next state out. Whoever writes the state checks its version.
 */
import * as z from 'zod';
import type { Cadence } from '../cadence.ts';
import { channels } from '../channels.ts';
import type { Urgency } from '../clinical-urgency.ts';
import type { Clock } from '../escalation.ts';
import { idSchema } from '../ids.ts';
import { redFlagStates } from '../red-flags.ts';
import { dispositions, triggers } from '../rules/facts.ts';
import { closeReasons, type Stage, stages, type Tier, tiers } from '../stages.ts';

/** How far the pipeline has come, as the API shows it; `scored` lies between captured and routed. */
export const progresses = ['captured', 'scored', 'waiting', 'routed', 'notified', 'quarantined'] as const;

/** Why an inquiry was set aside for a human to look at before anybody is told. */
export const quarantineReasons = ['honeypot', 'firewall', 'origin', 'test_lead', 'rule'] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** What became of one candidate of a routing, with the numbers compared. */
export const candidateSchema = z.lazy(() =>
  z.object({
    memberId: z.string(),
    /** The part of the pool's inquiries that is this member's due, 0 to 1. */
    share: z.number(),
    outcome: z.enum(['assigned', 'passed_over', 'excluded']),
    reason: z.string(),
  }),
);
export type Candidate = z.infer<typeof candidateSchema>;

export const receiptSchema = z.lazy(() =>
  z.object({
    pool: z.string(),
    strategy: z.string(),
    candidates: z.array(candidateSchema),
    /** Who decided where it was not routing: a member of staff; or the rule that asked routing for it. */
    by: z.string().optional(),
    /** The provider recommended beside whoever got it, and why. */
    provider: z.object({ memberId: z.string(), reason: z.string() }).optional(),
  }),
);
/** Why a routing decided as it did; written with the decision, never worked out again. */
export type Receipt = z.infer<typeof receiptSchema>;

/** Staff mails about an inquiry; the newest one is part of its state. */
export const mailKinds = [
  'assigned',
  'reminder',
  'warning',
  'escalated',
  'follow_up',
  'review',
  /** A snooze is over. */
  'woken',
  /** What it is parked for is due. */
  'parked',
] as const;
export type MailKind = (typeof mailKinds)[number];

/** Why an inquiry is parked: what it waits for lies with others. */
export const parkReasons = ['authorisation', 'records', 'insurance', 'wait_list'] as const;
export type ParkReason = (typeof parkReasons)[number];

const instantSchema = z.iso.datetime();

// Few inquiries are ever held or called about while somebody looks: made where the first one is.
const holdSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('snoozed'), by: z.string(), since: instantSchema, until: instantSchema }),
    z.object({
      kind: z.literal('parked'),
      reason: z.enum(parkReasons),
      /** Who sees to it that it goes on. */
      owner: z.string(),
      by: z.string(),
      since: instantSchema,
      until: instantSchema,
    }),
  ]),
);
/** An inquiry that somebody set aside for a while: until then nobody is reminded of it. */
export type Hold = z.infer<typeof holdSchema>;

const callingSchema = z.lazy(() => z.object({ by: z.string(), since: instantSchema, until: instantSchema }));

const visitsSchema = z.lazy(() =>
  z.object({ made: z.int(), kept: z.int(), noShows: z.int(), cents: z.int() }),
);

const moveSchema = z.lazy(() =>
  z.object({
    poolId: z.string().optional(),
    memberId: z.string().optional(),
    /** Whoever knows the person. */
    owner: z.string().optional(),
    specialty: z.string().optional(),
    /** The rule, or the system where it was several. */
    by: z.string(),
  }),
);
/** Where rules want an inquiry to be that has its place already. */
export type Move = z.infer<typeof moveSchema>;

const pendingTriggerSchema = z.lazy(() =>
  z.object({
    kind: z.enum(triggers),
    at: instantSchema,
    /** The stage before a stage change. */
    from: z.enum(stages).optional(),
    /** The stage that it had then: a rule that comes to set another one does so only while it still has it. */
    stage: z.enum(stages).optional(),
    disposition: z.enum(dispositions).optional(),
    /** Opening hours for which nothing had happened. */
    silentHours: z.int().optional(),
  }),
);
/** A trigger of triage rules that waits for its turn. */
export type PendingTrigger = z.infer<typeof pendingTriggerSchema>;

/**
 * The state of an inquiry. No free text and nothing personal: that is in the
 * body, which is written once.
 */
export const inquirySchema = z.lazy(() =>
  z.object({
    id: idSchema('inquiry'),
    version: z.int().min(1),
    contactId: idSchema('contact'),
    locationId: z.string(),
    channel: z.enum(channels),
    sourceId: z.string(),
    /** The campaign's code, not its wording. */
    campaign: z.string().optional(),
    serviceId: z.string().optional(),
    receivedAt: instantSchema,
    /** When the clock started, where that was not on receipt: the release from quarantine. */
    clockFrom: instantSchema.optional(),
    stage: z.enum(stages),
    closeReason: z.enum(closeReasons).optional(),
    progress: z.enum(['captured', 'waiting', 'routed', 'notified', 'quarantined']),
    quarantine: z.array(z.enum(quarantineReasons)).optional(),
    tier: z.enum(tiers).optional(),
    score: z.int().optional(),
    poolId: z.string().optional(),
    respondBy: instantSchema.optional(),
    assignedTo: z.string().optional(),
    assignedAt: instantSchema.optional(),
    receipt: receiptSchema.optional(),
    mailKind: z.enum(mailKinds).optional(),
    mailState: z.enum(['pending', 'sending', 'sent', 'failed']).optional(),
    mailAt: instantSchema.optional(),
    /** How soon the person should be seen; absent where it is routine. */
    urgency: z.enum(['same_day', 'soon']).optional(),
    /** Set where words of an emergency were found; a human says whether it was one. */
    redFlag: z.enum(redFlagStates).optional(),
    /** Something happened at which triage rules are still to be looked at. */
    trigger: pendingTriggerSchema.optional(),
    /** What happened after that, in order. */
    laterTriggers: z.array(pendingTriggerSchema).optional(),
    /** Where rules listen for silence: since when nothing has happened, and for how many opening hours by then. */
    silence: z.object({ since: instantSchema, hours: z.int() }).optional(),
    /** When the first attempt to call back was recorded. */
    firstContactedAt: instantSchema.optional(),
    /** The provider recommended beside the coordinator. */
    providerId: z.string().optional(),
    hold: holdSchema.optional(),
    /** A call in progress: it pauses escalation, and ends by itself. */
    calling: callingSchema.optional(),
    /** Rungs of the escalation ladder that the present assignee has had. */
    rung: z.int().optional(),
    /** The end of the present assignee's time, where that is not the respond-by: it was set aside, which stopped their clock. */
    deadline: instantSchema.optional(),
    /** Since when their time runs, where that is neither since receipt nor since the assignment. */
    termFrom: instantSchema.optional(),
    /** The ladder asks routing for somebody who is free. */
    reassign: z.literal(true).optional(),
    /** Rules asked after its arrival for it to go elsewhere; until it has. */
    move: moveSchema.optional(),
    /** Members from whom the ladder took it. */
    hadBy: z.array(z.string()).optional(),
    /** Calls that reached nobody, since somebody was last reached. */
    attempts: z.int().optional(),
    /** Since when another call is due that nobody has made yet: whoever has it was reminded. */
    callDueAt: instantSchema.optional(),
    /** What its appointments came to; absent while it has none. */
    visits: visitsSchema.optional(),
    /** Tasks follow its assignment: whoever gets it gets them. */
    tasksFollow: z.literal(true).optional(),
    /** Times at which something has to happen; the earliest one is on the due index. */
    timers: z
      .object({
        /** A step of the pipeline should have been done by now: do it again. */
        step: instantSchema.optional(),
        /** The next rung of the escalation ladder: nobody has called back yet. */
        respond: instantSchema.optional(),
        /** Remind the assignee of an inquiry that has gone quiet. */
        followUp: instantSchema.optional(),
        /** Remind the managers that a quarantined inquiry waits for them. */
        review: instantSchema.optional(),
        /** Look at the rules for inquiries about which nothing has happened. */
        silence: instantSchema.optional(),
        /** The hold ends, or a call in progress is taken to have ended. */
        wake: instantSchema.optional(),
      })
      .default({}),
    /** How often the step timer fired in a row; spaces out the repeats. */
    stepRepeats: z.int().min(0).default(0),
    /** How often the assignee was reminded. */
    reminders: z.int().min(0).default(0),
  }),
);
export type Inquiry = z.infer<typeof inquirySchema>;

const minute = 60_000;
export const hour = 60 * minute;

/** A step that has not been done this long after it could have been is repeated. */
export const stepAllowanceMs = minute;
/** Steps are repeated ever more seldom, at the longest this far apart. */
export const longestStepPauseMs = 30 * minute;
/** A quarantined inquiry is brought back to the managers' minds this often. */
export const reviewEveryMs = 24 * hour;
/** An inquiry that was contacted and then went quiet comes back after this long. */
export const followUpAfterMs = 48 * hour;
/** Triggers that wait for their turn at the most; what comes on top takes the place of the newest. */
export const mostPendingTriggers = 6;
/** A mail that was asked for again so often holds up nothing any more: some eight minutes. */
export const mostMailRepeats = 3;
/** Unless it was asked for, or claimed, less long ago than this. */
export const mailPatienceMs = 7 * minute;
/** A mail whose sending began this long ago and never ended may be sent again. */
export const mailLeaseMs = 90_000;

export const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();

/** Whether the practice still owes this inquiry something. */
export const isOpen = (inquiry: Pick<Inquiry, 'stage'>): boolean =>
  inquiry.stage !== 'booked' && inquiry.stage !== 'closed';

/** Whether nobody has tried to call yet; a stage that a rule set is no call. */
export const owesCall = (inquiry: Inquiry): boolean =>
  isOpen(inquiry) && inquiry.firstContactedAt === undefined;

export const isMailUnderWay = ({ mailState }: Inquiry): boolean =>
  mailState === 'pending' || mailState === 'sending';

const ladderMails: readonly (MailKind | undefined)[] = ['reminder', 'warning', 'escalated'];
/** A reminder that nobody has called, of whatever rung, and that could still be called off. */
export const isReminderPending = ({ mailKind, mailState }: Inquiry): boolean =>
  ladderMails.includes(mailKind) && mailState === 'pending';

/**
 * When whoever has it is to act next, as their queue is ordered: a first call by the end of
 * its time, a later one at its own, what was set aside when it comes back.
 */
export function memberActionAt(inquiry: Inquiry): string {
  const { hold, deadline, callDueAt, timers, respondBy, receivedAt } = inquiry;
  if (hold) return hold.until;
  const called = owesCall(inquiry) ? deadline : (callDueAt ?? timers.followUp);
  return called ?? respondBy ?? receivedAt;
}

/** When what was set aside, or is being called about, comes back at the latest; undefined where nothing holds it. */
export function pausedUntil({ hold, calling, timers, stage }: Inquiry): string | undefined {
  if (!isOpen({ stage })) return undefined;
  const ends = [hold?.until, calling?.until].filter((time) => time !== undefined).sort();
  return ends.length === 0 ? undefined : (timers.wake ?? ends[0]);
}

/** Whether nobody is reminded of it at present. */
export const isPaused = (inquiry: Inquiry): boolean => pausedUntil(inquiry) !== undefined;

/** From each stage, the stages that may be set. */
export type Transitions = Readonly<Record<Stage, readonly Stage[]>>;

/** What of the practice a change of state has to know: what its rules listen for, its clock, its stages; see `listeningFor`. */
export interface Listening {
  /** Whether rules look at what happens here: it then waits, as a trigger, until they have. */
  readonly awaitsRules?: boolean;
  /** When rules for silence are to look at it next, unless something happens before. */
  readonly silence?: Silence | undefined;
  /** Hours and ladder; left out, the next reminder is at respond-by. */
  readonly clock?: Clock | undefined;
  /** When whoever was not reached is called again; left out, two days later. */
  readonly cadence?: Cadence | undefined;
  /** Left out, those of `stageTransitions`. */
  readonly transitions?: Transitions | undefined;
}

export interface Silence {
  /** When something happened last. */
  readonly since: string;
  /** Opening hours without anything, and when they will have passed. */
  readonly hours: number;
  readonly at: string;
}

/**
 * When the next thing has to happen; undefined just where the inquiry is closed
 * or booked and no rules have to look at it. An open inquiry always has a next
 * action: one whose timers were all missing would be due at once.
 */
export function nextActionAt(inquiry: Inquiry): string | undefined {
  const { step, respond, followUp, review, silence, wake } = inquiry.timers;
  // Whatever else is due waits the moment until the mail under way is out; until then only its step counts.
  if (step !== undefined && isMailUnderWay(inquiry)) return step;
  const until = pausedUntil(inquiry);
  const awaited = until === undefined ? [step, respond, followUp, review, silence, wake] : [step, until];
  const times = awaited.filter((time) => time !== undefined).sort();
  return times[0] ?? (isOpen(inquiry) ? inquiry.receivedAt : undefined);
}

/** Whether somebody is on the phone about it: until that is over it is given to nobody else. */
export const isCalledAbout = ({ calling }: Inquiry, now: Date): boolean =>
  calling !== undefined && calling.until > now.toISOString();

/** Whether routing may still decide about it. */
export const awaitsRouting = (inquiry: Inquiry): boolean =>
  isOpen(inquiry) && (inquiry.progress === 'captured' || inquiry.progress === 'waiting');

export interface Assignment {
  readonly memberId: string;
  readonly poolId: string;
  readonly respondBy: string;
  readonly receipt: Receipt;
  readonly score: number;
  readonly tier: Tier;
  readonly urgency?: Urgency | undefined;
  /** The provider recommended beside them. */
  readonly providerId?: string | undefined;
}

export type Triaged = Pick<Assignment, 'score' | 'tier' | 'urgency'>;
