/** What happens to an inquiry and is still to be looked at by triage rules, and the silence where nothing does. */
import type { Disposition } from '../rules/facts.ts';
import {
  after,
  awaitsRouting,
  followUpAfterMs,
  type Inquiry,
  isMailUnderWay,
  isOpen,
  isReminderPending,
  type Listening,
  mostPendingTriggers,
  type PendingTrigger,
  type Silence,
  stepAllowanceMs,
} from './state.ts';

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

/** The state with its step timer just where the pipeline has a step to do. */
export function withStep(inquiry: Inquiry, now: Date): Inquiry {
  const { step, ...timers } = inquiry.timers;
  const isAskedFor = inquiry.trigger !== undefined || awaitsRouting(inquiry) || isMailUnderWay(inquiry);
  return isAskedFor
    ? { ...inquiry, timers: { ...timers, step: step ?? after(now, stepAllowanceMs) } }
    : { ...inquiry, timers };
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

export const silenceOf = ({ silence, timers }: Inquiry): Silence | undefined =>
  silence && timers.silence !== undefined ? { ...silence, at: timers.silence } : undefined;
