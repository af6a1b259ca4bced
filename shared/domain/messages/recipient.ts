/** Who is written to about an inquiry: whoever wrote it, and never a child. */

/** A person as far as writing to them goes. */
export interface Addressee {
  readonly contactId: string;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly languages: readonly string[];
  /** As far as was ever said. */
  readonly isMinor: boolean;
}

export interface Asked {
  readonly patient: Addressee;
  /** Who wrote, where that is not the patient. */
  readonly writer?: Addressee | undefined;
  /** Those who are noted as the patient's guardians, and whose noting nobody took back. */
  readonly guardians: readonly Addressee[];
}

/**
 * Whom to write to: whoever wrote, else the patient; never a minor. For one it is a guardian: the one
 * who wrote, else the first with a mailbox. Undefined where a minor has none.
 */
export function addresseeOf({ patient, writer, guardians }: Asked): Addressee | undefined {
  if (!patient.isMinor) return writer && !writer.isMinor ? writer : patient;
  const grown = guardians.filter(({ isMinor }) => !isMinor);
  const wrote = grown.find(({ contactId }) => contactId === writer?.contactId);
  return wrote ?? grown.find(({ email }) => email !== undefined) ?? grown[0];
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
