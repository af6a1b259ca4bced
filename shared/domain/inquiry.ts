/**
 * An inquiry: what somebody asked for, how far the practice has come with it,
 * and what has to happen next. Everything here is pure: state and `now` in, the
 * next state out. Whoever writes the state checks its version.
 */
import * as z from 'zod';
import { channels } from './channels.ts';
import type { Urgency } from './clinical-urgency.ts';
import { idSchema } from './ids.ts';
import { type RedFlagState, redFlagStates } from './red-flags.ts';
import { type Disposition, dispositions, triggers } from './rules/facts.ts';
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
  /** The stage that it had then: a rule that comes to set another one does so only while it still has it. */
  stage: z.enum(stages).optional(),
  disposition: z.enum(dispositions).optional(),
  /** Opening hours for which nothing had happened. */
  silentHours: z.int().optional(),
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
  /** What happened after that, in order. */
  laterTriggers: z.array(pendingTriggerSchema).optional(),
  /** Where rules listen for silence: since when nothing has happened, and for how many opening hours by then. */
  silence: z.object({ since: instantSchema, hours: z.int() }).optional(),
  /** When the first attempt to call back was recorded. */
  firstContactedAt: instantSchema.optional(),
  /** Times at which something has to happen; the earliest one is on the due index. */
  timers: z
    .object({
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
    })
    .default({}),
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
/** Triggers that wait for their turn at the most; what comes on top takes the place of the newest. */
const mostPendingTriggers = 6;
/** A mail whose sending began this long ago and never ended may be sent again. */
export const mailLeaseMs = 90_000;

const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString();

/** Whether the practice still owes this inquiry something. */
export const isOpen = (inquiry: Pick<Inquiry, 'stage'>): boolean =>
  inquiry.stage !== 'booked' && inquiry.stage !== 'closed';

/** Whether nobody has tried to call yet; a stage that a rule set is no call. */
const owesCall = (inquiry: Inquiry): boolean => isOpen(inquiry) && inquiry.firstContactedAt === undefined;

const isMailUnderWay = ({ mailState }: Inquiry): boolean =>
  mailState === 'pending' || mailState === 'sending';

/** A reminder that nobody has called, and that could still be called off. */
const isReminderPending = ({ mailKind, mailState }: Inquiry): boolean =>
  mailKind === 'reminder' && mailState === 'pending';

/** What the practice's rules listen for, as far as a change of state has to know; see `listeningFor`. */
export interface Listening {
  /** Whether rules look at what happens here: it then waits, as a trigger, until they have. */
  readonly awaitsRules?: boolean;
  /** When rules for silence are to look at it next, unless something happens before. */
  readonly silence?: Silence | undefined;
}

export interface Silence {
  /** When something happened last. */
  readonly since: string;
  /** Opening hours without anything, and when they will have passed. */
  readonly hours: number;
  readonly at: string;
}

const pendingOf = ({ trigger, laterTriggers }: Inquiry): readonly PendingTrigger[] =>
  trigger ? [trigger, ...(laterTriggers ?? [])] : [];

/** The state but for its triggers, with these. */
function withPending<State extends Partial<Inquiry>>(inquiry: State, pending: readonly PendingTrigger[]) {
  const { trigger: _first, laterTriggers: _later, ...rest } = inquiry;
  const [trigger, ...all] = pending;
  const later =
    all.length < mostPendingTriggers ? all : [...all.slice(0, mostPendingTriggers - 2), ...all.slice(-1)];
  return { ...rest, ...(trigger && { trigger }), ...(later.length > 0 && { laterTriggers: later }) };
}

/** The state but for its silence, with this one. */
function withSilence<State extends Pick<Inquiry, 'timers' | 'silence'>>(
  inquiry: State,
  silence: Silence | undefined,
) {
  const { silence: _before, ...rest } = inquiry;
  const { silence: _at, ...timers } = inquiry.timers;
  if (!silence) return { ...rest, timers };
  const { at, ...until } = silence;
  return { ...rest, silence: until, timers: { ...timers, silence: at } };
}

/**
 * When the next thing has to happen; undefined just where the inquiry is closed
 * or booked and no rules have to look at it. An open inquiry always has a next
 * action: one whose timers were all missing would be due at once.
 */
