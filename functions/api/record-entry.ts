/** Records what staff did with a person: calls, notes, e-mails, appointments, consents. */

import type { Whole } from '../../shared/data/contacts.ts';
import { type EntryRecord, parseEntryRecord, recordAnswer } from '../../shared/data/idempotency.ts';
import { idempotency } from '../../shared/data/keys.ts';
import type { Write } from '../../shared/data/table.ts';
import { openTask, type Tasks } from '../../shared/data/tasks.ts';
import { transactAll } from '../../shared/data/transactions.ts';
import { addBusinessMinutes } from '../../shared/domain/business-time.ts';
import { isMissed } from '../../shared/domain/cadence.ts';
import { type Inquiry, isOpen, type Listening } from '../../shared/domain/inquiry/state.ts';
import { attemptsAfter, withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import type { Disposition } from '../../shared/domain/rules/facts.ts';
import type { CloseReason, Stage } from '../../shared/domain/stages.ts';
import { entryOf, type TimelineEntry } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import {
  askRules,
  type ByStaff,
  type ChangeDependencies,
  mostAttempts,
  withStage,
} from './change-inquiry.ts';
import { consentEffects, consentsBefore } from './consent-effects.ts';
import { wholeOf } from './read-people.ts';
import { checkSame, type Identity } from './repetition.ts';
import { consequencesOf, readMoved } from './stage-consequences.ts';
import { tellRouting } from './tell-routing.ts';
import type { WantedEntry } from './wanted-entry.ts';

export interface RecordDependencies extends ChangeDependencies {
  readonly tasks: Tasks;
}

/** What was recorded, and the inquiry as that left it. */
export interface RecordedEntry {
  readonly entry: TimelineEntry;
  readonly inquiry?: EntryRecord['inquiry'];
}

/** A clock at the front desk may be a little fast. */
const fastClockMs = 60_000;

const invalid = (field: string, reason: string): Problem =>
  new Problem('invalid_fields', 'Correct the fields named in errors.', [{ field, reason }]);

/**
 * Records an entry once, under the contact whom the inquiry is about, or else the
 * one who is named; with what it brings for the inquiry, in one transaction.
 *
 * @throws Problem `not_found`, `invalid_fields`, `transition_not_allowed`, `idempotency_conflict`
 */
export async function recordEntry(
  dependencies: RecordDependencies,
  contactId: string,
  wanted: WantedEntry,
  by: ByStaff,
  identity: Identity | undefined,
): Promise<RecordedEntry> {
  const { table, contacts, inquiries, environment } = dependencies;
  const digests = identity && digestsOf(await dependencies.openDigest(), by.memberId, identity);
  const bodyDigest = digests?.body(contactId) ?? '';

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const whole = await wholeOf(contacts, contactId, { consistent: true });
    const { family } = whole;
    const isTheirs = (id: string): boolean => family.some((contact) => contact.id === id);
    const earlier = digests && (await recordedBefore(dependencies, digests, whole));
    if (earlier) return repetition(earlier, wanted, by.memberId);
    const head = wanted.inquiryId === undefined ? undefined : await inquiries.findHead(wanted.inquiryId);
    if (wanted.inquiryId !== undefined) {
      const isOfThem =
        head && (isTheirs(head.contactId) || (await isWrittenBy(inquiries, head.id, isTheirs)));
      if (!isOfThem) throw invalid('inquiryId', 'is not an inquiry of this contact');
    }
    const books = wanted.kind === 'call' && wanted.details.disposition === 'booked';
    const moved = head && (await readMoved(dependencies, head, books ? 'booked' : undefined));
    const stands = await consentsBefore(dependencies, wanted, head?.contactId ?? contactId);
    // Later than all that the inquiry and its person as they were read have had: so the timeline is in the order of its versions.
    const now = environment.now();
    const recordedAt = now.toISOString();
    if (wanted.at !== undefined && Date.parse(wanted.at) > now.getTime() + fastClockMs)
      throw invalid('at', 'must not be in the future');
    const at = wanted.at === undefined || wanted.at > recordedAt ? recordedAt : wanted.at;
    if (head && at < head.receivedAt) throw invalid('at', 'is before the inquiry was received');
    const entry = entryOf(
      wanted.kind,
      {
        entryId: environment.newId('entry'),
        contactId: head?.contactId ?? contactId,
        ...(head && { inquiryId: head.id }),
        actor: by.memberId,
        at,
        ...(at !== recordedAt && { recordedAt }),
      },
      wanted.details,
    );

    const next = head && effectOf(head, wanted, at, now, by.practice);
    const task = next && findingNumber(dependencies, next, wanted, by, now);
    const followed = next && task ? { ...next, tasksFollow: true as const } : next;
    const changed = followed && followed !== head ? followed : undefined;
    const left = changed ?? head;
    const record: EntryRecord = {
      entryId: entry.entryId,
      contactId: entry.contactId,
      at,
      ...(entry.recordedAt !== undefined && { recordedAt }),
      ...(left && { inquiry: stateOf(left) }),
      bodyDigest,
    };
    const { mailboxes, consents } = await consentEffects(dependencies, wanted, family, entry, stands);
    const writes: Write[] = [
      contacts.addEntry(entry),
      ...consents,
      ...(digests ? [recordAnswer(digests.key, record, now)] : []),
      ...(task ?? []),
      ...(head && changed
        ? [
            inquiries.save(changed),
            ...consequencesOf(dependencies, head, changed, {
              actor: by.memberId,
              now,
              moved,
              by: wanted.kind,
            }),
          ]
        : []),
    ];
    // One transaction, but of somebody with very many mailboxes: those that are written by then hold, whatever becomes of the last.
    const done = await transactAll(table, [...mailboxes.map((mailbox) => [mailbox]), writes]);
    if (!done.committed) continue;
    if (changed) await askRules(dependencies, changed);
    if (head && changed) await tellRouting(dependencies, by.practice, head, changed);
    return { entry, ...(left && { inquiry: stateOf(left) }) };
  }
  throw new Problem('unavailable', 'It could not be recorded. Try again in a moment.');
}

