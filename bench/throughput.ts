/** How many inquiries a machine takes and mails in a second, beside the floor of the same minute. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeAt } from '../local/home.ts';
import type { CpuUsage, LocalSystem } from '../local/system.ts';
import { type Harness, startHarness } from '../test/system/harness.ts';
import { type Floor, openFloor } from './floor.ts';
import { createPoster, during, type Poster, times } from './load.ts';
import { median, quantile } from './median.ts';
import { isToPerson, webForm, withoutConsent } from './sample.ts';

export interface ThroughputOptions {
  /** Requests at a time; as many threads as capture has. */
  readonly concurrency: number;
  /** Slices of each kind. */
  readonly slices: number;
  readonly sliceMs: number;
  /** Inquiries in a slice that runs through to the e-mail. */
  readonly mailsPerSlice: number;
}

export interface Rate {
  readonly perSecond: number;
  /** Of the floor's slices between these. */
  readonly floorPerSecond: number;
  /** The median of each slice's ratio to the floor's slices before and after it. */
  readonly ratio: number;
}

export interface Throughput {
  readonly concurrency: number;
  readonly accepted: Rate;
  /** Milliseconds from the post to the 202, at that concurrency. */
  readonly answerMs: { readonly p50: number; readonly p99: number };
  /** Inquiries of people who did not ask for messages, until the coordinators have their mails. */
  readonly mailed: Rate;
  /** Inquiries of people who agreed to be written to, until each has the acknowledgement, too. */
  readonly answered: Rate;
  /** Processor time of one inquiry from post to the coordinator's mail, roll-ups included, in milliseconds. */
  readonly cpuMsPerInquiry: {
    readonly functions: Readonly<Record<string, number>>;
    readonly functionsTotal: number;
    /** The gateway and the pollers, and the client that posts. */
    readonly gatewayAndPollers: number;
    readonly queuesAndMail: number;
  };
  /** Milliseconds from a post to the coordinator's mail, one at a time on the otherwise idle system. */
  readonly mailMs: { readonly median: number; readonly slowest: number };
}

const latencyRuns = 15;
/** Longer than a function's turn at the stream takes to come. */
const streamQuietMs = 1_500;
/** As many as it takes until most of the functions' code is compiled, and their processor time falls little more. */
const warmingInquiries = 1_500;
const mailsWithinMs = 180_000;

