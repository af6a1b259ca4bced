/** Words as people write them, in the one form in which they are compared. */

const apostrophes = /['’‘‛ʼʹ`´′＇]/gu;
/** Of those, the ones within a contraction that people write without them: can't, I'm, I've, you're. */
const contracted = /(?<=n)['’‘‛ʼʹ`´′＇](?=t\b)|(?<=\p{L})['’‘‛ʼʹ`´′＇](?=(?:m|ve|re)\b)/giu;

const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/**
 * Folds a wording for comparison: case, accents, punctuation and spacing do not count, so that
 * "l'acné" has the word acne and "child's" the word child; but "can't" and "cant" are one word.
 */
export const foldWording = (text: string): string => fold(text.replace(contracted, ''));

/** A folded text with a space at both of its ends, where words of a phrase may begin and end. */
const spaced = (folded: string): string => ` ${folded} `;

/** Whether a phrase stands in a text as whole words; both are folded before. */
export const holdsPhrase = (foldedText: string, foldedPhrase: string): boolean =>
  spaced(foldedText).includes(spaced(foldedPhrase));

/** A text with its apostrophes as spaces, as nothing, and as nothing in contractions alone. */
const readings = (text: string): string[] => {
  const joined = text.replace(apostrophes, '');
  // Most texts have none, and so one reading.
  return joined === text ? [fold(text)] : [fold(text), fold(joined), foldWording(text)];
};

/** Phrases are configuration, looked for again and again: each is folded once. */
const foldedPhrases = new Map<string, readonly string[]>();
const mostKept = 10_000;

function readingsOfPhrase(phrase: string): readonly string[] {
  const known = foldedPhrases.get(phrase);
  if (known) return known;
  if (foldedPhrases.size >= mostKept) foldedPhrases.clear();
  const folded = [...new Set(readings(phrase))].map(spaced);
  foldedPhrases.set(phrase, folded);
  return folded;
}

/**
 * The phrases of a list that stand in a text, as the list writes them. An apostrophe that one of the
 * two has and the other lacks, or has a space for, is no difference.
 */
export function findPhrases(text: string, phrases: readonly string[]): string[] {
  if (phrases.length === 0) return [];
  const texts = readings(text).map(spaced);
  return phrases.filter((phrase) =>
    readingsOfPhrase(phrase).some((wanted) => texts.some((one) => one.includes(wanted))),
  );
}