/** Minutes of opening time until a wrong number has to be looked into. */
const wrongNumberMinutes = 240;

/** What asks whoever has the inquiry for another number; undefined where nobody works on it any more. */
export function findingNumber(
  dependencies: RecordDependencies,
  head: Inquiry,
  wanted: WantedEntry,
  { memberId, practice }: ByStaff,
  now: Date,
): readonly Write[] | undefined {
  const isWrong = wanted.kind === 'call' && wanted.details.disposition === 'wrong_number';
  if (!isWrong || !isOpen(head) || head.progress === 'quarantined') return undefined;
  const location = findLocation(practice, head.locationId);
  const { writes } = openTask(
    dependencies,
    {
      contactId: head.contactId,
      inquiryId: head.id,
      locationId: location.id,
      title: 'Find another phone number',
      dueAt: addBusinessMinutes(now, wrongNumberMinutes, location).toISOString(),
      assignee: head.assignedTo,
      madeBy: memberId,
    },
    now,
  );
  return writes;
}

/** Whether somebody wrote an inquiry that is about somebody else. */
async function isWrittenBy(
  inquiries: RecordDependencies['inquiries'],
  inquiryId: string,
  isTheirs: (contactId: string) => boolean,
): Promise<boolean> {
  const writerId = (await inquiries.find(inquiryId))?.body?.writerId;
  return writerId !== undefined && isTheirs(writerId);
}

export const stateOf = ({
  id,
  version,
  stage,
  closeReason,
}: Inquiry): NonNullable<EntryRecord['inquiry']> => ({
  id,
  version,
  stage,
  ...(closeReason !== undefined && { closeReason }),
});

/** How a repetition of an entry is told. */
interface Digests {
  /** Of the member and the key alone: whoever speaks for the person may be another by the time it comes again. */
  readonly key: string;
  /** Of what is said about a contact; about anybody else it is another request. */
  readonly body: (contactId: string) => string;
  /** As both were until 0.4.0: what was noted so is in force for a day. */
  readonly former: { readonly key: (survivorId: string) => string; readonly body: string };
}