export function nextActionAt(inquiry: Inquiry): string | undefined {
  const { step, respond, followUp, review, silence } = inquiry.timers;
  // Whatever else is due waits the moment until the mail under way is out; until then only its step counts.
  if (step !== undefined && isMailUnderWay(inquiry)) return step;
  const times = [step, respond, followUp, review, silence].filter((time) => time !== undefined).sort();
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
  /** Whether words of an emergency were found in it. */
  readonly redFlagged?: boolean;
}

/** The state of an inquiry as it arrives. */
export function captured(fresh: NewInquiry, now: Date): Inquiry {
  const { quarantine, campaign, serviceId, redFlagged, ...rest } = fresh;
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
    ...(redFlagged && { redFlag: 'raised' as const }),
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
  readonly urgency?: Urgency | undefined;
}

type Triaged = Pick<Assignment, 'score' | 'tier' | 'urgency'>;

const urgencyAttribute = (urgency: Urgency | undefined): Pick<Inquiry, 'urgency'> =>
  urgency === undefined || urgency === 'routine' ? {} : { urgency };

/**
 * The same state, knowing what triage decided: the head learns of it with its
 * first change after the score. What rules and new scores changed since stays.
 */
export function knowingTriage(inquiry: Inquiry, { score, tier, urgency }: Triaged): Inquiry {
  const isNews = inquiry.tier === undefined;
  return {
    ...inquiry,
    score: inquiry.score ?? score,
    tier: inquiry.tier ?? tier,
    ...(isNews && inquiry.urgency === undefined && urgencyAttribute(urgency)),
  };
}

/**
 * The state once a member has been chosen. The step timer stays where it was:
 * moving it would cost two index writes, and the mail is due out by then anyway.
 */
