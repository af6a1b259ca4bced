/** What a web form or an integration posts, checked field by field. */
import * as z from 'zod';
import { channels } from './channels.ts';
import { clean, languageTag, limits, line, paragraph } from './text-fields.ts';
import { isTimeZone } from './time-zone.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const strayCharacters = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/gu;

/** A field a person ticks: what browsers and integrations send for yes and for no. */
const consent = z
  .union([z.boolean(), z.string()], 'must be yes or no')
  .transform((value) => (typeof value === 'string' ? value.trim().toLowerCase() : value))
  .refine((value) => ['yes', 'true', 'on', '1', true, 'no', 'false', 'off', '0', '', false].includes(value), {
    message: 'must be yes or no',
  })
  .transform((value) => ['yes', 'true', 'on', '1', true].includes(value))
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

/**
 * The site behind a page's address: its host name, since the rest of an address may say who was looking
 * for what. Undefined where the text names none.
 */
export const hostOf = (text: string): string | undefined =>
  (URL.parse(text) ?? URL.parse(`https://${text}`))?.hostname.replace(/\.$/, '') || undefined;

/** Parameters of a campaign link that no field stands for; there are as many as there are platforms. */
export const isUnknownUtm = (name: string): boolean =>
  /^utm_[a-z0-9_]{1,40}$/i.test(name) && !(utmParameters as readonly string[]).includes(name);

/** One schema for all fields of a kind: making them is a good part of a cold start. */
const each = <Name extends string, Schema>(names: readonly Name[], schema: Schema): Record<Name, Schema> =>
  Object.fromEntries(names.map((name) => [name, schema])) as Record<Name, Schema>;

const tracking = {
  ...each(utmParameters, trackingText(limits.short)),
  ...each(clickIds, trackingText(limits.clickId)),
};

/** What a program filled in: one that is none is left out, never a reason to refuse a person. */
const timeZone = trackingText(limits.short)
  .transform((zone) => (zone !== undefined && isTimeZone(zone) ? zone : undefined))
  .optional();

const name = line(limits.name);
const short = line(limits.short);

/** The fields of `POST /v1/inquiries`. A field that is not among them is an error, not ignored. */
export const submissionSchema = z.strictObject(
  {
    name,
    email: line(limits.email),
    phone: line(limits.phone),
    service: short,
    message: paragraph(limits.message),
    preferredTime: short,
    language: languageTag,
    insurance: short,
    location: short,
    /** Whom it is for, where the writer is somebody else. */
    patientName: name,
    /** Of the patient, in years. */
    age,
    postalCode: short,
    /** Counts only where the form may name its channel, as does `source`. */
    channel,
    source: short,
    campaign: short,
    /** Of whoever wrote, as their browser knows it. */
    timeZone,
    ...tracking,
    /** The page that led to the form's page, as a script there sees it; only its site is kept. */
    referrer: trackingText(limits.clickId)
      .transform((text) => text && hostOf(text))
      .optional(),
    consentEmail: consent,
    /** To the practice seeing whether they open its e-mails. */
    consentOpenings: consent,
    /** The honeypot: people do not see it, so what fills it is not one. */
    website: line(2_000),
    idempotencyKey: short,
  },
  'must be an object of fields',
);
export type Submission = z.output<typeof submissionSchema>;
