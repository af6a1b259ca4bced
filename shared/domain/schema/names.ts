/** What every entity of a practice file is called, by software and by people. */
import * as z from 'zod';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';

export const idOf = (what: string) =>
  slugSchema.describe(
    `Your id of the ${what}: lower-case letters, digits and single hyphens. Keep it; inquiries carry it.`,
  );
export const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .register(...describes('As people read it; may change at any time.'));
