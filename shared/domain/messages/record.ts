/**
 * The record of one message to a person: asked for, being sent, sent; or refused.
 * Whoever claims it sends it, and a claim that never ended, by a crash, may be
 * taken over once its lease is over: so it goes out once more per crash at the most.
 */
import * as z from 'zod';
import { after } from '../inquiry/state.ts';
import { refusals } from './lawful.ts';
import { messageClasses, purposes } from './template.ts';

const instantSchema = z.iso.datetime();

/** Why a message that was asked for never goes out. */
export const dropReasons = [
  ...refusals,
  'no_template',
  'no_guardian',
  'too_late',
  /** Nobody calls back any more. */
  'closed',
  /** They got this step of a sequence by another inquiry of theirs. */
  'sent_before',
  /** It was a step of one, and waited for its hour. */
  'sequence_ended',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** What has a message sent. */
export const messageKinds = ['acknowledgement', 'reply', 'nurture'] as const;

export const messageRecordSchema = z.lazy(() =>
  z.object({
    inquiryId: z.string(),
    /** The inquiry's contact, whose timeline tells of it. */
    contactId: z.string(),
    /** Names it among the messages of its inquiry: of each there is one. */
    key: z.string(),
    kind: z.enum(messageKinds),
    templateId: z.string(),
    version: z.int().min(1),
    /** Who asked for it: `firstcall`, or a rule. */
    by: z.string(),
    state: z.enum(['pending', 'sending', 'sent', 'refused']),
    askedAt: instantSchema,
    /** When the state was entered. */
    stateAt: instantSchema,
    /** When the sweep asks for it, until it is settled. */
    nextAt: instantSchema.optional(),
    repeats: z.int().min(0),
    refused: z.enum(dropReasons).optional(),
    /** Who got it, as what, in which language. */
    recipientId: z.string().optional(),
    class: z.enum(messageClasses).optional(),
    purpose: z.enum(purposes).optional(),
    language: z.string().optional(),
    /** Whether it tells when it is opened. */
    tracked: z.boolean().optional(),
    /** When it was first opened, as far as SES can tell: programs open mails, too. */
    openedAt: instantSchema.optional(),
    /** What became of it afterwards. */
    feedback: z.enum(['bounce', 'complaint']).optional(),
  }),
);
export type MessageRecord = z.infer<typeof messageRecordSchema>;

/** A message whose sending began this long ago and never ended may be sent again. */
export const messageLeaseMs = 90_000;
/** A message that nobody has taken up is asked for again after this long. */
const firstPauseMs = 2 * 60_000;
const longestPauseMs = 60 * 60_000;
/** An answer that could not go out for this long is none any more. */
export const answerWithinMs = 24 * 60 * 60_000;

export type AskedMessage = Pick<
  MessageRecord,
  'inquiryId' | 'contactId' | 'key' | 'kind' | 'templateId' | 'by'
>;

/** A message that is asked for. */
export const asked = (message: AskedMessage, now: Date): MessageRecord => ({
  ...message,
  version: 1,
  state: 'pending',
  askedAt: now.toISOString(),
  stateAt: now.toISOString(),
  nextAt: after(now, firstPauseMs),
  repeats: 0,
});

/** A message as it is before anything of it is written: whoever decides about it writes it with what it comes to. */
export const unwritten = (record: MessageRecord): MessageRecord => ({ ...record, version: 0 });

/** Whether it may be claimed now: nobody has, or whoever had seems to have crashed. */
export const isClaimable = ({ state, stateAt }: MessageRecord, now: Date): boolean =>
  state === 'pending' || (state === 'sending' && stateAt <= after(now, -messageLeaseMs));

const moved = (record: MessageRecord, state: MessageRecord['state'], now: Date): MessageRecord => ({
  ...record,
  version: record.version + 1,
  state,
  stateAt: now.toISOString(),
});

const settled = (record: MessageRecord, state: 'sent' | 'refused', now: Date): MessageRecord => {
  const { nextAt: _settled, ...rest } = moved(record, state, now);
  return rest;
};

/**
 * The record while it is being sent; until the lease is over nobody else does. To whom, and whether
 * it tells of its opening, is noted before: that can be told before the sending is.
 */
export const claimed = (
  record: MessageRecord,
  as: Required<Pick<MessageRecord, 'recipientId' | 'tracked'>>,
  now: Date,
): MessageRecord => ({
  ...moved(record, 'sending', now),
  ...as,
  nextAt: after(now, firstPauseMs),
});

/** The record once it is out. */
export const messageSent = (
  record: MessageRecord,
  to: Pick<MessageRecord, 'recipientId' | 'class' | 'purpose' | 'language'>,
  now: Date,
): MessageRecord => ({ ...settled(record, 'sent', now), ...to });

/** The record once it was opened. */
export const messageOpened = (record: MessageRecord, openedAt: string): MessageRecord => ({
  ...record,
  version: record.version + 1,
  openedAt,
});

/** The record once it is certain that it does not go out. */
export const messageRefused = (record: MessageRecord, reason: DropReason, now: Date): MessageRecord => ({
  ...settled(record, 'refused', now),
  refused: reason,
});

/** The record of a message that has to wait: for the hour, or for its turn. */
export const putOff = (record: MessageRecord, until: string): MessageRecord => ({
  ...record,
  version: record.version + 1,
  state: 'pending',
  nextAt: until,
});

/** The record once the sweep has asked for it; undefined where it is not due. */
export function takeDueMessage(record: MessageRecord, now: Date): MessageRecord | undefined {
  if (record.nextAt === undefined || record.nextAt > now.toISOString()) return undefined;
  return {
    ...record,
    version: record.version + 1,
    nextAt: after(now, Math.min(firstPauseMs * 2 ** record.repeats, longestPauseMs)),
    repeats: record.repeats + 1,
  };
}
