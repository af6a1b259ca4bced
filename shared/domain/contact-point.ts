/**
 * Contact points and names in the one form in which they are compared: the same
 * mailbox, number or name always comes out the same, however it was typed.
 */
import { type CountryCode, type MetadataJson, parsePhoneNumberFromString } from 'libphonenumber-js/core';
import { phoneMetadata } from './phone-metadata.ts';

/**
 * A mailbox in lower case, its domain in ASCII; undefined where it is none.
 * Dots and plus tags stay: whether they matter is the mailbox's own affair.
 */
export function normalizeEmail(text: string): string | undefined {
  // No character of a URL's syntax: what is left of the host is read as one.
  const match = /^([^\s@<>()[\]\\,;:"]{1,64})@([^\s@/?#:%\\]{1,253})$/u.exec(text.trim().normalize('NFKC'));
  if (!match?.[1] || !match[2]) return undefined;
  const host = asciiHost(match[2]);
  const local = match[1].toLowerCase();
  if (host === undefined || local.startsWith('.') || local.endsWith('.') || local.includes('..'))
    return undefined;
  return `${local}@${host}`;
}

function asciiHost(host: string): string | undefined {
  const url = URL.parse(`http://${host}`);
  if (!url) return undefined;
  const labels = url.hostname.split('.');
  const valid =
    labels.length > 1 && labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  return valid && /[a-z]/.test(labels.at(-1) ?? '') ? url.hostname : undefined;
}

let metadata: MetadataJson | undefined;

/**
 * A phone number in E.164, its extension after `;ext=`; undefined where it can
 * be no number. `country` reads numbers without a country code.
 */
export function normalizePhone(text: string, country: string): string | undefined {
  metadata ??= JSON.parse(phoneMetadata) as MetadataJson;
  const number = parsePhoneNumberFromString(text.normalize('NFKC'), country as CountryCode, metadata);
  // "Possible" rather than "valid": reserved and newly opened ranges are callable too.
  if (!number?.isPossible()) return undefined;
  return number.ext ? `${number.number};ext=${number.ext}` : number.number;
}

/**
 * A name folded for comparison: case, accents, punctuation, spacing and the
 * order of its parts do not count ("López, María" is "Maria Lopez"). Empty where
 * nothing of a name is left.
 */
export function normalizeName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '')
    .sort()
    .join(' ');
}
