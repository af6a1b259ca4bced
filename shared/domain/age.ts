/**
 * What is known of a person's age: whether they may still be a minor, and until
 * when at the latest. No more is kept, since no more is asked of it.
 */
import * as z from 'zod';

/** The age from which people are written to themselves, in years. */
export const ageOfMajority = 18;

export const ageKnownSchema = z.lazy(() =>
  z.object({
    /** When it was said. */
    at: z.iso.datetime(),
    /** They are of age by then, whenever their birthday is; absent of whoever is. */
    minorUntil: z.iso.datetime().optional(),
  }),
);
export type AgeKnown = z.infer<typeof ageKnownSchema>;

/** The latest moment at which somebody comes of age who was this old, in whole years; 0 where that is not known. */
export function minorFrom(at: string, years = 0): AgeKnown {
  const until = new Date(at);
  until.setUTCFullYear(until.getUTCFullYear() + ageOfMajority - years);
  return { at, minorUntil: until.toISOString() };
}

/**
 * What an inquiry says of its patient's age: in years, else the band that stands for it. An age that
 * cannot be read is taken for a child's, since it may be given in months.
 */
export function saidOfAge(
  { age, ageBand }: Readonly<Record<string, string | boolean>>,
  at: string,
): AgeKnown | undefined {
  if (typeof age === 'string' && age.trim() !== '') {
    const years = Number(age);
    if (years >= ageOfMajority) return { at };
    return minorFrom(at, years >= 0 ? Math.floor(years) : 0);
  }
  if (ageBand === 'minor') return minorFrom(at);
  return ageBand === 'adult' || ageBand === 'senior' ? { at } : undefined;
}

export const isMinorAt = (known: AgeKnown | undefined, at: string): boolean =>
  known?.minorUntil !== undefined && at < known.minorUntil;

/** Of what is known and what was said, whichever is later; of one instant, what was said. */
export const laterWord = (known: AgeKnown | undefined, said: AgeKnown | undefined): AgeKnown | undefined =>
  known && said && known.at > said.at ? known : (said ?? known);

/**
 * What is to be kept once this was said; undefined where it is nothing new. A later word counts: who
 * was younger than they can be now was somebody's mistake.
 */
export function learnt(known: AgeKnown | undefined, said: AgeKnown | undefined): AgeKnown | undefined {
  if (!said || (known && known.at >= said.at)) return undefined;
  const wasMinor = isMinorAt(known, said.at);
  if (said.minorUntil === undefined) return wasMinor ? said : undefined;
  const isKnown = wasMinor && (known?.minorUntil ?? '') <= said.minorUntil;
  return isKnown ? undefined : said;
}
