/**
 * The timeline of a person: every kind of entry, who can have made one, and what
 * each has to say. An entry says enough for the state that it led to to be
 * rebuilt from it (`rebuild.ts`); it is written once and never changed.
 */
import * as z from 'zod';
import { ageKnownSchema } from './age.ts';
import { urgencies } from './clinical-urgency.ts';
import { parkReasons, receiptSchema } from './inquiry/state.ts';
import { authorisationSchema, suppressionReasons } from './messages/consent.ts';
import { consentPurposes, messageClasses, purposes } from './messages/template.ts';
import { redFlagStates } from './red-flags.ts';
import { ruleHitSchema } from './rules/decision.ts';
import { type Disposition, dispositions, lifecycles, triggers } from './rules/facts.ts';
import { escalationActions } from './rungs.ts';
import { actionSchema } from './schema/action.ts';
import { closeReasons, stages, tiers } from './stages.ts';
import { zoneKnownSchema } from './time-zone.ts';

/** Whoever acted, where it was the person themselves. */
export const contactActor = 'contact';
/** Whoever acted, where it was the system itself. */
export const systemActor = 'firstcall';
/** Whoever acted, where it was a triage rule. */
export const ruleActor = (ruleId: string): string => `rule:${ruleId}`;

/** `contact`, `firstcall`, a member's id, or `rule:` and a rule's id. */
export const actorSchema = z.string().regex(/^(?:rule:)?[a-z0-9]+(?:-[a-z0-9]+)*$/, 'is not an actor');

const instantSchema = z.iso.datetime();

const stageMove = () =>
  z.object({
    from: z.enum(stages),
    to: z.enum(stages),
    closeReason: z.enum(closeReasons).optional(),
  });

/** How a value changed; absent where there was, or now is, none. */
const change = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ from: schema.optional(), to: schema.optional() });

/** What of a contact can change, each with what it was and what it is now. */
export const contactChangesSchema = z.lazy(() =>
  z.object({
    name: change(z.string()).optional(),
    lifecycle: change(z.enum(lifecycles)).optional(),
    owner: change(z.string()).optional(),
    tags: change(z.array(z.string())).optional(),
    languages: change(z.array(z.string())).optional(),
    insurances: change(z.array(z.string())).optional(),
    locations: change(z.array(z.string())).optional(),
    age: change(ageKnownSchema).optional(),
    timeZone: change(zoneKnownSchema).optional(),
  }),
);
export type ContactChanges = z.infer<typeof contactChangesSchema>;

export const relations = ['guardian_of', 'ward_of'] as const;
export type RelationKind = (typeof relations)[number];

/** What can happen to a task. */
export const taskChanges = ['made', 'done', 'reopened', 'handed_over', 'moved'] as const;
export type TaskChange = (typeof taskChanges)[number];

/** Why an inquiry went back to a pool. */
const returnReasons = ['by_hand', 'disabled', 'rule'] as const;

/** What can happen to an appointment. */
export const appointmentChanges = [
  'made',
  'moved',
  'kept',
  'no_show',
  'cancelled',
  'valued',
  'corrected',
] as const;

const alias = () =>
  z.object({
    survivorId: z.string(),
    mergedId: z.string(),
    reason: z.string().optional(),
  });
const relation = () => z.object({ contactId: z.string(), relation: z.enum(relations) });

/** Schemas by name, each made where it is first read: most functions read none, and making one costs start-up time. */
function madeWhenRead<Makers extends Readonly<Record<string, () => z.ZodType>>>(
  makers: Makers,
): { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> } {
  const schemas = {};
  for (const [name, make] of Object.entries(makers)) {
    let made: z.ZodType | undefined;
    Object.defineProperty(schemas, name, { enumerable: true, get: () => (made ??= make()) });
  }
  return schemas as { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> };
}

/**
 * What each kind of entry says that is an item of its own. Those that are about
 * an inquiry name it beside their details.
 */
