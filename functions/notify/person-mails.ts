/**
 * Messages to people: the answer to an arrival, what rules reply, the steps of a
 * sequence. Whether each may go out is decided in one place (`lawful`), on what
 * is known the moment before; the claim holds that nothing of it changed since.
 */
import { type Consents, noteFormConsent } from '../../shared/data/consents.ts';
import type { Contact, Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries, InquiryBody, InquiryRecord } from '../../shared/data/inquiries.ts';
import { askStaff } from '../../shared/data/mail-tasks.ts';
import type { Mailboxes } from '../../shared/data/mailboxes.ts';
import type { Messages } from '../../shared/data/messages.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Tasks } from '../../shared/data/tasks.ts';
import type { Timelines } from '../../shared/data/timeline.ts';
import { type AgeKnown, isMinorAt, laterWord, saidOfAge } from '../../shared/domain/age.ts';
import { isByPatient } from '../../shared/domain/by-patient.ts';
import { normalizeEmail } from '../../shared/domain/contact-point.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import {
  type Consent,
  countedMessage,
  formConsentsOf,
  unknownMailbox,
} from '../../shared/domain/messages/consent.ts';
import { answersOf, repliesOf, sequencesOf, wroteByEmail } from '../../shared/domain/messages/greeting.ts';
import { lawful, mostPauseMs, type Sendable } from '../../shared/domain/messages/lawful.ts';
import {
  type Enrolment,
  enrolled,
  findSequence,
  hasStep,
  type StopReason,
  stepTaken,
  stopped,
  withStep,
} from '../../shared/domain/messages/nurture.ts';
import { type Addressee, addresseeOf, firstNameOf } from '../../shared/domain/messages/recipient.ts';
import {
  answerWithinMs,
  asked,
  claimed,
  type DropReason,
  isClaimable,
  type MessageRecord,
  messageRefused,
  messageSent,
  putOff,
  unwritten,
} from '../../shared/domain/messages/record.ts';
import { findTemplate, senderOf } from '../../shared/domain/messages/sender.ts';
import { personOf } from '../../shared/domain/person.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { learntZone, saidOfZone } from '../../shared/domain/time-zone.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';
import type { PersonMessage } from '../../shared/queues/messages.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import type { Pace } from './pace.ts';
import type { PersonMailer } from './person-mailer.ts';

export interface PersonDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
  readonly timelines: Pick<Timelines, 'answeredSince'>;
  readonly messages: Messages;
  readonly consents: Consents;
  readonly mailboxes: Mailboxes;
  readonly tasks: Tasks;
  readonly practice: () => Promise<Practice>;
  readonly environment: Environment;
  readonly personMailer: PersonMailer;
  readonly pace: Pace;
  readonly openDigest: () => Promise<Digest>;
}

export type ToldPerson =
  | 'message_sent'
  /** The rules of lawful messages, or those of answers, forbid it. */
  | 'message_refused'
  /** It waits for its hour, or for its turn. */
  | 'message_put_off'
  | 'message_not_due'
  | 'message_unknown_inquiry';

/** What becomes of one message; `until` where it waits. */
type Delivered = { readonly told: ToldPerson; readonly until?: string };

const mostAttempts = 8;
/** How long a message without a turn is put off. */
const turnlessMs = 60_000;

/** Thrown where somebody changed what a message depends on in every attempt; it is asked for again. */
export class MessageBusy extends Error {
  override readonly name = 'MessageBusy';
}

type Known = InquiryRecord & { readonly body: InquiryBody };

export async function sendToPerson(
  dependencies: PersonDependencies,
  message: PersonMessage,
): Promise<ToldPerson> {
  const { inquiry, messages } = await dependencies.messages.findWithInquiry(message.inquiryId);
  if (!inquiry?.body) return 'message_unknown_inquiry';
  const record: Known = { ...inquiry, body: inquiry.body };
  if (message.kind === 'acknowledgement') return await answerArrival(dependencies, record, messages);
  if (message.kind === 'nurture') return await nurture(dependencies, record, message.sequence);
  const asked = messages.find(({ key }) => key === message.key);
  return asked ? (await deliver(dependencies, record, asked)).told : 'message_not_due';
}

