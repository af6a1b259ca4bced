/** Red flags: words that suggest an emergency, and who is told. */
import * as z from 'zod';
import { redFlagsDefaults } from '../defaults.ts';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';
import { localizedSchema } from './localized.ts';
import { phraseSchema } from './phrase.ts';

export const redFlagSchema = z.strictObject({
  id: slugSchema.describe('Your id of the flag, as the alert names it.'),
  words: z
    .array(phraseSchema)
    .min(1)
    .max(200)
    .register(...describes('Whole words or phrases; case, accents and punctuation do not count.')),
});

export const redFlagsSchema = z.strictObject({
  flags: z
    .array(redFlagSchema)
    .max(50)
    .register(...describes('What is looked for in everything a person wrote.')),
  onDuty: z
    .array(slugSchema)
    .default(redFlagsDefaults.onDuty)
    .register(
      ...describes('Members on duty who are alerted beside the managers; without any, the managers alone.'),
    ),
  reply: localizedSchema(500)
    .optional()
    .register(
      ...describes(
        "What whoever wrote such words is told at once, one text or one per language; left out, the practice's emergency line.",
      ),
    ),
});
export type RedFlags = z.infer<typeof redFlagsSchema>;
