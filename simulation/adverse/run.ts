/** One run: people write to a practice while things go wrong, then nothing does any more, and all is looked at. */
import type { FaultKind } from '../faults.ts';
import type { FunctionName, Ports } from '../functions.ts';
import { minuteMs } from '../minutes.ts';
import { momentOf } from '../moment.ts';
import { drawPeople } from '../people.ts';
import { createRandom } from '../random.ts';
import { drawsOf } from './draw.ts';
import { createEverybody, type Everybody } from './people.ts';
import { type Aim, aimedAt, drawnPlan, type Fault, givenPlan, type Injected } from './plan.ts';
import { settled } from './ports.ts';
import { moodOf, practiceFor } from './practice.ts';
import { type Broken, createWatch } from './watch.ts';
import { type AdverseWorld, createAdverseWorld, type Happening, type Site } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly inquiries: number;
  /** The one kind of fault that it has; left out, some kinds by the seed. */
  readonly only?: FaultKind;
  /** Exactly these faults, in place of drawn ones. */
  readonly faults?: readonly Fault[];
  /** Of the inquiries only these, by number. */
  readonly arrivals?: ReadonlySet<number>;
  /** Faults more, each at the first call of a site. */
  readonly aims?: readonly Aim[];
  readonly onHappening?: (happening: Happening, world: AdverseWorld) => void;
  /** Puts other ports in place: with a condition left out, to see that it is missed. */
  readonly portsOf?: (name: FunctionName, ports: Ports) => Ports;
}

export interface RunResult {
  readonly seed: number;
  readonly inquiries: number;
  readonly injected: readonly Injected[];
  readonly broken: readonly Broken[];
  /** Equal for equal histories. */
  readonly digest: string;
  readonly sites: ReadonlyMap<string, Site>;
  readonly counts: {
    readonly acknowledged: number;
    readonly stored: number;
    readonly mails: number;
    readonly calls: number;
    readonly deadLetters: number;
  };
}

/** From here on a run is a large one: nobody is in haste, and there is room for all of them. */
const manyInquiries = 1_000;

/** It begins on a Monday morning, with digests and the weekly report. */
const begins = 'Mon 08:25';
/** So many inquiries come in an hour, and at the least so long. */
const perHour = 4_000;
const leastMinutes = { easy: 20, else: 60 };
/** In a rush the time between two inquiries is so much of what it is else; of very many, queues would not get through. */
const rushPace = { large: 0.4, else: 0.01 };
/** After the last inquiry it goes on going wrong for so long. */
const stillMinutes = 6;
/** In a long run for two days, so that what is due by then comes: reviews, follow-ups, messages of a sequence. */
const longMinutes = 50 * 60;
/** Sweeps are so far apart in them. */
const fewSweepsMinutes = 15;
/** Then everything comes to rest: the longest pause between two tries, and some. */
const restMinutes = 35;

export async function runAdverse(options: RunOptions): Promise<RunResult> {
  const { seed, inquiries } = options;
  const isLarge = inquiries > manyInquiries;
  const mood = moodOf(drawsOf(seed)('practice'), isLarge);
  const practice = practiceFor(inquiries, mood);
  const from = momentOf(begins, practice.locations[0]?.timeZone ?? 'UTC') as Date;
  const minutes = Math.max(leastMinutes[mood.isEasy ? 'easy' : 'else'], (inquiries / perHour) * 60);
  const untilMs = from.getTime() + minutes * minuteMs;
  const draw = drawsOf(seed)('plan');
  const planned = options.faults ? givenPlan(options.faults) : drawnPlan(draw, options.only);
  const plan = (options.aims ?? []).reduce(aimedAt, planned);

  let world: AdverseWorld | undefined;
  let everybody: Everybody | undefined;
  const watch = createWatch(() => world as AdverseWorld);
  let calls = 0;
  const running = await createAdverseWorld({
    seed,
    practice,
    from,
    plan,
    fewSweeps: mood.isLong ? { fromMs: untilMs, everyMs: fewSweepsMinutes * minuteMs } : undefined,
    portsOf: options.portsOf,
    onHappening(happening) {
      if (!world) return;
      if (happening.is === 'call') calls++;
      watch.onHappening(happening);
      if (happening.is === 'mail') everybody?.onMail(happening.mail);
      options.onHappening?.(happening, world);
    },
  });
  world = running;
  const { agenda } = running;

  const random = createRandom(`${seed}/people`);
  const { people, arrivals } = drawPeople(practice, { inquiries, fromMs: from.getTime(), untilMs }, random);
  const all = createEverybody(running, watch, people, mood.habits);
  everybody = all;
  watch.observer.know(people);
  // In every second run all of them come in a rush, so that functions meet in what they do.
  const pace = drawsOf(seed)('rush').chance(0.5) ? rushPace[isLarge ? 'large' : 'else'] : 1;
  for (const [number, arrival] of arrivals.entries()) {
    if (options.arrivals && !options.arrivals.has(number)) continue;
    agenda.at(from.getTime() + Math.floor((arrival.atMs - from.getTime()) * pace), () => {
      void all.send(number, arrival);
      return settled();
    });
  }

  // In every third run somebody is disabled for a while.
  const own = drawsOf(seed)('configuration');
  if (own.chance(0.33)) {
    const id = own.pick(practice.pools[0]?.members ?? []).id;
    const enable = (enabled: boolean) => () =>
      running.change((current) => {
        for (const member of current.members) if (member.id === id) member.enabled = enabled;
      });
    const offMs = from.getTime() + Math.floor(own.next() * minutes) * minuteMs;
    agenda.at(offMs, async () => {
      await enable(false)();
      await settled();
    });
    agenda.at(offMs + own.between(2, 40) * minuteMs, async () => {
      await enable(true)();
      await settled();
    });
  }

  const stopMs = untilMs + (mood.isLong ? longMinutes : stillMinutes) * minuteMs;
  await running.runUntil(stopMs);
  running.stopFaults();
  all.stop();
  watch.calm();
  const { deadLetters } = running;
  running.redrive();
  // Fifty seconds past a minute: what a sweep asked for is through.
  await running.runUntil(Math.ceil((stopMs + restMinutes * minuteMs) / minuteMs) * minuteMs + 50_000);
  await watch.close();
  return {
    seed,
    inquiries,
    injected: running.injected,
    broken: watch.broken,
    digest: running.digest(),
    sites: running.sites,
    counts: {
      acknowledged: watch.acknowledgements,
      stored: watch.observer.inquiries.size,
      mails: watch.mails,
      calls,
      deadLetters,
    },
  };
}
