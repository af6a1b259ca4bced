/** What was answered to a request, so that its repetition is answered alike. */
import * as z from 'zod';
import { closeReasons, stages } from '../domain/stages.ts';
import { idempotency } from './keys.ts';
import type { Row, Write } from './table.ts';

/** How long a repetition is recognised. */
export const idempotencyHours = 24;

const recordSchema = z.lazy(() =>
  z.object({
    inquiryId: z.string(),
    receivedAt: z.iso.datetime(),
    /** Digest of what was sent; another one under the same key is a conflict. */
    bodyDigest: z.string(),
  }),
);
export type IdempotencyRecord = z.infer<typeof recordSchema>;

export const parseIdempotencyRecord = (row: Row): IdempotencyRecord => recordSchema.parse(row);

const entryRecordSchema = z.lazy(() =>
  z.object({
    entryId: z.string(),
    contactId: z.string(),
    at: z.iso.datetime(),
    recordedAt: z.iso.datetime().optional(),
    /** The inquiry as the entry left it. */
    inquiry: z
      .object({
        id: z.string(),
        version: z.int(),
        stage: z.enum(stages),
        closeReason: z.enum(closeReasons).optional(),
      })
      .optional(),
    bodyDigest: z.string(),
  }),
);
/** What was answered to an entry that staff recorded, but for what the request itself says. */
export type EntryRecord = z.infer<typeof entryRecordSchema>;

const madeRecordSchema = z.lazy(() =>
  z.object({ id: z.string(), contactId: z.string(), bodyDigest: z.string() }),
);
/** What staff made by a request: an item of a contact's. */
export type MadeRecord = z.infer<typeof madeRecordSchema>;

/** Whether what is noted under a key still is in force. */
const isInForce = (row: Row, now: Date): boolean =>
  Number(row['expiresAt']) > Math.floor(now.getTime() / 1000);

/** The answer to an entry under a key, while it is in force. */
export const parseEntryRecord = (row: Row | undefined, now: Date): EntryRecord | undefined =>
  row && isInForce(row, now) ? entryRecordSchema.parse(row) : undefined;

/** What was made under a key, while it is in force. */
export const parseMadeRecord = (row: Row | undefined, now: Date): MadeRecord | undefined =>
  row && isInForce(row, now) ? madeRecordSchema.parse(row) : undefined;

/** Records an answer; refused while an earlier one under the key is in force. */
export function recordAnswer(
  keyDigest: string,
  record: IdempotencyRecord | EntryRecord | MadeRecord,
  now: Date,
): Write {
  const seconds = Math.floor(now.getTime() / 1000);
  return {
    put: {
      ...idempotency(keyDigest),
      ...record,
      expiresAt: seconds + idempotencyHours * 3600,
      schemaVersion: 1,
    },
    // The table deletes expired items hours or days late, so the condition looks for itself.
    when: [[['pk', 'absent']], [['expiresAt', '<=', seconds]]],
  };
}