/** Answers whoever wrote, and begins what rules ask for; each of it once, however often it is asked for. */
async function answerArrival(
  dependencies: PersonDependencies,
  record: Known,
  about: readonly MessageRecord[],
): Promise<ToldPerson> {
  const { table, messages, consents, environment } = dependencies;
  const { head, body, score } = record;
  // A human looks at it first.
  if (head.progress === 'quarantined') return 'message_not_due';
  const practice = await dependencies.practice();
  const now = environment.now();
  const { id: inquiryId, contactId } = head;
  const by = systemActor;
  const actions = score?.decision?.recorded ?? [];
  for (const sequence of sequencesOf(actions)) {
    const enrolment = enrolled({ inquiryId, contactId, sequence, by }, now);
    if (enrolment) await table.write(messages.enrol(enrolment));
  }
  const replies = repliesOf(actions).map((templateId) =>
    asked({ inquiryId, contactId, key: `reply-${templateId}`, kind: 'reply', templateId, by }, now),
  );
  const location = findLocation(practice, head.locationId);
  const templateId = answersOf(practice, location, { channel: body.channel, now });
  // What a rule replies takes the place of the usual answer: nobody gets two at once.
  const wanted =
    replies.length > 0 || templateId === undefined
      ? replies
      : [
          asked(
            { inquiryId, contactId, key: 'acknowledgement', kind: 'acknowledgement', templateId, by },
            now,
          ),
        ];
  const isLate = now.getTime() - Date.parse(head.clockFrom ?? head.receivedAt) > answerWithinMs;
  const messagesToSend = wanted
    .map((fresh) => about.find(({ key }) => key === fresh.key) ?? unwritten(fresh))
    .filter(({ version }) => version > 0 || !isLate);
  // Each message brings what it was agreed with; without one, that is noted all the same.
  if (messagesToSend.length === 0) {
    const { notes } = await agreedWith(dependencies, record, (id) => consents.of([id]));
    // Where somebody was faster it is noted, or something later is.
    for (const note of notes) await table.transact(note);
  }
  let told: ToldPerson = 'message_not_due';
  for (const message of messagesToSend) told = (await deliver(dependencies, record, message)).told;
  return told;
}

/** What whoever wrote the inquiry agreed to with it, as far as that is not noted yet, and the writes that note it. */
async function agreedWith(
  dependencies: PersonDependencies,
  { head, body }: Known,
  consentsOf: (contactId: string) => Promise<readonly Consent[]>,
): Promise<{
  readonly contactId: string;
  readonly news: readonly Consent[];
  readonly notes: readonly Write[][];
}> {
  const contactId = body.writerId ?? head.contactId;
  const { receivedAt: at } = body;
  const agreed = formConsentsOf(body.fields, wroteByEmail(body.channel));
  const known = agreed.length > 0 ? await consentsOf(contactId) : [];
  const news = agreed.filter(
    ({ purpose }) => !known.some((consent) => consent.purpose === purpose && consent.at >= at),
  );
  return {
    contactId,
    news: news.map((one) => ({ ...one, given: true, at, version: 1 })),
    notes: news.map((one) => noteFormConsent(dependencies, { contactId, inquiryId: head.id, at }, one)),
  };
}

/** The next step of a sequence, unless there is a reason to end it. */
async function nurture(
  dependencies: PersonDependencies,
  record: Known,
  sequence: string,
): Promise<ToldPerson> {
  const { table, messages, environment } = dependencies;
  const { head } = record;
  const enrolment = await messages.findEnrolment(head.id, sequence);
  if (enrolment?.state !== 'active') return 'message_not_due';
  const step = findSequence(sequence)?.steps[enrolment.step];
  const reason = step ? await reasonToStop(dependencies, record, enrolment) : 'unknown';
  const key = `nurture-${sequence}-${enrolment.step + 1}`;
  const existing = await messages.find(head.id, key);
  if (!step || reason) {
    // Refused where either moved meanwhile: the sweep asks again.
    await table.transact([
      messages.saveEnrolment(stopped(enrolment, reason ?? 'unknown')),
      ...(existing?.state === 'pending'
        ? [messages.save(messageRefused(existing, 'sequence_ended', environment.now()))]
        : []),
    ]);
    return 'message_not_due';
  }
  // Its due time is that of the sequence: one thing is due, not two.
  const { nextAt: _sequences, ...fresh } = asked(
    {
      inquiryId: head.id,
      contactId: head.contactId,
      key,
      kind: 'nurture',
      templateId: step.template,
      by: enrolment.by,
    },
    environment.now(),
  );
  if (!existing) await table.write(messages.ask(fresh));
  const current = existing ?? (await messages.find(head.id, key));
  if (!current) return 'message_not_due';
  const { told, until } = await deliver(dependencies, record, current, enrolment);
  const after = await messages.find(head.id, key);
  const now = environment.now();
  const next =
    after?.state === 'sent' || after?.refused === 'sent_before'
      ? stepTaken(enrolment, now)
      : after?.state === 'refused'
        ? stopped(enrolment, 'refused')
        : until !== undefined
          ? { ...enrolment, version: enrolment.version + 1, nextAt: until }
          : undefined;
  // Where the sweep has moved it meanwhile it asks again, and finds the message sent.
  if (next) await table.write(messages.saveEnrolment(next));
  return told;
}

