/** The words by which people take back their consent in a reply. */
import { foldWording } from '../wording.ts';

/** How a consent that was taken back so was. */
export const stopSource = 'STOP in a reply';

/** STOP and its kin, which take effect at once. */
const stopWords = new Set([
  'stop',
  'stop all',
  'stopall',
  'quit',
  'end',
  'cancel',
  'unsubscribe',
  'revoke',
  'opt out',
  'optout',
  'alto',
  'basta',
]);

/** What people say with them. */
const courtesies = /\b(?:please|pls|thanks|thank you|now|por favor|gracias|ya)\b/gu;

/**
 * Whether a reply says stop: one of its first lines, or its subject, is one of the words and nothing
 * else but courtesy. A word within a sentence is for a human to read: "cancel my visit" is no revocation.
 */
export function saysStop({ subject, text }: { readonly subject?: string; readonly text?: string }): boolean {
  const lines = [
    subject ?? '',
    ...(text ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 2),
  ];
  return lines.some((line) =>
    stopWords.has(foldWording(line).replace(courtesies, '').replace(/\s+/gu, ' ').trim()),
  );
}
