/**
 * An inquiry that somebody sets aside for a while - snoozed by whoever works on
 * it, or parked because what it waits for lies with others - or is calling about
 * at this very moment. Until then nobody is reminded of it, and it is taken from nobody.
 */
import { businessMinutesBetween, nextBusinessDay } from '../business-time.ts';
import { type Clock, minutesAfter } from '../escalation.ts';
import { onLadder, termOf } from './ladder.ts';
import {
  after,
  followUpAfterMs,
  type Hold,
  type Inquiry,
  isOpen,
  isPaused,
  isReminderPending,
  type MailKind,
  owesCall,
  type ParkReason,
} from './state.ts';
import { withStep } from './step.ts';

/** A call in progress is taken to have ended after this long. */
export const longestCallMs = 30 * 60_000;

/** Why something cannot be set aside, or go on. */
export type HoldRefusal =
  | 'not_open'
  | 'not_placed'
  | 'parked'
  | 'not_snoozed'
  | 'not_parked'
  | 'called_by_other'
  | 'not_calling';
export type HoldChange =
  | { readonly outcome: 'changed'; readonly next: Inquiry }
  | { readonly outcome: 'refused'; readonly because: HoldRefusal };

const refused = (because: HoldRefusal): HoldChange => ({ outcome: 'refused', because });

type Aside = Pick<Inquiry, 'hold' | 'calling'>;

/** Since when it has been set aside, without a break. */
const pausedSince = ({ hold, calling }: Aside): string | undefined =>
  [hold?.since, calling?.since].filter((time) => time !== undefined).sort()[0];

/** When what is set aside comes back: what is parked and due, on each business day. */
function wakeAt({ hold, calling }: Aside, now: Date, { location }: Clock): string | undefined {
  const isOverdue = hold?.kind === 'parked' && hold.until <= now.toISOString();
  const held = isOverdue ? nextBusinessDay(now, location).toISOString() : hold?.until;
  return [held, calling?.until].filter((time) => time !== undefined).sort()[0];
}

/** The state without a mail that has become wrong and is not on its way yet. */
function withoutMails(inquiry: Inquiry, now: Date, ...kinds: MailKind[]): Inquiry {
  const { mailKind, mailState } = inquiry;
  const isWrong =
    (isPaused(inquiry) && isReminderPending(inquiry)) ||
    (mailState === 'pending' && mailKind !== undefined && kinds.includes(mailKind));
  return isWrong ? withStep({ ...inquiry, mailKind: undefined, mailState: undefined }, now) : inquiry;
}

/**
 * The state set aside like this, in place of how it was. Where nothing holds it
 * any more its clock goes on where it stopped: the assignee has as many business
 * minutes left as they had, and what rules listen for is as much later. The
 * promise to the person, its respond-by, stays where it was.
 */
function setAside(inquiry: Inquiry, aside: Aside, now: Date, clock: Clock): Inquiry {
  const { hold: _hold, calling: _calling, ...rest } = inquiry;
  const { wake: _wake, ...before } = inquiry.timers;
  // Who could have taken what waits was not given it during the call: it is asked about at once.
  const isAwaited = inquiry.progress === 'waiting' || inquiry.move !== undefined;
  const wasKept = inquiry.calling && !aside.calling && isAwaited;
  const timers = { ...before, ...(wasKept && { step: now.toISOString() }) };
  const since = pausedSince(inquiry);
  const wake = wakeAt(aside, now, clock);
  if (wake !== undefined) {
    // Whoever has it now has heard of it, and whoever was to take it over does not get it in their hands.
    const { reassign: _asked, ...kept } = rest;
    const next: Inquiry = {
      ...kept,
      ...(aside.hold && { hold: { ...aside.hold, since: since ?? aside.hold.since } }),
      ...(aside.calling && { calling: { ...aside.calling, since: since ?? aside.calling.since } }),
      timers: { ...timers, wake },
    };
    return withStep(withoutMails(next, now, 'woken'), now);
  }
  const next: Inquiry = { ...rest, timers };
  return since === undefined ? next : { ...next, ...goingOn(next, new Date(since), now, clock) };
}

