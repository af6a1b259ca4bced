/** One run: a practice, the people who write to it and those who work there, from one moment to another. */
import { addBusinessMinutes } from '../shared/domain/business-time.ts';
import { addDays, instantOf, localTime, weekdayOf } from '../shared/domain/local-time.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { closingFaults } from './closing.ts';
import { absenceOf } from './duty.ts';
import { hourMs, minuteMs } from './minutes.ts';
import { createObserver, type Observer } from './observer.ts';
import { type Arrival, allowsMail, drawPeople, type Person } from './people.ts';
import { type Readers, startReaders } from './readers.ts';
import { callersOf, type Staff, startStaff } from './staff.ts';
import { createWorld, googleAdsKey, type World } from './world.ts';

export interface SimulationOptions {
  readonly practice: Practice;
  readonly inquiries: number;
  readonly from: Date;
  readonly until: Date;
  readonly seed: number;
  /** Where the API and the links of mails lead. */
  readonly origin?: string;
  /** Told after each virtual hour, and at the end. */
  readonly onHour?: (progress: Progress) => void;
}

export interface Progress {
  readonly at: Date;
  readonly arrived: number;
  readonly waiting: number;
  readonly open: number;
  readonly mails: number;
  readonly violations: number;
}

export interface Simulated {
  readonly options: SimulationOptions;
  readonly world: World;
  readonly observer: Observer;
  readonly people: readonly Person[];
  /** Inquiries that were sent, and answered with a 2xx. */
  readonly acknowledged: number;
  /** What did not hold once it was over. */
  readonly faults: readonly string[];
  /** Whom the configuration disabled on the Saturday. */
  readonly disabled: string | undefined;
}

/** Somebody who is at work when the run begins and shares each of their pools with others. */
function pickColleague(practice: Practice, at: Date, except?: string): string | undefined {
  const present = callersOf(practice).filter(
    (member) => member.id !== except && absenceOf(member, practice, at) === undefined,
  );
  const isReplaceable = (id: string): boolean =>
    practice.pools.every(
      ({ members }) =>
        !members.some((one) => one.id === id) || members.filter((one) => one.id !== id).length > 0,
    );
  return present.find(({ id }) => isReplaceable(id))?.id;
}

/** The first Saturday noon of a run; undefined where it has none. */
function saturdayNoon({ from, until, practice }: SimulationOptions): Date | undefined {
  const timeZone = practice.locations[0]?.timeZone ?? 'UTC';
  for (let day = localTime(from, timeZone), i = 0; i < 8; day = { ...addDays(day, 1), time: '' }, i++) {
    if (weekdayOf(day) !== 'saturday') continue;
    const noon = instantOf(day, '12:00', timeZone);
    return noon > from && noon < until ? noon : undefined;
  }
  return undefined;
}

async function send(
  world: World,
  { by, fields }: Arrival,
  practice: Practice,
  number: number,
): Promise<boolean> {
  const json = { 'content-type': 'application/json' };
  if (by === 'google_ads') {
    const columns = { FULL_NAME: 'name', EMAIL: 'email', PHONE_NUMBER: 'phone', SERVICE: 'service' };
    const body = {
      google_key: googleAdsKey,
      lead_id: `lead-${number}`,
      campaign_id: 4711,
      user_column_data: Object.entries(columns).flatMap(([column_id, field]) =>
        fields[field] === undefined ? [] : [{ column_id, string_value: fields[field] }],
      ),
    };
    const answer = await world.fromOutside('POST /v1/webhooks/google-ads', {
      headers: json,
      body: JSON.stringify(body),
    });
    return answer.statusCode === 200;
  }
  const frontDesk = practice.forms.find(({ maySetChannel, origins }) => maySetChannel && origins.length > 0);
  if (by === 'front_desk' && frontDesk) {
    const answer = await world.fromOutside('POST /v1/inquiries', {
      headers: { ...json, origin: frontDesk.origins[0] },
      body: JSON.stringify(fields),
    });
    return answer.statusCode === 202;
  }
  const answer = await world.fromOutside('POST /v1/inquiries', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
    body: new URLSearchParams(fields).toString(),
  });
  return answer.statusCode === 303;
}

/** How often it is looked at whether somebody could take what waits. */
const lookEveryMs = 5_000;

export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const { practice, from, until, seed } = options;
  let world: World | undefined;
  let staff: Staff | undefined;
  let readers: Readers | undefined;
  const observer = createObserver(
    () => world?.practice() ?? practice,
    () => world?.now() ?? from,
    (key) => world?.table.peek(key),
  );
  world = await createWorld({
    seed,
    practice,
    // The allowed origins of the real system are its stack's; here they are the practice's forms'.
    allowedOrigins: practice.forms.flatMap(({ origins }) => origins),
    from,
    ...(options.origin !== undefined && { origin: options.origin }),
    onCommit: observer.onCommit,
    onMail: (sent) => {
      staff?.onMail(sent, observer.onMail(sent));
      readers?.onMail(sent);
    },
  });
  const running = world;
  const { agenda, now } = running;

  const { people, arrivals } = drawPeople(
    practice,
    { inquiries: options.inquiries, fromMs: from.getTime(), untilMs: until.getTime() },
    running.random.fork('people'),
  );
  observer.know(people);
  readers = startReaders(running, people, observer);
  let [arrived, acknowledged] = [0, 0];
  for (const [i, arrival] of arrivals.entries()) {
    agenda.at(arrival.atMs, async () => {
      arrived++;
      // Whoever ticks the box anew wants to be e-mailed again.
      if (allowsMail(arrival)) readers?.agrees(arrival.fields['email']);
      if (await send(running, arrival, running.practice(), i)) acknowledged++;
    });
  }

  const overwhelmed = pickColleague(practice, from);
  const [first] = practice.locations;
  const calmFrom = first ? addBusinessMinutes(from, 180, first) : until;
  staff = startStaff(running, { overwhelmed, calmFrom });

  const saturday = saturdayNoon(options);
  const disabled = saturday && pickColleague(practice, from, overwhelmed);
  if (saturday && disabled !== undefined) {
    agenda.at(saturday.getTime(), () =>
      running.change('simulation', (current) => {
        for (const member of current.members) if (member.id === disabled) member.enabled = false;
      }),
    );
  }

  const lookAgain = (): void => {
    observer.look();
    agenda.at(agenda.nowMs() + lookEveryMs, lookAgain);
  };
  agenda.at(from.getTime(), lookAgain);

  const progress = (): Progress => {
    const heads = [...observer.inquiries.values()].map(({ head }) => head);
    return {
      at: now(),
      arrived,
      waiting: heads.filter(({ progress }) => progress === 'waiting').length,
      open: heads.filter(({ stage }) => stage !== 'booked' && stage !== 'closed').length,
      mails: running.mails.length,
      violations: observer.violations.length,
    };
  };
  for (let atMs = from.getTime() + hourMs; atMs < until.getTime() + hourMs; atMs += hourMs) {
    await running.runUntil(new Date(Math.min(atMs, until.getTime())));
    options.onHour?.(progress());
  }
  // What is on its way comes to its end; nobody works on.
  await running.runUntil(new Date(until.getTime() + minuteMs));
  const faults = await closingFaults(running);
  return { options, world: running, observer, people, acknowledged, faults, disabled };
}