async function reasonToStop(
  { contacts, timelines }: PersonDependencies,
  { head }: Known,
  { startedAt }: Enrolment,
): Promise<StopReason | undefined> {
  if (head.stage === 'booked' || head.stage === 'closed') return head.stage;
  const whole = await contacts.findWhole(head.contactId, { consistent: true });
  const ids = whole ? whole.family.map(({ id }) => id) : [head.contactId];
  return (await timelines.answeredSince(ids, startedAt)) ? 'answered' : undefined;
}

/** Who is written to, with every contact that they are. */
interface Reached {
  readonly addressee: Addressee;
  readonly familyIds: readonly string[];
  /** Where it is known. */
  readonly timeZone: string | undefined;
}

/**
 * @param given - the address that came with the inquiry, of whoever wrote it
 * @param said - what the inquiry says of their age: it goes before whatever was said until then
 */
const addresseeFrom = (
  family: readonly [Contact, ...Contact[]],
  wrote: readonly string[],
  given: string | undefined,
  said: AgeKnown | undefined,
  now: Date,
): Addressee => {
  const { id, name, email: usual, languages, age } = personOf<Contact>(family);
  const holderOf = (email: string | undefined): Contact | undefined =>
    family.find((one) => one.email === email || one.otherPoints.some(({ value }) => value === email));
  const email = given !== undefined && holderOf(given) ? given : usual;
  // Whose mailbox it is: their link still stops what goes there once a merge is undone.
  const holder = holderOf(email);
  const isMinor = isMinorAt(laterWord(age, said), now.toISOString());
  return { contactId: holder?.id ?? id, name, email, languages: [...wrote, ...languages], isMinor };
};

async function findAddressee(
  { contacts, environment }: PersonDependencies,
  { head, body }: Known,
): Promise<Reached | undefined> {
  const families = new Map<string, readonly string[]>();
  const zones = new Map<string, string | undefined>();
  const wroteIt = isByPatient(body) ? head.contactId : body.writerId;
  const wrote = typeof body.fields['language'] === 'string' ? [body.fields['language']] : [];
  const given = normalizeEmail(typeof body.fields['email'] === 'string' ? body.fields['email'] : '');
  const find = async (id: string): Promise<{ addressee: Addressee; wardOf: string[] } | undefined> => {
    const whole = await contacts.findWhole(id, { consistent: true });
    if (!whole) return undefined;
    const mailbox = id === (body.writerId ?? head.contactId) ? given : undefined;
    const said = id === head.contactId ? saidOfAge(body.fields, body.receivedAt) : undefined;
    const addressee = addresseeFrom(whole.family, wrote, mailbox, said, environment.now());
    const { timeZone } = personOf<Contact>(whole.family);
    const here = id === wroteIt ? saidOfZone(body.fields, body.receivedAt) : undefined;
    zones.set(addressee.contactId, (learntZone(timeZone, here) ?? timeZone)?.zone);
    families.set(
      addressee.contactId,
      whole.family.map((contact) => contact.id),
    );
    const wardOf = whole.family.flatMap(({ relations }) =>
      relations.filter(({ relation }) => relation === 'ward_of').map(({ contactId }) => contactId),
    );
    return { addressee, wardOf };
  };
  const patient = await find(head.contactId);
  if (!patient) return undefined;
  const writer = body.writerId === undefined ? undefined : await find(body.writerId);
  const { isMinor } = patient.addressee;
  const guardians = isMinor ? await Promise.all([...new Set(patient.wardOf)].map(find)) : [];
  const addressee = addresseeOf({
    patient: patient.addressee,
    writer: writer?.addressee,
    guardians: guardians.flatMap((guardian) => (guardian ? [guardian.addressee] : [])),
  });
  if (!addressee) return undefined;
  const { contactId } = addressee;
  // Whichever of the patient's contacts it is: a guardian who was merged with them is no other.
  const isPatient = families.get(patient.addressee.contactId)?.includes(contactId) !== false;
  return {
    addressee: { ...addressee, isMinor: addressee.isMinor || (isMinor && isPatient) },
    familyIds: families.get(contactId) ?? [contactId],
    timeZone: zones.get(contactId),
  };
}

