/**
 * What comes back of mails: bounces, complaints and openings, as SES tells them. A
 * mailbox that bounced for good, or whose reader complained, gets nothing any more, and
 * somebody is asked to find another way. An opening is noted, and nothing follows from it:
 * programs that look into mails open them, too.
 */
import * as z from 'zod';
import type { Consents } from '../../shared/data/consents.ts';
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { askStaff } from '../../shared/data/mail-tasks.ts';
import type { Mailboxes } from '../../shared/data/mailboxes.ts';
import type { Messages } from '../../shared/data/messages.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Tasks } from '../../shared/data/tasks.ts';
import { normalizeEmail } from '../../shared/domain/contact-point.ts';
import { type Environment, idSchema } from '../../shared/domain/ids.ts';
import {
  isToldBefore,
  type SuppressionReason,
  standingOf,
  suppressed,
} from '../../shared/domain/messages/consent.ts';
import { type MessageRecord, messageOpened } from '../../shared/domain/messages/record.ts';
import { openings } from '../../shared/domain/messages/template.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';
import type { Digest } from '../../shared/secrets/digest.ts';

const recipients = z.array(z.object({ emailAddress: z.string() }));
const tag = z.array(z.string()).optional();
const timestamp = z.iso.datetime({ offset: true });

/** An event of SES, as it publishes it to a topic; what is not needed of it is not looked at. */
const sesEventSchema = z.object({
  eventType: z.string(),
  mail: z.object({
    tags: z.object({ inquiry: tag, contact: tag, message: tag }).optional(),
    destination: z.array(z.string()).optional(),
  }),
  bounce: z
    .object({ bounceType: z.string(), bouncedRecipients: recipients, timestamp: timestamp.optional() })
    .optional(),
  complaint: z.object({ complainedRecipients: recipients, timestamp: timestamp.optional() }).optional(),
  // From where and with what it was opened is none of our business.
  open: z.object({ timestamp }).optional(),
});
export type SesEvent = z.infer<typeof sesEventSchema>;

/**
 * An event as a topic delivers it; undefined for the plain sentence that SES publishes when it is told
 * of the topic. @throws where it is an event that cannot be read
 */
export const readSesEvent = (text: string): SesEvent | undefined =>
  text.trimStart().startsWith('{') ? sesEventSchema.parse(JSON.parse(text)) : undefined;

export interface FeedbackDependencies {
  readonly table: Table;
  readonly inquiries: Pick<Inquiries, 'findHead'>;
  readonly contacts: Pick<Contacts, 'addEntry' | 'findByPoint' | 'findWhole'>;
  readonly consents: Pick<Consents, 'of'>;
  readonly messages: Pick<Messages, 'find' | 'save'>;
  readonly mailboxes: Mailboxes;
  readonly tasks: Tasks;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
  readonly openDigest: () => Promise<Digest>;
}

export type Feedback =
  | 'mailbox_suppressed'
  | 'mailbox_suppressed_before'
  /** A member's mailbox: they may not learn of their inquiries. */
  | 'staff_mail_bounced'
  /** It may go better the next time. */
  | 'bounce_passing'
  | 'mail_rejected'
  | 'opening_noted'
  /** Told twice, or opened again: one opening is shown. */
  | 'opening_noted_before'
  /** Nobody may look, or not any more: nothing is kept of it. */
  | 'opening_not_looked_at'
  | 'feedback_noted';

const mostAttempts = 6;

/** Takes up one event; gives what became of each recipient. @throws where it could not be written down */
export async function takeFeedback(dependencies: FeedbackDependencies, event: SesEvent): Promise<Feedback[]> {
  const { bounce, complaint, eventType } = event;
  if (bounce) {
    if (bounce.bounceType !== 'Permanent') return ['bounce_passing'];
    return await suppressAll(dependencies, event, bounce.bouncedRecipients, 'bounce', bounce.timestamp);
  }
  if (event.open) return [await noteOpening(dependencies, event.mail, event.open.timestamp)];
  if (complaint) {
    const { complainedRecipients, timestamp: at } = complaint;
    return await suppressAll(dependencies, event, complainedRecipients, 'complaint', at);
  }
  return [eventType === 'Reject' || eventType === 'Rendering Failure' ? 'mail_rejected' : 'feedback_noted'];
}

const suppressAll = (
  dependencies: FeedbackDependencies,
  event: SesEvent,
  addresses: readonly { readonly emailAddress: string }[],
  reason: SuppressionReason,
  at: string | undefined,
): Promise<Feedback[]> =>
  Promise.all(addresses.map(({ emailAddress }) => suppress(dependencies, event, emailAddress, reason, at)));

/** An address as SES writes it: alone, or with a name before it. */
const addressIn = (text: string): string | undefined =>
  normalizeEmail(/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text);

const idIn = (kind: 'inquiry' | 'contact', values: readonly string[] | undefined): string | undefined => {
  const parsed = idSchema(kind).safeParse(values?.[0]);
  return parsed.success ? parsed.data : undefined;
};

