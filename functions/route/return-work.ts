/** Gives the open work of members who are disabled, or gone, back to its pools. */
import { inquiryPk, queueOfMember } from '../../shared/data/keys.ts';
import { poolOf } from '../../shared/domain/destination.ts';
import { returned } from '../../shared/domain/inquiry/assignment.ts';
import { type Inquiry, isOpen } from '../../shared/domain/inquiry/state.ts';
import { pastRouting } from '../../shared/domain/past-routing.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';
import { mostAttempts, RotationBusy, type RouteDependencies } from './dependencies.ts';

/** Each takes a write for its head and two for its entries. */
const pageSize = 20;

/**
 * Returns up to so many pages of a member's open work. True where nothing is left
 * that the index shows.
 */
export async function returnWork(
  dependencies: RouteDependencies,
  practice: Practice,
  memberId: string,
  mostPages: number,
): Promise<boolean> {
  let after: Record<string, unknown> | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { rows, next } = await dependencies.table.query({
      index: 'queue',
      pk: queueOfMember(memberId),
      limit: pageSize,
      ...(after && { after }),
    });
    const ids = rows.map(({ pk }) => pk.slice(inquiryPk('').length));
    if (ids.length > 0) await returnPage(dependencies, practice, memberId, ids);
    if (next === undefined) return true;
    after = next;
  }
  return false;
}

/** Each with its entries; all of them in one transaction, which sees each head as it is. */
export async function returnPage(
  { table, inquiries, contacts, routingStates, environment }: RouteDependencies,
  practice: Practice,
  memberId: string,
  ids: readonly string[],
): Promise<void> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const theirs = (await inquiries.findHeads(ids, () => {})).filter(
      (head) => head.assignedTo === memberId && isOpen(head),
    );
    if (theirs.length === 0) return;
    const now = environment.now();
    const changes = theirs.map((head): { before: Inquiry; after: Inquiry } => {
      const poolId = poolOf(head, undefined, practice).id;
      const candidate = { memberId, share: 0, outcome: 'excluded' as const, reason: 'disabled' };
      const receipt = { pool: poolId, strategy: 'returned', candidates: [candidate] };
      return { before: head, after: returned(head, { poolId, receipt }, now) };
    });
    const entries = changes.flatMap(({ before, after }) => [
      ...pastRouting(before, now, environment),
      entryOf(
        'returned',
        {
          entryId: environment.newId('entry'),
          contactId: before.contactId,
          inquiryId: before.id,
          actor: systemActor,
          at: now.toISOString(),
        },
        { memberId, pool: after.poolId ?? '', because: 'disabled' },
      ),
    ]);
    const done = await table.transact([
      ...changes.map(({ after }) => inquiries.save(after)),
      ...entries.map(contacts.addEntry),
      ...routingStates.followAll(changes),
    ]);
    if (done.committed) return;
    await environment.backOff(20 * attempt);
  }
  throw new RotationBusy();
}
