/** Texts that people read, in their own language where there is one. */

/** One text for everybody, or one per language tag (`en`, `es`). */
export type Localized = string | Readonly<Record<string, string>>;

const baseOf = (tag: string): string => tag.toLowerCase().split('-', 1)[0] ?? '';

/**
 * The first of the languages in which there is something, of any region where their own has nothing; else
 * English, else the first that there is. The tags of `versions` are in lower case.
 */
export function languageFor(
  versions: Readonly<Record<string, unknown>>,
  languages: readonly string[],
): string | undefined {
  const there = Object.keys(versions);
  const versionOf = (tag: string): string | undefined => {
    const exact = tag.toLowerCase();
    const base = baseOf(tag);
    return [exact, base].find((one) => there.includes(one)) ?? there.find((one) => baseOf(one) === base);
  };
  for (const tag of [...languages, 'en']) {
    const found = versionOf(tag);
    if (found !== undefined) return found;
  }
  return there[0];
}

/** The text for somebody who reads these languages. */
export function inLanguage(text: Localized, languages: readonly string[]): string {
  if (typeof text === 'string') return text;
  return text[languageFor(text, languages) ?? ''] ?? '';
}

/** The text in each of its languages, for somebody whose language is not known; without a language where it is for all. */
export const inEveryLanguage = (
  text: Localized,
): readonly { readonly language?: string; readonly text: string }[] =>
  typeof text === 'string'
    ? [{ text }]
    : Object.entries(text).map(([language, version]) => ({ language, text: version }));
