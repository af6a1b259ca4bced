/** What patients ask for. */
import * as z from 'zod';
import { serviceDefaults } from '../defaults.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

export const serviceSchema = z.strictObject({
  id: idOf('service'),
  name: nameSchema,
  aliases: z
    .array(z.string().min(1).max(200))
    .default(serviceDefaults.aliases)
    .register(
      ...describes('Other words for it, as forms and ads write them; compared without case and accents.'),
    ),
  valueCents: z
    .int()
    .min(0)
    .max(100_000_000)
    .register(
      ...describes('Expected first-year collections of one new patient, in US cents: 45000 is $450.'),
    ),
});
export type Service = z.infer<typeof serviceSchema>;
