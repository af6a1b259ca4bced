/**
 * A mail that has a due item of its own: asked for, claimed by one sender, sent.
 * While it is under way its step is what is due; whoever does not finish it is
 * followed by another, ever more seldom.
 */
import * as z from 'zod';
import { after, mailLeaseMs } from './inquiry/state.ts';

/** The attributes of a mail under way, beside those of what it is about. */
export const sendingShape = () => ({
  mailState: z.enum(['pending', 'sending', 'sent']).optional(),
  mailAt: z.iso.datetime().optional(),
  /** While a mail is under way: when to see to it again. */
  step: z.iso.datetime().optional(),
  /** How often it was asked for again; spaces out the repeats. */
  repeats: z.int().min(0).optional(),
});

export interface Sending {
  readonly mailState?: 'pending' | 'sending' | 'sent' | undefined;
  readonly mailAt?: string | undefined;
  readonly step?: string | undefined;
  readonly repeats?: number | undefined;
}

/** Repeats are spaced out by doubling, this often at the most: 24 minutes apart then, about as those of an inquiry's steps. */
const mostDoublings = 4;

/** A mail that is asked for. */
export const asked = (now: Date) => ({
  mailState: 'pending' as const,
  mailAt: now.toISOString(),
  repeats: 0,
  step: after(now, mailLeaseMs),
});

/** The same mail, asked for again: whoever had it did not come to an end. */
export function askedAgain({ repeats = 0 }: Sending, now: Date) {
  return {
    repeats: repeats + 1,
    step: after(now, mailLeaseMs * 2 ** Math.min(repeats, mostDoublings)),
  };
}

/** The state once its mail is out. */
export function sent<State extends Sending>(state: State, now: Date) {
  const { step: _done, repeats: _repeats, ...rest } = state;
  return { ...rest, mailState: 'sent' as const, mailAt: now.toISOString() };
}

/** The state without any mail. */
export function unsent<State extends Sending>(state: State) {
  const { mailState: _state, mailAt: _at, step: _step, repeats: _repeats, ...rest } = state;
  return rest;
}
