/** The time zone that a person is in, where they or their browser said so: never guessed from a number, which moves along. */
import * as z from 'zod';

/** Asking for one takes long; there are some six hundred, and each in as many ways to write it as somebody thinks of. */
const known = new Set<string>();
const mostKnown = 1_000;

/** Whether it is an IANA time zone, America/Los_Angeles say, that this runtime knows. */
export function isTimeZone(zone: string): boolean {
  if (known.has(zone)) return true;
  if (!zone.includes('/') && zone !== 'UTC') return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    if (known.size < mostKnown) known.add(zone);
    return true;
  } catch {
    return false;
  }
}

export const zoneKnownSchema = z.lazy(() =>
  z.object({
    /** When it was said. */
    at: z.iso.datetime(),
    /** Absent where staff took back what was known. */
    zone: z.string().optional(),
  }),
);
export type ZoneKnown = z.infer<typeof zoneKnownSchema>;

/** What an inquiry says of the zone of whoever wrote it. */
export const saidOfZone = (
  { timeZone }: Readonly<Record<string, string | boolean>>,
  at: string,
): ZoneKnown | undefined =>
  typeof timeZone === 'string' && isTimeZone(timeZone) ? { at, zone: timeZone } : undefined;

/** What is to be kept once this was said; undefined where it is nothing new. The latest word counts. */
export function learntZone(known: ZoneKnown | undefined, said: ZoneKnown | undefined): ZoneKnown | undefined {
  if (!said || (known && known.at >= said.at)) return undefined;
  return known?.zone === said.zone ? undefined : said;
}
