/** What the sweep finds to do about an inquiry that is due. */
import type { Clock } from '../escalation.ts';
import { minutesAfter } from '../escalation.ts';
import type { EntryDetails } from '../timeline.ts';
import { endedByTime } from './hold.ts';
import { climb } from './ladder.ts';
import { mailFailed } from './mail.ts';
import {
  after,
  followUpAfterMs,
  type Inquiry,
  isMailUnderWay,
  isOpen,
  isPaused,
  longestStepPauseMs,
  type MailKind,
  mailPatienceMs,
  mostMailRepeats,
  nextActionAt,
  owesCall,
  type PendingTrigger,
  pausedUntil,
  reviewEveryMs,
  stepAllowanceMs,
} from './state.ts';
import { withStep } from './step.ts';
import { pendingOf, withPending } from './triggers.ts';

/** What a sweep has to put on a queue. */
export type DueAction = 'score' | 'route' | 'mail';

type DueEntryKind = 'escalated' | 'resumed' | 'calling' | 'mail_failed';

/** What the timeline tells of what came due by itself. */
export type DueEntry = {
  readonly [Kind in DueEntryKind]: { readonly kind: Kind; readonly details: EntryDetails<Kind> };
}[DueEntryKind];

export interface Due {
  /** The state once what is to be done is under way. */
  readonly next: Inquiry;
  /** What is to be asked for; nothing where only the state moves on: a call is taken to have ended. */
  readonly action?: DueAction;
  readonly entries: readonly DueEntry[];
}

/** Whether a mail was asked for often enough: repeats are turns, of which those of routing and of rules are some. */
function isGivenUp({ stepRepeats, mailAt = '' }: Inquiry, now: Date): boolean {
  if (stepRepeats < mostMailRepeats) return false;
  // Of a mail whose sender dies each time the claim is always young: then every third turn was its own.
  return mailAt <= after(now, -mailPatienceMs) || stepRepeats >= 3 * mostMailRepeats;
}

/**
 * What is to be done about an inquiry that is due, and its state once that is
 * under way. Undefined where nothing is due: the index read was stale.
 */
export function takeDue(inquiry: Inquiry, now: Date, clock: Clock): Due | undefined {
  const at = now.toISOString();
  const isDue = (time: string | undefined): boolean => time !== undefined && time <= at;
  if (!isDue(nextActionAt(inquiry))) return undefined;
  const { timers } = inquiry;
  const isHeld = isPaused(inquiry);
  const unfinishedMail = isMailUnderWay(inquiry);

  // Somebody waits for anybody to become eligible, and those who could see to that are told.
  const isOverdue = inquiry.progress === 'waiting' && !isHeld && isDue(timers.respond);
  if (isOverdue) return reminded(inquiry, now, clock);

  const otherDue = (): Due | undefined => {
    if (isDue(pausedUntil(inquiry))) return ended(inquiry, now, clock);
    if (isDue(timers.review)) return mailed(inquiry, 'review', now, { review: after(now, reviewEveryMs) });
    if (isHeld) return undefined;
    if (isDue(timers.respond)) return reminded(inquiry, now, clock);
    if (isDue(timers.followUp))
      return mailed(
        inquiry,
        'follow_up',
        now,
        { followUp: after(now, followUpAfterMs) },
        { callDueAt: inquiry.callDueAt ?? timers.followUp },
      );
    return undefined;
  };

  if (unfinishedMail && isDue(timers.step) && isGivenUp(inquiry, now)) {
    const mail = inquiry.mailKind ?? 'assigned';
    return {
      next: mailFailed(inquiry, now, { clock }),
      entries: [{ kind: 'mail_failed', details: { mail } }],
    };
  }

  const nothingElse = Object.values(timers).every((time) => time === undefined);
  const fallsSilent = !unfinishedMail && !isHeld && isDue(timers.silence);
  if (isDue(timers.step) || fallsSilent || (nothingElse && isOpen(inquiry) && !isHeld)) {
    const other = unfinishedMail ? undefined : otherDue();
    if (other) return other;
    return stepped(fallsSilent ? fallenSilent(inquiry, at) : inquiry, fallsSilent, now);
  }
  if (unfinishedMail && timers.step !== undefined) return undefined;
  return otherDue();
}

