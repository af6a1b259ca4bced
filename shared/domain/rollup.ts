/**
 * Daily counters, kept from the changes of inquiries: each belongs to the local
 * day on which the inquiry was received, so that a day's stages say what became
 * of that day's inquiries.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Inquiry } from './inquiry/state.ts';

/** Upper bounds of the classes of time to first response, in minutes; the last class has none. */
export const responseClassesMinutes = [5, 15, 60, 240, 1_440] as const;

/** The class that a time to first response falls into, as in its counter's name. */
function responseClass(minutes: number): string {
  const bound = responseClassesMinutes.find((limit) => minutes <= limit);
  return bound === undefined ? 'over_1440' : `within_${bound}`;
}

/** Changes of counters by name; what did not change is not there. */
export type Counts = Readonly<Record<string, number>>;

/** Whether an inquiry just came, and nothing was made of it yet. */
const isArriving = ({ version, progress }: Inquiry): boolean => version === 1 && progress === 'captured';

/**
 * What a change of an inquiry adds to the counters of its day. It is counted once something was made
 * of it, most often a second after it came, and then with its tier: one count of it, not two.
 *
 * @param changed - the state before the change; undefined as it arrives
 */
export function countChange(changed: Inquiry | undefined, after: Inquiry): Counts {
  if (isArriving(after)) return {};
  const before = changed && isArriving(changed) ? undefined : changed;
  const counts: Record<string, number> = {};
  const add = (name: string, n: number): void => {
    counts[name] = (counts[name] ?? 0) + n;
  };
  if (before === undefined) {
    add('inquiries', 1);
    add(`source:${after.sourceId}`, 1);
  }
  if (before?.stage !== after.stage) {
    if (before) add(`stage:${before.stage}`, -1);
    add(`stage:${after.stage}`, 1);
    if (before?.stage === 'booked') add(`booked:${after.sourceId}`, -1);
    if (after.stage === 'booked') add(`booked:${after.sourceId}`, 1);
  }
  for (const name of ['kept', 'noShows', 'cents'] as const) {
    add(`${name}:${after.sourceId}`, (after.visits?.[name] ?? 0) - (before?.visits?.[name] ?? 0));
  }
  if (before?.tier !== after.tier) {
    if (before?.tier) add(`tier:${before.tier}`, -1);
    if (after.tier) add(`tier:${after.tier}`, 1);
  }
  if (before?.redFlag !== after.redFlag) {
    const reviewed = {
      confirmed: 'redFlagsConfirmed',
      false_alarm: 'falseAlarms',
      raised: undefined,
    } as const;
    if (before?.redFlag === undefined) add('redFlags', 1);
    const [was, is] = [before, after].map((state) => state?.redFlag && reviewed[state.redFlag]);
    if (was) add(was, -1);
    if (is) add(is, 1);
  }
  if (after.firstContactedAt !== undefined && before?.firstContactedAt === undefined) {
    const minutes = (Date.parse(after.firstContactedAt) - Date.parse(after.receivedAt)) / 60_000;
    add('responses', 1);
    add('responseMinutes', Math.round(minutes));
    add(`response:${responseClass(minutes)}`, 1);
    if (after.respondBy !== undefined && after.firstContactedAt <= after.respondBy) add('respondedInTime', 1);
  }
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0));
}

/** What `countChange` looks at of an inquiry that was counted before. */
const counted = ['stage', 'tier', 'redFlag', 'firstContactedAt', 'visits'] as const;

/** Whether a change may add to the counters, from states that are not read yet: most that are told of an inquiry do not. */
export const mayCount = (
  before: Readonly<Record<string, unknown>> | undefined,
  after: Readonly<Record<string, unknown>>,
): boolean =>
  before === undefined ||
  before['version'] === 1 ||
  counted.some((name) => !isDeepStrictEqual(before[name], after[name]));

/** What became of the inquiries of a source. */
export interface SourceResults {
  readonly inquiries: number;
  /** Of these, those that are booked now. */
  readonly booked: number;
  /** Appointments of these that were kept, and that nobody came to. */
  readonly kept: number;
  readonly noShows: number;
  /** What the kept ones brought, in US cents. */
  readonly valueCents: number;
}

/** What a period's counters say. */
export interface Summary {
  readonly inquiries: number;
  readonly bySource: Readonly<Record<string, number>>;
  readonly byStage: Readonly<Record<string, number>>;
  readonly byTier: Readonly<Record<string, number>>;
  /** Inquiries with words of an emergency, and what those who looked at them found. */
  readonly redFlags: { readonly raised: number; readonly confirmed: number; readonly falseAlarms: number };
  readonly firstResponse: {
    readonly responses: number;
    /** Mean wall-clock minutes from receipt to the first contact; absent without any. */
    readonly meanMinutes?: number;
    readonly inTime: number;
    /** Responses by class: `within_5` minutes, …, `over_1440`. */
    readonly byClass: Readonly<Record<string, number>>;
  };
  /** What inquiries of the period brought until now, in US cents, and by source. */
  readonly valueCents: number;
  readonly results: Readonly<Record<string, SourceResults>>;
}

const group = (counts: Counts, prefix: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(counts)
      .filter(([name, n]) => name.startsWith(`${prefix}:`) && n !== 0)
      .map(([name, n]) => [name.slice(prefix.length + 1), n]),
  );

/** What became of the inquiries of each source. */
function resultsOf(counts: Counts): Record<string, SourceResults> {
  const of = (name: string) => group(counts, name);
  const [inquiries, booked, kept, noShows, cents] = [
    of('source'),
    of('booked'),
    of('kept'),
    of('noShows'),
    of('cents'),
  ];
  const sources = new Set([inquiries, booked, kept, noShows, cents].flatMap(Object.keys));
  // What was booked before there were these counters, and then was not, would count below nothing.
  const shown = (of: Record<string, number>, source: string): number => Math.max(0, of[source] ?? 0);
  return Object.fromEntries(
    [...sources].sort().map((source) => [
      source,
      {
        inquiries: shown(inquiries, source),
        booked: shown(booked, source),
        kept: shown(kept, source),
        noShows: shown(noShows, source),
        valueCents: shown(cents, source),
      },
    ]),
  );
}

/** Sums the counters of days and of locations. */
export function summarize(days: readonly Counts[]): Summary {
  const sum: Record<string, number> = {};
  for (const day of days) {
    for (const [name, n] of Object.entries(day)) sum[name] = (sum[name] ?? 0) + n;
  }
  const responses = sum['responses'] ?? 0;
  const results = resultsOf(sum);
  return {
    inquiries: sum['inquiries'] ?? 0,
    bySource: group(sum, 'source'),
    byStage: group(sum, 'stage'),
    byTier: group(sum, 'tier'),
    redFlags: {
      raised: sum['redFlags'] ?? 0,
      confirmed: sum['redFlagsConfirmed'] ?? 0,
      falseAlarms: sum['falseAlarms'] ?? 0,
    },
    firstResponse: {
      responses,
      ...(responses > 0 && {
        meanMinutes: Math.round(((sum['responseMinutes'] ?? 0) / responses) * 10) / 10,
      }),
      inTime: sum['respondedInTime'] ?? 0,
      byClass: group(sum, 'response'),
    },
    valueCents: Object.values(results).reduce((total, { valueCents }) => total + valueCents, 0),
    results,
  };
}
