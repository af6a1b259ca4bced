/**
 * Whom an inquiry is about and who wrote it: contacts who are known by point and
 * name, or new ones. Nothing is written here; the capture's transaction is.
 */
import type { ContactPoint, Contacts, PointHolder } from '../../shared/data/contacts.ts';
import { namelessDigest } from '../../shared/data/keys.ts';
import type { Write } from '../../shared/data/table.ts';
import { isMinorAt, saidOfAge } from '../../shared/domain/age.ts';
import { normalizeName } from '../../shared/domain/contact-point.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { saidOfZone } from '../../shared/domain/time-zone.ts';
import type { Digest } from '../../shared/secrets/digest.ts';

/** What of an inquiry says who it is from. */
export interface Identified {
  readonly name: string | undefined;
  /** Whom it is for, where the writer says that it is somebody else. */
  readonly patientName?: string | undefined;
  /** Normalised; absent where none was given or it cannot be one. */
  readonly email: string | undefined;
  /** In E.164; absent likewise. */
  readonly phone: string | undefined;
  readonly language: string | undefined;
  readonly insurance?: string | undefined;
  /** The location that was asked for; absent where none was. */
  readonly wantedLocationId?: string | undefined;
  /** As they were given; what they say of an age, and of a time zone. */
  readonly fields: Readonly<Record<string, string | boolean>>;
  /** Where it is set aside, it changes nobody who is known: it may say what it likes of anybody. */
  readonly quarantine: readonly string[];
}

/** One person behind an inquiry, with what is to be written for it. */
export interface Person {
  readonly contactId: string;
  /** Whether they were known before. */
  readonly known: boolean;
  /** The writes at an instant: one that is later than all that was read to find them. */
  readonly writes: (now: Date) => readonly Write[];
  /** Others of the same name behind the same inquiry's points. */
  readonly namesakeIds: readonly string[];
}

export interface People {
  readonly patient: Person;
  /** Who wrote, where that is somebody else. */
  readonly writer?: Person;
}

export interface FindDependencies {
  readonly contacts: Contacts;
  readonly digest: Digest;
  readonly environment: Environment;
}

interface Name {
  readonly text: string;
  readonly folded: string;
  readonly digest: string;
}

