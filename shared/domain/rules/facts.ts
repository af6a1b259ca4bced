/**
 * What triage rules may look at: one catalogue of fields, each with its type.
 * Validation, evaluation, the editor's schema and the explanations all read it.
 */
import { ageOfMajority } from '../age.ts';
import type { Channel } from '../channels.ts';
import type { Urgency } from '../clinical-urgency.ts';
import type { Stage, Tier } from '../stages.ts';
import type { Weekday } from '../weekdays.ts';

/** When rules are looked at. `silence` is when nothing has happened for a number of opening hours. */
export const triggers = ['arrival', 'stage_change', 'disposition', 'reply', 'silence'] as const;
export type Trigger = (typeof triggers)[number];

/** What became of a call attempt. */
export const dispositions = [
  'reached',
  'voicemail',
  'no_answer',
  'wrong_number',
  'booked',
  'not_interested',
] as const;
export type Disposition = (typeof dispositions)[number];

export const ageBands = ['minor', 'adult', 'senior'] as const;
export type AgeBand = (typeof ageBands)[number];

/** The lowest age of seniors, in years (as Medicare counts them). */
const seniorAge = 65;

export const ageBandOf = (age: number): AgeBand =>
  age < ageOfMajority ? 'minor' : age < seniorAge ? 'adult' : 'senior';

export const insuranceKinds = ['public', 'private', 'self_pay', 'unknown'] as const;
export type InsuranceKind = (typeof insuranceKinds)[number];

/** How far a person has come with the practice. */
export const lifecycles = ['lead', 'consult', 'patient', 'returning'] as const;
export type Lifecycle = (typeof lifecycles)[number];

/** The facts about one inquiry at the moment of a trigger. What is not known is absent. */
export interface Facts {
  readonly trigger: Trigger;
  readonly channel: Channel;
  readonly source: string;
  readonly campaign?: string | undefined;
  readonly service?: string | undefined;
  /** The service as the person wrote it, known or not. */
  readonly serviceWording?: string | undefined;
  /** Expected first-year collections of the service, in US cents. */
  readonly serviceValueCents?: number | undefined;
  readonly location: string;
  readonly language?: string | undefined;
  readonly insurance?: string | undefined;
  readonly insuranceKind: InsuranceKind;
  readonly postalCode?: string | undefined;
  /** Of the patient, in years. */
  readonly age?: number | undefined;
  readonly ageBand?: AgeBand | undefined;
  /** Message and answers. */
  readonly message?: string | undefined;
  readonly preferredTime?: string | undefined;
  readonly hasPhone: boolean;
  readonly hasEmail: boolean;
  readonly hasName: boolean;
  /** Whether somebody else wrote for the patient. */
  readonly writtenForPatient: boolean;
  /** Whether the person was known before. */
  readonly returning: boolean;
  readonly lifecycle?: Lifecycle | undefined;
  readonly tags: readonly string[];
  readonly owner?: string | undefined;
  /** Of the model, 0 to 100; before rules. */
  readonly score: number;
  /** As it stands when the rule is looked at: rules before it may have moved it. */
  readonly tier: Tier;
  readonly urgency: Urgency;
  readonly redFlag: boolean;
  readonly stage: Stage;
  /** The stage before, at a stage change. */
  readonly previousStage?: Stage | undefined;
  readonly disposition?: Disposition | undefined;
  /** Opening hours since anything happened, at the trigger `silence`. */
  readonly silentHours?: number | undefined;
  /** When it arrived, in the location's zone. */
  readonly arrival: Arrival;
}

export interface Arrival {
  /** Local date, `2026-11-20`. */
  readonly date: string;
  /** Local time, `16:30`. */
  readonly time: string;
  readonly weekday: Weekday;
  /** Whether the location was open. */
  readonly open: boolean;
}

/** How a field's values compare, and so which operators it takes. */
export type FieldType = 'text' | 'language' | 'choice' | 'number' | 'list' | 'yes_no' | 'date' | 'time';

export interface Field {
  readonly type: FieldType;
  /** For people, in messages and editors. */
  readonly label: string;
  /** The values of a choice; a name stands for the ids in that list of the practice. */
  readonly values?: readonly string[] | 'services' | 'sources' | 'locations' | 'members';
  /** What its numbers count. */
  readonly unit?: string;
  /** Whether an inquiry may be without it, and so `present` and `absent` are asked of it. */
  readonly optional?: true;
  /** Triggers at which the field is known; all of them where it is left out. */
  readonly at?: readonly Trigger[];
  /** Lowering somebody by it needs a manager's written reason. */
  readonly sensitive?: true;
  /** Whether it is read from the person's profile rather than from what came in. */
  readonly ofPerson?: true;
}
