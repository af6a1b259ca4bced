/** A person's open inquiries, and the scoring of them anew: something about the person has changed. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { inquiryPk } from '../../shared/data/keys.ts';
import { type Inquiry, isOpen } from '../../shared/domain/inquiry/state.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';

export interface RescoreDependencies {
  readonly contacts: Contacts;
  readonly inquiries: Inquiries;
  readonly scoreQueue: Queue<StepMessage>;
  /** Called for an inquiry that cannot be read; the others are asked for all the same. */
  readonly onBroken: (inquiryId: string, error: unknown) => void;
}

/** How many entries of the timeline are looked at, newest first: what is older is seldom open. */
const entriesLookedAt = 50;
/** Inquiries that are asked for at the most, newest first: somebody who writes without an end must not fill the queue. */
const mostAsked = 10;

/** The person's newest open inquiries but those that are `isNew`: what brought the news. */
export async function openInquiries(
  { contacts, inquiries, onBroken }: RescoreDependencies,
  contactId: string,
  isNew: (inquiry: Inquiry) => boolean,
): Promise<Inquiry[]> {
  const { rows } = await contacts.timelinePage(contactId, entriesLookedAt);
  const prefix = inquiryPk('');
  const ids = rows.filter(({ pk }) => pk.startsWith(prefix)).map(({ pk }) => pk.slice(prefix.length));
  if (ids.length === 0) return [];
  const heads = await inquiries.findHeads(ids, onBroken);
  return newest(heads.filter((head) => isOpen(head) && head.progress !== 'quarantined' && !isNew(head)));
}

const newest = (inquiries: readonly Inquiry[]): Inquiry[] =>
  inquiries.toSorted((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1)).slice(0, mostAsked);

/** The newest open inquiries of two people who were just joined or parted: of each, all that they are. */
export async function openInquiriesOfBoth(
  dependencies: RescoreDependencies,
  contactIds: readonly [string, string],
): Promise<Inquiry[]> {
  const people = await Promise.all(
    contactIds.map((id) => dependencies.contacts.findWhole(id, { consistent: true })),
  );
  const family = new Set(people.flatMap((person) => person?.family ?? []).map(({ id }) => id));
  const open = await Promise.all([...family].map((id) => openInquiries(dependencies, id, () => false)));
  return newest(open.flat());
}

/**
 * Asks for the scoring of inquiries; those that are new are being scored anyway.
 * Whether a score changes is decided there; asking twice does no harm. Gives how
 * many were asked for.
 */
export async function askRescoring(
  { scoreQueue }: RescoreDependencies,
  asked: readonly Inquiry[],
): Promise<number> {
  await scoreQueue.sendAll(asked.map(({ id, version }) => ({ inquiryId: id, version })));
  return asked.length;
}
