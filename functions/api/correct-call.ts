/**
 * Corrects what a call was recorded to have come to. The entry stays as it was written; another names
 * it and says what is true. What the last thing that happened brought for its inquiry is taken back
 * with it; what came after an earlier call stands, and only the record is corrected.
 */
import type { Contact } from '../../shared/data/contacts.ts';
import type { Write } from '../../shared/data/table.ts';
import { isMissed } from '../../shared/domain/cadence.ts';
import { changeStage, stageTransitions } from '../../shared/domain/inquiry/stage.ts';
import { type Inquiry, isOpen } from '../../shared/domain/inquiry/state.ts';
import { withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Disposition } from '../../shared/domain/rules/facts.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { correctedTo, entryDetails, entryOf, type TimelineEntry } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import { askRules, type ByStaff, mostAttempts } from './change-inquiry.ts';
import { wholeOf } from './read-people.ts';
import { findingNumber, type RecordDependencies, stageOf } from './record-entry.ts';
import { consequencesOf, type MovedPerson, readMoved } from './stage-consequences.ts';
import { tellRouting } from './tell-routing.ts';

export interface WantedCorrection {
  readonly disposition: Disposition;
  readonly note?: string | undefined;
}

export interface Corrected {
  readonly entry: TimelineEntry;
  /** The inquiry, where what the call brought was taken back. */
  readonly inquiry?: Inquiry;
}

const recorded = ({ recordedAt, at }: TimelineEntry): string => recordedAt ?? at;

/** A call as its timeline tells of it. */
interface Told {
  readonly call: TimelineEntry;
  /** What it is taken to have come to by now. */
  readonly disposition: Disposition;
  /** What it brought, and what corrections of it did: their moves of the stage, the first at the front. */
  readonly moves: readonly { readonly from: Stage; readonly to: Stage }[];
  /** Calls that reached nobody, before it. */
  readonly attempts: number;
  /** Nothing has happened to the inquiry since. */
  readonly isLast: boolean;
  /** The lifecycle of the person that it moved. */
  readonly lifecycle?: NonNullable<ReturnType<typeof lifecycleIn>>;
}

const stageIn = (entry: TimelineEntry) =>
  entry.kind === 'stage_changed' ? entryDetails.stage_changed.parse(entry.details) : undefined;
const lifecycleIn = (entry: TimelineEntry) =>
  entry.kind === 'contact_changed' && entry.details['because'] === 'stage'
    ? entryDetails.contact_changed.parse(entry.details).changes.lifecycle
    : undefined;

/** Whether something happened to an inquiry that a call before it does not undo. */
function standsByItself(entry: TimelineEntry): boolean {
  const { kind, details } = entry;
  if (kind === 'email') return details['direction'] === 'received';
  if (kind === 'rules_applied') return details['stage'] !== undefined || details['spam'] === true;
  return ['call', 'call_corrected', 'stage_changed', 'released', 'appointment'].includes(kind);
}

/** Calls in a row that reached nobody, by the entries before one, the newest first. */
function attemptsIn(entries: readonly TimelineEntry[], all: readonly TimelineEntry[]): number {
  let attempts = 0;
  for (const entry of entries) {
    const { kind, details } = entry;
    if (kind === 'call_corrected' && details['attempts'] !== undefined)
      return attempts + Number(details['attempts']);
    if (kind === 'call') {
      const disposition = correctedTo(entry, all);
      if (isMissed(disposition)) attempts++;
      else if (disposition !== 'wrong_number') return attempts;
    } else if (kind !== 'call_corrected' && standsByItself(entry)) return attempts;
  }
  return attempts;
}

/** Reads a call out of the entries of its contact. */
function toldOf(call: TimelineEntry, entries: readonly TimelineEntry[]): Told {
  const about = entries.filter(({ inquiryId }) => inquiryId === call.inquiryId);
  const at = about.findIndex(({ entryId }) => entryId === call.entryId);
  const since = about.slice(at + 1);
  const times = new Set([
    recorded(call),
    ...since
      .filter(({ kind, details }) => kind === 'call_corrected' && details['corrects'] === call.entryId)
      .map(recorded),
  ]);
  // What came in one transaction with the call, or with a correction of it.
  const isOwn = (entry: TimelineEntry): boolean =>
    times.has(recorded(entry)) &&
    (entry.kind === 'call_corrected'
      ? entry.details['corrects'] === call.entryId
      : ['call', 'correction', 'stage'].includes(String(entry.details['by'] ?? entry.details['because'])));
  const own = since.filter(isOwn);
  const lifecycle = own.map(lifecycleIn).find((change) => change !== undefined);
  return {
    call,
    disposition: correctedTo(call, entries),
    moves: own.flatMap((entry) => stageIn(entry) ?? []),
    attempts: attemptsIn(about.slice(0, at).reverse(), entries),
    isLast: !since.some((entry) => standsByItself(entry) && !own.includes(entry)),
    ...(lifecycle && { lifecycle }),
  };
}

/** The stage that puts a correction right at the most: that of a booking, or the one from before the call. */
const stageAfter = (to: Disposition, { moves }: Told): Stage | undefined =>
  to === 'booked' ? 'booked' : moves[0]?.from;

