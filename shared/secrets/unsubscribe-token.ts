/**
 * What an unsubscribe link carries: whose and of what, signed. It holds ids alone
 * and needs no sign-in; nobody can make one for somebody else.
 */
import { type Digest, equalsInConstantTime } from './digest.ts';

const signed = (contactId: string, purpose: string): string => `${contactId} ${purpose}`;

export const unsubscribeToken = (digest: Digest, contactId: string, purpose: string): string =>
  `${contactId}.${purpose}.${digest('unsubscribe', signed(contactId, purpose))}`;

/** Whose token it is and of what; undefined where nobody here made it. */
export function readUnsubscribeToken(
  digest: Digest,
  token: string,
): { readonly contactId: string; readonly purpose: string } | undefined {
  const [, contactId = '', purpose = '', signature = ''] =
    /^([^.]{1,64})\.([^.]{1,32})\.(.{1,128})$/.exec(token) ?? [];
  const isOurs = equalsInConstantTime(signature, digest('unsubscribe', signed(contactId, purpose)));
  return isOurs ? { contactId, purpose } : undefined;
}