/** Asks for a mail; whatever else is due waits until that is out. */
function mailed(
  inquiry: Inquiry,
  mailKind: MailKind,
  now: Date,
  timer: Inquiry['timers'],
  change: Partial<Inquiry> = {},
): Due & { readonly action: 'mail' } {
  return {
    action: 'mail',
    entries: [],
    next: {
      ...inquiry,
      ...change,
      version: inquiry.version + 1,
      mailKind,
      mailState: 'pending',
      mailAt: now.toISOString(),
      timers: { ...inquiry.timers, ...timer, step: after(now, stepAllowanceMs) },
      stepRepeats: 0,
    },
  };
}

/** Takes the rungs that are due as one: whoever is to hear of the highest hears once. */
function reminded(inquiry: Inquiry, now: Date, clock: Clock): Due {
  const reminders = inquiry.reminders + 1;
  const climbed = climb(inquiry, now, clock);
  if (!climbed) {
    // Nobody has it: there is nobody to remind but the managers.
    const respond = minutesAfter(now, clock.escalation.thenEveryMinutes, clock);
    return mailed(inquiry, 'escalated', now, { respond }, { reminders });
  }
  const { does, rung, percent, respond } = climbed;
  const reassigns = does.has('reassign') && owesCall(inquiry);
  const change = { ...(rung > 0 && { rung }), ...(reassigns && { reassign: true as const }) };
  const mailKind = does.has('notify_manager')
    ? 'escalated'
    : does.has('warn')
      ? 'warning'
      : does.has('remind')
        ? 'reminder'
        : undefined;
  // Each rung beyond the assignee is told once; that it goes on like that is told by its mails.
  const entries: DueEntry[] =
    percent !== undefined && (mailKind === 'escalated' || reassigns)
      ? [{ kind: 'escalated', details: { atPercent: percent, does: [...does] } }]
      : [];
  if (mailKind !== undefined)
    return { ...mailed(inquiry, mailKind, now, { respond }, { ...change, reminders }), entries };
  // No mail: the clock was moved meanwhile, or all that is asked for is somebody else.
  const moved: Inquiry = {
    ...inquiry,
    ...change,
    version: inquiry.version + 1,
    timers: { ...inquiry.timers, respond },
    stepRepeats: 0,
  };
  return { ...(reassigns && { action: 'route' as const }), next: withStep(moved, now), entries };
}

/** Ends what has been set aside for as long as was said, or tells whom it is due for. */
function ended(inquiry: Inquiry, now: Date, clock: Clock): Due {
  const by = endedByTime(inquiry, now, clock);
  const whats = by.ended.map(({ what }) => what);
  const entries: DueEntry[] = [
    ...(whats.includes('calling')
      ? [{ kind: 'calling' as const, details: { state: 'ended' as const, because: 'time' as const } }]
      : []),
    ...(whats.includes('snoozed')
      ? [{ kind: 'resumed' as const, details: { kind: 'snoozed' as const, because: 'time' as const } }]
      : []),
  ];
  const mailKind = whats.includes('snoozed') ? 'woken' : whats.includes('parked') ? 'parked' : undefined;
  if (mailKind !== undefined) return { ...mailed(by.next, mailKind, now, {}), entries };
  const next = withStep({ ...by.next, version: inquiry.version + 1, stepRepeats: 0 }, now);
  // What the call held back is taken with it.
  const other = takeDue(next, now, clock);
  if (!other) return { next, entries };
  return {
    ...other,
    next: { ...other.next, version: next.version },
    entries: [...entries, ...other.entries],
  };
}

/** Asks once more for the step that should have been done. */
function stepped(seen: Inquiry, fellSilent: boolean, now: Date): Due {
  // What waits for several things is asked for each in turn: one that keeps failing holds up no other.
  const actions: DueAction[] = [];
  const isMailing = isMailUnderWay(seen);
  if (isMailing) actions.push('mail');
  // A reminder that cannot be sent must not keep a waiting inquiry from somebody who now can take it. Of
  // what somebody has, nobody else gets it before the mail that says so is out, or given up.
  const isRouting = seen.progress === 'waiting' || seen.move !== undefined || (seen.reassign && !isMailing);
  if (isRouting) actions.push('route');
  if (seen.trigger !== undefined || actions.length === 0) actions.push('score');
  // Somebody may come on duty at any minute; a step that keeps failing is given time instead.
  const pause =
    seen.progress === 'waiting'
      ? stepAllowanceMs
      : Math.min(stepAllowanceMs * 2 ** seen.stepRepeats, longestStepPauseMs);
  return {
    action: fellSilent ? 'score' : (actions[seen.stepRepeats % actions.length] ?? 'score'),
    entries: [],
    next: {
      ...seen,
      version: seen.version + 1,
      timers: { ...seen.timers, step: after(now, pause) },
      stepRepeats: seen.stepRepeats + 1,
    },
  };
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
