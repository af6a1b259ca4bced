/**
 * Whether the state of an inquiry holds together, and the state that does. Nothing that Firstcall does leads
 * to one that does not: somebody wrote to the table by other means, or a fault of an earlier version did.
 */
import type { Score } from '../scoring.ts';
import { type Inquiry, isMailUnderWay, isOpen, owesCall } from './state.ts';
import { isAskedFor } from './step.ts';

/**
 * What does not hold together:
 * - `placement`: how far it is, and who has it or in which pool it waits
 * - `step`: the pipeline has something to do about it that nobody would ask for
 * - `clock`: nobody would be reminded of it
 * - `score`: what it is worth, and its newest score
 */
export type Fault = 'placement' | 'step' | 'clock' | 'score';

/** It is with somebody, or was: all that says so. */
function unplaced(inquiry: Inquiry): Inquiry {
  const {
    assignedTo: _member,
    assignedAt: _since,
    receipt: _receipt,
    providerId: _provider,
    mailKind: _kind,
    mailState: _state,
    mailAt: _mailed,
    rung: _rung,
    deadline: _deadline,
    termFrom: _from,
    reassign: _asked,
    ...rest
  } = inquiry;
  return rest;
}

/** To whom its receipt says that it was given. */
const givenTo = ({ receipt }: Inquiry): string | undefined =>
  receipt?.candidates.find(({ outcome }) => outcome === 'assigned')?.memberId;

/** The state in which it is where it says that it is: what is with nobody is routed anew. */
function placed(inquiry: Inquiry, now: string): Inquiry | undefined {
  const { progress, assignedTo, assignedAt, poolId, timers } = inquiry;
  if (!isOpen(inquiry) || progress === 'quarantined') return undefined;
  const isGiven = progress === 'routed' || progress === 'notified';
  if (assignedTo === undefined) {
    const had = isGiven ? givenTo(inquiry) : undefined;
    if (had !== undefined) return { ...inquiry, assignedTo: had };
    if (!isGiven && (progress !== 'waiting' || poolId !== undefined)) return undefined;
    return {
      ...unplaced(inquiry),
      progress: 'captured',
      timers: { ...timers, respond: undefined, followUp: undefined, step: now },
      stepRepeats: 0,
    };
  }
  if (isGiven) return undefined;
  // Whoever has it may never have heard of it.
  return {
    ...inquiry,
    progress: 'routed',
    assignedAt: assignedAt ?? now,
    mailKind: 'assigned',
    mailState: 'pending',
    mailAt: now,
    timers: { ...timers, step: now },
    stepRepeats: 0,
  };
}

/** The timers that bring it back to somebody's mind; undefined where they are there. */
function onClock(inquiry: Inquiry, now: string): Inquiry['timers'] | undefined {
  const { progress, timers, respondBy, assignedTo } = inquiry;
  if (!isOpen(inquiry)) return undefined;
  if (progress === 'quarantined') return timers.review === undefined ? { ...timers, review: now } : undefined;
  if (progress === 'captured') return undefined;
  // Its assignee's mail first; what is due beside it is set as that goes out.
  if (assignedTo !== undefined && isMailUnderWay(inquiry)) return undefined;
  if (timers.respond !== undefined || timers.followUp !== undefined) return undefined;
  if (owesCall(inquiry)) return { ...timers, respond: respondBy ?? now };
  // Who waits for somebody and was called goes on waiting; the follow-up comes with whoever gets it.
  return progress === 'waiting' ? undefined : { ...timers, followUp: now };
}

/**
 * The state as it can be, with what was wrong with it; the same state where nothing was. Its version is left
 * to whoever writes it.
 *
 * @param newest - its newest score
 */
export function mended(
  inquiry: Inquiry,
  newest: Pick<Score, 'total' | 'tier'> | undefined,
  now: Date,
): { readonly next: Inquiry; readonly faults: readonly Fault[] } {
  const at = now.toISOString();
  const faults: Fault[] = [];
  let next = inquiry;
  const isScoreWrong = newest !== undefined && next.score !== undefined && next.score !== newest.total;
  if (isScoreWrong) {
    next = { ...next, score: newest.total };
    faults.push('score');
  }
  const where = placed(next, at);
  if (where) {
    next = where;
    faults.push('placement');
  }
  if (isAskedFor(next) && next.timers.step === undefined) {
    next = { ...next, timers: { ...next.timers, step: at } };
    faults.push('step');
  }
  const timers = onClock(next, at);
  if (timers) {
    next = { ...next, timers };
    faults.push('clock');
  }
  return { next, faults };
}