async function suppress(
  dependencies: FeedbackDependencies,
  { mail }: SesEvent,
  given: string,
  reason: SuppressionReason,
  at: string | undefined,
): Promise<Feedback> {
  const { table, inquiries, contacts, messages, mailboxes, environment } = dependencies;
  const address = addressIn(given);
  if (address === undefined) return 'feedback_noted';
  const practice = await dependencies.practice();
  // Mails to staff carry no tags; a member who is a patient, too, is one in what is about that.
  const isToStaff = mail.tags?.message === undefined;
  if (isToStaff && practice.members.some(({ email }) => normalizeEmail(email) === address))
    return 'staff_mail_bounced';
  const digest = (await dependencies.openDigest())('email', address);
  const inquiryId = idIn('inquiry', mail.tags?.inquiry);
  const key = mail.tags?.message?.[0];

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const mailbox = await mailboxes.find(digest);
    // Told twice, known by another message, or lifted since: events may come again days later.
    if (isToldBefore(mailbox, reason, at)) return 'mailbox_suppressed_before';
    const head = inquiryId === undefined ? undefined : await inquiries.findHead(inquiryId);
    const record =
      head && key !== undefined ? await messages.find(head.id, key).catch(() => undefined) : undefined;
    const contactId =
      head?.contactId ??
      idIn('contact', mail.tags?.contact) ??
      (await contacts.findByPoint({ kind: 'email', digest }, 1))[0];
    const now = environment.now();
    const entry = contactId !== undefined && {
      entryId: environment.newId('entry'),
      contactId,
      ...(head && { inquiryId: head.id }),
      actor: systemActor,
      at: now.toISOString(),
    };
    const title =
      reason === 'bounce'
        ? 'E-mail does not arrive: find another way to reach them'
        : 'They marked our e-mail as spam: write no more, call instead';
    const done = await table.transact([
      mailboxes.save(digest, suppressed(mailbox, reason, now)),
      ...(record ? [messages.save({ ...record, version: record.version + 1, feedback: reason })] : []),
      ...(entry
        ? [
            contacts.addEntry(
              entryOf('mailbox_suppressed', entry, { reason, ...(record && { message: record.key }) }),
            ),
            ...askStaff(dependencies, practice, { contactId: entry.contactId, head, title }, now),
          ]
        : []),
    ]);
    if (done.committed) return 'mailbox_suppressed';
  }
  throw new Error('the mailbox or its inquiry changed in every attempt');
}

/** Notes that a message was opened, once, if whoever got it lets the practice see that. @throws likewise */
async function noteOpening(
  dependencies: FeedbackDependencies,
  { tags, destination = [] }: SesEvent['mail'],
  openedAt: string,
): Promise<Feedback> {
  const { table, contacts, messages, environment } = dependencies;
  const inquiryId = idIn('inquiry', tags?.inquiry);
  const key = tags?.message?.[0];
  if (inquiryId === undefined || key === undefined) return 'opening_not_looked_at';
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await messages.find(inquiryId, key);
    if (!record?.tracked || !(await mayLook(dependencies, record, destination)))
      return 'opening_not_looked_at';
    if (record.openedAt !== undefined) return 'opening_noted_before';
    const now = environment.now();
    const recordedAt = now.toISOString();
    const told = new Date(openedAt).toISOString();
    // Never before it was sent, nor in the future, whatever another clock says.
    const at = told < record.stateAt ? record.stateAt : told > recordedAt ? recordedAt : told;
    const { contactId, templateId: template } = record;
    const frame = {
      entryId: environment.newId('entry'),
      contactId,
      inquiryId,
      actor: systemActor,
      at,
      ...(at !== recordedAt && { recordedAt }),
    };
    const done = await table.transact([
      messages.save(messageOpened(record, at)),
      contacts.addEntry(entryOf('message_opened', frame, { key, template })),
    ]);
    if (done.committed) return 'opening_noted';
  }
  throw new Error('the message changed in every attempt');
}

/** Whether the practice still looks, and whoever got it has taken nothing back since it was sent. */
async function mayLook(
  dependencies: FeedbackDependencies,
  { recipientId }: MessageRecord,
  destination: readonly string[],
): Promise<boolean> {
  const { contacts, consents, mailboxes, environment } = dependencies;
  const { messages } = await dependencies.practice();
  if (!messages.trackOpenings || recipientId === undefined) return false;
  const addresses = destination.flatMap((text) => addressIn(text) ?? []);
  const whole = await contacts.findWhole(recipientId, { consistent: true });
  if (!whole || addresses.length === 0) return false;
  const digest = await dependencies.openDigest();
  const agreed = await consents.of(whole.family.map(({ id }) => id));
  const boxes = await Promise.all(addresses.map((address) => mailboxes.find(digest('email', address))));
  const now = environment.now();
  return boxes.every((mailbox) => 'consent' in standingOf(openings, { consents: agreed, mailbox }, now));
}