/** The inquiry as if the call had come to something else. */
function stateAs(head: Inquiry, told: Told, to: Disposition, now: Date, practice: Practice): Inquiry {
  const { call, moves, attempts } = told;
  const listening = listeningFor(practice, head, now, 'disposition');
  const counted = <State extends Inquiry>({ attempts: _wrong, ...state }: State) => ({
    ...state,
    // What is an end counts none.
    ...(attempts > 0 && isOpen(state) && { attempts }),
  });
  const without = counted({ ...head, stage: moves[0]?.from ?? head.stage });
  const wanted = stageOf(to, without, listening);
  const target = wanted?.to ?? without.stage;
  const closeReason = wanted?.closeReason;
  const transitions = { ...(listening.transitions ?? stageTransitions), [head.stage]: [target] };
  const change =
    target === head.stage
      ? undefined
      : changeStage(head, target, closeReason, now, {
          ...listeningFor(practice, head, now, 'stage_change'),
          transitions,
        });
  if (change?.outcome === 'not_allowed')
    throw new Problem('transition_not_allowed', `From ${head.stage} the stage cannot be set.`);
  const moved = change?.next ?? { ...head, version: head.version + 1, ...(closeReason && { closeReason }) };
  return withTrigger(
    counted(moved),
    { kind: 'disposition', disposition: to, calledAt: call.at },
    now,
    listening,
  );
}

/** @throws Problem `not_found`, `conflict`, `transition_not_allowed`, `unavailable` */
export async function correctCall(
  dependencies: RecordDependencies,
  contactId: string,
  entryId: string,
  { disposition: to, note }: WantedCorrection,
  by: ByStaff,
): Promise<Corrected> {
  const { table, contacts, inquiries, timelines, environment } = dependencies;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { family } = await wholeOf(contacts, contactId, { consistent: true });
    const pages = await Promise.all(family.map(({ id }) => timelines.entriesOf(id)));
    const call = pages.flat().find((entry) => entry.entryId === entryId);
    if (call?.kind !== 'call') throw new Problem('not_found', 'There is no such call.');
    const head = call.inquiryId === undefined ? undefined : await inquiries.findHead(call.inquiryId);
    // Read after the head: whatever happens to it from here on, its version tells.
    const told = toldOf(call, await timelines.entriesOf(call.contactId));
    if (told.disposition === to) throw new Problem('conflict', 'That is what it came to already.');
    const moved = head && told.isLast ? await readMoved(dependencies, head, stageAfter(to, told)) : undefined;
    const now = environment.now();
    const changed = head && told.isLast ? stateAs(head, told, to, now, by.practice) : undefined;
    const entry = entryOf(
      'call_corrected',
      {
        entryId: environment.newId('entry'),
        contactId: call.contactId,
        ...(call.inquiryId !== undefined && { inquiryId: call.inquiryId }),
        actor: by.memberId,
        at: now.toISOString(),
      },
      {
        corrects: entryId,
        from: told.disposition,
        to,
        ...(note !== undefined && { note }),
        ...(changed && { attempts: changed.attempts ?? 0 }),
      },
    );
    const task =
      changed &&
      findingNumber(dependencies, changed, { kind: 'call', details: { disposition: to } }, by, now);
    const next = changed && task ? { ...changed, tasksFollow: true as const } : changed;
    const owner = family.find(({ id }) => id === call.contactId);
    const writes: Write[] = [
      contacts.addEntry(entry),
      ...(task ?? []),
      ...(head && next ? inquiryWrites(dependencies, { head, next, owner, moved, told }, by, now) : []),
    ];
    const done = await table.transact(writes);
    if (!done.committed) continue;
    if (head && next) {
      await askRules(dependencies, next);
      await tellRouting(dependencies, by.practice, head, next);
    }
    return { entry, ...(next && { inquiry: next }) };
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

/** What a correction takes an inquiry from and to, with whom it concerns. */
interface Change {
  readonly head: Inquiry;
  readonly next: Inquiry;
  readonly owner: Contact | undefined;
  readonly moved: MovedPerson | undefined;
  readonly told: Told;
}

function inquiryWrites(
  dependencies: RecordDependencies,
  { head, next, owner, moved, told: { lifecycle } }: Change,
  { memberId: actor }: ByStaff,
  now: Date,
): Write[] {
  const { contacts, inquiries, environment } = dependencies;
  const frame = () => ({
    entryId: environment.newId('entry'),
    contactId: next.contactId,
    inquiryId: next.id,
    actor,
    at: now.toISOString(),
  });
  const writes = [
    inquiries.save(next),
    ...consequencesOf(dependencies, head, next, { actor, now, moved, by: 'correction' }),
  ];
  if (head.stage === next.stage && head.closeReason !== next.closeReason) {
    const { stage, closeReason } = next;
    const details = { from: stage, to: stage, ...(closeReason && { closeReason }), by: 'correction' };
    writes.push(contacts.addEntry(entryOf('stage_changed', frame(), details)));
  }
  // Whom a booking by mistake made a patient is as before, unless somebody has said otherwise since.
  const isTakenBack = lifecycle?.from !== undefined && owner?.lifecycle === lifecycle.to;
  if (owner && isTakenBack && head.stage !== next.stage) {
    const changes = { lifecycle: { from: lifecycle.to, to: lifecycle.from } };
    writes.push(
      ...contacts.change(owner, { lifecycle: lifecycle.from as Contact['lifecycle'] }, now),
      contacts.addEntry(
        entryOf('contact_changed', { ...frame(), contactId: owner.id }, { changes, because: 'correction' }),
      ),
    );
  }
  return writes;
}
