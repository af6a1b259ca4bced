/** Changes an inquiry by hand: its stage, its release from quarantine, its red flag, what sets it aside. */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import {
  beginCall,
  endCall,
  endHold,
  type HoldChange,
  type HoldRefusal,
  park,
  snooze,
} from '../../shared/domain/inquiry/hold.ts';
import { released, reviewRedFlag } from '../../shared/domain/inquiry/review.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import type { Inquiry, Listening, ParkReason } from '../../shared/domain/inquiry/state.ts';
import { clockFor, listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { RedFlagState } from '../../shared/domain/red-flags.ts';
import type { CloseReason, Stage } from '../../shared/domain/stages.ts';
import { type EntryFrame, entryOf, type TimelineEntry } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { attachPoints } from './attach-points.ts';
import { type ConsequenceDependencies, consequencesOf, readMoved } from './stage-consequences.ts';
import { type TellDependencies, tellRouting } from './tell-routing.ts';

export interface ChangeDependencies extends ConsequenceDependencies, TellDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly scoreQueue: Queue<StepMessage>;
  readonly openDigest: () => Promise<Digest>;
}

export type Change =
  | { readonly stage: Stage; readonly closeReason?: CloseReason | undefined }
  | { readonly release: true }
  | { readonly redFlag: Exclude<RedFlagState, 'raised'> }
  | { readonly snoozeUntil: string }
  | { readonly wake: true }
  | {
      readonly park: {
        readonly reason: ParkReason;
        /** Left out, whoever has it, or else whoever parks it. */
        readonly owner?: string | undefined;
        readonly until: string;
      };
    }
  | { readonly unpark: true }
  | { readonly calling: boolean };

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
  const { table, inquiries, contacts, routingStates, environment } = dependencies;
  const stale = new Problem('precondition_failed', 'Somebody changed this inquiry meanwhile. Read it again.');
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const head = await inquiries.findHead(id);
    if (!head) throw noInquiry();
    if (head.version !== seenVersion) throw stale;

    const moved = await readMoved(dependencies, head, 'stage' in change ? change.stage : undefined);
    const now = environment.now();
    const frame = () => ({
      entryId: environment.newId('entry'),
      contactId: head.contactId,
      inquiryId: id,
      actor: memberId,
      at: now.toISOString(),
    });
    const { next, entry } =
      'stage' in change || 'release' in change || 'redFlag' in change
        ? apply(head, change, now, listeningFor(practice, head, now, 'stage_change'), frame)
        : setAside(head, change, now, { memberId, practice }, frame);
    const beside: Write[] = entry
      ? [contacts.addEntry(entry), ...routingStates.follow(head, next)]
      : consequencesOf(dependencies, head, next, { actor: memberId, now, moved });
    const attached = 'release' in change ? await attachPoints(dependencies, id, practice, now) : [];
    const done = await table.transact([inquiries.save(next), ...beside, ...attached]);
    if (done.committed) {
      await askRules(dependencies, next);
      await tellRouting(dependencies, practice, head, next);
      return next;
    }
    if (done.failed.has(0)) throw stale;
    // Only the person changed meanwhile: look at them again.
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

interface Changed {
  readonly next: Inquiry;
  readonly entry?: TimelineEntry;
}

/** The next state, with its entry; a change of the stage has its entry among its consequences. */
function apply(
  head: Inquiry,
  change: Extract<Change, { stage: Stage } | { release: true } | { redFlag: unknown }>,
  now: Date,
  listening: Listening,
  frame: () => EntryFrame,
): Changed {
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

/** Why something cannot be set aside, as its problem says. */
const refusals: Readonly<Record<HoldRefusal, string>> = {
  not_open: 'The inquiry is closed or booked.',
  not_placed: 'The inquiry is still on its way, or in quarantine: nobody can work on it yet.',
  parked: 'The inquiry is parked. Let it go on first.',
  not_snoozed: 'The inquiry is not snoozed.',
  not_parked: 'The inquiry is not parked.',
  called_by_other: 'Somebody else is calling about it at this moment.',
  not_calling: 'Nobody is calling about it.',
};

/**
 * The next state where something is set aside, called about, or goes on, with its entry.
 *
 * @throws Problem `conflict`
 */
function setAside(
  head: Inquiry,
  change: Exclude<Change, { stage: Stage } | { release: true } | { redFlag: unknown }>,
  now: Date,
  { memberId: by, practice }: ByStaff,
  frame: () => EntryFrame,
): Changed {
  const clock = clockFor(practice, head);
  const done = (changed: HoldChange): Inquiry => {
    if (changed.outcome === 'refused') throw new Problem('conflict', refusals[changed.because]);
    return changed.next;
  };
  if ('calling' in change) {
    if (change.calling) {
      const next = done(beginCall(head, by, now, clock));
      return { next, entry: entryOf('calling', frame(), { state: 'began' }) };
    }
    const next = done(endCall(head, now, clock));
    return { next, entry: entryOf('calling', frame(), { state: 'ended', because: 'by_hand' }) };
  }
  if ('wake' in change || 'unpark' in change) {
    const kind = 'wake' in change ? 'snoozed' : 'parked';
    const next = done(endHold(head, kind, now, clock));
    return { next, entry: entryOf('resumed', frame(), { kind, because: 'by_hand' }) };
  }
  if ('snoozeUntil' in change) {
    const { snoozeUntil: until } = change;
    const next = done(snooze(head, { by, until }, now, clock));
    return { next, entry: entryOf('held', frame(), { kind: 'snoozed', until }) };
  }
  const { reason, owner = head.assignedTo ?? by, until } = change.park;
  const next = done(park(head, { by, reason, owner, until }, now, clock));
  return { next, entry: entryOf('held', frame(), { kind: 'parked', until, reason, owner }) };
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
