/** Words as people write them, in the one form in which they are compared. */
import * as z from 'zod';

/** Folds a wording for comparison: case, accents, punctuation and spacing do not count. */
export function foldWording(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** A word or a phrase that is looked for; whole words only, so that "pain" is not found in "Spain". */
export const phraseSchema = z
  .string()
  .min(1)
  .max(100)
  .refine((phrase) => foldWording(phrase) !== '', 'needs a letter or a digit');

/** Whether a phrase stands in a text as whole words; both are folded before. */
export const holdsPhrase = (foldedText: string, foldedPhrase: string): boolean =>
  ` ${foldedText} `.includes(` ${foldedPhrase} `);

/** The phrases of a list that stand in a text, as the list writes them. */
export function findPhrases(text: string, phrases: readonly string[]): string[] {
  if (phrases.length === 0) return [];
  const folded = foldWording(text);
  return phrases.filter((phrase) => holdsPhrase(folded, foldWording(phrase)));
}
