/** An inquiry that gets its member, or waits for one. */
import { knowingTriage } from './arrival.ts';
import { type Assignment, after, type Inquiry, stepAllowanceMs } from './state.ts';

/**
 * The state once a member has been chosen. The step timer stays where it was:
 * moving it would cost two index writes, and the mail is due out by then anyway.
 */
export function assigned(inquiry: Inquiry, assignment: Assignment, now: Date): Inquiry {
  const { memberId, poolId, respondBy, receipt } = assignment;
  return {
    ...knowingTriage(inquiry, assignment),
    version: inquiry.version + 1,
    progress: 'routed',
    poolId,
    respondBy,
    assignedTo: memberId,
    assignedAt: now.toISOString(),
    receipt,
    mailKind: 'assigned',
    mailState: 'pending',
    mailAt: now.toISOString(),
    timers: { ...inquiry.timers, step: inquiry.timers.step ?? after(now, stepAllowanceMs) },
  };
}

/** The state while nobody of the pool can take it: on the clock, and asked about again and again. */
export function waiting(inquiry: Inquiry, decision: Omit<Assignment, 'memberId'>, now: Date): Inquiry {
  const { poolId, respondBy, receipt } = decision;
  const { silence } = inquiry.timers;
  return {
    ...knowingTriage(inquiry, decision),
    poolId,
    respondBy,
    receipt,
    version: inquiry.version + 1,
    progress: 'waiting',
    timers: { step: after(now, stepAllowanceMs), respond: respondBy, ...(silence && { silence }) },
    stepRepeats: 0,
  };
}
