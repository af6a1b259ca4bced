/** Changes an inquiry by hand: its stage, or its release from quarantine. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { changeStage, type Inquiry, isOpen, released } from '../../shared/domain/inquiry.ts';
import type { CloseReason, Stage } from '../../shared/domain/stages.ts';
import { Problem } from '../../shared/http/problem.ts';

export interface ChangeDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
  readonly routingStates: RoutingStates;
  readonly environment: Environment;
}

export type Change =
  | { readonly stage: Stage; readonly closeReason?: CloseReason | undefined }
  | { readonly release: true };

/**
 * Applies a change to the version of an inquiry that the caller saw.
 *
 * @throws Problem `not_found`, `precondition_failed`, `transition_not_allowed`
 */
export async function changeInquiry(
  { table, inquiries, contacts, routingStates, environment }: ChangeDependencies,
  id: string,
  seenVersion: number,
  change: Change,
  actor: string,
): Promise<Inquiry> {
  const head = await inquiries.findHead(id);
  if (!head) throw new Problem('not_found', 'There is no such inquiry.');
  const stale = new Problem('precondition_failed', 'Somebody changed this inquiry meanwhile. Read it again.');
  if (head.version !== seenVersion) throw stale;

  const now = environment.now();
  const { next, kind, details } = apply(head, change, now);
  const entry = contacts.addEntry({
    entryId: environment.newId('entry'),
    contactId: head.contactId,
    inquiryId: id,
    kind,
    actor,
    at: now.toISOString(),
    details,
  });
  const load: Write[] = [];
  if (head.assignedTo !== undefined && isOpen(head) !== isOpen(next)) {
    load.push(routingStates.changeOpen(head.assignedTo, isOpen(next) ? 1 : -1));
  }
  const done = await table.transact([inquiries.save(next), entry, ...load]);
  if (done.committed) return next;
  if (done.failed.has(0)) throw stale;
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

function apply(head: Inquiry, change: Change, now: Date) {
  if ('release' in change) {
    const next = released(head, now);
    if (!next) throw new Problem('transition_not_allowed', 'The inquiry is not in quarantine.');
    return { next, kind: 'released' as const, details: { suspected: (head.quarantine ?? []).join(', ') } };
  }
  const changed = changeStage(head, change.stage, change.closeReason, now);
  if (changed.outcome === 'not_allowed') {
    throw new Problem(
      'transition_not_allowed',
      `From ${head.stage} the stage can be set to ${changed.allowed.join(', ')}.`,
      [{ field: 'stage', reason: `must be one of ${changed.allowed.join(', ')}` }],
    );
  }
  const { closeReason } = change;
  return {
    next: changed.next,
    kind: 'stage_changed' as const,
    details: { from: head.stage, to: change.stage, ...(closeReason !== undefined && { closeReason }) },
  };
}
