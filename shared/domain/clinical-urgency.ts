/**
 * Clinical urgency: how soon a person should be seen, by the practice's own
 * criteria. It is no part of the score; it sets clock and pool beside it.
 */
import type { UrgencyCriteria } from './schema/clinical-urgency.ts';
import { findPhrases } from './wording.ts';

export type { UrgencyCriteria } from './schema/clinical-urgency.ts';

/** Most urgent first. */
export const urgencies = ['same_day', 'soon', 'routine'] as const;
export type Urgency = (typeof urgencies)[number];

export interface UrgencyFinding {
  readonly level: Urgency;
  /** The criterion that decided; absent where none did. */
  readonly criterionId?: string;
  readonly reason: string;
  readonly poolId?: string;
}

/**
 * The most urgent criterion that fits; of equal ones the first.
 *
 * @param text - everything the person wrote: message, service as typed, answers
 */
export function findUrgency(
  { criteria }: UrgencyCriteria,
  inquiry: { readonly serviceId: string | undefined; readonly text: string },
): UrgencyFinding {
  for (const level of urgencies) {
    for (const criterion of criteria.filter((candidate) => candidate.level === level)) {
      const byService = inquiry.serviceId !== undefined && criterion.services.includes(inquiry.serviceId);
      const words = findPhrases(inquiry.text, criterion.words);
      if (!byService && words.length === 0) continue;
      return {
        level,
        criterionId: criterion.id,
        reason: byService ? `service ${inquiry.serviceId}` : `words of the criterion ${criterion.id}`,
        ...(criterion.pool !== undefined && { poolId: criterion.pool }),
      };
    }
  }
  return { level: 'routine', reason: 'no criterion' };
}