export function assigned(inquiry: Inquiry, assignment: Assignment, now: Date): Inquiry {
  const { memberId, poolId, respondBy, receipt } = assignment;
  return {
    ...knowingTriage(inquiry, assignment),
    version: inquiry.version + 1,
    progress: 'routed',
    poolId,
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
export function waiting(inquiry: Inquiry, decision: Omit<Assignment, 'memberId'>, now: Date): Inquiry {
  const { poolId, respondBy, receipt } = decision;
  const { silence } = inquiry.timers;
  return {
    ...knowingTriage(inquiry, decision),
    poolId,
    respondBy,
    receipt,
    version: inquiry.version + 1,
    progress: 'waiting',
    timers: { step: after(now, stepAllowanceMs), respond: respondBy, ...(silence && { silence }) },
    stepRepeats: 0,
  };
}

/**
 * The state after it was scored again. What later rules decided stays: a tier
 * that they moved, and the more urgent of two urgencies. The respond-by only ever
 * moves to an earlier time, and only while nobody has called: a promise is not
 * taken back.
 *
 * @param again.tierBefore - the tier of the score before this one
 * @param again.respondBy - by when somebody would have to call, by what triage decides now
 */
export function rescored(
  inquiry: Inquiry,
  again: Triaged & { readonly tierBefore: Tier; readonly respondBy: string },
): Inquiry {
  const { score, respondBy } = again;
  const isOfScore = inquiry.tier === undefined || inquiry.tier === again.tierBefore;
  const urgency = [inquiry.urgency, again.urgency].includes('same_day')
    ? 'same_day'
    : (inquiry.urgency ?? again.urgency);
  const isSooner = owesCall(inquiry) && inquiry.respondBy !== undefined && respondBy < inquiry.respondBy;
  // Once the respond-by has passed, the timer stands for the next reminder.
  const movesTimer = isSooner && inquiry.timers.respond === inquiry.respondBy;
  return {
    ...inquiry,
    version: inquiry.version + 1,
    score,
    ...(isOfScore && { tier: again.tier }),
    ...urgencyAttribute(urgency),
    ...(isSooner && { respondBy }),
    ...(movesTimer && { timers: { ...inquiry.timers, respond: respondBy } }),
  };
}

/**
 * The state once a rule has found that it may be spam: set aside for a human.
 * Undefined where a human has already looked at it, released it say.
 */
export function suspectedByRule(inquiry: Inquiry, now: Date): Inquiry | undefined {
  if (inquiry.progress !== 'captured' || inquiry.stage !== 'new' || inquiry.clockFrom !== undefined)
    return undefined;
  const suspected: Inquiry = {
    ...inquiry,
    version: inquiry.version + 1,
    progress: 'quarantined',
    quarantine: ['rule'],
    timers: { review: after(now, reviewEveryMs) },
    stepRepeats: 0,
  };
  return withPending(withSilence(suspected, undefined), []);
}

/** The state once the newest mail about it is out; the first one begins the silence that rules may listen for. */
export function mailSent(inquiry: Inquiry, now: Date, { silence }: Listening = {}): Inquiry {
  const { step: _done, ...timers } = inquiry.timers;
  const goesOn = inquiry.progress === 'waiting' || inquiry.trigger !== undefined;
  const first = inquiry.mailKind === 'assigned' && inquiry.progress === 'routed';
  const fromNowOn =
    owesCall(inquiry) && inquiry.respondBy !== undefined
      ? { respond: inquiry.respondBy }
      : { followUp: timers.followUp ?? after(now, followUpAfterMs) };
  const sent: Inquiry = {
    ...inquiry,
    version: inquiry.version + 1,
    ...(first && { progress: 'notified' as const }),
    mailState: 'sent',
    mailAt: now.toISOString(),
    timers: {
      ...timers,
      ...(first && isOpen(inquiry) && fromNowOn),
      // Nobody has it yet, or rules are still to look at it: it goes on being asked about, whatever mail went out.
      ...(goesOn && { step: after(now, stepAllowanceMs) }),
    },
    stepRepeats: 0,
  };
  return first && isOpen(inquiry) && inquiry.silence === undefined ? withSilence(sent, silence) : sent;
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

  const otherDue = (): { next: Inquiry; action: DueAction } | undefined => {
    if (isDue(timers.review)) return mail('review', { review: after(now, reviewEveryMs) });
    if (isDue(timers.respond)) return remind();
    if (isDue(timers.followUp)) return mail('follow_up', { followUp: after(now, followUpAfterMs) });
    return undefined;
  };

  const nothingElse = Object.values(timers).every((time) => time === undefined);
  const fallsSilent = !unfinishedMail && isDue(timers.silence);
  if (isDue(timers.step) || fallsSilent || (nothingElse && isOpen(inquiry))) {
    const other = unfinishedMail ? undefined : otherDue();
    if (other) return other;
    const { timers: rest, ...seen } = fallsSilent ? fallenSilent(inquiry, at) : inquiry;
    // What waits for several things is asked for each in turn: one that keeps failing holds up no other.
    const actions: DueAction[] = [];
    if (seen.progress === 'waiting') actions.push('route');
    // A reminder that cannot be sent must not keep a waiting inquiry from somebody who now can take it.
    else if (unfinishedMail) actions.push('mail');
    if (seen.trigger !== undefined || actions.length === 0) actions.push('score');
    // Somebody may come on duty at any minute; a step that keeps failing is given time instead.
    const pause =
      seen.progress === 'waiting'
        ? stepAllowanceMs
        : Math.min(stepAllowanceMs * 2 ** inquiry.stepRepeats, longestStepPauseMs);
    return {
      action: fallsSilent ? 'score' : (actions[inquiry.stepRepeats % actions.length] ?? 'score'),
      next: {
        ...seen,
        version: inquiry.version + 1,
        timers: { ...rest, step: after(now, pause) },
        stepRepeats: inquiry.stepRepeats + 1,
      },
    };
  }
  if (unfinishedMail && timers.step !== undefined) return undefined;
  return otherDue();
}

/** The state once nothing has happened for as long as rules listen for. */
function fallenSilent(inquiry: Inquiry, at: string): Inquiry {
  const { silence: _due, ...timers } = inquiry.timers;
  const { stage, silence } = inquiry;
  const silentHours = silence?.hours;
  const trigger: PendingTrigger = {
    kind: 'silence',
    at,
    stage,
    ...(silentHours !== undefined && { silentHours }),
  };
  return withPending({ ...inquiry, timers }, [...pendingOf(inquiry), trigger]);
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

/**
 * The state after staff set another stage, or the stages that could have been
 * set. Where rules listen for stages, it waits for them with its step timer set,
 * even when it is closed or booked.
 */
export function changeStage(
  inquiry: Inquiry,
  to: Stage,
  closeReason: CloseReason | undefined,
  now: Date,
  listening: Listening = {},
): StageChange {
  // What is suspected must be released before anybody works on it.
  const allowed: readonly Stage[] =
    inquiry.progress === 'quarantined' && isOpen(inquiry) ? ['closed'] : stageTransitions[inquiry.stage];
  if (!allowed.includes(to)) return { outcome: 'not_allowed', allowed };
  const { closeReason: _before, ...rest } = inquiry;
  const open = isOpen({ stage: to });
  const pending = afterActivity(
    inquiry,
    { kind: 'stage_change', at: now.toISOString(), from: inquiry.stage, stage: to },
    listening,
  );
  // Nobody has been chosen yet, so it goes on being asked about until somebody is; the follow-up comes then.
  const unrouted = awaitsRouting({ ...inquiry, stage: to });
  // A reminder that nobody has called is wrong from now on; what is already being sent goes out.
  const dropsReminder = isReminderPending(inquiry);
  const step = inquiry.timers.step ?? (unrouted ? now.toISOString() : undefined);
  const attempted = to !== 'closed' || closeReason === 'no_response' || closeReason === 'not_interested';
  const next: Inquiry = {
    ...rest,
    version: inquiry.version + 1,
    stage: to,
    ...(to === 'closed' && closeReason !== undefined && { closeReason }),
    ...(attempted && { firstContactedAt: inquiry.firstContactedAt ?? now.toISOString() }),
    timers: {
      ...(step !== undefined && { step }),
      ...(open && !unrouted && { followUp: after(now, followUpAfterMs) }),
    },
    ...((dropsReminder || (!open && inquiry.mailState !== 'sent')) && {
      mailState: undefined,
      mailKind: undefined,
    }),
    stepRepeats: 0,
  };
  return {
    outcome: 'changed',
    next: withStep(withPending(withSilence(next, open ? listening.silence : undefined), pending), now),
  };
}

/** The state with its step timer just where the pipeline has a step to do. */
function withStep(inquiry: Inquiry, now: Date): Inquiry {
  const { step, ...timers } = inquiry.timers;
  const isAskedFor = inquiry.trigger !== undefined || awaitsRouting(inquiry) || isMailUnderWay(inquiry);
  return isAskedFor
    ? { ...inquiry, timers: { ...timers, step: step ?? after(now, stepAllowanceMs) } }
    : { ...inquiry, timers };
}

/** The triggers that wait once something has happened: whoever was silent no longer is. */
function afterActivity(
  inquiry: Inquiry,
  happened: PendingTrigger,
  { awaitsRules }: Listening,
): readonly PendingTrigger[] {
  const before = pendingOf(inquiry).filter(({ kind }) => kind !== 'silence');
  // What is suspected is looked at by a human, not by rules.
  return awaitsRules && inquiry.progress !== 'quarantined' ? [...before, happened] : before;
}

/** What can happen to an inquiry beside a change of its stage. */
export type Happened =
  | { readonly kind: 'disposition'; readonly disposition: Disposition }
  | { readonly kind: 'reply' };

/**
 * Adds what happened to a state that is being made: rules that listen for it
 * will look at it, and silence begins anew; after a call nobody is reminded of
 * the first one any more. It is part of a change that raises the version; it does
 * not raise it itself.
 */
export function withTrigger(
  before: Inquiry,
  happened: Happened,
  now: Date,
  listening: Listening = {},
): Inquiry {
  const inquiry = happened.kind === 'disposition' ? called(before, now) : before;
  const { stage } = inquiry;
  const pending = afterActivity(inquiry, { ...happened, at: now.toISOString(), stage }, listening);
  const isListenedTo = isOpen(inquiry) && inquiry.progress !== 'quarantined';
  const next = withPending(withSilence(inquiry, isListenedTo ? listening.silence : undefined), pending);
  return withStep(next, now);
}

/** The state once somebody has tried to call, whatever came of it: it comes back where nothing follows. */
function called(inquiry: Inquiry, now: Date): Inquiry {
  const next = { ...inquiry, firstContactedAt: inquiry.firstContactedAt ?? now.toISOString() };
  // Who has no member yet goes on waiting for one, on the clock.
  if (!isOpen(inquiry) || awaitsRouting(inquiry) || inquiry.progress === 'quarantined') return next;
  const { respond: _called, ...timers } = inquiry.timers;
  return {
    ...next,
    ...(isReminderPending(inquiry) && { mailState: undefined, mailKind: undefined }),
    timers: { ...timers, followUp: after(now, followUpAfterMs) },
  };
}

/** What rules do to an inquiry at a trigger after its arrival; what is absent stays as it is. */
export interface RuleEffects {
  readonly tier?: Tier | undefined;
  readonly urgency?: Urgency | undefined;
  readonly respondBy?: string | undefined;
  readonly stage?: { readonly to: Stage; readonly closeReason?: CloseReason | undefined } | undefined;
  /** Suspected spam is closed as such: it has its place and its assignee already. */
  readonly spam?: boolean | undefined;
}

/**
 * The state once rules have looked at its first trigger. What they do triggers
 * no rules again, and counts neither as a call nor as something that happened: a
 * first call that is owed stays owed, with its clock and its reminders. A stage is
 * set only where it may follow, and only while nobody has set another.
 *
 * @param silence - when rules for silence look at it next, where it was silence that they looked at
 */
export function afterRules(
  inquiry: Inquiry,
  effects: RuleEffects,
  now: Date,
  silence?: Silence | undefined,
): Inquiry {
  const [trigger, ...left] = pendingOf(inquiry);
  const quiet = trigger?.kind === 'silence' ? silence : silenceOf(inquiry);
  const wanted = effects.spam ? { to: 'closed' as const, closeReason: 'spam' as const } : effects.stage;
  const unmoved = trigger?.stage === undefined || trigger.stage === inquiry.stage;
  const change =
    wanted && (unmoved || effects.spam)
      ? changeStage(inquiry, wanted.to, wanted.closeReason, now)
      : undefined;
  const { firstContactedAt: _byRule, ...moved } = change?.outcome === 'changed' ? change.next : inquiry;
  const { tier, urgency, respondBy } = effects;
  const { urgency: urgencyBefore, ...rest } = moved;
  const open = isOpen(moved);
  const setsClock = open && respondBy !== undefined;
  const { step, ...timers } = moved.timers;
  const stillOwed = change?.outcome === 'changed' && open && inquiry.firstContactedAt === undefined;
  // Who calls is not chosen yet: the clock begins to be watched when they are.
  const isWatched = inquiry.progress !== 'captured';
  const owedBy = stillOwed && isWatched ? (inquiry.timers.respond ?? inquiry.respondBy) : undefined;
  if (owedBy !== undefined) delete timers.followUp;
  const next: Inquiry = {
    ...rest,
    version: inquiry.version + 1,
    ...(inquiry.firstContactedAt !== undefined && { firstContactedAt: inquiry.firstContactedAt }),
    ...(tier !== undefined && { tier }),
    ...urgencyAttribute(urgency ?? urgencyBefore),
    ...(setsClock && { respondBy }),
    ...(stillOwed &&
      isReminderPending(inquiry) && { mailKind: inquiry.mailKind, mailState: inquiry.mailState }),
    timers: {
      ...timers,
      ...(owedBy !== undefined && { respond: owedBy }),
      ...(setsClock && isWatched && { respond: respondBy }),
    },
    stepRepeats: 0,
  };
  const settled = withPending(withSilence(next, open ? quiet : undefined), left);
  return withStep({ ...settled, timers: { ...settled.timers, ...(step !== undefined && { step }) } }, now);
}

const silenceOf = ({ silence, timers }: Inquiry): Silence | undefined =>
  silence && timers.silence !== undefined ? { ...silence, at: timers.silence } : undefined;

/**
 * The state once a human has said whether a red flag was one; it can be said
 * again. Undefined where no flag was raised.
 */
export function reviewRedFlag(
  inquiry: Inquiry,
  result: Exclude<RedFlagState, 'raised'>,
): Inquiry | undefined {
  if (inquiry.redFlag === undefined) return undefined;
  return { ...inquiry, version: inquiry.version + 1, redFlag: result };
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
