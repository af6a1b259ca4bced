/** Changes what is known of a person by hand. */
import type { Contact, ContactPatch, Contacts } from '../../shared/data/contacts.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type ContactChanges, entryOf } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';

export interface ChangeContactDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What of a patch is another value than it was, with both. */
export function changesOf(contact: Contact, patch: ContactPatch): ContactChanges {
  const changes = Object.entries(patch).flatMap(([name, to]) => {
    const from = contact[name as keyof ContactPatch];
    if (same(from, to)) return [];
    return [[name, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }] as const];
  });
  return Object.fromEntries(changes);
}

/**
 * Applies a patch to the version of a contact that the caller saw. One that
 * changes nothing writes nothing.
 *
 * @throws Problem `precondition_failed`
 */
export async function changeContact(
  { table, contacts, environment }: ChangeContactDependencies,
  contact: Contact,
  seenVersion: number,
  patch: ContactPatch,
  actor: string,
): Promise<void> {
  const stale = new Problem('precondition_failed', 'Somebody changed this contact meanwhile. Read it again.');
  if (contact.version !== seenVersion) throw stale;
  const changes = changesOf(contact, patch);
  if (Object.keys(changes).length === 0) return;
  const now = environment.now();
  const entry = entryOf(
    'contact_changed',
    { entryId: environment.newId('entry'), contactId: contact.id, actor, at: now.toISOString() },
    { changes },
  );
  const done = await table.transact([...contacts.change(contact, patch, now), contacts.addEntry(entry)]);
  if (done.committed) return;
  if (done.failed.size > 0) throw stale;
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}
