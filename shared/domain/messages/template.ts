/**
 * Templates of messages to people. Each has a class, which says what the law
 * asks of it, and a purpose, which is what a person agrees to or takes back.
 */
import { languageFor } from '../languages.ts';

/** What a message is, to the law. There is no message without one. */
export const messageClasses = ['transactional', 'care', 'own_service', 'third_party'] as const;
export type MessageClass = (typeof messageClasses)[number];

/**
 * What a person agrees to get, from what they asked for themselves to what is furthest from it: whoever
 * takes back one takes back those after it, too.
 */
export const purposes = ['inquiry', 'care', 'offers', 'partners'] as const;
export type Purpose = (typeof purposes)[number];

/** The purposes that a message of each class can have: agreeing to an answer is no agreement to an offer of others. */
export const purposesOf: Readonly<Record<MessageClass, readonly Purpose[]>> = {
  transactional: ['inquiry', 'care'],
  care: ['inquiry', 'care'],
  own_service: ['inquiry', 'offers'],
  third_party: ['partners'],
};

/** Agreed to beside a message, never by it: that the practice sees whether what it sent was opened. */
export const openings = 'openings';

/** Everything that a person agrees to, or takes back, by itself. */
export const consentPurposes = [...purposes, openings] as const;
export type ConsentPurpose = (typeof consentPurposes)[number];

/** What goes with a purpose that is taken back: whoever wants no e-mail at all is watched in none. */
export const takenBackWith = (purpose: ConsentPurpose): readonly ConsentPurpose[] => {
  if (purpose === openings) return [openings];
  return purpose === purposes[0] ? consentPurposes : purposes.slice(purposes.indexOf(purpose));
};

/** A template in one language. */
export interface TemplateVersion {
  readonly subject: string;
  /** The line that mailboxes show beside the subject. */
  readonly preview?: string | undefined;
  readonly text: string;
  /** Left out, it is made of the text. */
  readonly html?: string | undefined;
}

export interface Template {
  readonly id: string;
  readonly class: MessageClass;
  readonly purpose: Purpose;
  /** Set where somebody else pays for it: what they pay, in the words that the person's authorisation names. */
  readonly paid?: { readonly remuneration: string } | undefined;
  /** By language, `en` say. */
  readonly versions: Readonly<Record<string, TemplateVersion>>;
}

/** Whether a message advertises: then it carries the practice's address, and goes out by day. */
export const isPromotional = ({ class: is, paid }: Pick<Template, 'class' | 'paid'>): boolean =>
  is === 'own_service' || is === 'third_party' || paid !== undefined;

/** All that a subject and its preview may be filled in with: a locked screen shows both. */
export const subjectVariables = ['practiceName'] as const;

/** All that a message may be filled in with. Nothing of what the person wrote or asked for is among it. */
export const messageVariables = [
  ...subjectVariables,
  'firstName',
  'locationName',
  'phone',
  'hours',
  'opensAt',
  'emergencyLine',
] as const;
export type MessageVariable = (typeof messageVariables)[number];

/** The version in the first of the languages that there is one in; else in English, else the first. */
export function versionFor(
  { versions }: Pick<Template, 'versions'>,
  languages: readonly string[],
): { readonly language: string; readonly version: TemplateVersion } | undefined {
  const language = languageFor(versions, languages);
  const version = language === undefined ? undefined : versions[language];
  return language !== undefined && version ? { language, version } : undefined;
}
