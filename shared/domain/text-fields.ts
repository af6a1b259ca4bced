/**
 * Texts that people type, cleaned of what only attackers send; nothing else of
 * them is changed. A field that is left empty counts as left out.
 */
import * as z from 'zod';

/** Bidirectional controls reorder what a reader sees; zero-width joiners stay, names and emoji need them. */
const bidiControls = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
/** Invisible characters that join nothing. */
const invisible = /[\u200B\u2060\uFEFF\u00AD]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u2028\u2029]/u;
const lineBreaks = /[\n\r\t]/u;

/** Longest texts, in characters; 35 is what RFC 5646 has every reader of language tags take. */
export const limits = {
  name: 200,
  email: 254,
  phone: 40,
  language: 35,
  short: 200,
  message: 5_000,
  clickId: 512,
} as const;

export const clean = (text: string): string => text.replace(bidiControls, '').replace(invisible, '').trim();

const string = z.string('must be text');

/** A text that is well formed; `refuse` says what else is wrong with it. One schema for all of that: each costs start-up time. */
const text = (max: number, tidy: (text: string) => string, refuse: (text: string) => string | undefined) =>
  string
    .transform((given, context) => {
      const cleaned = tidy(given);
      const reason = !given.isWellFormed()
        ? 'has a character that is not valid Unicode'
        : controls.test(given)
          ? 'has a control character'
          : (refuse(given) ?? (cleaned.length > max ? `is longer than ${max} characters` : undefined));
      if (reason !== undefined) {
        context.addIssue({ code: 'custom', message: reason, input: given });
        return z.NEVER;
      }
      return cleaned === '' ? undefined : cleaned;
    })
    .optional();

/** One line of text, at most `max` characters. */
export const line = (max: number) =>
  text(max, clean, (given) => (lineBreaks.test(given) ? 'must be on one line' : undefined));

/** Text of several lines, at most `max` characters. */
export const paragraph = (max: number) =>
  text(
    max,
    (given) => clean(given.replace(/\r\n?/gu, '\n')),
    () => undefined,
  );

export const languageTag = z
  .string('must be text')
  .trim()
  .max(limits.language, `is longer than ${limits.language} characters`)
  .refine((tag) => tag === '' || /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(tag), {
    message: 'must be a language tag such as es or en-US',
  })
  .transform((tag) => (tag === '' ? undefined : tag))
  .optional();
