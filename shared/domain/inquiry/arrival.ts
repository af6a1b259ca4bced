/** An inquiry as it arrives, and as scoring finds it, at first and again. */
import type { Urgency } from '../clinical-urgency.ts';
import type { Clock } from '../escalation.ts';
import type { Tier } from '../stages.ts';
import { withRespondBy } from './ladder.ts';
import {
  after,
  type Inquiry,
  owesCall,
  type QuarantineReason,
  reviewEveryMs,
  stepAllowanceMs,
  type Triaged,
} from './state.ts';

export interface NewInquiry {
  readonly id: string;
  readonly contactId: string;
  readonly locationId: string;
  readonly channel: Inquiry['channel'];
  readonly sourceId: string;
  readonly campaign?: string | undefined;
  readonly serviceId?: string | undefined;
  readonly quarantine: readonly QuarantineReason[];
  /** Whether words of an emergency were found in it. */
  readonly redFlagged?: boolean;
}

/** The state of an inquiry as it arrives. */
export function captured(fresh: NewInquiry, now: Date): Inquiry {
  const { quarantine, campaign, serviceId, redFlagged, ...rest } = fresh;
  const suspected = quarantine.length > 0;
  return {
    ...rest,
    ...(campaign !== undefined && { campaign }),
    ...(serviceId !== undefined && { serviceId }),
    version: 1,
    receivedAt: now.toISOString(),
    stage: 'new',
    progress: suspected ? 'quarantined' : 'captured',
    ...(suspected && { quarantine: [...quarantine] }),
    ...(redFlagged && { redFlag: 'raised' as const }),
    timers: suspected ? { review: after(now, reviewEveryMs) } : { step: after(now, stepAllowanceMs) },
    stepRepeats: 0,
    reminders: 0,
  };
}

export const urgencyAttribute = (urgency: Urgency | undefined): Pick<Inquiry, 'urgency'> =>
  urgency === undefined || urgency === 'routine' ? {} : { urgency };

/**
 * The same state, knowing what triage decided: the head learns of it with its
 * first change after the score. What rules and new scores changed since stays.
 */
export function knowingTriage(inquiry: Inquiry, { score, tier, urgency }: Triaged): Inquiry {
  const isNews = inquiry.tier === undefined;
  return {
    ...inquiry,
    score: inquiry.score ?? score,
    tier: inquiry.tier ?? tier,
    ...(isNews && inquiry.urgency === undefined && urgencyAttribute(urgency)),
  };
}

/**
 * The state after it was scored again. What later rules decided stays: a tier
 * that they moved, and the more urgent of two urgencies. The respond-by only ever
 * moves to an earlier time, and only while nobody has called: a promise is not
 * taken back.
 *
 * @param again.tierBefore - the tier of the score before this one
 * @param again.respondBy - by when somebody would have to call, by what triage decides now
 */
export function rescored(
  inquiry: Inquiry,
  again: Triaged & { readonly tierBefore: Tier; readonly respondBy: string },
  now: Date,
  clock?: Clock,
): Inquiry {
  const { score, respondBy } = again;
  const isOfScore = inquiry.tier === undefined || inquiry.tier === again.tierBefore;
  const urgency = [inquiry.urgency, again.urgency].includes('same_day')
    ? 'same_day'
    : (inquiry.urgency ?? again.urgency);
  const isSooner = owesCall(inquiry) && inquiry.respondBy !== undefined && respondBy < inquiry.respondBy;
  const next: Inquiry = {
    ...inquiry,
    version: inquiry.version + 1,
    score,
    ...(isOfScore && { tier: again.tier }),
    ...urgencyAttribute(urgency),
  };
  return isSooner ? withRespondBy(next, respondBy, now, clock) : next;
}
