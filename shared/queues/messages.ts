/** What travels between the functions: ids and versions, nothing about a person. */
import * as z from 'zod';
import { idSchema } from '../domain/ids.ts';

/** Asks for the next step of an inquiry: its scoring, or its routing. */
export const stepMessageSchema = z.object({ inquiryId: idSchema('inquiry'), version: z.int() });
export type StepMessage = z.infer<typeof stepMessageSchema>;

/** Asks for a mail: the newest of an inquiry, the alert of its red flag, or the weekly report of a location. */
export const mailMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('inquiry'), inquiryId: idSchema('inquiry'), version: z.int() }),
  z.object({ kind: z.literal('alert'), inquiryId: idSchema('inquiry') }),
  z.object({ kind: z.literal('weekly_report'), locationId: z.string(), version: z.int() }),
]);
export type MailMessage = z.infer<typeof mailMessageSchema>;

/** A queue as a sender sees it. */
export interface Queue<Message> {
  send(message: Message): Promise<void>;
  /** Sends many, ten to a call. */
  sendAll(messages: readonly Message[]): Promise<void>;
}
