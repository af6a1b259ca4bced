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

/** The answer to an entry under a key, while it is in force. */
export function parseEntryRecord(row: Row | undefined, now: Date): EntryRecord | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  return row && Number(row['expiresAt']) > seconds ? entryRecordSchema.parse(row) : undefined;
}

/** Records an answer; refused while an earlier one under the key is in force. */
export function recordAnswer(keyDigest: string, record: IdempotencyRecord | EntryRecord, now: Date): Write {
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
