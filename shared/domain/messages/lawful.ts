/**
 * Whether a message may be sent to a person, decided in one place. What may be
 * is a `Sendable`, which nothing but this decision can make, and the mailer for
 * people takes nothing else.
 */
import { findPhrases } from '../wording.ts';
import { type Consent, type Mailbox, standingOf } from './consent.ts';
import { type QuietHours, quietUntil } from './quiet-hours.ts';
import {
  isPromotional,
  type MessageClass,
  type MessageVariable,
  messageClasses,
  openings,
  type Purpose,
  purposesOf,
  type Template,
  type TemplateVersion,
  versionFor,
} from './template.ts';

/** Why a message is not sent. Each is a code: what it is about stays with the person. */
export const refusals = [
  'unclassed',
  'not_of_its_class',
  'names_what_it_is_about',
  'quarantined',
  'red_flag',
  'minor',
  'no_address',
  'suppressed',
  'opted_out',
  'no_consent',
  'no_authorisation',
  'no_postal_address',
  'too_many_today',
] as const;
export type RefusalReason = (typeof refusals)[number];

/** A message waits for its turn this long at the most once it may go, in milliseconds: still not in quiet hours. */
export const mostPauseMs = 5_000;

/** Messages that one mailbox gets in a UTC day at the most, whatever is posted in its name. */
export const mostPerDay = 5;

/** What fills a message in, in its own language. */
export type MessageValues = Readonly<Record<Exclude<MessageVariable, 'firstName'>, string>>;

/** The practice, as far as its messages show it. */
export interface Sender {
  readonly postalAddress?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly quietHours: QuietHours;
  /** Whether the practice wants to see what is opened, of those who agreed to it. */
  readonly tracksOpenings: boolean;
  /** What no subject may name: the practice's services, and the conditions that it looks for. */
  readonly unnameable: readonly string[];
  readonly values: (language: string) => MessageValues;
  /** What whoever wrote of an emergency is told. */
  readonly emergencyNotice: (language: string) => string;
}

/** Who is written to. */
export interface Recipient {
  readonly contactId: string;
  readonly email?: string | undefined;
  readonly firstName?: string | undefined;
  readonly languages: readonly string[];
  /** Their own zone; where it is not known, that of the location they wrote to. */
  readonly timeZone: string;
  /** Nobody writes to a child: a guardian is the recipient then. */
  readonly isMinor: boolean;
}

/** Everything that the decision looks at. */
export interface Situation {
  readonly recipient: Recipient;
  /** Of every contact that the recipient is since merges. */
  readonly consents: readonly Consent[];
  readonly mailbox: Mailbox;
  /** What the message is about. */
  readonly inquiry: {
    readonly quarantined: boolean;
    readonly redFlag?: 'raised' | 'confirmed' | 'false_alarm' | undefined;
  };
  readonly sender: Sender;
  readonly now: Date;
}

interface Permitted {
  readonly to: string;
  readonly contactId: string;
  readonly templateId: string;
  readonly class: MessageClass;
  readonly purpose: Purpose;
  readonly language: string;
  readonly version: TemplateVersion;
  readonly values: MessageValues & { readonly firstName: string };
  readonly replyTo: string | undefined;
  /** Put before everything else. */
  readonly emergencyNotice: string | undefined;
  /** Stands under a message that advertises. */
  readonly postalAddress: string | undefined;
  /** The practice sees whether it is opened. */
  readonly tracked: boolean;
}

class LawfulMessage {
  // Private, and the class is not exported: no other object has this type, however it is shaped.
  readonly #permitted: Permitted;
  constructor(permitted: Permitted) {
    this.#permitted = permitted;
  }
  get message(): Permitted {
    return this.#permitted;
  }
}

/** A message that may be sent, to whom it may be sent, as it may be sent. */
export type Sendable = LawfulMessage;

export type Lawfulness =
  | { readonly sendable: Sendable }
  /** It may be sent, but not at this hour. */
  | { readonly notBefore: string }
  | { readonly refused: RefusalReason };

const refuse = (refused: RefusalReason): Lawfulness => ({ refused });

/** Decides about one message to one person. */
export function lawful(template: Template, situation: Situation): Lawfulness {
  const { recipient, mailbox, inquiry, sender, now } = situation;
  const promotional = isPromotional(template);

  const unlawful = ofTemplate(template, sender);
  if (unlawful) return refuse(unlawful);
  if (inquiry.quarantined) return refuse('quarantined');
  if (recipient.isMinor) return refuse('minor');
  if (recipient.email === undefined) return refuse('no_address');
  if (mailbox.suppressed) return refuse('suppressed');
  const mayHaveEmergency = inquiry.redFlag === 'raised' || inquiry.redFlag === 'confirmed';
  if (promotional && mayHaveEmergency) return refuse('red_flag');
  const disagreed = ofConsent(template, situation);
  if (disagreed) return refuse(disagreed);
  if (promotional && sender.postalAddress === undefined) return refuse('no_postal_address');
  const isToday = mailbox.day === now.toISOString().slice(0, 10);
  if (isToday && mailbox.sentThatDay >= mostPerDay) return refuse('too_many_today');

  // An answer goes out at once: whoever has just written is awake.
  const quiet =
    template.class === 'transactional' && !promotional
      ? undefined
      : (quietUntil(now, sender.quietHours, recipient.timeZone) ??
        quietUntil(new Date(now.getTime() + mostPauseMs), sender.quietHours, recipient.timeZone));
  if (quiet) return { notBefore: quiet.toISOString() };

  const chosen = versionFor(template, recipient.languages);
  if (!chosen) return refuse('unclassed');
  const { language, version } = chosen;
  return {
    sendable: new LawfulMessage({
      to: recipient.email,
      contactId: recipient.contactId,
      templateId: template.id,
      class: template.class,
      purpose: template.purpose,
      language,
      version,
      values: { ...sender.values(language), firstName: recipient.firstName ?? '' },
      replyTo: sender.replyTo,
      emergencyNotice: mayHaveEmergency ? sender.emergencyNotice(language) : undefined,
      postalAddress: sender.postalAddress,
      tracked: isTracked(template, situation),
    }),
  };
}

/** What is wrong with a template, whoever it goes to. */
function ofTemplate(template: Template, { unnameable }: Sender): RefusalReason | undefined {
  // What was stored is not always what a type says.
  if (!messageClasses.includes(template.class)) return 'unclassed';
  if (!purposesOf[template.class].includes(template.purpose)) return 'not_of_its_class';
  const namesIt = Object.values(template.versions).some(
    ({ subject, preview = '' }) => findPhrases(`${subject} | ${preview}`, unnameable).length > 0,
  );
  return namesIt ? 'names_what_it_is_about' : undefined;
}

/** An answer is never tracked; anything else only where the practice wants it and they agreed to just that. */
const isTracked = ({ class: is }: Template, situation: Situation): boolean =>
  situation.sender.tracksOpenings &&
  is !== 'transactional' &&
  'consent' in standingOf(openings, situation, situation.now);

function ofConsent({ class: is, purpose, paid }: Template, situation: Situation): RefusalReason | undefined {
  const { now } = situation;
  const at = now.toISOString();
  const standing = standingOf(purpose, situation, now);
  if ('refused' in standing) return standing.refused;
  if (is !== 'third_party' && paid === undefined) return undefined;
  const { authorisation } = standing.consent;
  const inForce = authorisation && authorisation.signedAt <= at && at < authorisation.expiresAt;
  if (!inForce) return 'no_authorisation';
  return paid !== undefined && authorisation.remuneration !== paid.remuneration
    ? 'no_authorisation'
    : undefined;
}
