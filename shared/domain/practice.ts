/**
 * The practice as its manager configures it: places, people, services, lead
 * sources and pools. One file describes all of it; each entity is stored on its
 * own, with a version, an author and a time.
 *
 * Here are its types and what is asked of it; what checks a file is in `schema/`.
 */
import type * as z from 'zod';
import type { Location } from './schema/location.ts';
import type { Member } from './schema/member.ts';
import type { Pool } from './schema/pool.ts';
import type { practiceSchema } from './schema/practice.ts';
import type { Service } from './schema/service.ts';
import { foldWording } from './wording.ts';

export type { Form } from './schema/form.ts';
export type { BusinessHours, Location } from './schema/location.ts';
export type { Member } from './schema/member.ts';
export type { Pool } from './schema/pool.ts';
export type { ScoringModel } from './schema/scoring-model.ts';
export type { Service } from './schema/service.ts';
export type { Source } from './schema/source.ts';

/** A validated practice, defaults filled in. */
export type Practice = z.infer<typeof practiceSchema> & {
  /** Number of the published rules, where it was read from the table and any were ever published. */
  readonly rulesVersion?: number;
};

/** The service that a posted wording means: by id, name or alias; undefined where none fits. */
export function findService(practice: Practice, wording: string | undefined): Service | undefined {
  if (wording === undefined) return undefined;
  const wanted = foldWording(wording);
  if (wanted === '') return undefined;
  return practice.services.find((service) =>
    [service.id, service.name, ...service.aliases].some((name) => foldWording(name) === wanted),
  );
}

/** The location of an id, else the one that a posted wording means, or the practice's first. */
export function findLocation(practice: Practice, wording: string | undefined): Location {
  const wanted = foldWording(wording ?? '');
  const ofId = practice.locations.find(({ id }) => id === wording);
  const found = practice.locations.find((location) =>
    [location.id, location.name].some((name) => foldWording(name) === wanted),
  );
  const location = ofId ?? found ?? practice.locations[0];
  if (location === undefined) throw new Error('a practice has at least one location');
  return location;
}

/** The pool of a service, or the fallback pool. */
export function findPool(practice: Practice, serviceId: string | undefined): Pool {
  const own = serviceId && practice.pools.find((pool) => pool.services.includes(serviceId));
  const pool = own || practice.pools.find((candidate) => candidate.fallback);
  if (pool === undefined) throw new Error('a practice has a fallback pool');
  return pool;
}

/** The member behind a sign-in name; undefined where nobody has it. */
export function findMemberBySignIn(practice: Practice, signIn: string): Member | undefined {
  return practice.members.find((member) => (member.signIn ?? member.id) === signIn);
}
