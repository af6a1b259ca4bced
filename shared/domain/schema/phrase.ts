/** Words that are looked for in what people write. */
import * as z from 'zod';
import { foldWording } from '../wording.ts';

/** A word or a phrase that is looked for; whole words only, so that "pain" is not found in "Spain". */
export const phraseSchema = z
  .string()
  .min(1)
  .max(100)
  .refine((phrase) => foldWording(phrase) !== '', 'needs a letter or a digit');
