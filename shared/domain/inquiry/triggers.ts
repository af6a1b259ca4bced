/** What happens to an inquiry and is still to be looked at by triage rules, and the silence where nothing does. */
import { type Cadence, isMissed, nextAttemptAt } from '../cadence.ts';
import type { Disposition } from '../rules/facts.ts';
import { callEnded, wokenByPerson } from './hold.ts';
import { offLadder } from './ladder.ts';
import {
  after,
  awaitsRouting,
  followUpAfterMs,
  type Inquiry,
  isOpen,
  isReminderPending,
  type Listening,
  mostPendingTriggers,
  type PendingTrigger,
  type Silence,
} from './state.ts';
import { withStep } from './step.ts';

export const pendingOf = ({ trigger, laterTriggers }: Inquiry): readonly PendingTrigger[] =>
  trigger ? [trigger, ...(laterTriggers ?? [])] : [];

/** The state but for its triggers, with these. */
export function withPending<State extends Partial<Inquiry>>(
  inquiry: State,
  pending: readonly PendingTrigger[],
) {
  const { trigger: _first, laterTriggers: _later, ...rest } = inquiry;
  const [trigger, ...all] = pending;
  const later =
    all.length < mostPendingTriggers ? all : [...all.slice(0, mostPendingTriggers - 2), ...all.slice(-1)];
  return { ...rest, ...(trigger && { trigger }), ...(later.length > 0 && { laterTriggers: later }) };
}

/** The state but for its silence, with this one. */
export function withSilence<State extends Pick<Inquiry, 'timers' | 'silence'>>(
  inquiry: State,
  silence: Silence | undefined,
) {
  const { silence: _before, ...rest } = inquiry;
  const { silence: _at, ...timers } = inquiry.timers;
  if (!silence) return { ...rest, timers };
  const { at, ...until } = silence;
  return { ...rest, silence: until, timers: { ...timers, silence: at } };
}

/** The triggers that wait once something has happened: whoever was silent no longer is. */
export function afterActivity(
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
  | {
      readonly kind: 'disposition';
      readonly disposition: Disposition;
      /** When the call was made, where that was before now. */
      readonly calledAt?: string | undefined;
    }
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
  const inquiry =
    happened.kind === 'disposition'
      ? called(before, happened, now, listening)
      : heardFrom(wokenByPerson(before, now, listening.clock), now);
  const { stage } = inquiry;
  const { kind } = happened;
  const trigger = kind === 'disposition' ? { kind, disposition: happened.disposition } : { kind };
  const pending = afterActivity(inquiry, { ...trigger, at: now.toISOString(), stage }, listening);
  const isListenedTo = isOpen(inquiry) && inquiry.progress !== 'quarantined';
  const next = withPending(withSilence(inquiry, isListenedTo ? listening.silence : undefined), pending);
  return withStep(next, now);
}

/** The state once somebody has tried to call: it comes back where nothing follows, and by the cadence where nobody was reached. */
function called(
  before: Inquiry,
  { disposition, calledAt }: Extract<Happened, { kind: 'disposition' }>,
  now: Date,
  { clock, cadence }: Listening,
): Inquiry {
  const { attempts: _before, ...inquiry } = offLadder(callEnded(before, now, clock));
  const attempts = attemptsAfter(before, disposition);
  const next: Inquiry = {
    ...inquiry,
    firstContactedAt: inquiry.firstContactedAt ?? now.toISOString(),
    ...(attempts > 0 && { attempts }),
  };
  // Who has no member yet goes on waiting for one, on the clock.
  if (!isOpen(inquiry) || awaitsRouting(inquiry) || inquiry.progress === 'quarantined') return next;
  const { respond: _called, ...timers } = inquiry.timers;
  return {
    ...next,
    ...(isReminderPending(inquiry) && { mailState: undefined, mailKind: undefined }),
    timers: {
      ...timers,
      followUp:
        isMissed(disposition) && cadence
          ? nextAttempt(cadence, attempts, calledAt, now)
          : after(now, followUpAfterMs),
    },
  };
}

/** How many calls in a row reached nobody, once another one was made; what is an end, or suspected, counts none. */
export function attemptsAfter(inquiry: Inquiry, disposition: Disposition): number {
  const { attempts = 0, progress } = inquiry;
  if (!isOpen(inquiry) || progress === 'quarantined') return attempts;
  if (isMissed(disposition)) return attempts + 1;
  return disposition === 'wrong_number' ? attempts : 0;
}

function nextAttempt(cadence: Cadence, attempts: number, calledAt: string | undefined, now: Date): string {
  const made = calledAt === undefined ? now : new Date(calledAt);
  return nextAttemptAt(cadence, attempts, made, now)?.toISOString() ?? after(now, followUpAfterMs);
}

/** The state once the person has written: they were reached, and what waited to call them again waits anew. */
function heardFrom(inquiry: Inquiry, now: Date): Inquiry {
  const { attempts, ...rest } = inquiry;
  if (attempts === undefined) return inquiry;
  const { followUp, ...timers } = inquiry.timers;
  return {
    ...rest,
    timers: { ...timers, ...(followUp !== undefined && { followUp: after(now, followUpAfterMs) }) },
  };
}

export const silenceOf = ({ silence, timers }: Inquiry): Silence | undefined =>
  silence && timers.silence !== undefined ? { ...silence, at: timers.silence } : undefined;
