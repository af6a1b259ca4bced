/** Who is written to about an inquiry: whoever wrote it, and never a child. */

/** The age from which people are written to themselves, in years. */
const ageOfMajority = 18;

/**
 * Whether what an inquiry says of its patient makes them a minor: their age, else the band that stands
 * for it. An age that cannot be read is taken for a child's, since it may be given in months.
 */
export function saysMinor(fields: Readonly<Record<string, string | boolean>>): boolean {
  const { age, ageBand } = fields;
  if (typeof age !== 'string' || age.trim() === '') return ageBand === 'minor';
  return !(Number(age) >= ageOfMajority);
}

/** A person as far as writing to them goes. */
export interface Addressee {
  readonly contactId: string;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly languages: readonly string[];
}

export interface Asked {
  readonly patient: Addressee;
  /** Who wrote, where that is not the patient. */
  readonly writer?: Addressee | undefined;
  /** Those who are noted as the patient's guardians, and whose noting nobody took back. */
  readonly guardians: readonly Addressee[];
  /** Whether the patient is a minor, as far as was said. */
  readonly isMinor: boolean;
}

/**
 * Whom to write to. For a minor it is a guardian: the one who wrote, else the first with a mailbox.
 * Undefined where a minor has none.
 */
export function addresseeOf({ patient, writer, guardians, isMinor }: Asked): Addressee | undefined {
  if (!isMinor) return writer ?? patient;
  const isGuardian = writer && guardians.some(({ contactId }) => contactId === writer.contactId);
  return isGuardian ? writer : (guardians.find(({ email }) => email !== undefined) ?? guardians[0]);
}

/** The longest first name that a message greets. */
const longestName = 40;

/**
 * The first name as a message may say it: letters alone, since anybody can post a form with anything
 * as a name, and somebody else's mailbox as their own.
 */
export function firstNameOf(name: string | undefined): string | undefined {
  const [given, family] = (name ?? '').split(',').map((part) => part.trim());
  // "Lopez, Maria" has the first name behind.
  const [first = ''] = (family || given || '').split(/\s+/u);
  return first.length <= longestName && /^\p{L}[\p{L}\p{M}'’-]*$/u.test(first) ? first : undefined;
}
