/**
 * The current state of people and their inquiries, rebuilt from their timelines
 * alone, and compared with what is stored: the timeline is only what it claims to
 * be if nothing changes without saying so in it.
 */
import * as z from 'zod';
import { type AgeKnown, isMinorAt, saidOfAge } from './age.ts';
import { type Appointment, statusTold, type Visits, visitsAfter } from './appointment.ts';
import { isMissed } from './cadence.ts';
import { normalizeName } from './contact-point.ts';
import { isOpen } from './inquiry/state.ts';
import { type Consent, countsOver, purposesMeant } from './messages/consent.ts';
import { saysStop, stopSource } from './messages/stop-words.ts';
import { type ConsentPurpose, consentPurposes } from './messages/template.ts';
import { type RedFlagState, redFlagStates } from './red-flags.ts';
import type { Disposition, Lifecycle } from './rules/facts.ts';
import type { CloseReason, Stage, Tier } from './stages.ts';
import { tiers } from './stages.ts';
import { saidOfZone, type ZoneKnown } from './time-zone.ts';
import { byRecording, type EntryDetails, type EntryKind, entryDetails, type Told } from './timeline.ts';

/** What of an inquiry its timeline tells. */
export interface InquiryState {
  readonly stage: Stage;
  readonly closeReason?: CloseReason | undefined;
  readonly score?: number | undefined;
  readonly tier?: Tier | undefined;
  readonly assignedTo?: string | undefined;
  readonly quarantined: boolean;
  readonly redFlag?: RedFlagState | undefined;
  readonly firstContactedAt?: string | undefined;
  /** How it is set aside: `snoozed` or `parked` with the reason and the owner, and until when. */
  readonly held?: string | undefined;
  /** Who is on the phone about it. */
  readonly calling?: string | undefined;
  /** Calls that reached nobody, since somebody was last reached; absent where there are none. */
  readonly attempts?: number | undefined;
  /** What its appointments came to. */
  readonly visits?: Visits | undefined;
}

/** What of a task its timeline tells. Who has one that follows its inquiry is told by that. */
export interface TaskState {
  readonly contactId: string;
  readonly title: string;
  readonly dueAt: string;
  readonly owner?: string | undefined;
  readonly follows: boolean;
  readonly done: boolean;
}

/** What of an appointment its timeline tells. */
export interface AppointmentState {
  readonly contactId: string;
  readonly inquiryId?: string | undefined;
  readonly at: string;
  readonly location?: string | undefined;
  readonly service?: string | undefined;
  readonly status: Appointment['status'];
  readonly expectedCents?: number | undefined;
  readonly actualCents?: number | undefined;
}

/** A hold in one line, to compare. */
export const heldAs = ({ kind, until, reason, owner }: EntryDetails<'held'>): string =>
  [kind, until, reason, owner].filter((word) => word !== undefined).join(' ');

/** What somebody said of e-mails to a purpose. */
export type ConsentState = Omit<Consent, 'version'>;

/** Consents in the one form in which they are compared. */
export const consentStates = (consents: readonly ConsentState[]): ConsentState[] =>
  consentPurposes.flatMap((wanted) =>
    consents
      .filter(({ purpose }) => purpose === wanted)
      .map(({ purpose, given, at, source, textVersion, authorisation }) => ({
        ...{ purpose, given, at, source, textVersion, authorisation },
      })),
  );

/** What of a contact its timeline tells. Lists whose order says nothing are sorted. */
export interface ContactState {
  readonly name?: string | undefined;
  readonly lifecycle: Lifecycle;
  readonly tags: readonly string[];
  readonly owner?: string | undefined;
  readonly languages: readonly string[];
  readonly insurances: readonly string[];
  readonly locations: readonly string[];
  readonly age?: AgeKnown | undefined;
  readonly timeZone?: ZoneKnown | undefined;
  /** What they said of e-mails, a word for each purpose, in the order of those. */
  readonly consents: readonly ConsentState[];
  /** Contacts that it speaks for directly. */
  readonly mergedIds: readonly string[];
  readonly mergedInto?: string | undefined;
}

