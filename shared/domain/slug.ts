/** Ids that people choose, in the practice file: short, lower-case, safe as part of a key and of a URL. */
import * as z from 'zod';

export const slugSchema = z
  .string()
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'use lower-case letters, digits and single hyphens')
  .max(40);
