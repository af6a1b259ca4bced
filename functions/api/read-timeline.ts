/** The timeline of a person: of everybody they are by now, whichever of them was asked for. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Place, TimelinePage, Timelines } from '../../shared/data/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';

export interface PersonTimeline extends TimelinePage {
  /** Who speaks for the person now. */
  readonly contactId: string;
}

/**
 * One page, newest first: three reads where nobody was merged.
 *
 * @throws Problem `not_found`
 */
export async function readTimeline(
  { contacts, timelines }: { readonly contacts: Contacts; readonly timelines: Timelines },
  contactId: string,
  limit: number,
  after: Place | undefined,
): Promise<PersonTimeline> {
  const survivor = await contacts.findSurvivor(contactId);
  if (!survivor) throw new Problem('not_found', 'There is no such contact.');
  const family = await contacts.family(survivor);
  return { contactId: survivor.id, ...(await timelines.page(family, limit, after)) };
}
