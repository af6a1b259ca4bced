/** Suggests to staff who may be the same person: everybody else behind a contact's points. */
import type { Contact, ContactPoint, Contacts, PointDigest } from '../../shared/data/contacts.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type MatchReason, reasonsToMatch } from '../../shared/domain/matching.ts';

export interface SuggestDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
}

/** Thrown where others kept writing to the same two contacts; the record comes again. */
export class MatchBusy extends Error {
  override readonly name = 'MatchBusy';
}

/** A number or mailbox with more people behind it belongs to an institution: it says nothing about any two of them. */
const mostBehindPoint = 20;
const mostAttempts = 5;

/** Whether a human, or an inquiry, has said already what the two are to each other. */
const isSettled = (a: Contact, b: Contact): boolean =>
  a.relations.some(({ contactId }) => contactId === b.id) ||
  a.matches.some(({ contactId }) => contactId === b.id) ||
  a.separatedIds.includes(b.id) ||
  b.separatedIds.includes(a.id);

/**
 * Suggests each other contact behind the points that nothing is said of yet; where
 * contacts were merged, the one who speaks for them. Gives how many were suggested.
 *
 * @param points - those that are new of the contact
 * @param namesakeIds - others of the same name behind other points that one inquiry came with
 */
export async function suggestMatches(
  { table, contacts, environment }: SuggestDependencies,
  contactId: string,
  points: readonly PointDigest[],
  namesakeIds: readonly string[] = [],
): Promise<number> {
  // Nearly always there is nobody else, and then nothing more to read.
  const others = await othersBehind();
  const contact = others.size > 0 && (await contacts.find(contactId, { consistent: true }));
  if (!contact) return 0;
  const speaker = await speakerOf(contact);
  const seen = new Set([speaker.id]);
  let suggested = 0;
  for (const [otherId, kinds] of others) {
    const other = await contacts.find(otherId);
    if (other === undefined) continue;
    const otherSpeaker = await speakerOf(other);
    if (seen.has(otherSpeaker.id)) continue;
    seen.add(otherSpeaker.id);
    if (isSettled(contact, other) || isSettled(speaker, otherSpeaker)) continue;
    const cameTogether: MatchReason[] = namesakeIds.includes(otherId) ? ['same_name_came_together'] : [];
    const reasons = [...new Set([...reasonsToMatch(contact, other, kinds), ...cameTogether])];
    if (await suggest(speaker.id, otherSpeaker.id, reasons)) suggested += 1;
  }
  return suggested;

  async function speakerOf(one: Contact): Promise<Contact> {
    return one.mergedInto === undefined ? one : ((await contacts.findSurvivor(one.id)) ?? one);
  }

  /** Everybody else behind the points, with the kinds of points that they share. */
  async function othersBehind(): Promise<Map<string, ContactPoint['kind'][]>> {
    const others = new Map<string, ContactPoint['kind'][]>(namesakeIds.map((id) => [id, []]));
    const behind = await Promise.all(
      // One more tells that there are too many.
      points.map(async (point) => ({ point, ids: await contacts.findByPoint(point, mostBehindPoint + 1) })),
    );
    for (const { point, ids } of behind) {
      if (ids.length > mostBehindPoint) continue;
      for (const id of ids) {
        const kinds = others.get(id) ?? [];
        others.set(id, kinds.includes(point.kind) ? kinds : [...kinds, point.kind]);
      }
    }
    others.delete(contactId);
    return others;
  }

  /** True where this call suggested it; false where that was done before. */
  async function suggest(a: string, b: string, reasons: readonly MatchReason[]): Promise<boolean> {
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const done = await table.transact(contacts.suggest(a, b, reasons, environment.now()));
      if (done.committed) return true;
      if (done.failed.size > 0) return false;
      await environment.backOff(20 * attempt);
    }
    throw new MatchBusy('others kept writing to the two contacts');
  }
}
