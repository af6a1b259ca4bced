/** How far the person has come: the stages, and what setting another one brings. */
import type { CloseReason, Stage } from '../stages.ts';
import { callEnded, unheld } from './hold.ts';
import { offLadder } from './ladder.ts';
import {
  after,
  awaitsRouting,
  followUpAfterMs,
  type Inquiry,
  isOpen,
  isReminderPending,
  type Listening,
  reviewEveryMs,
  type Transitions,
} from './state.ts';
import { withStep } from './step.ts';
import { afterActivity, withPending, withSilence } from './triggers.ts';

/** From each stage, the stages that staff may set where its service line says nothing else. */
export const stageTransitions: Transitions = {
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
 * set. It ends a call in progress and the ladder; what is parked or snoozed stays so
 * until it is closed or booked. Where rules listen for stages, it waits for them with its step timer set,
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
  const isSuspected = inquiry.progress === 'quarantined';
  const allowed: readonly Stage[] =
    isSuspected && isOpen(inquiry) ? ['closed'] : (listening.transitions ?? stageTransitions)[inquiry.stage];
  if (!allowed.includes(to)) return { outcome: 'not_allowed', allowed };
  const open = isOpen({ stage: to });
  const uncalled = offLadder(callEnded(inquiry, now, listening.clock));
  // With another stage the calls that reached nobody are past.
  const { closeReason: _before, attempts: _made, ...rest } = open ? uncalled : unheld(uncalled);
  const { wake } = uncalled.timers;
  const pending = afterActivity(
    inquiry,
    { kind: 'stage_change', at: now.toISOString(), from: inquiry.stage, stage: to },
    listening,
  );
  // Nobody has been chosen yet, so it goes on being asked about until somebody is; the follow-up comes then.
  const unrouted = awaitsRouting({ ...inquiry, stage: to });
  // A reminder that nobody has called is wrong from now on; what is already being sent goes out.
  const dropsReminder = isReminderPending(inquiry);
  const step = uncalled.timers.step ?? (unrouted ? now.toISOString() : undefined);
  const attempted = to !== 'closed' || closeReason === 'no_response' || closeReason === 'not_interested';
  const next: Inquiry = {
    ...rest,
    version: inquiry.version + 1,
    stage: to,
    ...(to === 'closed' && closeReason !== undefined && { closeReason }),
    ...(attempted && { firstContactedAt: inquiry.firstContactedAt ?? now.toISOString() }),
    timers: {
      ...(step !== undefined && { step }),
      // What is suspected still has to be released, or closed again.
      ...(open && isSuspected && { review: after(now, reviewEveryMs) }),
      ...(open && !isSuspected && !unrouted && { followUp: after(now, followUpAfterMs) }),
      ...(open && wake !== undefined && { wake }),
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
