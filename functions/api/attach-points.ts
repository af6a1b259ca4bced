/**
 * What a suspected inquiry did not do to the people that it names, done once a human has released it: the
 * mailbox and the number that it came with lead to them, and who wrote is related to whom they wrote for.
 */
import type { ContactPoint, Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { namelessDigest } from '../../shared/data/keys.ts';
import type { Write } from '../../shared/data/table.ts';
import { normalizeEmail, normalizeName, normalizePhone } from '../../shared/domain/contact-point.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Digest } from '../../shared/secrets/digest.ts';

export interface AttachDependencies {
  readonly contacts: Contacts;
  readonly inquiries: Inquiries;
  readonly openDigest: () => Promise<Digest>;
}

/** The writes that go with the release of an inquiry; none where its points lead to its people already. */
export async function attachPoints(
  { contacts, inquiries, openDigest }: AttachDependencies,
  inquiryId: string,
  { phoneCountry }: Pick<Practice, 'phoneCountry'>,
  now: Date,
): Promise<Write[]> {
  const body = (await inquiries.find(inquiryId))?.body;
  if (!body) return [];
  const { contactId: patientId, writerId } = body;
  const given = (field: string): string => {
    const text = body.fields[field];
    return typeof text === 'string' ? text : '';
  };
  const digest = await openDigest();
  const points = (
    [
      ['email', normalizeEmail(given('email'))],
      ['phone', normalizePhone(given('phone'), phoneCountry)],
    ] as const
  ).flatMap(([kind, value]): ContactPoint[] =>
    value === undefined ? [] : [{ kind, value, digest: digest(kind, value) }],
  );

  /** Puts somebody behind those of the points under whose name nobody is yet. */
  async function attach(contactId: string, name: string): Promise<Write[]> {
    const contact = await contacts.find(contactId, { consistent: true });
    if (!contact) return [];
    const folded = normalizeName(name);
    // Without a name it is put to nobody who has one, as on arrival: a number that many have proves no mailbox.
    if (folded === '' && (contact.name !== undefined || contact.mergedIds.length > 0)) return [];
    const nameDigest = folded === '' ? namelessDigest : digest('name', folded);
    const holders = await contacts.findHolders(points, [nameDigest]);
    const isHeld = (point: ContactPoint): boolean =>
      holders.some((holder) => holder.pointDigest === point.digest && holder.nameDigest === nameDigest);
    const isTheirs = (point: ContactPoint): boolean =>
      contact.pointDigests.some((own) => own.digest === point.digest);
    return points
      .filter((point) => !isHeld(point))
      .flatMap((point) => [
        contacts.hold({ pointDigest: point.digest, nameDigest, contactId }),
        ...(isTheirs(point) ? [] : [contacts.addPoint(contactId, point, now)]),
      ]);
  }

  const isForAnother =
    normalizeName(given('patientName')) !== '' &&
    normalizeName(given('patientName')) !== normalizeName(given('name'));
  const ofPatient = await attach(patientId, given(isForAnother ? 'patientName' : 'name'));
  if (writerId === undefined) return ofPatient;
  return [
    ...ofPatient,
    ...(await attach(writerId, given('name'))),
    ...contacts.noteGuardian(writerId, patientId),
  ];
}
