/**
 * Clinical urgency: how soon a person should be seen, by the practice's own
 * criteria. It is no part of the score; it sets clock and pool beside it.
 */
import * as z from 'zod';
import { describes } from './description.ts';
import { slugSchema } from './slug.ts';
import { findPhrases, phraseSchema } from './wording.ts';

/** Most urgent first. */
export const urgencies = ['same_day', 'soon', 'routine'] as const;
export type Urgency = (typeof urgencies)[number];

/** When somebody has to have been called back, in minutes of opening time. */
const minutesSchema = z.int().min(1).max(10_080);

/** One reason to see somebody sooner: a service asked for, or words in what they wrote. */
export const urgencyCriterionSchema = z
  .strictObject({
    id: slugSchema.describe('Your id of the criterion.'),
    level: z.enum(['same_day', 'soon']).register(...describes('How soon the person should be seen.')),
    services: z
      .array(slugSchema)
      .default([])
      .register(...describes('Services that are meant, whatever was written.')),
    words: z
      .array(phraseSchema)
      .default([])
      .register(...describes('Whole words or phrases; case, accents and punctuation do not count.')),
    pool: slugSchema
      .optional()
      .register(...describes('Where such inquiries go, whatever pool their service has.')),
  })
  .refine(({ services, words }) => services.length + words.length > 0, {
    message: 'needs services or words',
  });

export const urgencySchema = z.strictObject({
  respondWithinMinutes: z
    .strictObject({
      same_day: minutesSchema.default(15).register(...describes('Who should be seen the same day.')),
      soon: minutesSchema.default(60).register(...describes('Who should be seen soon.')),
    })
    .default({ same_day: 15, soon: 60 })
    .register(
      ...describes('Minutes of opening time to the first call, unless the tier or the channel is sooner.'),
    ),
  criteria: z
    .array(urgencyCriterionSchema)
    .max(100)
    .default([])
    .register(
      ...describes(
        'Reasons to see somebody sooner; the most urgent that fits counts, of equal ones the first.',
      ),
    ),
});
export type UrgencyCriteria = z.infer<typeof urgencySchema>;

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
