/** What a person has agreed to, per purpose; and what a mailbox may not get, whoever reads it. */
import * as z from 'zod';
import { type ConsentPurpose, consentPurposes, purposes, takenBackWith } from './template.ts';

const instantSchema = z.iso.datetime();

/** A HIPAA authorisation for messages that others pay for, as the person signed it. */
export const authorisationSchema = z.lazy(() =>
  z.object({
    signedAt: instantSchema,
    expiresAt: instantSchema,
    /** What is paid for the message, as the authorisation names it. */
    remuneration: z.string().min(1),
  }),
);
export type Authorisation = z.infer<typeof authorisationSchema>;

export const consentSchema = z.lazy(() =>
  z.object({
    purpose: z.enum(consentPurposes),
    given: z.boolean(),
    at: instantSchema,
    /** Where and how it was given or taken back. */
    source: z.string(),
    /** Which wording they agreed to. */
    textVersion: z.string().optional(),
    authorisation: authorisationSchema.optional(),
    version: z.int().min(1),
  }),
);
/** A person's consent to one purpose by e-mail, as it stands. */
export type Consent = z.infer<typeof consentSchema>;

/** The wordings beside the tick boxes of the hosted form; a new wording gets a new name. */
export const formConsentTexts = { inquiry: 'form-email-1', openings: 'form-openings-1' } as const;

/** What came with an inquiry that somebody agreed to. */
export type FormConsent = Pick<Consent, 'purpose' | 'source' | 'textVersion'>;

/** What whoever wrote agreed to: by the form's boxes, or, to be answered, by writing an e-mail. */
export function formConsentsOf(
  fields: Readonly<Record<string, string | boolean>>,
  wroteByEmail: boolean,
): FormConsent[] {
  const ticked = (field: string, purpose: keyof typeof formConsentTexts): FormConsent[] =>
    fields[field] === true ? [{ purpose, source: 'form', textVersion: formConsentTexts[purpose] }] : [];
  return [
    ...(wroteByEmail
      ? [{ purpose: 'inquiry' as const, source: 'wrote by e-mail' }]
      : ticked('consentEmail', 'inquiry')),
    ...ticked('consentOpenings', 'openings'),
  ];
}

/** Why nothing is sent to a mailbox. */
export const suppressionReasons = ['bounce', 'complaint'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** What is known of one mailbox, by its digest. */
export const mailboxSchema = z.lazy(() =>
  z.object({
    version: z.int().min(0).default(0),
    /** Nothing is sent to it any more, until staff lift it. */
    suppressed: z.object({ reason: z.enum(suppressionReasons), at: instantSchema }).optional(),
    /** When staff lifted what it was suppressed for: what is told again of before does not count any more. */
    lifted: z.partialRecord(z.enum(suppressionReasons), instantSchema).optional(),
    /** Whoever reads it wants no more of these; since when. */
    optedOut: z.partialRecord(z.enum(consentPurposes), instantSchema).default({}),
    /** Messages of one UTC day, so that nobody floods somebody else's mailbox through a form. */
    day: z.string().optional(),
    sentThatDay: z.int().min(0).default(0),
  }),
);
export type Mailbox = z.infer<typeof mailboxSchema>;

export const unknownMailbox: Mailbox = { version: 0, optedOut: {}, sentThatDay: 0 };

/** Whether something that somebody said counts over what stands: the later word, of one instant the refusal. */
export const countsOver = (
  said: Pick<Consent, 'given' | 'at'>,
  stands: Pick<Consent, 'at'> | undefined,
): boolean => stands === undefined || stands.at < said.at || (!said.given && stands.at === said.at);

/** The purposes of which something is said; without one, what is given is about their inquiry, and all is taken back. */
export const purposesMeant = (
  given: boolean,
  purpose: ConsentPurpose = purposes[0],
): readonly ConsentPurpose[] => (given ? [purpose] : takenBackWith(purpose));

/** Of one person's contacts, the latest word on each purpose. */
export function latestConsents(consents: readonly Consent[]): Map<ConsentPurpose, Consent> {
  const latest = new Map<ConsentPurpose, Consent>();
  for (const consent of consents) {
    const other = latest.get(consent.purpose);
    // Of one instant, the refusal counts.
    const isLater =
      !other || consent.at > other.at || (consent.at === other.at && other.given && !consent.given);
    if (isLater) latest.set(consent.purpose, consent);
  }
  return latest;
}

/** What a person and whoever else reads their mailbox have said. */
export interface WordsSaid {
  /** Of every contact that the person is since merges. */
  readonly consents: readonly Consent[];
  readonly mailbox: Mailbox;
}

/** How a purpose stands now: the consent in force, or why there is none. */
export function standingOf(
  purpose: ConsentPurpose,
  { consents, mailbox }: WordsSaid,
  now: Date,
): { readonly consent: Consent } | { readonly refused: 'opted_out' | 'no_consent' } {
  const consent = latestConsents(consents).get(purpose);
  const optedOutAt = mailbox.optedOut[purpose];
  if (consent && !consent.given) return { refused: 'opted_out' };
  // Several people may read one mailbox: what one of them took back, only a later consent gives again.
  if (optedOutAt !== undefined && (!consent || consent.at <= optedOutAt)) return { refused: 'opted_out' };
  return consent && consent.at <= now.toISOString() ? { consent } : { refused: 'no_consent' };
}

/** The mailbox once whoever reads it wants no more of these; `now`, or when they said so before: a later word stays. */
export function optedOut(mailbox: Mailbox, taken: readonly ConsentPurpose[], now: Date): Mailbox {
  const at = now.toISOString();
  const news = taken.filter((purpose) => (mailbox.optedOut[purpose] ?? '') < at);
  return {
    ...mailbox,
    version: mailbox.version + 1,
    optedOut: { ...mailbox.optedOut, ...Object.fromEntries(news.map((purpose) => [purpose, at])) },
  };
}

/** The mailbox once nothing may be sent to it any more. */
export const suppressed = (mailbox: Mailbox, reason: SuppressionReason, now: Date): Mailbox => ({
  ...mailbox,
  version: mailbox.version + 1,
  suppressed: { reason, at: now.toISOString() },
});

/**
 * Whether what SES tells of a mailbox is known: it is suppressed for that, or for more, or staff lifted it
 * since that happened.
 */
export const isToldBefore = (
  { suppressed: so, lifted }: Mailbox,
  reason: SuppressionReason,
  at: string | undefined,
): boolean =>
  so?.reason === reason ||
  so?.reason === 'complaint' ||
  (at !== undefined && new Date(at).toISOString() <= (lifted?.[reason] ?? ''));

/** The mailbox once staff know that it is read again, or that its reader wants mail after all; what they opted out of stays. */
export function allowedAgain(mailbox: Mailbox, now: Date): Mailbox {
  const { suppressed: was, ...rest } = mailbox;
  const at = now.toISOString();
  // Whoever complained had the mail: no bounce of before is news.
  const lifted = was && { [was.reason]: at, ...(was.reason === 'complaint' && { bounce: at }) };
  return { ...rest, version: mailbox.version + 1, lifted: { ...mailbox.lifted, ...lifted } };
}

/** The mailbox once one more message goes to it. */
export function countedMessage(mailbox: Mailbox, now: Date): Mailbox {
  const day = now.toISOString().slice(0, 10);
  return {
    ...mailbox,
    version: mailbox.version + 1,
    day,
    sentThatDay: mailbox.day === day ? mailbox.sentThatDay + 1 : 1,
  };
}
