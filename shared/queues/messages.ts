/** What travels between the functions: ids and versions, nothing about a person. */
import * as z from 'zod';
import { idSchema } from '../domain/ids.ts';

/** Asks for the next step of an inquiry: its scoring, or its routing. */
export const stepMessageSchema = z.object({ inquiryId: idSchema('inquiry'), version: z.int() });
export type StepMessage = z.infer<typeof stepMessageSchema>;

/** How far a look at a queue has come that takes more than one run. */
const placeSchema = z.lazy(() =>
  z.object({
    /** The last entry that was looked at, by its keys. */
    after: z.record(z.string(), z.string()),
    /** The pool's count of news, and of what waited, as the look began; and what was seen of that. */
    news: z.int(),
    waiting: z.int(),
    seen: z.int(),
    /** Who could take anything on each of its pages. */
    able: z.array(z.string()),
  }),
);
export type QueuePlace = z.infer<typeof placeSchema>;

/** Asks for the routing of an inquiry, or of everything that waits for a reason that is now over. */
export const routeMessageSchema = z.lazy(() =>
  z.union([
    stepMessageSchema,
    /** Something that waits in the pool may be for somebody who is there: hand it out. */
    z.object({ kind: z.literal('pool'), poolId: z.string(), from: placeSchema.optional() }),
    /** What the disabled had goes back, and what waits may be for others now. */
    z.object({ kind: z.literal('configuration_changed'), version: z.int() }),
  ]),
);
export type RouteMessage = z.infer<typeof routeMessageSchema>;

/** Asks for a mail: the newest of an inquiry, the alert of its red flag, or the weekly report of a location. */
export const mailMessageSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('inquiry'), inquiryId: idSchema('inquiry'), version: z.int() }),
    z.object({ kind: z.literal('alert'), inquiryId: idSchema('inquiry') }),
    // To people, not to staff: the answers to an arrival, one message, the next step of a sequence.
    z.object({ kind: z.literal('acknowledgement'), inquiryId: idSchema('inquiry') }),
    z.object({ kind: z.literal('message'), inquiryId: idSchema('inquiry'), key: z.string() }),
    z.object({ kind: z.literal('nurture'), inquiryId: idSchema('inquiry'), sequence: z.string() }),
    z.object({ kind: z.literal('weekly_report'), locationId: z.string(), version: z.int() }),
    z.object({ kind: z.literal('task'), contactId: idSchema('contact'), taskId: idSchema('task') }),
    z.object({ kind: z.literal('notice'), inquiryId: idSchema('inquiry'), noticeId: idSchema('entry') }),
    z.object({ kind: z.literal('digest'), memberId: z.string() }),
  ]),
);
export type MailMessage = z.infer<typeof mailMessageSchema>;

/** Asks for a message to a person. */
export type PersonMessage = Extract<MailMessage, { kind: 'acknowledgement' | 'message' | 'nurture' }>;

/** A queue as a sender sees it. */
export interface Queue<Message> {
  send(message: Message): Promise<void>;
  /** Sends many, ten to a call. */
  sendAll(messages: readonly Message[]): Promise<void>;
}
