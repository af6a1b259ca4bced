/** Keyed digests: what stands in a key for something personal. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

/** The secret behind every digest; its version is part of each, so that a re-keying can tell them apart. */
export const digestSecretSchema = z.object({ version: z.string().min(1), key: z.string().min(16) });

/** Digest of a value within one purpose: the same text as a name and as a mailbox gives two digests. */
export type Digest = (
  purpose: 'email' | 'phone' | 'name' | 'idempotency' | 'body' | 'unsubscribe',
  value: string,
) => string;

/** 128 of HMAC-SHA-256's bits: enough that no two of a practice's values meet, and short in a key. */
const digestBytes = 16;

export function createDigest({ version, key }: z.infer<typeof digestSecretSchema>): Digest {
  return (purpose, value) => {
    const hmac = createHmac('sha256', key).update(`${purpose}\0${value}`).digest();
    return `${version}.${hmac.subarray(0, digestBytes).toString('base64url')}`;
  };
}

/** Compares two texts in a time that does not tell where, or whether in length, they differ. */
export function equalsInConstantTime(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'comparison').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