/**
 * Sends one message, if it may go out and nobody else is at it.
 *
 * @param enrolment - of a step of a sequence: which one
 * @throws MessageBusy
 */
async function deliver(
  dependencies: PersonDependencies,
  record: Known,
  first: MessageRecord,
  enrolment?: Enrolment,
): Promise<Delivered> {
  const { table, messages, mailboxes, environment } = dependencies;
  const { head } = record;
  let current: MessageRecord | undefined = first;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    if (attempt > 1) {
      await environment.backOff(20 * attempt);
      const unwrittenStill = first.version === 0 ? first : undefined;
      current = (await messages.find(head.id, first.key)) ?? unwrittenStill;
    }
    if (!current || !isClaimable(current, environment.now())) return { told: 'message_not_due' };
    const practice = await dependencies.practice();
    const { notes, ...decided } = await decide(dependencies, practice, record, current, enrolment);
    const now = environment.now();
    if ('refused' in decided) {
      const writes = refusalWrites(dependencies, practice, record, current, decided.refused, now);
      if (await commit(table, [...writes, ...notes])) return { told: 'message_refused' };
      // A task that follows notes so on the head, which may have moved on.
      const newer = await dependencies.inquiries.findHead(head.id);
      if (newer) record = { ...record, head: newer };
      continue;
    }
    if ('notBefore' in decided) return await wait(dependencies, current, decided.notBefore, notes);
    const pauseMs = dependencies.pace.turn(now, practice.messages.sendPerSecond, mostPauseMs);
    if (pauseMs === undefined) {
      return await wait(dependencies, current, new Date(now.getTime() + turnlessMs).toISOString(), notes);
    }
    if (pauseMs > 0) await environment.pause(pauseMs);
    const { sendable, mailboxDigest, mailbox, step = [] } = decided;
    const { contactId: recipientId, tracked } = sendable.message;
    const mine = claimed(current, { recipientId, tracked }, environment.now());
    // Of the mailbox the version that was looked at: whoever opts out in this moment gets nothing.
    const taken = await table.transact([
      messages.save(current.nextAt === undefined ? withoutDue(mine) : mine),
      mailboxes.save(mailboxDigest, countedMessage(mailbox, now)),
      ...step,
      ...notes,
    ]);
    if (!taken.committed) continue;
    await dependencies.personMailer.send(sendable, {
      inquiry: head.id,
      contact: head.contactId,
      message: current.key,
    });
    await noteSent(dependencies, mine, sendable);
    return { told: 'message_sent' };
  }
  throw new MessageBusy('what the message depends on changed in every attempt');
}

/** A record whose due time is another item's. */
const withoutDue = ({ nextAt: _elsewhere, ...record }: MessageRecord): MessageRecord => record;

async function wait(
  { table, messages }: PersonDependencies,
  current: MessageRecord,
  until: string,
  notes: readonly Write[],
): Promise<Delivered> {
  // The steps of a sequence wait with it.
  if (current.nextAt !== undefined) await commit(table, [messages.save(putOff(current, until)), ...notes]);
  return { told: 'message_put_off', until };
}

/** A single write costs half of what it costs in a transaction. */
async function commit(table: Table, writes: readonly Write[]): Promise<boolean> {
  const [only, ...others] = writes;
  if (only && others.length === 0) return (await table.write(only)).committed;
  return (await table.transact(writes)).committed;
}

/** `notes` are written with whatever comes of it. */
type Decided = (
  | { readonly refused: DropReason }
  | { readonly notBefore: string }
  | {
      readonly sendable: Sendable;
      readonly mailboxDigest: string;
      readonly mailbox: Awaited<ReturnType<Mailboxes['find']>>;
      /** Of a sequence: what says that they have got the step. */
      readonly step?: readonly Write[];
    }
) & { readonly notes: readonly Write[] };

