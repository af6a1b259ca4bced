/** Made-up people who fill in the practice's web form. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const sample = readFileSync(join(import.meta.dirname, '../test/fixtures/web-form.txt'), 'utf8').trim();

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** The n-th family name of five letters; names are told apart by letters, as real ones are. */
function familyName(n: number): string {
  let name = '';
  for (let rest = n, i = 0; i < 5; i++, rest = Math.floor(rest / letters.length)) {
    name += letters[rest % letters.length];
  }
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/**
 * The sample's post, made by the n-th person: other name, address and number of
 * the same length.
 *
 * @param note - makes another inquiry of the same person
 */
export function webForm(n: number, note = ''): string {
  const fields = new URLSearchParams(sample);
  const family = familyName(n);
  const number = String(2_000_000 + n);
  fields.set('name', `María ${family}`);
  fields.set('email', `maria.${family.toLowerCase()}@example.com`);
  fields.set('phone', `(650) ${number.slice(0, 3)}-${number.slice(3)}`);
  fields.set('message', `${fields.get('message')}${note}`);
  return fields.toString();
}

/** The same post, of somebody who does not tick that they may be written to. */
export function withoutConsent(form: string): string {
  const fields = new URLSearchParams(form);
  fields.delete('consentEmail');
  return fields.toString();
}

/** Whether a mail goes to one of these people, and so not to staff. */
export const isToPerson = (address: string): boolean => /\bmaria\.[a-z]{5}@example\.com\b/.test(address);

export const formType = 'application/x-www-form-urlencoded';