/** People and inquiries by their ids. */
export interface State {
  readonly inquiries: ReadonlyMap<string, InquiryState>;
  readonly contacts: ReadonlyMap<string, ContactState>;
  readonly tasks: ReadonlyMap<string, TaskState>;
  readonly appointments: ReadonlyMap<string, AppointmentState>;
}

const given = z.string().optional().catch(undefined);
/** What of an inquiry as it came says something about a state. */
const capturedSchema = z.object({
  fields: z
    .object({
      name: given,
      patientName: given,
      language: given,
      insurance: given,
      age: given,
      ageBand: given,
      timeZone: given,
    })
    .partial()
    .catch({}),
  returning: z.boolean().default(false),
  writerId: z.string().optional(),
  redFlags: z.array(z.string()).default([]),
  quarantine: z.array(z.string()).default([]),
  wantedLocationId: z.string().optional(),
});
const scoredSchema = z.object({ total: z.int(), tier: z.enum(tiers) });
const routedSchema = z.object({ memberId: z.string().optional() });

type Building<T> = { -readonly [Key in keyof T]: T[Key] };

/** A name that says something, as it was written. */
const nameIn = (text: string | undefined): string | undefined =>
  text !== undefined && normalizeName(text) !== '' ? text : undefined;

/**
 * Rebuilds states from entries.
 *
 * @param entries - everything of the people in question, in any order, and the inquiries that they wrote for others
 */
