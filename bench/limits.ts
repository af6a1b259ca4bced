/** What the figures are held to. */

import type { ImportTime } from './bundles.ts';
import type { Counted } from './counted.ts';
import type { RoutingTimes } from './routing.ts';
import type { RuleTimes } from './rules.ts';
import type { Scaled } from './scale.ts';
import type { SweepTimes } from './sweep.ts';
import type { Throughput } from './throughput.ts';

export const limits = {
  callsToAnswer: 3,
  callsToMail: 13,
  writeUnitsNewPerson: 28,
  writeUnitsKnownPerson: 22,
  acceptedToFloor: 0.65,
  /** Of inquiries that ask for no acknowledgement; with one to each the rate is a figure of its own. */
  mailedToFloor: 0.3,
  importToBare: 2.0,
  mailMs: 1_000,
  /** Of 200 rules over one inquiry: well under a millisecond. */
  rulesMicroseconds: 500,
  /** Of routing's decision in a pool of 200, beside its reads: surely less than a millisecond. */
  routingMicroseconds: 500,
  /** Of 10,000 due entries, in all the runs that it takes. */
  sweepSeconds: 120,
  /** One write for each, and two reads for a page of a hundred. */
  sweepCallsEach: 1.1,
} as const;

/** Bytes of a function's bundle; `notify` composes mails. */
export const bundleLimit = (name: string): number => (name === 'notify' ? 1_000_000 : 700_000);

export interface Check {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  /** Whether the limit is the most or the least that it may be. */
  readonly bound: 'most' | 'least';
  readonly kept: boolean;
}

const atMost = (what: string, value: number, limit: number): Check => ({
  what,
  value,
  limit,
  bound: 'most',
  kept: value <= limit,
});
const atLeast = (what: string, value: number, limit: number): Check => ({
  what,
  value,
  limit,
  bound: 'least',
  kept: value >= limit,
});

/** What can be counted, and so is the same on every machine. */
export function checkCounts(counted: Counted, bundles: Readonly<Record<string, number>>): Check[] {
  const { newPerson, knownPerson } = counted;
  return [
    atMost(
      'AWS calls to the 202',
      Math.max(newPerson.callsToAnswer, knownPerson.callsToAnswer),
      limits.callsToAnswer,
    ),
    atMost(
      'AWS calls to the sent e-mail',
      Math.max(newPerson.callsToMail, knownPerson.callsToMail),
      limits.callsToMail,
    ),
    atMost('write units, new person', newPerson.writeUnits, limits.writeUnitsNewPerson),
    atMost('write units, known person', knownPerson.writeUnits, limits.writeUnitsKnownPerson),
    ...Object.entries(bundles).map(([name, bytes]) =>
      atMost(`bundle bytes, ${name}`, bytes, bundleLimit(name)),
    ),
  ];
}

/** What depends on the machine and on what else it does. */
export function checkTimes(
  { accepted, mailed, mailMs }: Throughput,
  imports: Readonly<Record<string, ImportTime>>,
): Check[] {
  return [
    atLeast('accepted/s to the floor', accepted.ratio, limits.acceptedToFloor),
    atLeast('mailed/s to the floor', mailed.ratio, limits.mailedToFloor),
    atMost('ms from post to e-mail', mailMs.median, limits.mailMs),
    ...Object.entries(imports).map(([name, { ratio }]) =>
      atMost(`import time to bare, ${name}`, ratio, limits.importToBare),
    ),
  ];
}

export const checkRuleTimes = ({ rules, evaluateMicroseconds }: RuleTimes): Check[] => [
  atMost(`µs of ${rules} rules over one inquiry`, evaluateMicroseconds, limits.rulesMicroseconds),
];

export const checkRoutingTimes = ({
  members,
  routeMicroseconds,
  waitMicroseconds,
}: RoutingTimes): Check[] => [
  atMost(`µs of a decision among ${members} who can take it`, routeMicroseconds, limits.routingMicroseconds),
  atMost(`µs of a decision among ${members} who cannot yet`, waitMicroseconds, limits.routingMicroseconds),
];

export const checkSweep = ({ due, seconds, callsEach }: SweepTimes): Check[] => [
  atMost(`s of a sweep of ${due.toLocaleString('en-US')} due inquiries`, seconds, limits.sweepSeconds),
  atMost('table calls for each of them', callsEach, limits.sweepCallsEach),
];

/** An inquiry must cost the same in a full table as in the emptiest of those that were counted. */
export function checkScale(scaled: readonly Scaled[]): Check[] {
  const [smallest, ...larger] = scaled;
  if (smallest === undefined) return [];
  return larger.flatMap((size) => {
    const among = `among ${size.stored.toLocaleString('en-US')} stored`;
    return [
      atMost(`calls, new person, ${among}`, size.newPerson.callsToMail, smallest.newPerson.callsToMail),
      atMost(`write units, new person, ${among}`, size.newPerson.writeUnits, smallest.newPerson.writeUnits),
      atMost(`read units, new person, ${among}`, size.newPerson.readUnits, smallest.newPerson.readUnits),
      atMost(`calls, known person, ${among}`, size.knownPerson.callsToMail, smallest.knownPerson.callsToMail),
      atMost(
        `write units, known person, ${among}`,
        size.knownPerson.writeUnits,
        smallest.knownPerson.writeUnits,
      ),
      atMost(`calls, timeline page, ${among}`, size.timelinePage.calls, smallest.timelinePage.calls),
      atMost(`read units, timeline page, ${among}`, size.timelinePage.read, smallest.timelinePage.read),
      atMost(`calls, queue page, ${among}`, size.queuePage.calls, smallest.queuePage.calls),
      atMost(`read units, queue page, ${among}`, size.queuePage.read, smallest.queuePage.read),
      atMost(`calls, a sweep, ${among}`, size.sweep.calls, smallest.sweep.calls),
      atMost(`read units, a sweep, ${among}`, size.sweep.read, smallest.sweep.read),
    ];
  });
}