export const entryDetails = madeWhenRead({
  /** By staff; a stage that a rule set is in `rules_applied`. */
  stage_changed: () =>
    stageMove().extend({
      /** The kind of entry that brought it, where it came with one: a call. */
      by: z.string().optional(),
    }),
  /** Out of quarantine. `suspected` is what it was set aside for, in one line. */
  released: () => z.object({ suspected: z.string() }),
  call: () => z.object({ disposition: z.enum(dispositions), note: z.string().optional() }),
  /** What a call came to in truth; the entry that it names stays as it was written. */
  call_corrected: () =>
    z.object({
      corrects: z.string(),
      from: z.enum(dispositions),
      to: z.enum(dispositions),
      note: z.string().optional(),
      /** Calls that reached nobody, in a row, once it is corrected; absent where what came after it stands. */
      attempts: z.int().min(0).optional(),
    }),
  note: () => z.object({ text: z.string() }),
  email: () =>
    z.object({
      direction: z.enum(['sent', 'received']),
      subject: z.string().optional(),
      /** What was written, as far as it was recorded. */
      text: z.string().optional(),
    }),
  appointment: () =>
    z.object({
      at: instantSchema,
      location: z.string().optional(),
      service: z.string().optional(),
      status: z.enum(['booked', 'kept', 'missed', 'cancelled']),
      // These are absent from what was only noted, and from entries of before appointments were kept.
      appointmentId: z.string().optional(),
      change: z.enum(appointmentChanges).optional(),
      /** What the service was expected to bring, and what the visit brought, in cents. */
      expectedCents: z.int().optional(),
      actualCents: z.int().optional(),
      /** The entry that said by mistake what became of it. */
      corrects: z.string().optional(),
    }),
  consent: () =>
    z.object({
      channel: z.enum(['email', 'phone', 'text']),
      class: z.string().optional(),
      given: z.boolean(),
      /** Where and how it was given or taken back. */
      source: z.string(),
      // These came later. Without a purpose, what is given is about their inquiry, and all is taken back.
      purpose: z.enum(consentPurposes).optional(),
      /** Which wording they agreed to. */
      textVersion: z.string().optional(),
      authorisation: authorisationSchema.optional(),
    }),
  task: () =>
    z.object({
      // These two are absent from entries of before tasks were kept.
      taskId: z.string().optional(),
      change: z.enum(taskChanges).optional(),
      title: z.string(),
      dueAt: instantSchema.optional(),
      /** Who has it; absent where nobody has, or whoever has its inquiry. */
      owner: z.string().optional(),
      /** It goes with its inquiry to whoever has that. */
      follows: z.literal(true).optional(),
      done: z.boolean().optional(),
    }),
  /** What rules did at a trigger after arrival; each change with what it was before. */
  rules_applied: () =>
    z.object({
      trigger: z.enum(triggers),
      hits: z.array(ruleHitSchema),
      rulesVersion: z.int().optional(),
      stage: stageMove().optional(),
      tier: change(z.enum(tiers)).optional(),
      urgency: change(z.enum(urgencies)).optional(),
      respondBy: instantSchema.optional(),
      /** Tags the person got by it. */
      tags: z.array(z.string()).optional(),
      /** It was set aside as suspected spam. */
      spam: z.boolean().optional(),
      recorded: z.array(actionSchema).optional(),
    }),
  /** How it was given to somebody who no longer has it: what its head told until then. */
  routed: () =>
    z.object({
      memberId: z.string(),
      respondBy: instantSchema.optional(),
      receipt: receiptSchema.optional(),
    }),
  /** Back to a pool, for the next who can take it. */
  returned: () =>
    z.object({
      /** Who had it. */
      memberId: z.string(),
      pool: z.string(),
      because: z.enum(returnReasons),
    }),
  /** The ladder, or the rule that its receipt names, asked for somebody else, and why it stays with whoever has it. */
  not_reassigned: () => z.object({ memberId: z.string(), receipt: receiptSchema }),
  /** Set aside until then: snoozed by whoever works on it, or parked because it waits for others. */
  held: () =>
    z.object({
      kind: z.enum(['snoozed', 'parked']),
      until: instantSchema,
      reason: z.enum(parkReasons).optional(),
      /** Who sees to what is parked. */
      owner: z.string().optional(),
    }),
  /** No longer set aside; closing or booking, and a reply to what is snoozed, say so themselves. */
  resumed: () =>
    z.object({
      kind: z.enum(['snoozed', 'parked']),
      because: z.enum(['by_hand', 'time']),
    }),
  /** A call began, or ended without anything that came of it; a `call` ends it, too, and says what did. */
  calling: () =>
    z.object({
      state: z.enum(['began', 'ended']),
      because: z.enum(['by_hand', 'time']).optional(),
    }),
  /** Nobody had called by so much of the time, and more people than the assignee were told. */
  escalated: () => z.object({ atPercent: z.int(), does: z.array(z.enum(escalationActions)) }),
  /** A mail to staff that could not be sent, however often it was tried. */
  mail_failed: () => z.object({ mail: z.string() }),
  red_flag_reviewed: () => z.object({ result: z.enum(redFlagStates).exclude(['raised']) }),
  /** On both timelines; both then are one. */
  merged: alias,
  unmerged: alias,
  related: relation,
  unrelated: relation,
  contact_changed: () =>
    z.object({
      changes: contactChangesSchema,
      /** What brought it, where nobody changed it by hand: `stage`, `inquiry`, `rules`. */
      because: z.string().optional(),
    }),
  match_decided: () => z.object({ contactId: z.string(), decision: z.enum(['different', 'merged', 'open']) }),
  /** A message to the person; or what came back of one. */
  message: () =>
    z.object({
      /** Names it among the messages of its inquiry. */
      key: z.string(),
      template: z.string(),
      class: z.enum(messageClasses),
      purpose: z.enum(purposes),
      language: z.string(),
      /** Who got it, where that is not the patient. */
      recipientId: z.string().optional(),
    }),
  /**
   * A message was opened, by the person or by a program that opens mails before them: shown, and
   * never taken for an answer.
   */
  message_opened: () => z.object({ key: z.string(), template: z.string() }),
  /** Their mailbox takes no more e-mail from the practice, and gets none. */
  mailbox_suppressed: () => z.object({ reason: z.enum(suppressionReasons), message: z.string().optional() }),
  /** Staff lifted that: what it was for, and why it is lifted. */
  suppression_lifted: () => z.object({ reason: z.enum(suppressionReasons), because: z.string() }),
  /** They wrote the inquiry named beside it, for somebody else. */
  wrote_for: () => z.object({ patientId: z.string() }),
});

