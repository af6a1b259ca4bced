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

/** Whether somebody writes that they want no more. */
function isStop(wanted: WantedEntry): boolean {
  if (wanted.kind !== 'email' || wanted.details.direction !== 'received') return false;
  const { subject = '', text = '' } = wanted.details;
  return saysStop({ subject, text });
}

/**
 * What a contact has said of e-mails so far, where an entry says something of them: to be read before the time
 * of the entry is taken, which is later then.
 */
export async function consentsBefore(
  { table }: { readonly table: Table },
  wanted: WantedEntry,
  contactId: string,
): Promise<readonly Consent[]> {
  const matters = wanted.kind === 'consent' ? wanted.details.channel === 'email' : isStop(wanted);
  return matters ? await createConsents(table).of([contactId]) : [];
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
  if (isStop(wanted)) {
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