/** What of a state is as much later as it was set aside. */
function goingOn(inquiry: Inquiry, since: Date, now: Date, clock: Clock): Partial<Inquiry> {
  const { timers } = inquiry;
  const paused = businessMinutesBetween(since, now, clock.location);
  if (paused === 0) return {};
  const silence = timers.silence && minutesAfter(timers.silence, paused, clock);
  const term =
    timers.respond === undefined || inquiry.progress === 'waiting' ? undefined : termOf(inquiry, clock);
  if (!term) return { timers: { ...timers, ...(silence && { silence }) } };
  const left = businessMinutesBetween(since, new Date(term.to), clock.location);
  // Where the time was up before, there is none left: it is time for a reminder as soon as others are.
  const deadline = left > 0 ? minutesAfter(now, left, clock) : undefined;
  const ends = deadline === undefined ? {} : { deadline, termFrom: now.toISOString() };
  const { respond, ...ladder } =
    deadline === undefined
      ? { respond: minutesAfter(now, clock.escalation.thenEveryMinutes, clock) }
      : onLadder({ ...inquiry, ...ends }, now, clock);
  return { ...ends, ...ladder, timers: { ...timers, respond, ...(silence && { silence }) } };
}

/** Whether somebody can work on it: it is open, and has been given to somebody or waits for that. */
function refusalOf(inquiry: Inquiry): HoldRefusal | undefined {
  if (!isOpen(inquiry)) return 'not_open';
  return ['waiting', 'routed', 'notified'].includes(inquiry.progress) ? undefined : 'not_placed';
}

const changed = (inquiry: Inquiry, aside: Aside, now: Date, clock: Clock): HoldChange => ({
  outcome: 'changed',
  next: { ...setAside(inquiry, aside, now, clock), version: inquiry.version + 1 },
});

/** The state until whoever works on it wants to see it again; set anew where it was snoozed already. */
export function snooze(
  inquiry: Inquiry,
  { by, until }: { readonly by: string; readonly until: string },
  now: Date,
  clock: Clock,
): HoldChange {
  const refusal = refusalOf(inquiry);
  if (refusal) return refused(refusal);
  if (inquiry.hold?.kind === 'parked') return refused('parked');
  const hold: Hold = { kind: 'snoozed', by, since: now.toISOString(), until };
  return changed(inquiry, { hold, calling: inquiry.calling }, now, clock);
}

/** The state while what it waits for lies with others; anew where it was parked already. Its owner sees to it. */
export function park(
  inquiry: Inquiry,
  wanted: {
    readonly by: string;
    readonly reason: ParkReason;
    readonly owner: string;
    readonly until: string;
  },
  now: Date,
  clock: Clock,
): HoldChange {
  const refusal = refusalOf(inquiry);
  if (refusal) return refused(refusal);
  const hold: Hold = { kind: 'parked', ...wanted, since: now.toISOString() };
  return changed(
    withoutMails(inquiry, now, 'parked', 'woken'),
    { hold, calling: inquiry.calling },
    now,
    clock,
  );
}

/** The state once somebody ends the hold by hand. */
export function endHold(inquiry: Inquiry, kind: Hold['kind'], now: Date, clock: Clock): HoldChange {
  if (inquiry.hold?.kind !== kind) return refused(kind === 'parked' ? 'not_parked' : 'not_snoozed');
  const next = withoutMails(inquiry, now, 'parked', 'woken');
  return changed(next, { calling: inquiry.calling }, now, clock);
}

/** The state while somebody is on the phone about it; said again, the call goes on for as long again. */
export function beginCall(inquiry: Inquiry, by: string, now: Date, clock: Clock): HoldChange {
  const refusal = refusalOf(inquiry);
  if (refusal) return refused(refusal);
  if (inquiry.calling && inquiry.calling.by !== by) return refused('called_by_other');
  const calling = { by, since: now.toISOString(), until: after(now, longestCallMs) };
  return changed(inquiry, { hold: inquiry.hold, calling }, now, clock);
}

