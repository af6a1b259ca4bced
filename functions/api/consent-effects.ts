/** What a recorded entry means for what a person gets: a consent given or taken back, a STOP in a reply. */
import { consentWrites, createConsents } from '../../shared/data/consents.ts';
import type { Contact, Contacts } from '../../shared/data/contacts.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { type OptOut, optOutWrites } from '../../shared/data/opt-out.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Consent } from '../../shared/domain/messages/consent.ts';
import { saysStop, stopSource } from '../../shared/domain/messages/stop-words.ts';
import { purposes } from '../../shared/domain/messages/template.ts';
import type { WantedEntry } from './wanted-entry.ts';

/** Somebody and, where they have any, the guardians: of a minor it is they who get the mails. */
async function withGuardians(contacts: Pick<Contacts, 'findWhole'>, family: readonly Contact[]) {
  const ids = family.flatMap(({ relations }) =>
    relations.filter(({ relation }) => relation === 'ward_of').map(({ contactId }) => contactId),
  );
  const wholes = await Promise.all(ids.map((id) => contacts.findWhole(id, { consistent: true })));
  return [...family, ...wholes.flatMap((whole) => whole?.family ?? [])];
}

const nothing: OptOut = { mailboxes: [], consents: [] };

/** What a contact has said of e-mails before: to be read before it is said when an entry was recorded. */
export async function consentsBefore(
  { table }: { readonly table: Table },
  { kind }: WantedEntry,
  contactId: string,
): Promise<readonly Consent[]> {
  return kind === 'email' || kind === 'consent' ? await createConsents(table).of([contactId]) : [];
}

/**
 * The writes beside an entry's own: what is said of e-mail holds from then on.
 *
 * @param stands - the consents of its contact before
 */
export async function consentEffects(
  { table, contacts }: { readonly table: Table; readonly contacts: Pick<Contacts, 'findWhole'> },
  wanted: WantedEntry,
  family: readonly Contact[],
  { contactId, at }: { readonly contactId: string; readonly at: string },
  stands: readonly Consent[],
): Promise<OptOut> {
  const [everything] = purposes;
  const repositories = { consents: createConsents(table), mailboxes: createMailboxes(table) };
  const said = { contactId, at, stands };
  if (wanted.kind === 'email') {
    const { direction, subject = '', text = '' } = wanted.details;
    if (direction !== 'received' || !saysStop({ subject, text })) return nothing;
    const source = stopSource;
    // Which of them wrote it nobody said.
    const everybody = await withGuardians(contacts, family);
    return await optOutWrites(repositories, everybody, everything, { ...said, source });
  }
  if (wanted.kind !== 'consent' || wanted.details.channel !== 'email') return nothing;
  const { given, source, purpose } = wanted.details;
  if (!given) {
    return await optOutWrites(repositories, family, purpose ?? everything, { ...said, source });
  }
  const { consents } = repositories;
  return { ...nothing, consents: consentWrites(consents, stands, contactId, at, wanted.details) };
}
