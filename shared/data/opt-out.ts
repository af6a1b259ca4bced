/** Taking e-mails back: for the person, and for every mailbox of theirs, whoever else reads it. */
import type { Environment } from '../domain/ids.ts';
import { type Consent, optedOut } from '../domain/messages/consent.ts';
import { type ConsentPurpose, takenBackWith } from '../domain/messages/template.ts';
import { contactActor, entryOf } from '../domain/timeline.ts';
import { type Consents, consentWrites } from './consents.ts';
import type { Contact, Contacts } from './contacts.ts';
import type { Mailboxes } from './mailboxes.ts';
import { atVersion, type Table, type Write } from './table.ts';
import { transactAll } from './transactions.ts';

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

/** The writes by which nothing of these purposes goes to the mailboxes of a family: one each. */
async function mailboxWrites(
  { mailboxes }: Pick<OptOutDependencies, 'mailboxes'>,
  family: readonly Pick<Contact, 'pointDigests'>[],
  taken: readonly ConsentPurpose[],
  at: string,
  isSaid: (since: string | undefined) => boolean,
): Promise<Write[]> {
  const boxes = await Promise.all(
    mailboxesOf(family).map(async (digest) => ({ digest, box: await mailboxes.find(digest) })),
  );
  return boxes
    .filter(({ box }) => !taken.every((each) => isSaid(box.optedOut[each])))
    .map(({ digest, box }) => mailboxes.save(digest, optedOut(box, taken, new Date(at))));
}

/** Writes by which somebody gets no more e-mails. */
export interface OptOut {
  /** One for each mailbox. They hold by themselves: where they are too many for one transaction, they come first. */
  readonly mailboxes: readonly Write[];
  /** What the person said, to be told beside it. */
  readonly consents: readonly Write[];
}

/** Who said it, when and how. */
export interface Refusal {
  readonly contactId: string;
  readonly at: string;
  readonly source: string;
  /** What they had said before. */
  readonly stands: readonly Consent[];
}

/** The writes by which a family gets no more e-mails of these purposes; the entry is the caller's. */
export async function optOutWrites(
  { consents, mailboxes }: OptOutDependencies,
  family: readonly Pick<Contact, 'pointDigests'>[],
  purpose: ConsentPurpose,
  { contactId, at, source, stands }: Refusal,
): Promise<OptOut> {
  const said = { channel: 'email', given: false, source, purpose };
  const isSaid = (since = ''): boolean => since >= at;
  return {
    mailboxes: await mailboxWrites({ mailboxes }, family, takenBackWith(purpose), at, isSaid),
    consents: consentWrites(consents, stands, contactId, at, said),
  };
}

/** Two presses of one click come within this time. */
const sameClickMs = 1_000;
/** Racing deliveries settle in one or two rounds. */
const mostAttempts = 6;

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
 * Of a person with very many contacts it is done in several transactions, the mailboxes first: nothing goes to
 * any of them from then on. What one press leaves undone the next one does, and nothing of it twice.
 *
 * @throws Error where it could not be written down to the end
 */
export async function takeBack(
  dependencies: TakeBackDependencies,
  contactId: string,
  purpose: ConsentPurpose,
  source: string,
): Promise<TakenBack> {
  const { table, contacts, consents, environment } = dependencies;
  const taken = takenBackWith(purpose);
  const said = { channel: 'email' as const, given: false, source, purpose };
  /** When it was clicked: later than all that was read then. */
  let clicked: Date | undefined;
  const isSaid = (since = ''): boolean =>
    clicked !== undefined && Date.parse(since) > clicked.getTime() - sameClickMs;

  /** What is to be written of one contact: nothing where it stands, or something later does. */
  function contactWrites(id: string, stands: readonly Consent[], at: string): Write[] {
    const isTaken = (each: ConsentPurpose): boolean =>
      stands.some((consent) => consent.purpose === each && !consent.given && isSaid(consent.at));
    const news = taken.every(isTaken) ? [] : consentWrites(consents, stands, id, at, said);
    if (news.length === 0) return [];
    const frame = { entryId: environment.newId('entry'), contactId: id, actor: contactActor, at };
    // Over what was read: of two presses at once one has to look again.
    const versionOf = (write: Write): number =>
      stands.find((each) => 'update' in write && each.purpose === write.set?.['purpose'])?.version ?? 0;
    const overRead = news.map((write) => ({ ...write, when: atVersion(versionOf(write)) }));
    return [...overRead, contacts.addEntry(entryOf('consent', frame, said))];
  }

  let hasWritten = false;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const whole = await contacts.findWhole(contactId, { consistent: true });
    if (!whole) return 'unknown_contact';
    // Whoever else of the family had agreed is the same person; and it stays theirs where that is undone.
    const others = whole.family.map(({ id }) => id).filter((id) => id !== contactId);
    const everybody = await Promise.all(
      [contactId, ...others].map(async (id) => ({ id, stands: await consents.of([id]) })),
    );
    // It stays that, however many attempts it takes: what somebody says meanwhile is later.
    clicked ??= environment.now();
    const at = clicked.toISOString();
    const boxes = await mailboxWrites(dependencies, whole.family, taken, at, isSaid);
    const ofContacts = everybody.map(({ id, stands }) => contactWrites(id, stands, at));
    const parts = [...boxes.map((box) => [box]), ...ofContacts].filter((part) => part.length > 0);
    if (parts.length === 0) return hasWritten ? 'taken_back' : 'taken_back_before';
    const { committed, some } = await transactAll(table, parts);
    if (committed) return 'taken_back';
    hasWritten ||= some;
  }
  throw new Error('somebody else wrote in every attempt');
}