export function rebuild(entries: readonly Told[]): State {
  const inquiries = new Map<string, Building<InquiryState>>();
  const contacts = new Map<string, Building<ContactState>>();
  const tasks = new Map<string, TaskState>();
  const appointments = new Map<string, AppointmentState>();
  /** The tier of each inquiry's newest score. */
  const tiersScored = new Map<Building<InquiryState>, Tier>();

  /** The contact, who came into being with this if they were not there before. */
  function contactOf(id: string): Building<ContactState> {
    const found = contacts.get(id);
    if (found) return found;
    const fresh = {
      lifecycle: 'lead' as const,
      tags: [],
      languages: [],
      insurances: [],
      locations: [],
      consents: [],
      mergedIds: [],
    };
    contacts.set(id, fresh);
    return fresh;
  }

  function arrive({ contactId, inquiryId = '', at, details }: Told): void {
    const { fields, returning, writerId, redFlags, quarantine, wantedLocationId } =
      capturedSchema.parse(details);
    inquiries.set(inquiryId, {
      stage: 'new',
      quarantined: quarantine.length > 0,
      ...(redFlags.length > 0 && { redFlag: redFlagStates[0] }),
    });
    const [own, patients] = [nameIn(fields.name), nameIn(fields.patientName)];
    const isOwn = patients === undefined || normalizeName(patients) === normalizeName(own ?? '');
    const { age = '', ageBand = '', timeZone = '' } = fields;
    const zone = saidOfZone({ timeZone }, at);
    const wrote = zone && { timeZone: zone };
    const said = saidOfAge({ age, ageBand }, at);
    const language = fields.language === undefined ? [] : [fields.language];
    const come = (
      id: string,
      isNew: boolean,
      name: string | undefined,
      more: Partial<ContactState> = {},
    ): void => {
      const contact = contactOf(id);
      if (isNew) Object.assign(contact, { languages: language, ...more });
      // Who came without a name has the first that they gave later.
      if (contact.name === undefined && name !== undefined) contact.name = name;
    };
    come(contactId, !returning, isOwn ? own : patients, {
      insurances: fields.insurance === undefined ? [] : [fields.insurance],
      locations: wantedLocationId === undefined ? [] : [wantedLocationId],
      ...(isMinorAt(said, at) && { age: said }),
      ...(isOwn && wrote),
    });
    if (writerId !== undefined) come(writerId, !contacts.has(writerId), own, wrote);
  }

  const read = <Kind extends EntryKind>(kind: Kind, { details }: Told): EntryDetails<Kind> =>
    entryDetails[kind].parse(details) as EntryDetails<Kind>;

  function set(inquiry: Building<InquiryState>, { to, closeReason }: EntryDetails<'stage_changed'>): void {
    inquiry.stage = to;
    inquiry.closeReason = closeReason;
    if (isOpen({ stage: to })) return;
    inquiry.attempts = undefined;
    inquiry.held = undefined;
    inquiry.calling = undefined;
  }

  /** What changes an inquiry after its arrival. */
  function work(inquiry: Building<InquiryState>, told: Told): void {
    if (told.kind === 'scored') {
      const { total, tier } = scoredSchema.parse(told.details);
      // A tier that rules moved stays, whatever scores come later.
      if (inquiry.tier === undefined || inquiry.tier === tiersScored.get(inquiry)) inquiry.tier = tier;
      tiersScored.set(inquiry, tier);
      inquiry.score = total;
    } else if (told.kind === 'routed') {
      inquiry.assignedTo = routedSchema.parse(told.details).memberId;
      // Whoever gets it makes the next call.
      inquiry.calling = undefined;
    } else if (told.kind === 'returned') {
      inquiry.assignedTo = undefined;
      inquiry.calling = undefined;
    } else if (told.kind === 'released') {
      inquiry.quarantined = false;
    } else if (told.kind === 'red_flag_reviewed') {
      inquiry.redFlag = read('red_flag_reviewed', told).result;
    } else if (told.kind === 'call') {
      inquiry.firstContactedAt ??= told.at;
      inquiry.calling = undefined;
      inquiry.attempts = attemptsAfterCall(inquiry, read('call', told).disposition);
    } else if (told.kind === 'call_corrected') {
      const { attempts: left } = read('call_corrected', told);
      if (left === undefined) return;
      inquiry.calling = undefined;
      inquiry.attempts = left > 0 ? left : undefined;
    } else if (told.kind === 'email') {
      if (read('email', told).direction !== 'received') return;
      inquiry.attempts = undefined;
      if (inquiry.held?.startsWith('snoozed')) inquiry.held = undefined;
    } else if (told.kind === 'held') {
      inquiry.held = heldAs(read('held', told));
    } else if (told.kind === 'resumed') {
      inquiry.held = undefined;
    } else if (told.kind === 'calling') {
      inquiry.calling = read('calling', told).state === 'began' ? told.actor : undefined;
    } else if (told.kind === 'stage_changed') {
      const moved = read('stage_changed', told);
      const attempted = moved.to !== 'closed' || attempts.includes(moved.closeReason ?? '');
      // A call says itself when it was made.
      if (attempted && moved.by !== 'call') inquiry.firstContactedAt ??= told.at;
      set(inquiry, moved);
      inquiry.calling = undefined;
      // A correction has said how many there are.
      if (moved.by !== 'correction') inquiry.attempts = undefined;
    } else if (told.kind === 'rules_applied') {
      const { stage, tier, spam, trigger } = read('rules_applied', told);
      if (stage) set(inquiry, stage);
      if (tier?.to !== undefined) inquiry.tier = tier.to;
      if (spam && trigger === 'arrival') inquiry.quarantined = true;
    }
  }

  function changeContact(told: Told): void {
    const { contactId } = told;
    if (told.kind === 'contact_changed') {
      const { changes } = read('contact_changed', told);
      const contact = contactOf(contactId);
      for (const [name, change] of Object.entries(changes)) Object.assign(contact, { [name]: change?.to });
    } else if (told.kind === 'merged' || told.kind === 'unmerged') {
      const { survivorId, mergedId } = read(told.kind, told);
      const contact = contactOf(contactId);
      const merged = told.kind === 'merged';
      // Both have an entry; each says what it means for its own.
      if (contactId === mergedId) contact.mergedInto = merged ? survivorId : undefined;
      if (contactId !== survivorId) return;
      const others = contact.mergedIds.filter((id) => id !== mergedId);
      contact.mergedIds = merged ? [...others, mergedId] : others;
    }
  }

  /** What they say of e-mails. */
  function hear(told: Told): void {
    const { contactId, at } = told;
    const say = (purpose: ConsentPurpose | undefined, said: Omit<ConsentState, 'purpose' | 'at'>): void => {
      const contact = contactOf(contactId);
      for (const each of purposesMeant(said.given, purpose)) {
        const stands = contact.consents.find((consent) => consent.purpose === each);
        if (!countsOver({ given: said.given, at }, stands)) continue;
        const others = contact.consents.filter((consent) => consent !== stands);
        contact.consents = consentStates([...others, { ...said, purpose: each, at }]);
      }
    };
    if (told.kind === 'consent') {
      const { channel, given, source, purpose, textVersion, authorisation } = read('consent', told);
      // What is taken back was agreed to in no wording.
      if (channel === 'email') say(purpose, { given, source, ...(given && { textVersion, authorisation }) });
    } else if (told.kind === 'email') {
      const { direction, subject = '', text = '' } = read('email', told);
      if (direction === 'received' && saysStop({ subject, text }))
        say(undefined, { given: false, source: stopSource });
    }
  }

  /** What is kept beside inquiries, and what that brings for them. */
  function keep(told: Told, inquiry: Building<InquiryState> | undefined): void {
    const { contactId, inquiryId } = told;
    if (told.kind === 'task') {
      const { taskId, title, dueAt = '', owner, follows = false, done = false } = read('task', told);
      if (taskId !== undefined) tasks.set(taskId, { contactId, title, dueAt, owner, follows, done });
    } else if (told.kind === 'appointment') {
      const {
        appointmentId,
        change: _how,
        corrects: _what,
        status: word,
        ...rest
      } = read('appointment', told);
      if (appointmentId === undefined) return;
      const before = appointments.get(appointmentId);
      const after = { contactId, inquiryId, ...rest, status: statusTold(word) };
      appointments.set(appointmentId, after);
      if (inquiry) inquiry.visits = visitsAfter(inquiry.visits, before, after);
    }
  }

  for (const told of entries.toSorted(byRecording)) {
    if (told.kind === 'captured') arrive(told);
    const inquiry = told.inquiryId === undefined ? undefined : inquiries.get(told.inquiryId);
    if (inquiry) work(inquiry, told);
    keep(told, inquiry);
    hear(told);
    changeContact(told);
  }
  return { inquiries, contacts, tasks, appointments };
}

