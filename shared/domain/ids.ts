/** Ids: a prefix that names the kind, and a ULID, so that they sort by time and say nothing about a person. */
import * as z from 'zod';

export const idPrefixes = {
  inquiry: 'inq',
  contact: 'con',
  entry: 'ent',
  task: 'tsk',
  appointment: 'apt',
} as const;
export type IdKind = keyof typeof idPrefixes;

const idPattern = (kind: IdKind): RegExp => new RegExp(`^${idPrefixes[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`);

const schemas: Partial<Record<IdKind, z.ZodString>> = {};

/** Schema of an id of one kind, one for all who ask: nothing that could end a key or open another one passes. */
export function idSchema(kind: IdKind): z.ZodString {
  schemas[kind] ??= z.string().regex(idPattern(kind), `is not an ${kind} id`);
  return schemas[kind];
}

/** The time, and new ids: injected wherever either decides something, so that tests can hold them. */
export interface Environment {
  /** Now. */
  now(): Date;
  newId(kind: IdKind): string;
  /** Lets some time pass, in milliseconds. */
  pause(ms: number): Promise<void>;
  /** Lets some time pass, anything up to so many milliseconds: whoever met another here meets them no more. */
  backOff(mostMs: number): Promise<void>;
}
