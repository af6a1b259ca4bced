/** Where inquiries come from, and how one is told. */
import * as z from 'zod';
import { sourceMatchDefaults } from '../defaults.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

export const sourceSchema = z.strictObject({
  id: idOf('lead source'),
  name: nameSchema,
  quality: z
    .int()
    .min(0)
    .max(100)
    .register(
      ...describes("How good leads from here have been: points of the score, at most the model's cap (40)."),
    ),
  match: z
    .strictObject({
      clickIds: z
        .array(z.enum(['gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid']))
        .default(sourceMatchDefaults.clickIds)
        .register(...describes('Names of click ids whose presence means this source.')),
      utm: z
        .array(
          z.strictObject({
            source: z
              .string()
              .min(1)
              .max(100)
              .optional()
              .register(...describes('utm_source, where it counts.')),
            medium: z
              .string()
              .min(1)
              .max(100)
              .optional()
              .register(...describes('utm_medium, where it counts.')),
          }),
        )
        .default(sourceMatchDefaults.utm)
        .register(...describes('Pairs of utm_source and utm_medium; what is left out may be anything.')),
      referrers: z
        .array(z.string().min(1).max(253))
        .default(sourceMatchDefaults.referrers)
        .register(...describes('Host names of referring sites; a host also stands for its subdomains.')),
    })
    .optional()
    .register(...describes('What in a request points at this source; the first source that matches wins.')),
});
export type Source = z.infer<typeof sourceSchema>;
