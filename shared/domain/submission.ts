/**
 * What a web form or an integration posts, checked field by field. The texts
 * are cleaned of what only attackers send; nothing that a person typed is
 * changed beyond that.
 */
import * as z from 'zod';
import { channels } from './channels.ts';

/** Bidirectional controls reorder what a reader sees; zero-width joiners stay, names and emoji need them. */
const bidiControls = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
/** Invisible characters that join nothing. */
const invisible = /[\u200B\u2060\uFEFF\u00AD]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u2028\u2029]/u;
const lineBreaks = /[\n\r\t]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const strayCharacters = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/gu;

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

const clean = (text: string): string => text.replace(bidiControls, '').replace(invisible, '').trim();

const wellFormed = z
  .string('must be text')
  .refine((text) => text.isWellFormed(), 'has a character that is not valid Unicode')
  .refine((text) => !controls.test(text), 'has a control character');

/** One line of text, at most `max` characters. An empty one counts as left out. */
export const line = (max: number) =>
  wellFormed
    .refine((text) => !lineBreaks.test(text), 'must be on one line')
    .transform(clean)
    .refine((text) => text.length <= max, `is longer than ${max} characters`)
    .transform((text) => (text === '' ? undefined : text))
    .optional();

/** Text of several lines, at most `max` characters. */
export const paragraph = (max: number) =>
  wellFormed
    .transform((text) => clean(text.replace(/\r\n?/gu, '\n')))
    .refine((text) => text.length <= max, `is longer than ${max} characters`)
    .transform((text) => (text === '' ? undefined : text))
    .optional();

/** A field a person ticks: what browsers and integrations send for yes and for no. */
const consent = z
  .union([z.boolean(), z.string()], 'must be yes or no')
  .transform((value) => (typeof value === 'string' ? value.trim().toLowerCase() : value))
  .refine((value) => ['yes', 'true', 'on', '1', true, 'no', 'false', 'off', '0', '', false].includes(value), {
    message: 'must be yes or no',
  })
  .transform((value) => ['yes', 'true', 'on', '1', true].includes(value))
  .optional();

export const languageTag = z
  .string('must be text')
  .trim()
  .max(limits.language, `is longer than ${limits.language} characters`)
  .refine((tag) => tag === '' || /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(tag), {
    message: 'must be a language tag such as es or en-US',
  })
  .transform((tag) => (tag === '' ? undefined : tag))
  .optional();

/** The oldest age that is taken, in years. */
const oldestAge = 120;

/** An age in whole years, kept as text like every other field. */
const age = z
  .union([z.string(), z.number()], 'must be a number')
  .transform((value) => String(value).trim())
  .refine((text) => text === '' || (/^\d{1,3}$/.test(text) && Number(text) <= oldestAge), {
    message: `must be a whole number of years, 0 to ${oldestAge}`,
  })
  .transform((text) => (text === '' ? undefined : String(Number(text))))
  .optional();

const channel = z
  .string('must be text')
  .trim()
  .transform((text) => (text === '' ? undefined : text))
  .pipe(z.enum(channels, `must be one of ${channels.join(', ')}`).optional())
  .optional();

export const utmParameters = [
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_term',
  'utm_content',
  'utm_id',
  'utm_source_platform',
  'utm_creative_format',
  'utm_marketing_tactic',
] as const;
export const clickIds = ['gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid'] as const;

/**
 * What an ad platform put into a link: nobody typed it and nobody sees it in the
 * form, so it is cleaned and cut to length, never a reason to refuse a person.
 */
const trackingText = (max: number) =>
  z
    .string('must be text')
    .transform((text) =>
      clean(text.toWellFormed().replace(strayCharacters, ' ')).slice(0, max).toWellFormed(),
    )
    .transform((text) => (text === '' ? undefined : text))
    .optional();

/** Parameters of a campaign link that no field stands for; there are as many as there are platforms. */
export const isUnknownUtm = (name: string): boolean =>
  /^utm_[a-z0-9_]{1,40}$/i.test(name) && !(utmParameters as readonly string[]).includes(name);

const tracking = {
  ...(Object.fromEntries(utmParameters.map((name) => [name, trackingText(limits.short)])) as Record<
    (typeof utmParameters)[number],
    ReturnType<typeof trackingText>
  >),
  ...(Object.fromEntries(clickIds.map((name) => [name, trackingText(limits.clickId)])) as Record<
    (typeof clickIds)[number],
    ReturnType<typeof trackingText>
  >),
};

/** The fields of `POST /v1/inquiries`. A field that is not among them is an error, not ignored. */
export const submissionSchema = z.strictObject(
  {
    name: line(limits.name),
    email: line(limits.email),
    phone: line(limits.phone),
    service: line(limits.short),
    message: paragraph(limits.message),
    preferredTime: line(limits.short),
    language: languageTag,
    insurance: line(limits.short),
    location: line(limits.short),
    /** Whom it is for, where the writer is somebody else. */
    patientName: line(limits.name),
    /** Of the patient, in years. */
    age,
    postalCode: line(limits.short),
    /** Counts only where the form may name its channel, as does `source`. */
    channel,
    source: line(limits.short),
    campaign: line(limits.short),
    ...tracking,
    consentEmail: consent,
    /** The honeypot: people do not see it, so what fills it is not one. */
    website: line(2_000),
    idempotencyKey: line(limits.short),
  },
  'must be an object of fields',
);
export type Submission = z.output<typeof submissionSchema>;
