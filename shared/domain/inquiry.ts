/**
 * An inquiry: what somebody asked for, how far the practice has come with it,
 * and what has to happen next. Everything here is pure: state and `now` in, the
 * next state out. Whoever writes the state checks its version.
 */
import * as z from 'zod';
import { channels } from './channels.ts';
import { idSchema } from './ids.ts';
import { redFlagStates } from './red-flags.ts';
import { dispositions, triggers } from './rules/facts.ts';
import { type CloseReason, closeReasons, type Stage, stages, type Tier, tiers } from './stages.ts';

/** How far the pipeline has come, as the API shows it; `scored` lies between captured and routed. */
export const progresses = ['captured', 'scored', 'waiting', 'routed', 'notified', 'quarantined'] as const;

/** Why an inquiry was set aside for a human to look at before anybody is told. */
export const quarantineReasons = ['honeypot', 'firewall', 'origin', 'test_lead', 'rule'] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** What became of one candidate of a routing, with the numbers compared. */
export const candidateSchema = z.object({
  memberId: z.string(),
  /** The part of the pool's inquiries that is this member's due, 0 to 1. */
  share: z.number(),
  outcome: z.enum(['assigned', 'passed_over', 'excluded']),
  reason: z.string(),
});
export type Candidate = z.infer<typeof candidateSchema>;

export const receiptSchema = z.object({
  pool: z.string(),
  strategy: z.string(),
  candidates: z.array(candidateSchema),
});
/** Why a routing decided as it did; written with the decision, never worked out again. */
export type Receipt = z.infer<typeof receiptSchema>;

/** Staff mails about an inquiry; the newest one is part of its state. */
export const mailKinds = ['assigned', 'reminder', 'follow_up', 'review'] as const;
export type MailKind = (typeof mailKinds)[number];

const instantSchema = z.iso.datetime();

const pendingTriggerSchema = z.object({
  kind: z.enum(triggers),
  at: instantSchema,
  /** The stage before a stage change. */
  from: z.enum(stages).optional(),
  disposition: z.enum(dispositions).optional(),
});
/** A trigger of triage rules that waits for its turn. */
export type PendingTrigger = z.infer<typeof pendingTriggerSchema>;

/**
 * The state of an inquiry. No free text and nothing personal: that is in the
 * body, which is written once.
 */
export const inquirySchema = z.object({
  id: idSchema('inquiry'),
  version: z.int().min(1),
  contactId: idSchema('contact'),
  locationId: z.string(),
  channel: z.enum(channels),
  sourceId: z.string(),
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
  mailState: z.enum(['pending', 'sending', 'sent']).optional(),
  mailAt: instantSchema.optional(),
  /** How soon the person should be seen; absent where it is routine. */
  urgency: z.enum(['same_day', 'soon']).optional(),
  /** Set where words of an emergency were found; a human says whether it was one. */
  redFlag: z.enum(redFlagStates).optional(),
  /** Something happened at which triage rules are still to be looked at. */
  trigger: pendingTriggerSchema.optional(),
  /** When the first attempt to call back was recorded. */
  firstContactedAt: instantSchema.optional(),
  /** Times at which something has to happen; the earliest one is on the due index. */
  timers: z.object({
    /** A step of the pipeline should have been done by now: do it again. */
    step: instantSchema.optional(),
    /** Remind the assignee that nobody has called back. */
    respond: instantSchema.optional(),
    /** Remind the assignee of an inquiry that has gone quiet. */
    followUp: instantSchema.optional(),
    /** Remind the managers that a quarantined inquiry waits for them. */
    review: instantSchema.optional(),
    /** Look at the rules for inquiries about which nothing has happened. */
    silence: instantSchema.optional(),
  }),
  /** How often the step timer fired in a row; spaces out the repeats. */
  stepRepeats: z.int().min(0),
  /** How often the assignee was reminded. */
  reminders: z.int().min(0),
});
export type Inquiry = z.infer<typeof inquirySchema>;

const minute = 60_000;
const hour = 60 * minute;

/** A step that has not been done this long after it could have been is repeated. */
export const stepAllowanceMs = minute;
/** Steps are repeated ever more seldom, at the longest this far apart. */
const longestStepPauseMs = 30 * minute;
/** A quarantined inquiry is brought back to the managers' minds this often. */
export const reviewEveryMs = 24 * hour;
/** An inquiry that was contacted and then went quiet comes back after this long. */
export const followUpAfterMs = 48 * hour;
/** The pause after the n-th reminder that nobody has called back; the last one repeats. */
const reminderPausesMs = [15 * minute, 30 * minute, hour, 4 * hour, 24 * hour] as const;
/** A mail whose sending began this long ago and never ended may be sent again. */
export const mailLeaseMs = 90_000;

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();

/** Whether the practice still owes this inquiry something. */
export const isOpen = (inquiry: Pick<Inquiry, 'stage'>): boolean =>
  inquiry.stage !== 'booked' && inquiry.stage !== 'closed';

