/** What humans decide about an inquiry that was set aside or flagged. */
import type { RedFlagState } from '../red-flags.ts';
import { after, type Inquiry, isOpen, reviewEveryMs } from './state.ts';
import { withPending, withSilence } from './triggers.ts';

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