export type EntryKind = keyof typeof entryDetails;
export const entryKinds = Object.keys(entryDetails) as [EntryKind, ...EntryKind[]];
export type EntryDetails<Kind extends EntryKind> = z.infer<(typeof entryDetails)[Kind]>;

/** A timeline entry that is an item of its own. */
export const entrySchema = z.lazy(() =>
  z.object({
    entryId: z.string(),
    contactId: z.string(),
    inquiryId: z.string().optional(),
    kind: z.enum(entryKinds),
    actor: actorSchema,
    at: instantSchema,
    /** When it was written down, where that was later than `at`: a call of an hour ago, say. */
    recordedAt: instantSchema.optional(),
    details: z.record(z.string(), z.unknown()),
  }),
);
export type TimelineEntry = z.infer<typeof entrySchema>;

/** What every entry names, whatever its kind. */
export type EntryFrame = Omit<TimelineEntry, 'kind' | 'details'>;

/** An entry with the details that its kind asks for. */
export const entryOf = <Kind extends EntryKind>(
  kind: Kind,
  frame: EntryFrame,
  details: EntryDetails<Kind>,
): TimelineEntry => ({ ...frame, kind, details: { ...details } });

/** The entry, which can be read back as it is. @throws ZodError where it could not */
export function checkedEntry(entry: TimelineEntry): TimelineEntry {
  entryDetails[entry.kind].parse(entry.details);
  return entrySchema.parse(entry);
}

/** What a call is taken to have come to, by the corrections among the entries. */
export function correctedTo(call: TimelineEntry, entries: readonly TimelineEntry[]): Disposition {
  const last = entries.findLast(
    ({ kind, details }) => kind === 'call_corrected' && details['corrects'] === call.entryId,
  );
  return last
    ? entryDetails.call_corrected.parse(last.details).to
    : entryDetails.call.parse(call.details).disposition;
}

/** Entries that are told from other items: what was sent, scores, the routed head, the alert. */
export const toldKinds = ['captured', 'red_flag', 'scored', 'rule_hit', 'routed', 'mailed'] as const;

/** Every kind that a timeline shows. */
export const timelineKinds = [...new Set([...toldKinds, ...entryKinds])] as [TimelineKind, ...TimelineKind[]];
export type TimelineKind = (typeof toldKinds)[number] | EntryKind;

/** One entry as a timeline shows it, whichever item tells it. */
export interface Told {
  readonly kind: TimelineKind;
  readonly at: string;
  readonly recordedAt?: string | undefined;
  readonly actor: string;
  /** The contact under whom it was recorded: of people who were merged, one of them. */
  readonly contactId: string;
  readonly inquiryId?: string | undefined;
  /** Id of an entry that is an item of its own. */
  readonly entryId?: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

const ranks = new Map<TimelineKind, number>(toldKinds.map((kind, i) => [kind, i]));
// What was given back goes between the routing that is past with it, an entry of its own, and the next one, which the head tells.
ranks.set('returned', ranks.get('routed') ?? toldKinds.length);
/** Of one instant: an inquiry's own entries in the order of its steps, then what people did. */
const rankOf = ({ kind, entryId, inquiryId, details }: Told): string => {
  const number = String(details['number'] ?? '').padStart(4, '0');
  const place = entryId === undefined ? 2 : kind === 'returned' ? 1 : 0;
  return `${ranks.get(kind) ?? toldKinds.length} ${place} ${entryId ?? `${inquiryId} ${number}`}`;
};

const compareBy =
  (timeOf: (told: Told) => string) =>
  (a: Told, b: Told): number => {
    const [timeA, timeB] = [timeOf(a), timeOf(b)];
    if (timeA !== timeB) return timeA < timeB ? -1 : 1;
    return rankOf(a) < rankOf(b) ? -1 : 1;
  };

/** Oldest first; of one instant, cause before effect. */
export const byTimeTold = compareBy(({ at }) => at);
/** In the order in which things were written down. */
export const byRecording = compareBy(({ recordedAt, at }) => recordedAt ?? at);
