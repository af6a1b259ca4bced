/** What the sweep finds to do about an inquiry that is due. */
import {
  after,
  followUpAfterMs,
  hour,
  type Inquiry,
  isMailUnderWay,
  isOpen,
  longestStepPauseMs,
  type MailKind,
  nextActionAt,
  type PendingTrigger,
  reminderPausesMs,
  reviewEveryMs,
  stepAllowanceMs,
} from './state.ts';
import { pendingOf, withPending } from './triggers.ts';

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