/** How many calls in a row reached nobody, once another was made; what is an end, or suspected, counts none. */
function attemptsAfterCall(
  { stage, quarantined, attempts = 0 }: InquiryState,
  disposition: Disposition,
): number | undefined {
  const counts = isOpen({ stage }) && !quarantined;
  const reached = counts && !isMissed(disposition) && disposition !== 'wrong_number';
  const after = reached ? 0 : attempts + (counts && isMissed(disposition) ? 1 : 0);
  return after > 0 ? after : undefined;
}

/** Closing for these reasons says that somebody called. */
const attempts: readonly string[] = ['no_response', 'not_interested'] satisfies CloseReason[];

/** A state that is not what its timeline says. */
export interface Difference {
  readonly of: 'inquiry' | 'contact' | 'task' | 'appointment';
  readonly id: string;
  /**
   * Which of its values; `missing` where the timeline tells of nothing that is stored, or the
   * other way round; `unreadable` where an item of the person is not what it can be.
   */
  readonly field: string;
  readonly rebuilt: unknown;
  readonly stored: unknown;
}

/** Lists whose order says nothing. */
const comparable = (value: unknown): string =>
  JSON.stringify(Array.isArray(value) ? value.toSorted() : (value ?? null));

function compare<Value extends object>(
  of: Difference['of'],
  rebuilt: ReadonlyMap<string, Value>,
  stored: ReadonlyMap<string, Value>,
): Difference[] {
  return [...new Set([...rebuilt.keys(), ...stored.keys()])].flatMap((id) => {
    const [a, b] = [rebuilt.get(id), stored.get(id)];
    if (!a || !b) return [{ of, id, field: 'missing', rebuilt: a !== undefined, stored: b !== undefined }];
    const fieldOf = (state: Value, field: string): unknown => (state as Record<string, unknown>)[field];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((field) => comparable(fieldOf(a, field)) !== comparable(fieldOf(b, field)))
      .map((field) => ({ of, id, field, rebuilt: fieldOf(a, field), stored: fieldOf(b, field) }));
  });
}

/** Where the stored states are not the rebuilt ones; of those only that are stored at all. */
export const differences = (rebuilt: State, stored: State): Difference[] => [
  ...compare('inquiry', rebuilt.inquiries, stored.inquiries),
  ...compare('contact', rebuilt.contacts, stored.contacts),
  ...compare('task', rebuilt.tasks, stored.tasks),
  ...compare('appointment', rebuilt.appointments, stored.appointments),
];
