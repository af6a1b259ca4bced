/** An inquiry that gets its member, or waits for one. */
import type { Urgency } from '../clinical-urgency.ts';
import type { Tier } from '../stages.ts';
import { knowingTriage } from './arrival.ts';
import { after, type Inquiry, type Receipt, stepAllowanceMs } from './state.ts';

export interface Assignment {
  readonly memberId: string;
  readonly poolId: string;
  readonly respondBy: string;
  readonly receipt: Receipt;
  readonly score: number;
  readonly tier: Tier;
  readonly urgency?: Urgency | undefined;
}

export type Triaged = Pick<Assignment, 'score' | 'tier' | 'urgency'>;

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
