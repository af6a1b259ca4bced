/** Notes on the person what a later inquiry says of them anew: a language, an insurance, a location, an age, a time zone. */
import type { ContactPatch, Contacts } from '../../shared/data/contacts.ts';
import type { InquiryBody } from '../../shared/data/inquiries.ts';
import type { Table } from '../../shared/data/table.ts';
import { learnt, saidOfAge } from '../../shared/domain/age.ts';
import { isByPatient } from '../../shared/domain/by-patient.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { learntZone, saidOfZone } from '../../shared/domain/time-zone.ts';
import { type ContactChanges, contactActor, entryOf } from '../../shared/domain/timeline.ts';
import { foldWording } from '../../shared/domain/wording.ts';

export interface NoteDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
}

/** What of an inquiry is said of the person. */
export type Said = Pick<
  InquiryBody,
  'inquiryId' | 'contactId' | 'writerId' | 'receivedAt' | 'fields' | 'wantedLocationId'
>;

/** Thrown where others kept changing the profile; the record comes again. */
export class ProfileBusy extends Error {
  override readonly name = 'ProfileBusy';
}

/** Values of each kind that a profile keeps; past them it says nothing any more. */
const mostValues = 10;
const mostAttempts = 5;

/** The values with a new one, or undefined where it is none. */
function withNew(values: readonly string[], said: string | boolean | undefined): string[] | undefined {
  if (typeof said !== 'string' || foldWording(said) === '' || values.length >= mostValues) return undefined;
  return values.some((value) => foldWording(value) === foldWording(said)) ? undefined : [...values, said];
}

/** True where something was new; it then has an entry on the person's timeline. */
export async function noteFacts(
  { table, contacts, environment }: NoteDependencies,
  { inquiryId, contactId, writerId, receivedAt, fields, wantedLocationId }: Said,
): Promise<boolean> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const contact = await contacts.find(contactId, { consistent: true });
    if (contact === undefined) return false;
    const patch: { -readonly [Field in keyof ContactPatch]: ContactPatch[Field] } = {};
    const said = {
      languages: fields['language'],
      insurances: fields['insurance'],
      locations: wantedLocationId,
    };
    const changes: ContactChanges = {};
    for (const kind of ['languages', 'insurances', 'locations'] as const) {
      const to = withNew(contact[kind], said[kind]);
      if (to === undefined) continue;
      patch[kind] = to;
      changes[kind] = { from: [...contact[kind]], to };
    }
    const age = learnt(contact.age, saidOfAge(fields, receivedAt));
    if (age) {
      patch.age = age;
      changes.age = { from: contact.age, to: age };
    }
    // Somebody else's browser says nothing about them.
    const zone = isByPatient({ fields, writerId }) ? saidOfZone(fields, receivedAt) : undefined;
    const timeZone = learntZone(contact.timeZone, zone);
    if (timeZone) {
      patch.timeZone = timeZone;
      changes.timeZone = { from: contact.timeZone, to: timeZone };
    }
    if (Object.keys(patch).length === 0) return false;
    const now = environment.now();
    const entryId = environment.newId('entry');
    const frame = { entryId, contactId, inquiryId, actor: contactActor, at: now.toISOString() };
    const done = await table.transact([
      ...contacts.change(contact, patch, now),
      contacts.addEntry(entryOf('contact_changed', frame, { changes, because: 'inquiry' })),
    ]);
    if (done.committed) return true;
    await environment.backOff(20 * attempt);
  }
  throw new ProfileBusy('others kept changing the profile');
}
