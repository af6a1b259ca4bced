/** Lifts the suppression of a mailbox: by those who decide for the practice, who say why and what they lift. */
import type { Contact, Contacts } from '../../shared/data/contacts.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { allowedAgain, type SuppressionReason } from '../../shared/domain/messages/consent.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import { mostAttempts } from './change-inquiry.ts';
import { wholeOf } from './read-people.ts';

export interface LiftDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
}

export interface WantedLift {
  /** Which mailbox, by its digest; left out where only one of theirs is suppressed. */
  readonly digest?: string | undefined;
  /** What it is suppressed for: nobody lifts what they have not looked at. */
  readonly confirm: SuppressionReason;
  readonly because: string;
}

/** The contact who has the mailbox: theirs is the entry. */
const holderOf = (family: readonly Contact[], digest: string): Contact | undefined =>
  family.find(({ pointDigests }) => pointDigests.some((point) => point.digest === digest));

/** @throws Problem `not_found`, `invalid_fields`, `conflict`, `unavailable` */
export async function liftSuppression(
  { table, contacts, environment }: LiftDependencies,
  contactId: string,
  { digest, confirm, because }: WantedLift,
  actor: string,
): Promise<void> {
  const mailboxes = createMailboxes(table);
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { family } = await wholeOf(contacts, contactId, { consistent: true });
    const own = family.flatMap(({ pointDigests }) =>
      pointDigests.filter(({ kind }) => kind === 'email').map((point) => point.digest),
    );
    const wanted = [...new Set(own)].filter((each) => digest === undefined || each === digest);
    const boxes = await Promise.all(
      wanted.map(async (each) => ({ digest: each, mailbox: await mailboxes.find(each) })),
    );
    const [found, ...others] = boxes.filter(({ mailbox }) => mailbox.suppressed);
    if (others.length > 0) {
      throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
        { field: 'email', reason: 'name the mailbox: several of theirs are suppressed' },
      ]);
    }
    const reason = found?.mailbox.suppressed?.reason;
    if (!found || !reason) throw new Problem('conflict', 'No such mailbox of theirs is suppressed.');
    if (reason !== confirm) {
      throw new Problem('conflict', `It is suppressed for a ${reason}: confirm that, if it is to be lifted.`);
    }
    const now = environment.now();
    const frame = {
      entryId: environment.newId('entry'),
      contactId: holderOf(family, found.digest)?.id ?? contactId,
      actor,
      at: now.toISOString(),
    };
    const done = await table.transact([
      mailboxes.save(found.digest, allowedAgain(found.mailbox, now)),
      contacts.addEntry(entryOf('suppression_lifted', frame, { reason, because })),
    ]);
    if (done.committed) return;
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}
