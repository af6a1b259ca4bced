/** Taking e-mails back: for the person, and for every mailbox of theirs, whoever else reads it. */
import type { Environment } from '../domain/ids.ts';
import { optedOut } from '../domain/messages/consent.ts';
import { type ConsentPurpose, takenBackWith } from '../domain/messages/template.ts';
import { contactActor, entryOf } from '../domain/timeline.ts';
import { type Consents, consentWrites } from './consents.ts';
import type { Contact, Contacts } from './contacts.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Table, Write } from './table.ts';

export interface OptOutDependencies {
  readonly consents: Pick<Consents, 'of' | 'keep'>;
  readonly mailboxes: Pick<Mailboxes, 'find' | 'save'>;
}

/** Every mailbox of a family, by what stands for it in keys. */
const mailboxesOf = (family: readonly Pick<Contact, 'pointDigests'>[]): string[] => [
  ...new Set(
    family.flatMap(({ pointDigests }) =>
      pointDigests.filter(({ kind }) => kind === 'email').map(({ digest }) => digest),
    ),
  ),
];

/** The writes by which a family gets no more e-mails of these purposes; the entry is the caller's. */
export async function optOutWrites(
  { consents, mailboxes }: OptOutDependencies,
  family: readonly Pick<Contact, 'id' | 'pointDigests'>[],
  contactId: string,
  purpose: ConsentPurpose,
  { at, source }: { readonly at: string; readonly source: string },
): Promise<Write[]> {
  const known = await consents.of([contactId]);
  const taken = takenBackWith(purpose);
  const boxes = await Promise.all(
    mailboxesOf(family).map(async (digest) => ({ digest, box: await mailboxes.find(digest) })),
  );
  return [
    ...consentWrites(consents, known, contactId, at, { channel: 'email', given: false, source, purpose }),
    ...boxes
      .filter(({ box }) => taken.some((each) => (box.optedOut[each] ?? '') < at))
      .map(({ digest, box }) => mailboxes.save(digest, optedOut(box, taken, new Date(at)))),
  ];
}

/** Two presses of one click come within this time. */
const sameClickMs = 1_000;
/** Racing deliveries settle in one or two rounds. */
const mostAttempts = 6;
/** As many as a transaction takes. */
const mostWrites = 100;

/** Lists of writes in as few transactions as hold them, in their order; none is divided. */
function inTransactions(parts: readonly (readonly Write[])[]): Write[][] {
  const transactions: Write[][] = [];
  for (const part of parts) {
    const last = transactions.at(-1);
    if (last && last.length + part.length <= mostWrites) last.push(...part);
    else transactions.push([...part]);
  }
  return transactions;
}

/** One after the other, as far as they are committed. */
async function transactAll(table: Table, transactions: readonly Write[][]): Promise<boolean> {
  for (const writes of transactions) if (!(await table.transact(writes)).committed) return false;
  return true;
}

export interface TakeBackDependencies extends OptOutDependencies {
  readonly table: Table;
  readonly contacts: Pick<Contacts, 'findWhole' | 'addEntry'>;
  readonly environment: Environment;
}

export type TakenBack = 'taken_back' | 'taken_back_before' | 'unknown_contact';

/**
 * Takes back what somebody agreed to, and what is further from what they asked for, at once.
 * A second press of the same click changes nothing. A later one is their last word again: what they agreed to
 * in between, with an inquiry that is not answered yet, is not noted yet.
 *
 * @throws Error where it could not be written down
 */
export async function takeBack(
  dependencies: TakeBackDependencies,
  contactId: string,
  purpose: ConsentPurpose,
  source: string,
): Promise<TakenBack> {
  const { table, contacts, consents, environment } = dependencies;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const whole = await contacts.findWhole(contactId, { consistent: true });
    if (!whole) return 'unknown_contact';
    const stands = await consents.of(whole.family.map(({ id }) => id));
    const now = environment.now();
    const isTaken = takenBackWith(purpose).every((each) => {
      const ofPurpose = stands.filter((consent) => consent.purpose === each);
      const isFresh = ofPurpose.some(({ at }) => Date.parse(at) > now.getTime() - sameClickMs);
      return isFresh && ofPurpose.every(({ given }) => !given);
    });
    if (isTaken) return 'taken_back_before';
    const at = now.toISOString();
    const said = { channel: 'email' as const, given: false, source, purpose };
    const entryOn = (id: string): Write => {
      const frame = { entryId: environment.newId('entry'), contactId: id, actor: contactActor, at };
      return contacts.addEntry(entryOf('consent', frame, said));
    };
    const own = await optOutWrites(dependencies, whole.family, contactId, purpose, { at, source });
    // Whoever else of the family had agreed is the same person; and it stays theirs where that is undone.
    const others = whole.family.filter(({ id }) => id !== contactId);
    const ofOthers = await Promise.all(
      others.map(async ({ id }) => {
        const news = consentWrites(consents, await consents.of([id]), id, at, said);
        return news.length > 0 ? [...news, entryOn(id)] : [];
      }),
    );
    // No mail goes out any more once the first is done; of very many contacts the rest comes after it.
    if (await transactAll(table, inTransactions([[...own, entryOn(contactId)], ...ofOthers])))
      return 'taken_back';
  }
  throw new Error('the mailbox changed in every attempt');
}