const isMailUnderWay = ({ mailState }: Inquiry): boolean =>
  mailState === 'pending' || mailState === 'sending';

/**
 * When the next thing has to happen; undefined just where the inquiry is closed
 * or booked. An open inquiry always has a next action: one whose timers were all
 * missing would be due at once.
 */
export function nextActionAt(inquiry: Inquiry): string | undefined {
  const { step, respond, followUp, review } = inquiry.timers;
  // Whatever else is due waits the moment until the mail under way is out; until then only its step counts.
  if (step !== undefined && isMailUnderWay(inquiry)) return step;
  const times = [step, respond, followUp, review].filter((time) => time !== undefined).sort();
  return times[0] ?? (isOpen(inquiry) ? inquiry.receivedAt : undefined);
}

export interface NewInquiry {
  readonly id: string;
  readonly contactId: string;
  readonly locationId: string;
  readonly channel: Inquiry['channel'];
  readonly sourceId: string;
  readonly campaign?: string | undefined;
  readonly serviceId?: string | undefined;
  readonly quarantine: readonly QuarantineReason[];
}

/** The state of an inquiry as it arrives. */
export function captured(fresh: NewInquiry, now: Date): Inquiry {
  const { quarantine, campaign, serviceId, ...rest } = fresh;
  const suspected = quarantine.length > 0;
  return {
    ...rest,
    ...(campaign !== undefined && { campaign }),
    ...(serviceId !== undefined && { serviceId }),
    version: 1,
    receivedAt: now.toISOString(),
    stage: 'new',
    progress: suspected ? 'quarantined' : 'captured',
    ...(suspected && { quarantine: [...quarantine] }),
    timers: suspected ? { review: after(now, reviewEveryMs) } : { step: after(now, stepAllowanceMs) },
    stepRepeats: 0,
    reminders: 0,
  };
}

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
}

/**
 * The state once a member has been chosen. The step timer stays where it was:
 * moving it would cost two index writes, and the mail is due out by then anyway.
 */
export function assigned(inquiry: Inquiry, assignment: Assignment, now: Date): Inquiry {
  const { memberId, poolId, respondBy, receipt, score, tier } = assignment;
  return {
    ...inquiry,
    version: inquiry.version + 1,
    progress: 'routed',
    poolId,
    tier,
    score,
    respondBy,
    assignedTo: memberId,
    assignedAt: now.toISOString(),
    receipt,
    mailKind: 'assigned',
    mailState: 'pending',
    mailAt: now.toISOString(),
    timers: { ...inquiry.timers, step: inquiry.timers.step ?? after(now, stepAllowanceMs) },
  };
}

/** The state while nobody of the pool can take it: on the clock, and asked about again and again. */
export function waiting(
  inquiry: Inquiry,
  pool: Pick<Assignment, 'poolId' | 'respondBy' | 'receipt' | 'score' | 'tier'>,
  now: Date,
): Inquiry {
  return {
    ...inquiry,
    ...pool,
    version: inquiry.version + 1,
    progress: 'waiting',
    timers: { step: after(now, stepAllowanceMs), respond: pool.respondBy },
    stepRepeats: 0,
  };
}

/** The state once the newest mail about it is out. */
export function mailSent(inquiry: Inquiry, now: Date): Inquiry {
  const { step: _done, ...timers } = inquiry.timers;
  const first = inquiry.mailKind === 'assigned' && inquiry.progress === 'routed';
  const fromNowOn =
    inquiry.stage === 'new' && inquiry.respondBy !== undefined
      ? { respond: inquiry.respondBy }
      : { followUp: timers.followUp ?? after(now, followUpAfterMs) };
  return {
    ...inquiry,
    version: inquiry.version + 1,
    ...(first && { progress: 'notified' as const }),
    mailState: 'sent',
    mailAt: now.toISOString(),
    timers:
      first && isOpen(inquiry)
        ? { ...timers, ...fromNowOn }
        : // Nobody has it yet: it goes on being asked about, whatever mail went out meanwhile.
          { ...timers, ...(inquiry.progress === 'waiting' && { step: after(now, stepAllowanceMs) }) },
    stepRepeats: 0,
  };
}

/** What a sweep has to put on a queue. */
export type DueAction = 'score' | 'route' | 'mail';

/**
 * What is to be done about an inquiry that is due, and its state once that is
 * under way. Undefined where nothing is due: the index read was stale.
 */
