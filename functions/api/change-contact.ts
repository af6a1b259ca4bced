/** Changes what is known of a person by hand. */
import type { Contact, ContactPatch, Contacts, Whole } from '../../shared/data/contacts.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import { isMinorAt } from '../../shared/domain/age.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { personOf, rankOf } from '../../shared/domain/person.ts';
import { type ContactChanges, entryOf } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { wholeOf } from './read-people.ts';

export interface ChangeContactDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
  readonly environment: Environment;
  readonly openDigest: () => Promise<Digest>;
}

/** Changes that meet in one person settle in a round or two. */
const mostAttempts = 5;
/** Points of a contact that lead to them under a corrected name at the most: a transaction has an end. */
const mostPoints = 20;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What of a patch is another value than it was, with both. */
function changesOf(contact: Contact, patch: ContactPatch): ContactChanges {
  const changes = Object.entries(patch).flatMap(([name, to]) => {
    const from = contact[name as keyof ContactPatch];
    if (same(from, to)) return [];
    return [[name, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }] as const];
  });
  return Object.fromEntries(changes);
}

/** What version of a person it is: of whoever speaks for them, and of everybody whom they speak for. */
export const versionTag = ({ survivor, family }: Whole): string =>
  `${survivor.id}:${family.map(({ version }) => version).join('.')}`;

const lists = ['tags', 'languages', 'insurances', 'locations'] as const;

/**
 * A change of a person as changes of their contacts. What is new is the survivor's;
 * what is no longer to be is taken from whoever has it, so that the person is as
 * was wanted, and each has what is left of theirs if a merge is undone.
 */
function shareOf({ survivor, family }: Whole, contact: Contact, wanted: ContactPatch): ContactPatch {
  const person = personOf(family);
  const speaks = contact === survivor;
  const patch: { -readonly [Field in keyof ContactPatch]: ContactPatch[Field] } = {};
  for (const list of lists) {
    const values = wanted[list];
    if (values === undefined) continue;
    const own = contact[list];
    patch[list] = speaks
      ? values.filter((value) => own.includes(value) || !person[list].includes(value))
      : own.filter((value) => values.includes(value));
  }
  const { lifecycle, name, owner, age, timeZone } = wanted;
  if (lifecycle !== undefined) {
    const moves = speaks && rankOf(person.lifecycle) < rankOf(lifecycle);
    if (moves || rankOf(contact.lifecycle) > rankOf(lifecycle)) patch.lifecycle = lifecycle;
  }
  // Of age, whoever of them was taken for a minor; a minor, the person is by one of them.
  const wasMinor = (one: Pick<Contact, 'age'>) => isMinorAt(one.age, age?.at ?? '');
  if (age && isMinorAt(age, age.at) !== wasMinor(person) && (speaks || wasMinor(contact))) patch.age = age;
  // The latest word counts, whichever of them it is kept with.
  if (speaks && timeZone && timeZone.zone !== person.timeZone?.zone) patch.timeZone = timeZone;
  if (speaks && name !== undefined && name !== person.name) patch.name = name;
  if ('owner' in wanted && owner !== person.owner && (speaks || owner === undefined)) patch.owner = owner;
  return patch;
}

/**
 * Applies a patch to the version of a person that the caller saw. One that
 * changes nothing writes nothing. Under a corrected name they are recognised
 * from then on, and still under those that they gave themselves.
 *
 * @param seen - the `versionTag` of the person as the caller saw them
 * @throws Problem `not_found`, `precondition_failed`, `invalid_fields` for a name without a letter or digit
 */
export async function changeContact(
  { table, contacts, environment, openDigest }: ChangeContactDependencies,
  id: string,
  seen: string,
  wanted: ContactPatch,
  actor: string,
): Promise<void> {
  const digest = wanted.name === undefined ? undefined : await openDigest();
  const nameDigest = digest?.('name', await foldedName(wanted.name ?? ''));
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const whole = await wholeOf(contacts, id, { consistent: true });
    if (versionTag(whole) !== seen)
      throw new Problem('precondition_failed', 'Somebody changed this contact meanwhile. Read it again.');
    const now = environment.now();
    const writes: Write[] = whole.family.flatMap((contact) => {
      const patch = shareOf(whole, contact, wanted);
      const changes = changesOf(contact, patch);
      if (Object.keys(changes).length === 0) return [];
      const frame = {
        entryId: environment.newId('entry'),
        contactId: contact.id,
        actor,
        at: now.toISOString(),
      };
      return [
        ...contacts.change(contact, patch, now),
        contacts.addEntry(entryOf('contact_changed', frame, { changes })),
      ];
    });
    if (writes.length === 0) return;
    const { survivor } = whole;
    const isNamed = 'name' in changesOf(survivor, shareOf(whole, survivor, wanted));
    const holdings =
      isNamed && digest && nameDigest !== undefined
        ? await holdingsUnder(contacts, survivor, nameDigest, digest)
        : [];
    const done = await table.transact([...writes, ...holdings]);
    if (done.committed) return;
    // Whoever was faster changed the person, which the next look tells, or is who has the name now.
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

/** @throws Problem `invalid_fields` */
async function foldedName(name: string): Promise<string> {
  // The numbering plans come with it, and only a few changes are of a name.
  const { normalizeName } = await import('../../shared/domain/contact-point.ts');
  const folded = normalizeName(name);
  if (folded !== '') return folded;
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
    { field: 'name', reason: 'must have a letter or a digit' },
  ]);
}

/** Puts somebody behind their points under a name, but where somebody else of that name is. */
async function holdingsUnder(
  contacts: Contacts,
  contact: Contact,
  nameDigest: string,
  digest: Digest,
): Promise<Write[]> {
  const own = [
    ...contact.pointDigests.map((point) => point.digest),
    // Rows of before do not say what stands for their points.
    ...(contact.email === undefined ? [] : [digest('email', contact.email)]),
    ...(contact.phone === undefined ? [] : [digest('phone', contact.phone)]),
  ];
  const points = [...new Set(own)].slice(0, mostPoints);
  const holders = await contacts.findHolders(
    points.map((point) => ({ digest: point })),
    [nameDigest],
  );
  const isHeld = (point: string): boolean =>
    holders.some((holder) => holder.pointDigest === point && holder.nameDigest === nameDigest);
  return points
    .filter((point) => !isHeld(point))
    .map((pointDigest) => contacts.hold({ pointDigest, nameDigest, contactId: contact.id }));
}
