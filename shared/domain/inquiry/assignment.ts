/** An inquiry that gets its member, waits for one, goes on to another, or back to its pool. */
import { knowingTriage } from './arrival.ts';
import {
  type Assignment,
  after,
  hour,
  type Inquiry,
  owesCall,
  type Receipt,
  stepAllowanceMs,
} from './state.ts';
import { awaitsMore, withStep } from './step.ts';

/** Whoever comes to be able to take what waits is noticed within a minute; should nobody have noticed, it is asked about this often. */
export const longestWaitMs = 24 * hour;

/** The state but for what belongs to whoever had it: their time, their call, and that it was to go on to another. */
function unburdened(inquiry: Inquiry) {
  const {
    rung: _rung,
    deadline: _deadline,
    termFrom: _from,
    reassign: _asked,
    move: _move,
    calling,
    timers: { wake, ...timers },
    ...rest
  } = inquiry;
  const woken = calling ? rest.hold?.until : wake;
  return { ...rest, timers: { ...timers, ...(woken !== undefined && { wake: woken }) } };
}

/**
 * The state once a member has been chosen, for the first time or after another. On
 * its way from capture the step timer stays where it was: moving it would cost two
 * index writes, and the mail is due out by then anyway.
 */
export function assigned(inquiry: Inquiry, assignment: Assignment, now: Date): Inquiry {
  const { memberId, poolId, respondBy, receipt, providerId } = assignment;
  const { providerId: _before, ...rest } = knowingTriage(unburdened(inquiry), assignment);
  const step = inquiry.progress === 'captured' ? inquiry.timers.step : undefined;
  return {
    ...rest,
    version: inquiry.version + 1,
    progress: 'routed',
    poolId,
    respondBy,
    assignedTo: memberId,
    assignedAt: now.toISOString(),
    receipt,
    ...(providerId !== undefined && { providerId }),
    mailKind: 'assigned',
    mailState: 'pending',
    mailAt: now.toISOString(),
    timers: { ...rest.timers, step: step ?? after(now, stepAllowanceMs) },
    stepRepeats: 0,
  };
}

/** The state where rules wanted it elsewhere, and it stays with whoever has it; under another pool, where they are in that, too. */
export function notMoved(inquiry: Inquiry, poolId: string | undefined, now: Date): Inquiry {
  const { move: _asked, ...rest } = inquiry;
  return withStep({ ...rest, version: inquiry.version + 1, ...(poolId !== undefined && { poolId }) }, now);
}

/** The state after the ladder found somebody who is free: whoever had it is not asked again. */
export function reassigned(inquiry: Inquiry, assignment: Assignment, now: Date): Inquiry {
  const { assignedTo, hadBy = [] } = inquiry;
  const had = assignedTo === undefined ? hadBy : [...new Set([...hadBy, assignedTo])];
  return { ...assigned(inquiry, assignment, now), hadBy: had };
}

/** The state where nobody was free to take it over: it stays with whoever has it. */
export function notReassigned(inquiry: Inquiry, now: Date): Inquiry {
  const { reassign: _asked, ...rest } = inquiry;
  return withStep({ ...rest, version: inquiry.version + 1 }, now);
}

/** The state while nobody can take it: in its pool's queue, and on the clock. */
export function waiting(inquiry: Inquiry, decision: Omit<Assignment, 'memberId'>, now: Date): Inquiry {
  const { poolId, respondBy, receipt } = decision;
  const { silence, respond, wake } = inquiry.timers;
  const waits = inquiry.progress === 'waiting';
  const { receipt: before } = inquiry;
  const goesOn = awaitsMore(inquiry);
  const step = goesOn ? (inquiry.timers.step ?? after(now, stepAllowanceMs)) : after(now, longestWaitMs);
  return {
    ...knowingTriage(inquiry, decision),
    poolId,
    respondBy,
    receipt: { ...receipt, ...(waits && before?.by !== undefined && { by: before.by }) },
    version: inquiry.version + 1,
    progress: 'waiting',
    timers: {
      step,
      ...((!waits || owesCall(inquiry)) && { respond: respond ?? respondBy }),
      ...(silence && { silence }),
      ...(wake && { wake }),
    },
    stepRepeats: goesOn ? inquiry.stepRepeats : 0,
  };
}

/** The state once it has gone back to its pool, for the next who can take it. */
export function returned(
  inquiry: Inquiry,
  { poolId, receipt }: { readonly poolId: string; readonly receipt: Receipt },
  now: Date,
): Inquiry {
  const {
    assignedTo: _member,
    assignedAt: _since,
    providerId: _provider,
    mailKind: _kind,
    mailState: _state,
    mailAt: _mailed,
    timers: { respond, silence, wake },
    ...rest
  } = unburdened(inquiry);
  const { respondBy } = inquiry;
  // Until somebody has it again, its managers are told when its time is up, and after that as it was.
  const isAhead = respondBy !== undefined && respondBy > now.toISOString();
  const owed = owesCall(inquiry) ? (isAhead ? respondBy : (respond ?? respondBy)) : undefined;
  return {
    ...rest,
    version: inquiry.version + 1,
    progress: 'waiting',
    poolId,
    receipt,
    timers: {
      step: after(now, stepAllowanceMs),
      ...(owed !== undefined && { respond: owed }),
      ...(silence && { silence }),
      ...(wake && { wake }),
    },
    stepRepeats: 0,
  };
}