/** @param transaction - what capture sends for a new person, for the floor */
export async function measureThroughput(
  options: ThroughputOptions,
  transaction: unknown,
  report: (line: string) => void = () => {},
): Promise<Throughput> {
  report('starting a system of its own for the clock');
  const folder = mkdtempSync(join(tmpdir(), 'firstcall-bench-'));
  // On disk, as `npm start` runs it; nothing stands between the functions and the engines.
  const harness = await startHarness({ concurrency: options.concurrency, practice: unpacedPractice(folder) });
  const floor = openFloor(harness.system, transaction);
  const poster = createPoster(harness.origin, options.concurrency);
  try {
    return await measure(options, { harness, floor, poster }, report);
  } finally {
    floor.close();
    poster.close();
    await harness.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The demo practice with an account of SES that takes all there is: else the rate of acknowledgements
 * would be that of its account, 14 mails a second with those to staff.
 */
function unpacedPractice(folder: string): string {
  const demo = readFileSync(join(import.meta.dirname, '../practices/demo.yaml'), 'utf8');
  const unpaced = demo.replace(/sendPerSecond: \d+/, 'sendPerSecond: 1000');
  if (unpaced === demo) throw new Error('the demo practice names no sendPerSecond');
  const file = join(folder, 'practice.yaml');
  writeFileSync(file, unpaced);
  return file;
}

async function measure(
  options: ThroughputOptions,
  { harness, floor, poster }: { harness: Harness; floor: Floor; poster: Poster },
  report: (line: string) => void,
): Promise<Throughput> {
  const { concurrency, slices, sliceMs, mailsPerSlice } = options;
  const { system } = harness;
  let people = 0;
  const post = (): Promise<number> => poster.post(withoutConsent(webForm(people++)));
  const postAgreed = (): Promise<number> => poster.post(webForm(people++));

  const floorSlice = async (ms = sliceMs): Promise<number> => {
    // Enough for any machine that this runs on; a faster one makes the rest as it goes.
    floor.ready(Math.ceil(1.2 * ms));
    return (await during(ms, concurrency, floor.send)).perSecond;
  };
  const mailedSlice = async (): Promise<number> => {
    await harness.clearInbox();
    const { perSecond } = await times(mailsPerSlice, concurrency, post, () =>
      mails(harness, { toStaff: mailsPerSlice }),
    );
    return perSecond;
  };
  const answeredSlice = async (): Promise<number> => {
    await harness.clearInbox();
    const { perSecond } = await times(mailsPerSlice, concurrency, postAgreed, () =>
      mails(harness, { toStaff: mailsPerSlice, toPeople: mailsPerSlice }),
    );
    return perSecond;
  };

  report('warming up');
  // On a busy machine a thread's first request may take too long; nothing here counts yet.
  await during(2 * sliceMs, concurrency, () => post().catch(() => {}));
  await settled(harness);
  for (let warmed = 0; warmed < warmingInquiries; warmed += mailsPerSlice) await mailedSlice();
  await floorSlice(2 * sliceMs);
  await streamRead(system);

  const mailMs: number[] = [];
  for (let run = 1; run <= latencyRuns; run++) {
    report(`from a post to its e-mail, alone: ${run} of ${latencyRuns}`);
    await harness.clearInbox();
    const started = performance.now();
    await post();
    await mails(harness, { toStaff: 1 }, 5);
    mailMs.push(performance.now() - started);
  }

  const mailed = collectRates();
  const cpu: { before: CpuUsage; after: CpuUsage }[] = [];
  await pausedFloor(system, floorSlice, mailed);
  for (let slice = 1; slice <= slices; slice++) {
    report(`${mailsPerSlice} inquiries from post to e-mail: slice ${slice} of ${slices}`);
    const before = await system.cpuUsage();
    mailed.add(await mailedSlice());
    cpu.push({ before, after: await system.cpuUsage() });
    await pausedFloor(system, floorSlice, mailed);
  }

  const answered = collectRates();
  await answeredSlice();
  await pausedFloor(system, floorSlice, answered);
  for (let slice = 1; slice <= slices; slice++) {
    report(`${mailsPerSlice} inquiries with an acknowledgement to each: slice ${slice} of ${slices}`);
    answered.add(await answeredSlice());
    await pausedFloor(system, floorSlice, answered);
  }

  report('pausing the workers');
  await system.pausePollers();
  const accepted = collectRates();
  const answerMs: number[] = [];
  const acceptedSlice = async (): Promise<number> => {
    const slice = await during(sliceMs, concurrency, async () => {
      answerMs.push(await post());
    });
    return slice.perSecond;
  };
  await acceptedSlice();
  answerMs.length = 0;
  accepted.addFloor(await floorSlice());
  for (let slice = 1; slice <= slices; slice++) {
    report(`inquiries accepted, with the workers paused: slice ${slice} of ${slices}`);
    accepted.add(await acceptedSlice());
    accepted.addFloor(await floorSlice());
  }

  return {
    concurrency,
    accepted: accepted.rate(),
    answerMs: { p50: quantile(answerMs, 0.5), p99: quantile(answerMs, 0.99) },
    mailed: mailed.rate(),
    answered: answered.rate(),
    cpuMsPerInquiry: perInquiry(cpu, mailsPerSlice),
    mailMs: { median: median(mailMs), slowest: Math.max(...mailMs) },
  };
}

/** Rates of slices that take turns with the floor's, which come first and last. */
function collectRates() {
  const own: number[] = [];
  const floors: number[] = [];
  return {
    add: (rate: number) => void own.push(rate),
    addFloor: (rate: number) => void floors.push(rate),
    rate: (): Rate => ({
      perSecond: median(own),
      floorPerSecond: median(floors),
      ratio: median(own.map((rate, i) => rate / (((floors[i] ?? 0) + (floors[i + 1] ?? 0)) / 2))),
    }),
  };
}

/** A slice of the floor while nothing else runs. */
async function pausedFloor(
  system: LocalSystem,
  floorSlice: () => Promise<number>,
  rates: { addFloor(rate: number): void },
): Promise<void> {
  await system.pausePollers();
  rates.addFloor(await floorSlice());
  system.resumePollers();
  await streamRead(system);
}

/** Waits until the stream holds nothing more to read: the floor's rows shall not weigh on what comes next. */
async function streamRead({ home }: LocalSystem): Promise<void> {
  const folder = homeAt(home).positions;
  const read = (): string =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join();
  for (let before = '', found = read(); found !== before; ) {
    before = found;
    await sleep(streamQuietMs);
    found = read();
  }
}

/** Waits until the inbox holds so many e-mails to each; looks seldom enough not to be what is measured. */
async function mails(
  harness: Harness,
  { toStaff, toPeople = 0 }: { readonly toStaff: number; readonly toPeople?: number },
  everyMs = 100,
): Promise<void> {
  const deadline = performance.now() + mailsWithinMs;
  for (;;) {
    const found = await harness.inbox();
    const people = found.filter(({ destination }) => destination.to.some(isToPerson)).length;
    const staff = found.length - people;
    if (staff >= toStaff && people >= toPeople) return;
    if (performance.now() > deadline)
      throw new Error(
        `${staff} of ${toStaff} e-mails to staff and ${people} of ${toPeople} to people after ${mailsWithinMs / 1_000} s`,
      );
    await sleep(everyMs);
  }
}

/** Waits until no more e-mails come. */
async function settled(harness: Harness): Promise<void> {
  for (let found = -1, before = -2; found !== before; ) {
    before = found;
    await sleep(1_000);
    found = (await harness.inbox()).length;
  }
}

function perInquiry(
  slices: readonly { before: CpuUsage; after: CpuUsage }[],
  inquiries: number,
): Throughput['cpuMsPerInquiry'] {
  const each = (of: (usage: CpuUsage) => number): number =>
    median(slices.map(({ before, after }) => (of(after) - of(before)) / inquiries));
  const names = Object.keys(slices[0]?.after.functionsMs ?? {});
  const functions = Object.fromEntries(
    names.map((name) => [name, each(({ functionsMs }) => functionsMs[name] ?? 0)]),
  );
  return {
    functions,
    functionsTotal: Object.values(functions).reduce((total, ms) => total + ms, 0),
    gatewayAndPollers: each(({ mainMs }) => mainMs),
    queuesAndMail: each(({ messagingMs }) => messagingMs),
  };
}
