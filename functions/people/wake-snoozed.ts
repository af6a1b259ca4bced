/** Who wrote again is heard again: what was snoozed of theirs comes back now. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { snoozedUntilNow } from '../../shared/domain/inquiry/hold.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';

export interface WakeDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly environment: Environment;
}

/** Thrown where others kept changing an inquiry; the record comes again. */
export class SnoozeBusy extends Error {
  override readonly name = 'SnoozeBusy';
}

/** Whoever works on an inquiry at this very moment settles within a round or two. */
const mostAttempts = 5;

/** Makes snoozed inquiries due now, each with its entry: the sweep ends the snooze and mails whoever has it. */
export async function wakeSnoozed(dependencies: WakeDependencies, open: readonly Inquiry[]): Promise<void> {
  for (const { id } of open.filter(({ hold }) => hold?.kind === 'snoozed')) await wake(dependencies, id);
}

async function wake(
  { table, inquiries, contacts, environment }: WakeDependencies,
  id: string,
): Promise<void> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const head = await inquiries.findHead(id);
    const now = environment.now();
    const next = head && snoozedUntilNow(head, now);
    if (!next) return;
    const frame = {
      entryId: environment.newId('entry'),
      contactId: next.contactId,
      inquiryId: id,
      actor: systemActor,
      at: now.toISOString(),
    };
    const entry = entryOf('held', frame, { kind: 'snoozed', until: now.toISOString() });
    if ((await table.transact([inquiries.save(next), contacts.addEntry(entry)])).committed) return;
    await environment.backOff(20 * attempt);
  }
  throw new SnoozeBusy('others kept changing the inquiry');
}