const digestsOf = (digest: Digest, memberId: string, { key, content }: Identity): Digests => ({
  key: digest('idempotency', `entry ${memberId} ${key}`),
  body: (contactId) => digest('body', `${contactId} ${content}`),
  former: {
    key: (survivorId) => digest('idempotency', `entry ${memberId} ${survivorId} ${key}`),
    body: digest('body', content),
  },
});

/**
 * What was answered to a request before. Whichever of a person's contacts it names, it is the same one.
 *
 * @throws Problem `idempotency_conflict` where the request is another one
 */
async function recordedBefore(
  { table, environment }: RecordDependencies,
  { key, body, former }: Digests,
  { survivor, family }: Whole,
): Promise<EntryRecord | undefined> {
  const [found, foundFormerly] = await Promise.all(
    [key, former.key(survivor.id)].map((each) => table.get(idempotency(each), { consistent: true })),
  );
  const now = environment.now();
  const earlier = parseEntryRecord(found, now);
  if (earlier) checkSame(earlier, ...family.map(({ id }) => body(id)));
  if (earlier) return earlier;
  const formerly = parseEntryRecord(foundFormerly, now);
  if (formerly) checkSame(formerly, former.body);
  return formerly;
}

/** The first answer again. */
function repetition(earlier: EntryRecord, wanted: WantedEntry, memberId: string): RecordedEntry {
  const { entryId, contactId, at, recordedAt, inquiry } = earlier;
  const frame = {
    entryId,
    contactId,
    ...(wanted.inquiryId !== undefined && { inquiryId: wanted.inquiryId }),
    actor: memberId,
    at,
    ...(recordedAt !== undefined && { recordedAt }),
  };
  return { entry: entryOf(wanted.kind, frame, wanted.details), ...(inquiry && { inquiry }) };
}

/** The stage that a disposition sets; undefined where it leaves it. */
export function stageOf(
  disposition: Disposition,
  head: Inquiry,
  { cadence }: Listening,
): { readonly to: Stage; readonly closeReason?: CloseReason } | undefined {
  // It only moves on from there: a second call to somebody who is in consult keeps them there.
  if (disposition === 'reached') return head.stage === 'new' ? { to: 'contacted' } : undefined;
  if (disposition === 'booked') return head.stage === 'booked' ? undefined : { to: 'booked' };
  if (disposition === 'not_interested' && head.stage !== 'closed')
    return { to: 'closed', closeReason: 'not_interested' };
  // After the last step of the cadence nobody is called any more.
  const isLast =
    isMissed(disposition) && attemptsAfter(head, disposition) > (cadence?.steps.length ?? Infinity);
  if (isLast && isOpen(head)) return { to: 'closed', closeReason: 'no_response' };
  return undefined;
}

/**
 * The inquiry as an entry leaves it: the same object where it leaves it as it was.
 *
 * @throws Problem `transition_not_allowed` where a call says that it came to a stage that cannot be set
 */
function effectOf(head: Inquiry, wanted: WantedEntry, at: string, now: Date, practice: Practice): Inquiry {
  const listen = (trigger: 'disposition' | 'reply' | 'stage_change'): Listening =>
    listeningFor(practice, head, now, trigger);
  if (wanted.kind === 'email') {
    if (wanted.details.direction !== 'received') return head;
    const listening = listen('reply');
    return withTrigger({ ...head, version: head.version + 1 }, { kind: 'reply' }, now, listening);
  }
  if (wanted.kind !== 'call') return head;

  const { disposition } = wanted.details;
  const suspected = head.progress === 'quarantined' && isOpen(head);
  const listening = listen('disposition');
  const move = suspected && disposition === 'reached' ? undefined : stageOf(disposition, head, listening);
  const moved = move && withStage(head, move.to, move.closeReason, now, listen('stage_change'));
  const matters = listening.awaitsRules || listening.silence !== undefined;
  // What is an end stays as it is, whatever calls follow; they are told after what it has had.
  if (!moved && !matters && head.firstContactedAt !== undefined && !isOpen(head))
    return { ...head, version: head.version + 1 };
  const next: Inquiry = {
    ...(moved ?? head),
    version: head.version + 1,
    // The first attempt that was recorded, and when it was made.
    firstContactedAt: head.firstContactedAt ?? at,
  };
  return withTrigger(next, { kind: 'disposition', disposition, calledAt: at }, now, listening);
}
