/** Changes an inquiry by hand: its stage, its release from quarantine, what its red flag was. */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import { released, reviewRedFlag } from '../../shared/domain/inquiry/review.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import type { Inquiry, Listening } from '../../shared/domain/inquiry/state.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { RedFlagState } from '../../shared/domain/red-flags.ts';
import type { CloseReason, Stage } from '../../shared/domain/stages.ts';
import { type EntryFrame, entryOf, type TimelineEntry } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';
import { type ConsequenceDependencies, consequencesOf } from './stage-consequences.ts';

export interface ChangeDependencies extends ConsequenceDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly scoreQueue: Queue<StepMessage>;
  /** Called where rules are to look at something and could not be asked to; the sweep will. */
  readonly onEnqueueFailure: (inquiryId: string, error: unknown) => void;
}

export type Change =
  | { readonly stage: Stage; readonly closeReason?: CloseReason | undefined }
  | { readonly release: true }
  | { readonly redFlag: Exclude<RedFlagState, 'raised'> };

/** Who changes something, and the practice as it is then. */
export interface ByStaff {
  readonly memberId: string;
  readonly practice: Practice;
}

/** Changes that meet in one person settle in a round or two. */
export const mostAttempts = 5;

export const noInquiry = (): Problem => new Problem('not_found', 'There is no such inquiry.');

/** Has the rules look at what waits for them. */
export async function askRules(
  { scoreQueue, onEnqueueFailure }: ChangeDependencies,
  { id, version, trigger }: Inquiry,
): Promise<void> {
  if (trigger === undefined) return;
  await scoreQueue.send({ inquiryId: id, version }).catch((error: unknown) => onEnqueueFailure(id, error));
}

/**
 * Applies a change to the version of an inquiry that the caller saw.
 *
 * @throws Problem `not_found`, `precondition_failed`, `transition_not_allowed`, `conflict`
 */
export async function changeInquiry(
  dependencies: ChangeDependencies,
  id: string,
  seenVersion: number,
  change: Change,
  { memberId, practice }: ByStaff,
): Promise<Inquiry> {
  const { table, inquiries, contacts, environment } = dependencies;
  const stale = new Problem('precondition_failed', 'Somebody changed this inquiry meanwhile. Read it again.');
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const head = await inquiries.findHead(id);
    if (!head) throw noInquiry();
    if (head.version !== seenVersion) throw stale;

    const now = environment.now();
    const frame = () => ({
      entryId: environment.newId('entry'),
      contactId: head.contactId,
      inquiryId: id,
      actor: memberId,
      at: now.toISOString(),
    });
    const { next, entry } = apply(
      head,
      change,
      now,
      listeningFor(practice, head, now, 'stage_change'),
      frame,
    );
    const beside: Write[] = entry
      ? [contacts.addEntry(entry)]
      : await consequencesOf(dependencies, head, next, {
          actor: memberId,
          now,
        });
    const done = await table.transact([inquiries.save(next), ...beside]);
    if (done.committed) {
      await askRules(dependencies, next);
      return next;
    }
    if (done.failed.has(0)) throw stale;
    // Only the person changed meanwhile: look at them again.
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

/** The next state, with its entry; a change of the stage has its entry among its consequences. */
function apply(
  head: Inquiry,
  change: Change,
  now: Date,
  listening: Listening,
  frame: () => EntryFrame,
): { readonly next: Inquiry; readonly entry?: TimelineEntry } {
  if ('release' in change) {
    const next = released(head, now);
    if (!next) throw new Problem('transition_not_allowed', 'The inquiry is not in quarantine.');
    return { next, entry: entryOf('released', frame(), { suspected: (head.quarantine ?? []).join(', ') }) };
  }
  if ('redFlag' in change) {
    const next = reviewRedFlag(head, change.redFlag);
    if (!next) throw new Problem('conflict', 'No red flag was raised about this inquiry.');
    return { next, entry: entryOf('red_flag_reviewed', frame(), { result: change.redFlag }) };
  }
  return { next: withStage(head, change.stage, change.closeReason, now, listening) };
}

/**
 * The state with another stage.
 *
 * @throws Problem `transition_not_allowed`
 */
export function withStage(
  head: Inquiry,
  stage: Stage,
  closeReason: CloseReason | undefined,
  now: Date,
  listening: Listening,
): Inquiry {
  const changed = changeStage(head, stage, closeReason, now, listening);
  if (changed.outcome === 'changed') return changed.next;
  const allowed = changed.allowed.join(', ');
  throw new Problem('transition_not_allowed', `From ${head.stage} the stage can be set to ${allowed}.`, [
    { field: 'stage', reason: `must be one of ${allowed}` },
  ]);
}