export async function findPeople(
  { contacts, digest, environment }: FindDependencies,
  came: Identified,
): Promise<People> {
  const isSuspected = came.quarantine.length > 0;
  const points: ContactPoint[] = [];
  if (came.email !== undefined) {
    points.push({ kind: 'email', value: came.email, digest: digest('email', came.email) });
  }
  if (came.phone !== undefined) {
    points.push({ kind: 'phone', value: came.phone, digest: digest('phone', came.phone) });
  }
  const nameOf = (text: string | undefined): Name | undefined => {
    const folded = normalizeName(text ?? '');
    return text === undefined || folded === '' ? undefined : { text, folded, digest: digest('name', folded) };
  };

  /** Those of the points at which none of the holders is. */
  const newPoints = (known: readonly PointHolder[]): ContactPoint[] =>
    points.filter(({ digest: own }) => !known.some((holder) => holder.pointDigest === own));

  /** A person who was known, as they are. */
  const known = (contactId: string, namesakeIds: readonly string[] = []): Person => ({
    contactId,
    known: true,
    namesakeIds,
    writes: () => [],
  });

  /** Puts a known person behind those of the points that do not lead to them yet. */
  const join = (
    contactId: string,
    nameDigest: string,
    holders: readonly PointHolder[],
    more: { readonly writes?: readonly Write[]; readonly namesakeIds?: readonly string[] } = {},
  ): Person => {
    const person = known(contactId, more.namesakeIds);
    if (isSuspected) return person;
    const added = (now: Date): Write[] =>
      newPoints(holders).flatMap((point) => [
        contacts.hold({ pointDigest: point.digest, nameDigest, contactId }),
        contacts.addPoint(contactId, point, now),
      ]);
    return { ...person, writes: (now) => [...added(now), ...(more.writes ?? [])] };
  };

  /** The profile of somebody new. */
  const profileOf = (
    contactId: string,
    name: Name | undefined,
    { isPatient, wrote }: { readonly isPatient: boolean; readonly wrote: boolean },
    now: Date,
  ): Write => {
    const { email, phone, language, insurance, wantedLocationId } = came;
    const at = now.toISOString();
    const age = isPatient ? saidOfAge(came.fields, at) : undefined;
    const timeZone = wrote ? saidOfZone(came.fields, at) : undefined;
    return contacts.create(
      {
        id: contactId,
        name: name?.text,
        email,
        phone,
        language,
        nameDigest: name?.digest,
        ...(points.length > 0 && {
          pointDigests: Object.fromEntries(points.map((point) => [point.kind, point.digest])),
        }),
        ...(isPatient && insurance !== undefined && { insurances: [insurance] }),
        ...(isPatient && wantedLocationId !== undefined && { locations: [wantedLocationId] }),
        // Of whoever is of age nothing is kept: that is what everybody is taken for.
        ...(age && isMinorAt(age, at) && { age }),
        ...(timeZone && { timeZone }),
        ...(isSuspected && { suspected: true }),
      },
      now,
    );
  };

  const create = (name: Name | undefined, isPatient: boolean, wrote = true): Person => {
    const contactId = environment.newId('contact');
    const nameDigest = name?.digest ?? namelessDigest;
    const holds = points.map((point) => contacts.hold({ pointDigest: point.digest, nameDigest, contactId }));
    const writes = (now: Date) => [profileOf(contactId, name, { isPatient, wrote }, now), ...holds];
    return { contactId, known: false, namesakeIds: [], writes };
  };

  /** Whoever left no name. */
  async function findNameless(): Promise<Person> {
    const behind = (await Promise.all(points.map((point) => contacts.findAllHolders(point)))).flat();
    const ids = [...new Set(behind.map((holder) => holder.contactId))];
    // Contacts that were merged are one person.
    const people = ids.length > 1 ? await contacts.findSurvivorIds(ids) : ids;
    const nameless = behind.find((holder) => holder.nameDigest === namelessDigest);
    // Several people share the point: which of them this is, nobody can tell.
    const one = people.length === 1 ? people[0] : nameless?.contactId;
    if (one === undefined) return create(undefined, true);
    // A number that many have proves nobody's mailbox: without a name it is not put to anybody who has one.
    if (newPoints(behind).length > 0 && (await isNamed(one, behind))) return known(one);
    return join(one, namelessDigest, behind);
  }

  async function isNamed(contactId: string, behind: readonly PointHolder[]): Promise<boolean> {
    if (behind.some((holder) => holder.contactId === contactId && holder.nameDigest !== namelessDigest)) {
      return true;
    }
    // They may have got their name through another point, or speak for somebody who has one.
    const contact = await contacts.find(contactId);
    return contact?.name !== undefined || (contact?.mergedIds.length ?? 0) > 0;
  }

  /** The one of a name behind the points; undefined where nobody is. */
  function findNamed(name: Name, holders: readonly PointHolder[]): Person | undefined {
    const namesakes = holders.filter((holder) => holder.nameDigest === name.digest);
    // Where mailbox and number lead to two people of that name, the one known longer: ids sort by time.
    const [known, ...others] = [...new Set(namesakes.map((holder) => holder.contactId))].sort();
    return known === undefined ? undefined : join(known, name.digest, namesakes, { namesakeIds: others });
  }

  /** Whoever is behind the points without a name yet, given this one; undefined where nobody is. */
  async function nameCaller(name: Name, holders: readonly PointHolder[]): Promise<Person | undefined> {
    // What is suspected names nobody.
    if (isSuspected) return undefined;
    // A missed call left no name; whoever first gives one with that number is taken for the caller.
    const nameless = holders.filter((holder) => holder.nameDigest === namelessDigest);
    const caller = nameless.map((holder) => holder.contactId).sort()[0];
    if (caller === undefined) return undefined;
    const named = (await contacts.find(caller))?.name;
    // They got their name through another point of theirs: under another name it is somebody else.
    if (named !== undefined && normalizeName(named) !== name.folded) return undefined;
    const theirs = nameless.filter((holder) => holder.contactId === caller);
    const writes = [
      ...(named === undefined ? [contacts.nameThem(caller, name.text, name.digest)] : []),
      ...theirs.flatMap((holder) => [
        contacts.hold({ pointDigest: holder.pointDigest, nameDigest: name.digest, contactId: caller }),
        contacts.release(holder),
      ]),
    ];
    return join(caller, name.digest, theirs, { writes });
  }

  const own = nameOf(came.name);
  const patients = nameOf(came.patientName);
  if (own === undefined && patients === undefined) return { patient: await findNameless() };
  const names = [own, patients].filter((name) => name !== undefined);
  const holders = await contacts.findHolders(
    points,
    names.map((name) => name.digest),
  );
  const findWriter = async (name: Name, isPatient: boolean): Promise<Person> =>
    findNamed(name, holders) ?? (await nameCaller(name, holders)) ?? create(name, isPatient);

  if (patients === undefined || patients.digest === own?.digest) {
    if (own === undefined) throw new Error('one of the two names is there');
    return { patient: await findWriter(own, true) };
  }
  // Nobody calls under the name of the one they call for: only the writer can be a caller without a name.
  const patient = findNamed(patients, holders) ?? create(patients, true, false);
  if (own === undefined) return { patient };
  const writer = await findWriter(own, false);
  // Known under both names: there is nobody else.
  return writer.contactId === patient.contactId ? { patient } : { patient, writer };
}
