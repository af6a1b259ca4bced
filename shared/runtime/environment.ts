/** What a function gets from its surroundings: its settings, the time, new ids. */
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicFactory } from 'ulid';
import * as z from 'zod';
import { createHybridClock } from '../data/hybrid-clock.ts';
import { type Environment, idPrefixes } from '../domain/ids.ts';

/**
 * A function's settings from its environment variables, checked once at start.
 *
 * @throws Error naming each variable that is missing or wrong
 */
export function readSettings<Shape extends z.ZodRawShape>(shape: Shape): z.output<z.ZodObject<Shape>> {
  const parsed = z.object(shape).safeParse(process.env);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`environment variables: ${wrong.join('; ')}`);
}

/** A setting that must be there. */
export const setting = z.string().min(1);

/** Of one moment, what is made later sorts later: a call before the appointment that it brought. */
const ulid = monotonicFactory();

/** The time of this process: not behind what it has read. */
export const systemClock = createHybridClock(() => Date.now());

export const systemEnvironment: Environment = {
  now: systemClock.now,
  newId: (kind) => `${idPrefixes[kind]}_${ulid(systemClock.now().getTime())}`,
  pause: (ms) => pause(ms),
  backOff: (mostMs) => pause(Math.random() * mostMs),
};