export function takeDue(inquiry: Inquiry, now: Date): { next: Inquiry; action: DueAction } | undefined {
  const at = now.toISOString();
  const isDue = (time: string | undefined): boolean => time !== undefined && time <= at;
  if (!isDue(nextActionAt(inquiry))) return undefined;
  const { timers } = inquiry;
  const next = (change: Partial<Inquiry>): Inquiry => ({
    ...inquiry,
    ...change,
    version: inquiry.version + 1,
  });
  const mail = (mailKind: MailKind, timer: Inquiry['timers'], change: Partial<Inquiry> = {}) => ({
    action: 'mail' as const,
    next: next({
      ...change,
      mailKind,
      mailState: 'pending',
      mailAt: at,
      timers: { ...timers, ...timer, step: after(now, stepAllowanceMs) },
      stepRepeats: 0,
    }),
  });

  const remind = () => {
    const pause = reminderPausesMs[Math.min(inquiry.reminders, reminderPausesMs.length - 1)] ?? hour;
    return mail('reminder', { respond: after(now, pause) }, { reminders: inquiry.reminders + 1 });
  };

  const unfinishedMail = isMailUnderWay(inquiry);
  // It waits for somebody to become eligible, and those who could see to that are told.
  const isOverdue = inquiry.progress === 'waiting' && isDue(timers.respond);
  if (isOverdue) return remind();

  const nothingElse = Object.values(timers).every((time) => time === undefined);
  if (isDue(timers.step) || (nothingElse && isOpen(inquiry))) {
    // Somebody may come on duty at any minute; a step that keeps failing is given time instead.
    const pause =
      inquiry.progress === 'waiting'
        ? stepAllowanceMs
        : Math.min(stepAllowanceMs * 2 ** inquiry.stepRepeats, longestStepPauseMs);
    return {
      // A reminder that cannot be sent must not keep a waiting inquiry from somebody who now can take it.
      action: inquiry.progress === 'waiting' ? 'route' : unfinishedMail ? 'mail' : 'score',
      next: next({
        timers: { ...timers, step: after(now, pause) },
        stepRepeats: inquiry.stepRepeats + 1,
      }),
    };
  }
  if (unfinishedMail && timers.step !== undefined) return undefined;
  if (isDue(timers.review)) return mail('review', { review: after(now, reviewEveryMs) });
  if (isDue(timers.respond)) return remind();
  if (isDue(timers.followUp)) return mail('follow_up', { followUp: after(now, followUpAfterMs) });
  return undefined;
}

/** From each stage, the stages that staff may set. */
export const stageTransitions: Readonly<Record<Stage, readonly Stage[]>> = {
  new: ['contacted', 'consult', 'booked', 'closed'],
  contacted: ['consult', 'booked', 'closed'],
  consult: ['contacted', 'booked', 'closed'],
  booked: ['consult', 'closed'],
  closed: ['contacted'],
};

export type StageChange =
  | { readonly outcome: 'changed'; readonly next: Inquiry }
  | { readonly outcome: 'not_allowed'; readonly allowed: readonly Stage[] };

/** The state after staff set another stage, or the stages that could have been set. */
export function changeStage(
  inquiry: Inquiry,
  to: Stage,
  closeReason: CloseReason | undefined,
  now: Date,
): StageChange {
  // What is suspected must be released before anybody works on it.
  const allowed: readonly Stage[] =
    inquiry.progress === 'quarantined' && isOpen(inquiry) ? ['closed'] : stageTransitions[inquiry.stage];
  if (!allowed.includes(to)) return { outcome: 'not_allowed', allowed };
  const { closeReason: _before, ...rest } = inquiry;
  const open = isOpen({ stage: to });
  // Nobody has been chosen yet, so it goes on being asked about until somebody is; the follow-up comes then.
  const unrouted = awaitsRouting({ ...inquiry, stage: to });
  // A reminder that nobody has called is wrong from now on; what is already being sent goes out.
  const dropsReminder = inquiry.mailKind === 'reminder' && inquiry.mailState === 'pending';
  const step =
    dropsReminder && !unrouted
      ? undefined
      : (inquiry.timers.step ?? (unrouted ? now.toISOString() : undefined));
  const attempted = to !== 'closed' || closeReason === 'no_response' || closeReason === 'not_interested';
  return {
    outcome: 'changed',
    next: {
      ...rest,
      version: inquiry.version + 1,
      stage: to,
      ...(to === 'closed' && closeReason !== undefined && { closeReason }),
      ...(attempted && { firstContactedAt: inquiry.firstContactedAt ?? now.toISOString() }),
      timers: {
        ...(open && step !== undefined && { step }),
        ...(open && !unrouted && { followUp: after(now, followUpAfterMs) }),
      },
      ...((dropsReminder || (!open && inquiry.mailState !== 'sent')) && {
        mailState: undefined,
        mailKind: undefined,
      }),
      stepRepeats: 0,
    },
  };
}

/** The state once a human has found that a quarantined inquiry is genuine: it sets out at the next sweep. */
export function released(inquiry: Inquiry, now: Date): Inquiry | undefined {
  if (inquiry.progress !== 'quarantined' || !isOpen(inquiry)) return undefined;
  const { quarantine: _cleared, mailKind: _kind, mailState: _state, mailAt: _at, ...rest } = inquiry;
  return {
    ...rest,
    version: inquiry.version + 1,
    progress: 'captured',
    clockFrom: now.toISOString(),
    timers: { step: now.toISOString() },
    stepRepeats: 0,
  };
}
