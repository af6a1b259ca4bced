/** Gathers the facts that triage rules look at, from an inquiry and what is known of its person. */
import type { Urgency } from '../clinical-urgency.ts';
import type { Inquiry } from '../inquiry/state.ts';
import { isoDate, localTime, weekdayOf } from '../local-time.ts';
import type { KnownOf } from '../person.ts';
import { findLocation, type Practice } from '../practice.ts';
import type { Score } from '../scoring.ts';
import { foldWording, holdsPhrase } from '../wording.ts';
import {
  type AgeBand,
  type Arrival,
  ageBandOf,
  ageBands,
  type Facts,
  type InsuranceKind,
  type Lifecycle,
  type Trigger,
} from './facts.ts';

/** What was sent, as far as rules look at it. */
export interface WrittenBody {
  readonly fields: Readonly<Record<string, string | boolean>>;
  readonly answers?: readonly { readonly question: string; readonly answer: string }[] | undefined;
  readonly returning?: boolean | undefined;
  readonly writerId?: string | undefined;
  readonly redFlags?: readonly string[] | undefined;
  readonly invalidPoints?: readonly ('email' | 'phone')[] | undefined;
}

/** The person's profile, as far as rules look at it. */
export interface KnownPerson {
  readonly lifecycle?: Lifecycle | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly owner?: string | undefined;
  readonly hasPhone?: boolean | undefined;
  readonly hasEmail?: boolean | undefined;
  readonly hasName?: boolean | undefined;
}

/** What rules know of a person: of their points and name only that they are there. */
export const knownOf = ({
  lifecycle,
  tags,
  owner,
  phone,
  email,
  name,
}: Pick<KnownOf, 'lifecycle' | 'tags' | 'owner' | 'phone' | 'email' | 'name'>): KnownPerson => ({
  lifecycle,
  tags,
  owner,
  hasPhone: phone !== undefined,
  hasEmail: email !== undefined,
  hasName: name !== undefined,
});

/** What facts are made of. */
export interface Gathered {
  readonly trigger: Trigger;
  readonly head: Pick<
    Inquiry,
    | 'locationId'
    | 'channel'
    | 'sourceId'
    | 'campaign'
    | 'serviceId'
    | 'receivedAt'
    | 'stage'
    | 'redFlag'
    | 'trigger'
  >;
  readonly body: WrittenBody;
  /** Read only where a rule of the trigger looks at it (`needsPerson`), and on arrival only of those known before. */
  readonly person?: KnownPerson | undefined;
  /** On arrival the model's; later as it stands. */
  readonly score: Pick<Score, 'total' | 'tier'>;
  readonly urgency: Urgency;
  /** Opening hours since anything happened, at the trigger `silence`, where the pending trigger does not say. */
  readonly silentHours?: number | undefined;
}

const text = (body: WrittenBody, field: string): string | undefined => {
  const value = Object.hasOwn(body.fields, field) ? body.fields[field] : undefined;
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

const answers = (body: WrittenBody): string[] => (body.answers ?? []).map(({ answer }) => answer);

const lines = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part.trim() !== '').join('\n');

/** Fields that hold no words: ways to reach somebody, codes, and what a link or a program filled in. */
const wordless = new Set([
  ...['email', 'phone', 'language', 'age', 'channel', 'source', 'campaign', 'referrer', 'website'],
  ...['gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid', 'formId', 'submittedAt', 'idempotencyKey'],
  'timeZone',
]);
const holdsWords = (field: string): boolean => !wordless.has(field) && !field.startsWith('utm_');

/**
 * Everything the person wrote in words of their own, whatever field it stands in: message and service
 * as typed first, then the others, then answers. Not the questions: those are the practice's words.
 */
export const writtenText = (body: WrittenBody): string => {
  const fields = [...new Set(['message', 'service', ...Object.keys(body.fields)])].filter(holdsWords);
  return lines([...fields.map((field) => text(body, field)), ...answers(body)]);
};

/** Words that name insurance paid for by the public, as people write them. */
const publicWords = [
  'medicaid',
  'medicare',
  'tricare',
  'champva',
  'chip',
  'medi cal',
  'medical assistance',
  'va health',
  'va healthcare',
  'va benefits',
  'va insurance',
  'veterans',
  'indian health service',
  'masshealth',
  'ahcccs',
  'tenncare',
  'badgercare',
  'soonercare',
  'apple health',
].map(foldWording);
/** Texts that are nothing but the name of public insurance; inside others they mean something else. */
const publicTexts = new Set(['va', 'ihs']);
const selfPayWords = [
  'self pay',
  'self paying',
  'selfpay',
  'cash',
  'out of pocket',
  'pay myself',
  'private pay',
  'uninsured',
  'no insurance',
  'not insured',
  'without insurance',
  'sin seguro',
  'efectivo',
].map(foldWording);
const selfPayTexts = new Set(['none', 'no', 'nothing', 'ninguno', 'ninguna']);
const unknownTexts = new Set([
  '',
  'n a',
  'na',
  'unknown',
  'not sure',
  'unsure',
  'i dont know',
  'i don t know',
  'no se',
]);

