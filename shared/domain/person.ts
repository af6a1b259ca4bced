/** One person out of the contacts that they are since merges: nothing that is known of any of them is hidden. */
import type { AgeKnown } from './age.ts';
import { type Lifecycle, lifecycles } from './rules/facts.ts';
import type { ZoneKnown } from './time-zone.ts';

/** What is known of a contact. */
export interface KnownOf {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly lifecycle: Lifecycle;
  readonly tags: readonly string[];
  readonly languages: readonly string[];
  readonly insurances: readonly string[];
  readonly locations: readonly string[];
  readonly owner?: string | undefined;
  readonly age?: AgeKnown | undefined;
  readonly timeZone?: ZoneKnown | undefined;
}

/** Contacts that are one person, whoever speaks for them first. */
export type Family<Contact> = readonly [survivor: Contact, ...others: Contact[]];

/** How far a lifecycle is from the first. */
export const rankOf = (lifecycle: Lifecycle): number => lifecycles.indexOf(lifecycle);

/**
 * The survivor as the person: with the furthest lifecycle and every tag, language,
 * insurance and location of the family; a minor for as long as any of it may be; in
 * the time zone that was said last; of
 * what there is one of, the survivor's, or else the first that there is.
 */
export function personOf<Contact extends KnownOf>(family: Family<Contact>): Contact {
  const [survivor] = family;
  const first = (fact: 'name' | 'email' | 'phone' | 'owner'): string | undefined =>
    family.map((contact) => contact[fact]).find((value) => value !== undefined);
  const union = (fact: 'tags' | 'languages' | 'insurances' | 'locations'): string[] => [
    ...new Set(family.flatMap((contact) => contact[fact])),
  ];
  const [age] = family
    .flatMap((contact) => contact.age ?? [])
    .sort((a, b) => ((a.minorUntil ?? '') < (b.minorUntil ?? '') ? 1 : -1));
  const [timeZone] = family
    .flatMap((contact) => contact.timeZone ?? [])
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  return {
    ...survivor,
    name: first('name'),
    email: first('email'),
    phone: first('phone'),
    owner: first('owner'),
    age,
    timeZone,
    lifecycle: family.map(({ lifecycle }) => lifecycle).reduce((a, b) => (rankOf(b) > rankOf(a) ? b : a)),
    tags: union('tags'),
    languages: union('languages'),
    insurances: union('insurances'),
    locations: union('locations'),
  };
}
