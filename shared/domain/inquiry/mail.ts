/** The newest staff mail about an inquiry. */
import {
  after,
  followUpAfterMs,
  type Inquiry,
  isOpen,
  type Listening,
  owesCall,
  stepAllowanceMs,
} from './state.ts';
import { withSilence } from './triggers.ts';

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
