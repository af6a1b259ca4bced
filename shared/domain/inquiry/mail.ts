/** The newest staff mail about an inquiry. */
import { onLadder } from './ladder.ts';
import {
  after,
  followUpAfterMs,
  type Inquiry,
  isOpen,
  type Listening,
  owesCall,
  stepAllowanceMs,
} from './state.ts';
import { isAskedFor } from './step.ts';
import { withSilence } from './triggers.ts';

/**
 * The state once the newest mail about it is out. Whoever is told that it is theirs
 * has its ladder before them; the first such mail begins the silence that rules may
 * listen for.
 */
export function mailSent(inquiry: Inquiry, now: Date, { silence, clock }: Listening = {}): Inquiry {
  const { step: _done, ...timers } = inquiry.timers;
  const isTheirs = inquiry.mailKind === 'assigned' && inquiry.progress !== 'waiting' && isOpen(inquiry);
  const { respond, ...ladder } = isTheirs && owesCall(inquiry) ? onLadder(inquiry, now, clock) : {};
  const sent: Inquiry = {
    ...inquiry,
    version: inquiry.version + 1,
    ...ladder,
    ...(inquiry.mailKind === 'assigned' &&
      inquiry.progress === 'routed' && { progress: 'notified' as const }),
    mailState: 'sent',
    mailAt: now.toISOString(),
    timers: {
      ...timers,
      ...(respond !== undefined && { respond }),
      ...(isTheirs && respond === undefined && { followUp: timers.followUp ?? after(now, followUpAfterMs) }),
    },
    stepRepeats: 0,
  };
  // Nobody has it yet, or rules are still to look at it: it goes on being asked about, whatever mail went out.
  const step = sent.reassign ? now.toISOString() : after(now, stepAllowanceMs);
  const next = isAskedFor(sent) ? { ...sent, timers: { ...sent.timers, step } } : sent;
  return isTheirs && inquiry.silence === undefined ? withSilence(next, silence) : next;
}

/**
 * The state once the newest mail has failed again and again: its address is refused,
 * or no mail goes out at all. What waits for it goes on without it, the clock above all.
 */
export const mailFailed = (inquiry: Inquiry, now: Date, listening: Listening = {}): Inquiry => ({
  ...mailSent(inquiry, now, listening),
  progress: inquiry.progress,
  mailState: 'failed',
});