/** The state once the call is over and nothing came of it; a disposition ends it, too. */
export function endCall(inquiry: Inquiry, now: Date, clock: Clock): HoldChange {
  if (!inquiry.calling) return refused('not_calling');
  return changed(inquiry, { hold: inquiry.hold }, now, clock);
}

/** The state once a call that was made is over, as a part of another change; without a clock it goes on as if none had been paused. */
export function callEnded(inquiry: Inquiry, now: Date, clock: Clock | undefined): Inquiry {
  if (!inquiry.calling) return inquiry;
  if (clock) return setAside(inquiry, { hold: inquiry.hold }, now, clock);
  const { calling: _over, ...rest } = inquiry;
  const { wake: _wake, ...timers } = inquiry.timers;
  return { ...rest, timers: { ...timers, ...(inquiry.hold && { wake: inquiry.hold.until }) } };
}

/**
 * The state once the person has done something, which ends a snooze: the same
 * object where it was none. It is part of a change that raises the version; it does
 * not raise it itself.
 */
export function wokenByPerson(inquiry: Inquiry, now: Date, clock: Clock | undefined): Inquiry {
  if (inquiry.hold?.kind !== 'snoozed' || !clock) return inquiry;
  return setAside(inquiry, { calling: inquiry.calling }, now, clock);
}

/** The snoozed state brought forward: it is due now, and the sweep ends it. Undefined where it is not snoozed. */
export function snoozedUntilNow(inquiry: Inquiry, now: Date): Inquiry | undefined {
  const { hold, calling, timers } = inquiry;
  const until = now.toISOString();
  if (!isOpen(inquiry) || hold?.kind !== 'snoozed' || hold.until <= until) return undefined;
  const wake = calling && calling.until < until ? calling.until : until;
  return {
    ...inquiry,
    version: inquiry.version + 1,
    hold: { ...hold, until },
    timers: { ...timers, wake },
  };
}

/** What came to an end by itself. */
export type Ended =
  | { readonly what: 'calling' }
  | { readonly what: 'snoozed' }
  /** It stays parked; its owner is told that it is due. */
  | { readonly what: 'parked' };

/** What of a hold or a call ends by itself now, and the state after it; where nothing does, when it is to be looked at next. */
export function endedByTime(inquiry: Inquiry, now: Date, clock: Clock): { next: Inquiry; ended: Ended[] } {
  const { hold, calling, timers } = inquiry;
  const at = now.toISOString();
  const callEnds = calling !== undefined && calling.until <= at;
  // Who is on the phone about something parked is told of it on the next day: they know.
  const holdEnds = hold !== undefined && hold.until <= at && !(callEnds && timers.wake === calling.until);
  const snoozeEnds = holdEnds && hold.kind === 'snoozed';
  const left: Aside = { hold: snoozeEnds ? undefined : hold, calling: callEnds ? undefined : calling };
  const next = setAside(inquiry, left, now, clock);
  const { followUp } = next.timers;
  // Whoever is told that the snooze is over need not be told that it has gone quiet, too.
  const isTold = snoozeEnds && followUp !== undefined && followUp <= at && !owesCall(next);
  return {
    next: isTold
      ? {
          ...next,
          callDueAt: next.callDueAt ?? followUp,
          timers: { ...next.timers, followUp: after(now, followUpAfterMs) },
        }
      : next,
    ended: [...(callEnds ? [{ what: 'calling' as const }] : []), ...(holdEnds ? [{ what: hold.kind }] : [])],
  };
}

/** The state without anything that sets it aside, or would take it elsewhere: it is closed or booked. */
export function unheld<State extends Partial<Inquiry>>(inquiry: State) {
  const { hold: _hold, calling: _calling, move: _move, ...rest } = inquiry;
  return rest;
}