/** Reads what the decision looks at, and decides. */
async function decide(
  dependencies: PersonDependencies,
  practice: Practice,
  record: Known,
  { kind, askedAt, templateId }: MessageRecord,
  enrolment: Enrolment | undefined,
): Promise<Decided> {
  const { consents, mailboxes, environment } = dependencies;
  const { head } = record;
  const now = environment.now();
  const asked = new Map<string, Promise<readonly Consent[]>>();
  const consentsOf = (contactId: string): Promise<readonly Consent[]> => {
    const found = asked.get(contactId) ?? consents.of([contactId]);
    asked.set(contactId, found);
    return found;
  };
  const arrived = await agreedWith(dependencies, record, consentsOf);
  const notes = arrived.notes.flat();
  if (kind !== 'nurture' && now.getTime() - Date.parse(askedAt) > answerWithinMs)
    return { refused: 'too_late', notes };
  if (kind === 'acknowledgement' && head.stage === 'closed') return { refused: 'closed', notes };
  const template = findTemplate(practice, templateId);
  if (!template) return { refused: 'no_template', notes };
  const reached = await findAddressee(dependencies, record);
  if (!reached) return { refused: 'no_guardian', notes };
  const { addressee, familyIds } = reached;
  const step = enrolment && (await stepOf(dependencies, familyIds, enrolment));
  if (enrolment && !step) return { refused: 'sent_before', notes };
  const { email } = addressee;
  const mailboxDigest = email === undefined ? undefined : (await dependencies.openDigest())('email', email);
  const [agreed, mailbox] = await Promise.all([
    Promise.all(familyIds.map(consentsOf)),
    mailboxDigest === undefined ? unknownMailbox : mailboxes.find(mailboxDigest),
  ]);
  const { timeZone = findLocation(practice, head.locationId).timeZone } = reached;
  const decision = lawful(template, {
    recipient: {
      contactId: addressee.contactId,
      email,
      firstName: firstNameOf(addressee.name),
      languages: addressee.languages,
      timeZone,
      isMinor: addressee.isMinor,
    },
    // What they have just agreed to counts, and is noted with the message.
    consents: [...agreed.flat(), ...(familyIds.includes(arrived.contactId) ? arrived.news : [])],
    mailbox,
    inquiry: { quarantined: head.progress === 'quarantined', redFlag: head.redFlag },
    sender: senderOf(practice, head.locationId, now),
    now,
  });
  if ('sendable' in decision && mailboxDigest !== undefined) {
    return { sendable: decision.sendable, mailboxDigest, mailbox, notes, ...(step && { step }) };
  }
  return 'sendable' in decision ? { refused: 'no_address', notes } : { ...decision, notes };
}

/**
 * The writes that say that a person has got the step of a sequence that comes next; undefined where
 * they have it by another inquiry.
 *
 * @param familyIds - whoever speaks for them first
 */
async function stepOf(
  { messages, environment }: PersonDependencies,
  familyIds: readonly string[],
  enrolment: Enrolment,
): Promise<Write[] | undefined> {
  const runs = await Promise.all(familyIds.map((id) => messages.findRun(id, enrolment.sequence)));
  if (runs.some((run) => run && hasStep(run, enrolment))) return undefined;
  const [speaker = enrolment.contactId] = familyIds;
  return [messages.saveRun(speaker, withStep(runs[0], enrolment, environment.now()))];
}

/** The refused record, and a task where only a human can get on. */
function refusalWrites(
  dependencies: PersonDependencies,
  practice: Practice,
  { head }: Known,
  record: MessageRecord,
  reason: DropReason,
  now: Date,
): Write[] {
  const refused = dependencies.messages.save(messageRefused(record, reason, now));
  if (reason !== 'no_guardian') return [refused];
  const title = 'Find a guardian to write to: the patient is a minor';
  return [refused, ...askStaff(dependencies, practice, { contactId: head.contactId, head, title }, now)];
}

/** Notes that it is out, with its entry in the timeline. */
async function noteSent(
  { table, messages, contacts, environment }: PersonDependencies,
  mine: MessageRecord,
  { message }: Sendable,
): Promise<void> {
  let current: MessageRecord | undefined = mine;
  const { contactId: recipientId, class: is, purpose, language, templateId } = message;
  while (current?.state === 'sending' && current.stateAt === mine.stateAt) {
    const now = environment.now();
    const { inquiryId, contactId, key, by } = current;
    const written = await table.transact([
      messages.save(messageSent(current, { recipientId, class: is, purpose, language }, now)),
      contacts.addEntry(
        entryOf(
          'message',
          { entryId: environment.newId('entry'), contactId, inquiryId, actor: by, at: now.toISOString() },
          {
            key,
            template: templateId,
            class: is,
            purpose,
            language,
            ...(recipientId !== contactId && { recipientId }),
          },
        ),
      ),
    ]);
    if (written.committed) return;
    current = await messages.find(inquiryId, key);
  }
}
