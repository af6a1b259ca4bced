/** Where an inquiry stands on the escalation ladder. */
import { businessMinutesBetween } from '../business-time.ts';
import {
  type Clock,
  type Escalation,
  isTheirsAlone,
  minutesAfter,
  rungTimes,
  type Term,
} from '../escalation.ts';
import type { EscalationAction } from '../rungs.ts';
import type { Inquiry } from './state.ts';

/** The latest of some instants; an empty text where there is none. */
const latest = (times: readonly (string | undefined)[]): string =>
  times
    .map((time) => time ?? '')
    .sort()
    .at(-1) ?? '';

/**
 * The time that the present assignee has: since receipt, or since they got it
 * where they have a deadline of their own. Who gets it when its time is up
 * already has as long as the person was promised. Undefined where no clock runs.
 */
export function termOf(inquiry: Inquiry, clock: Pick<Clock, 'location'>): Term | undefined {
  const { respondBy, deadline, termFrom, assignedAt, clockFrom, receivedAt } = inquiry;
  if (respondBy === undefined) return undefined;
  const begun = clockFrom ?? receivedAt;
  if (deadline !== undefined) return { from: latest([begun, assignedAt, termFrom]), to: deadline };
  const from = latest([begun, termFrom]);
  if (assignedAt === undefined || assignedAt < respondBy) return { from, to: respondBy };
  const promised = businessMinutesBetween(new Date(from), new Date(respondBy), clock.location);
  return { from: assignedAt, to: minutesAfter(assignedAt, promised, clock) };
}

/** Whether somebody has it, who then is on the ladder; until then its respond-by is told to the managers. */
const isTaken = ({ progress, assignedTo }: Inquiry): boolean =>
  progress !== 'waiting' && assignedTo !== undefined;

/**
 * What of a state says when nobody will have called for too long, from `now` on: the
 * rungs that the assignee has had, and the timer of the next. Rungs that concern
 * them alone and lie before they heard of it are no news to them.
 */
export function onLadder(
  inquiry: Inquiry,
  now: Date,
  clock: Clock | undefined,
): { rung?: number; respond?: string } {
  const { respondBy, deadline, timers } = inquiry;
  const ends = deadline ?? respondBy;
  if (ends === undefined) return {};
  const term = clock && isTaken(inquiry) ? termOf(inquiry, clock) : undefined;
  if (!clock || !term) return { respond: ends };
  const times = rungTimes(term, clock);
  let had = inquiry.rung ?? 0;
  for (; (times[had] ?? '~') <= now.toISOString(); had++) {
    const rung = clock.escalation.steps[had];
    if (!rung || !isTheirsAlone(rung)) break;
  }
  const respond = times[had] ?? timers.respond ?? minutesAfter(now, clock.escalation.thenEveryMinutes, clock);
  return { ...(had > 0 && { rung: had }), respond };
}

/** The state with another respond-by, as of now: its ladder begins anew, where it was climbed at all. */
export function withRespondBy<State extends Inquiry>(
  inquiry: State,
  respondBy: string,
  now: Date,
  clock: Clock | undefined,
): State {
  const { rung: _rung, deadline: _deadline, termFrom: _from, ...rest } = inquiry;
  const next = { ...rest, respondBy, ...(clock && { termFrom: now.toISOString() }) } as State;
  if (inquiry.timers.respond === undefined) return next;
  const { respond, ...ladder } = onLadder(next, now, clock);
  return { ...next, ...ladder, timers: { ...next.timers, respond } };
}

/** The state without its place on the ladder: somebody has called, or nobody has to. */
export function offLadder<State extends Partial<Inquiry>>(inquiry: State) {
  const {
    rung: _rung,
    deadline: _deadline,
    termFrom: _from,
    reassign: _asked,
    hadBy: _had,
    callDueAt: _due,
    ...rest
  } = inquiry;
  return rest;
}

/** The place on the ladder, to be put back where a change was no call. */
export function ladderOf({ rung, deadline, termFrom, reassign, hadBy }: Inquiry): Partial<Inquiry> {
  return {
    ...(rung !== undefined && { rung }),
    ...(deadline !== undefined && { deadline }),
    ...(termFrom !== undefined && { termFrom }),
    ...(reassign && { reassign }),
    ...(hadBy && { hadBy }),
  };
}

/** What is due of the ladder: what to do, the rungs had with it, and when to look again. */
export interface Climbed {
  /** Of all rungs that fell due, since they are taken as one; empty where none has. */
  readonly does: ReadonlySet<EscalationAction>;
  readonly rung: number;
  /** How much of the time was over at the highest of them. */
  readonly percent: number | undefined;
  readonly respond: string;
}

/** What is done past the last rung: nobody was free when it was to be given away, and by now somebody may be. */
const pastLast = ({ steps }: Escalation): EscalationAction[] =>
  steps.some((step) => step.do.includes('reassign')) ? ['notify_manager', 'reassign'] : ['notify_manager'];

/** Climbs whatever rungs are due; past the last one, it is time for another reminder. */
export function climb(inquiry: Inquiry, now: Date, clock: Clock): Climbed | undefined {
  const term = isTaken(inquiry) ? termOf(inquiry, clock) : undefined;
  if (!term) return undefined;
  const { steps, thenEveryMinutes } = clock.escalation;
  const had = inquiry.rung ?? 0;
  const times = rungTimes(term, clock);
  const due = steps.filter((_, i) => i >= had && (times[i] ?? '~') <= now.toISOString());
  const rung = had + due.length;
  return {
    does: new Set(had >= steps.length ? pastLast(clock.escalation) : due.flatMap((step) => step.do)),
    rung,
    percent: due.at(-1)?.atPercent,
    respond: times[rung] ?? minutesAfter(now, thenEveryMinutes, clock),
  };
}
