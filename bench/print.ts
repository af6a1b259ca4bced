/** The figures as a table for people. */
import type { ImportTime } from './bundles.ts';
import type { Cost, Counted } from './counted.ts';
import type { Check } from './limits.ts';
import { pricesAsOf } from './prices.ts';
import type { RoutingTimes } from './routing.ts';
import type { RuleTimes } from './rules.ts';
import type { Scaled } from './scale.ts';
import type { SweepTimes } from './sweep.ts';
import type { Throughput } from './throughput.ts';

export interface Figures {
  readonly throughput: Throughput;
  readonly counted: Omit<Counted, 'transaction'>;
  readonly cost: Cost;
  readonly bundleBytes: Readonly<Record<string, number>>;
  readonly imports: Readonly<Record<string, ImportTime>>;
  readonly scaled: readonly Scaled[];
  readonly rules: RuleTimes;
  readonly routing: RoutingTimes;
  readonly swept: SweepTimes;
  readonly checks: readonly Check[];
}

const shown = (n: number, digits = 0): string =>
  n.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const usd = (n: number): string => shown(n, 4);

/** Rows in columns: the first to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}

export function print({
  throughput,
  counted,
  cost,
  bundleBytes,
  imports,
  scaled,
  rules,
  routing,
  swept,
  checks,
}: Figures): string {
  const { accepted, mailed, answered, answerMs, mailMs, cpuMsPerInquiry } = throughput;
  const {
    newPerson,
    knownPerson,
    rollUps,
    people,
    audit,
    staffView,
    timelinePage,
    queuePage,
    configurationRefresh,
    sweep,
  } = counted;
  const title = (text: string): string => `\n${text}\n`;
  return [
    title(`Speed, ${throughput.concurrency} requests at a time, medians of slices in turns with the floor's`),
    columns([
      ['', 'per second', 'floor', 'ratio'],
      ['accepted', shown(accepted.perSecond), shown(accepted.floorPerSecond), shown(accepted.ratio, 2)],
      [
        'mailed to a coordinator',
        shown(mailed.perSecond),
        shown(mailed.floorPerSecond),
        shown(mailed.ratio, 2),
      ],
      [
        'and acknowledged to each',
        shown(answered.perSecond),
        shown(answered.floorPerSecond),
        shown(answered.ratio, 2),
      ],
    ]),
    `\n  202 after ${shown(answerMs.p50, 1)} ms (p50), ${shown(answerMs.p99, 1)} ms (p99); alone, the e-mail after ${shown(mailMs.median)} ms (slowest ${shown(mailMs.slowest)})`,
    title('Processor time of one inquiry that is not acknowledged, ms'),
    columns([
      ...Object.entries(cpuMsPerInquiry.functions).map(([name, ms]) => [name, shown(ms, 1)]),
      ['functions together', shown(cpuMsPerInquiry.functionsTotal, 1)],
      ['gateway, pollers and the client', shown(cpuMsPerInquiry.gatewayAndPollers, 1)],
      ['queues and mail', shown(cpuMsPerInquiry.queuesAndMail, 1)],
    ]),
    title('One inquiry, counted'),
    columns([
      ['', 'AWS calls', 'to the 202', 'write units', 'read units'],
      ...(
        [
          ['new person', newPerson],
          ['known person', knownPerson],
        ] as const
      ).map(([name, count]) => [
        name,
        shown(count.callsToMail),
        shown(count.callsToAnswer),
        shown(count.writeUnits),
        shown(count.readUnits, 1),
      ]),
      ...(
        [
          ['apart: roll-ups', rollUps],
          ['apart: who may be the same person', people],
          ['apart: a look by staff', staffView],
          ["apart: a page of a person's timeline", timelinePage],
          ["apart: a page of a coordinator's queue", queuePage],
          ['apart: the entry of either in the audit', audit],
          ['apart: configuration, each 10 s of a busy function', configurationRefresh],
          ['apart: a sweep, each minute', sweep],
        ] as const
      ).map(([name, tally]) => [name, shown(tally.calls), '', shown(tally.write), shown(tally.read, 1)]),
      ['apart: pollers, one message to a batch', shown(counted.pollerCalls), '', '', ''],
    ]),
    title(`1,000 inquiries, USD, list prices of us-east-1 as noted on ${pricesAsOf}`),
    columns([
      ['', 'new people', 'known people'],
      ...Object.keys(cost.newPeople).map((name) => [
        name,
        usd(cost.newPeople[name] ?? 0),
        usd(cost.knownPeople[name] ?? 0),
      ]),
      ...Object.entries(cost.apart).map(([name, value]) => [`apart: ${name}`, usd(value), usd(value)]),
    ]),
    title('A month without any inquiry, USD'),
    columns(Object.entries(cost.idleMonth).map(([name, value]) => [name, usd(value)])),
    title('Bundles'),
    columns([
      ['', 'bytes', 'import ms', 'bare ms', 'ratio'],
      ...Object.entries(bundleBytes).map(([name, bytes]) => [
        name,
        shown(bytes),
        shown(imports[name]?.ms ?? Number.NaN, 1),
        shown(imports[name]?.bareMs ?? Number.NaN, 1),
        shown(imports[name]?.ratio ?? Number.NaN, 2),
      ]),
    ]),
    title('The sweep'),
    `  ${shown(swept.due)} due inquiries: ${shown(swept.seconds, 1)} s in ${swept.runs} run${swept.runs === 1 ? '' : 's'} of the function, ${shown(swept.callsEach, 3)} table calls and a message for each`,
    title('Triage rules'),
    `  ${rules.rules} rules over one inquiry: ${shown(rules.evaluateMicroseconds)} µs; compiled once for each version of them, in ${shown(rules.compileMs, 1)} ms`,
    title('Routing'),
    `  deciding about one inquiry in a pool of ${routing.members}: ${shown(routing.routeMicroseconds)} µs, ${shown(routing.waitMicroseconds)} µs where it has to wait`,
    ...(scaled.length === 0
      ? []
      : [
          title('The same with so many inquiries in the table'),
          columns([
            ['', ...scaled.map((size) => shown(size.stored))],
            ['AWS calls, new person', ...scaled.map((size) => shown(size.newPerson.callsToMail))],
            ['write units, new person', ...scaled.map((size) => shown(size.newPerson.writeUnits))],
            ['read units, new person', ...scaled.map((size) => shown(size.newPerson.readUnits, 1))],
            ['AWS calls, known person', ...scaled.map((size) => shown(size.knownPerson.callsToMail))],
            ['write units, known person', ...scaled.map((size) => shown(size.knownPerson.writeUnits))],
            [
              "AWS calls, a page of a person's timeline",
              ...scaled.map((size) => shown(size.timelinePage.calls)),
            ],
            [
              "read units, a page of a person's timeline",
              ...scaled.map((size) => shown(size.timelinePage.read, 1)),
            ],
            ['AWS calls, a page of a queue', ...scaled.map((size) => shown(size.queuePage.calls))],
            ['read units, a page of a queue', ...scaled.map((size) => shown(size.queuePage.read, 1))],
            ['AWS calls, a sweep', ...scaled.map((size) => shown(size.sweep.calls))],
            ['read units, a sweep', ...scaled.map((size) => shown(size.sweep.read, 1))],
          ]),
        ]),
    title('Limits'),
    columns([
      ['', 'value', '', 'limit', ''],
      ...checks.map(({ what, value, limit, bound, kept }) => [
        what,
        shown(value, Number.isInteger(value) ? 0 : 2),
        bound === 'most' ? '≤' : '≥',
        shown(limit, Number.isInteger(limit) ? 0 : 2),
        kept ? 'kept' : 'MISSED',
      ]),
    ]),
  ].join('\n');
}
