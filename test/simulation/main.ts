/** `npm run test:simulation`: everything that can go wrong, on thousands of seeds; or one of them again. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { runFromTerminal } from '../../ops/entry.ts';
import { layOut, Refusal } from '../../ops/terminal.ts';
import type { Aim } from '../../simulation/adverse/plan.ts';
import { type RunOptions, type RunResult, runAdverse } from '../../simulation/adverse/run.ts';
import { shrink } from '../../simulation/adverse/shrink.ts';
import { createStory } from '../../simulation/adverse/story.ts';
import { type AdverseCheck, adverseChecks, type Broken } from '../../simulation/adverse/watch.ts';
import { faultKinds, faultNames } from '../../simulation/faults.ts';
import { createTotals, type Totals } from './totals.ts';
import type { Told } from './worker.ts';

const usage = `Usage: npm run test:simulation [-- <option>...]

  --seed <n>          that seed alone: its figures and, where something breaks, its story
  --inquiries <n>     how many inquiries it has; 200 unless told
  --only <kind>       one kind of fault: ${faultNames.join(', ')}
  --aim <fault>       a fault more, at the first call of a kind, as a run that broke has it; any number
  --small <n>         so many seeds of 200 inquiries; 2000 unless told
  --large <n>         so many seeds of 10,000 inquiries; 10 unless told`;

const sizes = { small: 200, middle: 1_500, large: 10_000 };
/** What is aimed at may bring about kinds of calls that are new. */
const mostRounds = 4;
/** Most of what a run makes is gone with the call that made it: collected seldom, it costs least. */
const resourceLimits = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 4_096 };

/** Works through runs on all cores; the longest first. */
async function runAll(
  jobs: readonly RunOptions[],
  onTold: (told: Told, left: number) => void,
): Promise<void> {
  const queue = [...jobs];
  let left = queue.length;
  const threads = Math.min(availableParallelism(), Math.max(1, queue.length));
  await Promise.all(
    Array.from(
      { length: threads },
      () =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits });
          const next = (): void => {
            const job = queue.shift();
            if (job) worker.postMessage(job);
            else void worker.terminate().then(() => resolve());
          };
          worker.on('message', (told: Told) => {
            left--;
            onTold(told, left);
            next();
          });
          worker.on('error', reject);
          next();
        }),
    ),
  );
}

/** The story of a run that broke something, as short as it goes. */
async function tell(options: RunOptions, failed: RunResult): Promise<void> {
  const [first] = failed.broken;
  if (!first) return;
  console.log(`\nSeed ${failed.seed}, ${failed.inquiries} inquiries: ${adverseChecks[first.check]}`);
  console.log(`  ${first.about}\nShrinking …`);
  const shrunk = await shrink(options, failed, first.check);
  if (!shrunk) {
    console.log('Not the same when it was run again: the simulator itself is at fault.');
    return;
  }
  const story = createStory();
  const again = await runAdverse({ ...shrunk.options, onHappening: story.onHappening });
  const broken = again.broken.find(({ check }) => check === first.check);
  const faults = shrunk.options.faults.map(({ address, kind }) => `${kind} at ${address}`);
  console.log(
    `\nThe shortest found in ${shrunk.runs} runs: inquiries ${[...shrunk.options.arrivals].join(', ')}; ${
      faults.join(', ') || 'no fault at all'
    }\n`,
  );
  for (const line of story.lines()) console.log(line);
  console.log(`\n${broken?.at.slice(11, 23)}  ✗✗ ${adverseChecks[first.check]}: ${broken?.about}\n`);
}

async function replay(options: RunOptions): Promise<void> {
  const [first, second] = [await runAdverse(options), await runAdverse(options)];
  const { acknowledged, stored, mails, calls, deadLetters } = first.counts;
  console.log(
    `${first.injected.length} faults, ${calls} calls on ports, ${acknowledged} acknowledged, ${stored} stored, ${mails} mails, ${deadLetters} dead letters`,
  );
  console.log(`history ${first.digest}${first.digest === second.digest ? ', and the same again' : ''}`);
  for (const aim of options.aims ?? []) {
    if (first.injected.some(({ site, kind }) => site === aim.site && kind === aim.kind)) continue;
    console.log(`not met: ${aimText(aim)}: no such call is made, or this cannot happen to it`);
    process.exitCode = 1;
  }
  if (first.digest !== second.digest) {
    console.log(`but ${second.digest} when it was run again`);
    process.exitCode = 1;
  }
  for (const { at, check, about } of first.broken) console.log(`${at}  ${adverseChecks[check]}: ${about}`);
  if (first.broken.length === 0) return;
  process.exitCode = 1;
  await tell(options, first);
}

/** Reruns, with crashes where a kind of call never died on one side. */
function aimsOf(totals: Totals, round: number): RunOptions[] {
  const aimed = totals.uncovered().map(({ site, kind, seenIn: { aims, ...run } }) => ({
    ...run,
    // Where it was seen in a run that was aimed at something, it may be there by that alone.
    aims: [...aims, { site, kind }],
  }));
  // What only large runs had is there in a smaller one of their kind, too, as a rule.
  const smaller = aimed.map((one) => ({ ...one, inquiries: Math.min(one.inquiries, sizes.middle) }));
  if (round > 1) return round > 2 ? aimed : smaller;
  // At first many in one run, though one of them may keep another from happening.
  const bySeed = Map.groupBy(
    smaller,
    ({ seed, inquiries, aims }) => `${seed} ${inquiries} ${aims.at(-1)?.kind}`,
  );
  return [...bySeed.values()].flatMap((together) => {
    const [first] = together;
    return first ? [{ ...first, aims: together.flatMap((one) => one.aims) }] : [];
  });
}