/** What kind of insurance a text names; where it names a public and another one, public. */
export function insuranceKindOf(insurance: string | undefined): InsuranceKind {
  const written = foldWording(insurance ?? '');
  if (unknownTexts.has(written)) return 'unknown';
  if (publicTexts.has(written) || publicWords.some((word) => holdsPhrase(written, word))) return 'public';
  if (selfPayTexts.has(written) || selfPayWords.some((word) => holdsPhrase(written, word))) return 'self_pay';
  return 'private';
}

/** A number of years as forms send it; undefined where it cannot be a person's age. */
function ageOf(value: string | undefined): number | undefined {
  const age = value !== undefined && /^\d{1,3}$/.test(value.trim()) ? Number(value) : undefined;
  return age !== undefined && age <= 120 ? age : undefined;
}

function arrivalOf(practice: Practice, locationId: string, receivedAt: string): Arrival {
  const location = findLocation(practice, locationId);
  const local = localTime(receivedAt, location.timeZone);
  const { time } = local;
  const weekday = weekdayOf(local);
  return {
    date: isoDate(local),
    time,
    weekday,
    open: (location.hours[weekday] ?? []).some(({ open, close }) => time >= open && time < close),
  };
}

/**
 * The facts of one inquiry at a trigger.
 *
 * @throws RangeError where its time of receipt is no instant
 */
export function gatherFacts(practice: Practice, gathered: Gathered): Facts {
  const { trigger, head, body, person, score, urgency } = gathered;
  const age = ageOf(text(body, 'age'));
  const band = text(body, 'ageBand');
  const insurance = text(body, 'insurance');
  const message = lines([text(body, 'message'), ...answers(body)]);
  const reachable = (point: 'email' | 'phone'): boolean =>
    text(body, point) !== undefined && !body.invalidPoints?.includes(point);
  const pending = head.trigger?.kind === trigger ? head.trigger : undefined;
  const arrives = trigger === 'arrival';
  return {
    trigger,
    channel: head.channel,
    source: head.sourceId,
    // As it was posted; the head has a code.
    campaign: text(body, 'campaign') ?? text(body, 'utm_campaign') ?? head.campaign,
    service: head.serviceId,
    serviceWording: text(body, 'service'),
    serviceValueCents: practice.services.find(({ id }) => id === head.serviceId)?.valueCents,
    location: head.locationId,
    language: text(body, 'language'),
    insurance,
    insuranceKind: insuranceKindOf(insurance),
    postalCode: text(body, 'postalCode'),
    age,
    ageBand:
      age !== undefined
        ? ageBandOf(age)
        : (ageBands as readonly (string | undefined)[]).includes(band)
          ? (band as AgeBand)
          : undefined,
    message: message === '' ? undefined : message,
    preferredTime: text(body, 'preferredTime'),
    hasPhone: reachable('phone') || person?.hasPhone === true,
    hasEmail: reachable('email') || person?.hasEmail === true,
    hasName: text(body, 'name') !== undefined || person?.hasName === true,
    writtenForPatient: body.writerId !== undefined,
    returning: body.returning === true,
    // Nobody has to be asked about somebody who has just come.
    lifecycle: person?.lifecycle ?? (arrives && body.returning !== true ? 'lead' : undefined),
    tags: person?.tags ?? [],
    owner: person?.owner,
    score: score.total,
    tier: score.tier,
    urgency,
    // What a human made of a flag since does not change what stood there on arrival.
    redFlag: arrives
      ? (body.redFlags?.length ?? 0) > 0 || head.redFlag !== undefined
      : head.redFlag !== undefined && head.redFlag !== 'false_alarm',
    stage: arrives ? 'new' : (pending?.stage ?? head.stage),
    previousStage: pending?.from,
    disposition: pending?.disposition,
    silentHours: trigger === 'silence' ? (gathered.silentHours ?? pending?.silentHours) : undefined,
    arrival: arrivalOf(practice, head.locationId, head.receivedAt),
  };
}
