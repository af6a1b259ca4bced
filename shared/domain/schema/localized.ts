/** Texts in one language or several. */
import * as z from 'zod';

export const languageSchema = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/, 'use a language such as en or es');

/** One text for everybody, or one per language. */
export function localizedSchema(longest: number) {
  const text = z.string().min(1).max(longest);
  return z.union([
    text,
    z
      .record(languageSchema, text)
      .refine((texts) => Object.keys(texts).length > 0, 'needs at least one language'),
  ]);
}
