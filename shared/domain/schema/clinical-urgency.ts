/** Clinical urgency: how soon a person should be seen, by the practice's own criteria. */
import * as z from 'zod';
import { criterionDefaults, urgencyDefaults, urgencyMinutesDefaults } from '../defaults.ts';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';
import { phraseSchema } from './phrase.ts';

/** When somebody has to have been called back, in minutes of opening time. */
const minutesSchema = z.int().min(1).max(10_080);

/** One reason to see somebody sooner: a service asked for, or words in what they wrote. */
export const urgencyCriterionSchema = z
  .strictObject({
    id: slugSchema.describe('Your id of the criterion.'),
    level: z.enum(['same_day', 'soon']).register(...describes('How soon the person should be seen.')),
    services: z
      .array(slugSchema)
      .default(criterionDefaults.services)
      .register(...describes('Services that are meant, whatever was written.')),
    words: z
      .array(phraseSchema)
      .default(criterionDefaults.words)
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
      same_day: minutesSchema
        .default(urgencyMinutesDefaults.same_day)
        .register(...describes('Who should be seen the same day.')),
      soon: minutesSchema
        .default(urgencyMinutesDefaults.soon)
        .register(...describes('Who should be seen soon.')),
    })
    .default(urgencyDefaults.respondWithinMinutes)
    .register(
      ...describes('Minutes of opening time to the first call, unless the tier or the channel is sooner.'),
    ),
  criteria: z
    .array(urgencyCriterionSchema)
    .max(100)
    .default(urgencyDefaults.criteria)
    .register(
      ...describes(
        'Reasons to see somebody sooner; the most urgent that fits counts, of equal ones the first.',
      ),
    ),
});
export type UrgencyCriteria = z.infer<typeof urgencySchema>;