/** An aim as the command line has it. */
const aimText = ({ kind, site }: Aim): string => `${kind} ${site}`;
function readAim(text: string): Aim {
  const [word = '', ...site] = text.split(' ');
  const kind = faultNames.find((name) => name === word);
  if (kind === undefined || site.length === 0)
    throw new Refusal(`--aim takes a kind of fault and a call: 'crash_after route send mail inquiry', say.`);
  return { kind, site: site.join(' ') };
}

const lineOf = ({ seed, inquiries, aims }: Told, { check, about }: Broken): string =>
  `seed ${seed}, ${inquiries} inquiries${aims.length > 0 ? `, aimed at ${aims.length} crash points` : ''}: ${adverseChecks[check]}: ${about}`;

/** The command that makes a run once more. */
const againOf = ({ seed, inquiries, aims }: Told): string =>
  [
    `npm run test:simulation -- --seed ${seed} --inquiries ${inquiries}`,
    ...aims.map((aim) => `--aim '${aimText(aim)}'`),
  ].join(' ');

function tableOf(totals: Totals, seconds: number): string {
  const { counts, sites } = totals;
  const broken = (check: AdverseCheck): string => String(counts.broken.get(check) ?? 0);
  return [
    layOut(
      ['fault', '', 'times'],
      faultNames.map((kind) => [kind, faultKinds[kind].what, String(counts.faults.get(kind) ?? 0)]),
    ),
    layOut(
      ['what must never be', 'times'],
      (Object.keys(adverseChecks) as AdverseCheck[]).map((check) => [adverseChecks[check], broken(check)]),
    ),
    `${counts.runs} runs, ${counts.inquiries} inquiries, ${counts.acknowledged} acknowledged, ${counts.mails} mails, ${counts.calls} calls on ports in ${seconds.toFixed(0)} s`,
    `fewest faults in a run: ${counts.fewestFaults}; runs that came out the same again: ${counts.replayed} of ${counts.replays}`,
    `${sites.covered} of ${sites.sides} crash points used: before and after each of ${sites.all} kinds of calls (${((100 * sites.covered) / sites.sides).toFixed(1)} %)`,
  ].join('\n\n');
}

async function runWhole(small: number, large: number): Promise<void> {
  if (small + large === 0) throw new Refusal('--small or --large has to be at least 1.');
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1_000;
  const jobs: RunOptions[] = [
    ...Array.from({ length: large }, (_, i) => ({ seed: i + 1, inquiries: sizes.large })),
    ...Array.from({ length: small }, (_, i) => ({ seed: i + 1, inquiries: sizes.small })),
  ];
  const totals = createTotals();
  let shownMs = 0;
  const take = (told: Told, left: number): void => {
    totals.add(told);
    const [first] = told.broken;
    // Told at once: somebody may look at it while the rest runs.
    if (first) console.error(`✗ ${lineOf(told, first)}`);
    if (performance.now() - shownMs < 5_000 && left > 0) return;
    shownMs = performance.now();
    console.error(
      `${seconds().toFixed(0)} s  ${left} runs left, ${totals.counts.inquiries} inquiries, ${totals.failed.length} runs in which something broke`,
    );
  };
  await runAll(jobs, take);
  // Each kind of call must have died on both sides, however seldom it is made.
  for (let round = 1; round <= mostRounds; round++) {
    const aims = aimsOf(totals, round);
    if (aims.length === 0) break;
    console.error(`${totals.uncovered().length} crash points are aimed at`);
    await runAll(aims, take);
  }
  // One in fifty again: the same history.
  await runAll(
    totals
      .digests()
      .filter((_, i) => i % 50 === 0)
      .map(({ options }) => options),
    (told, left) => {
      totals.again(told);
      if (left === 0) console.error('run again');
    },
  );
  console.log(`\n${tableOf(totals, seconds())}`);
  for (const { site, kind, seenIn } of totals.uncovered())
    console.log(`never ${kind}: ${site} (seed ${seenIn.seed}, ${seenIn.inquiries} inquiries)`);
  const [first] = totals.failed;
  const isWhole =
    totals.sites.covered === totals.sites.sides && totals.counts.replayed === totals.counts.replays;
  if (first || !isWhole || totals.counts.fewestFaults < 1) process.exitCode = 1;
  for (const told of totals.failed.slice(0, 20)) {
    const [broken] = told.broken;
    if (broken) console.log(`${lineOf(told, broken)}\n  ${againOf(told)}`);
  }
  if (!first) return;
  const { seed, inquiries, aims } = first;
  const options: RunOptions = { seed, inquiries, aims };
  await tell(options, await runAdverse(options));
}

function numberOf(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Refusal(`--${option} takes a whole number.`);
  return Number(text);
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      inquiries: { type: 'string' },
      only: { type: 'string' },
      aim: { type: 'string', multiple: true, default: [] },
      small: { type: 'string', default: '2000' },
      large: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  process.env['TZ'] = 'UTC';
  const only = faultNames.find((name) => name === values.only);
  if (only !== values.only) throw new Refusal(`--only takes one of ${faultNames.join(', ')}.`);
  if (values.seed !== undefined) {
    await replay({
      seed: numberOf('seed', values.seed),
      inquiries: numberOf('inquiries', values.inquiries ?? String(sizes.small)),
      ...(only !== undefined && { only }),
      aims: values.aim.map(readAim),
    });
    return;
  }
  for (const name of ['only', 'aim', 'inquiries'] as const)
    if (values[name]?.length) throw new Refusal(`--${name} goes with --seed: it is about one run.`);
  await runWhole(numberOf('small', values.small), numberOf('large', values.large));
}

await runFromTerminal(main);
