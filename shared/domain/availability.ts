/**
 * Who can take an inquiry now, and who cannot yet: shifts and leave in the
 * member's own zone, caps, and what somebody has to speak, take and serve. Pure:
 * the configuration, the loads and an instant in; a reason for each who cannot out.
 */
import { minuteOfDay } from './clock-time.ts';
import { localTime } from './local-time.ts';
import { type Weekday, weekdays } from './weekdays.ts';
import { foldWording, holdsPhrase } from './wording.ts';

/** A part of a day, in clock times; `24:00` is the end of it. */
export interface Block {
  readonly open: string;
  readonly close: string;
}

/**
 * Time away, in the member's own zone. A date is the whole day, the last one
 * included; a date with a time (`2026-11-24T12:00`) is that very minute.
 */
export interface Leave {
  readonly from: string;
  readonly to: string;
}

/** What of a member says when they work and what they take. What is absent is no limit. */
export interface Availability {
  readonly id: string;
  readonly enabled: boolean;
  readonly timeZone?: string | undefined;
  readonly shifts?: Readonly<Partial<Record<Weekday, readonly Block[]>>> | undefined;
  readonly leave?: readonly Leave[] | undefined;
  readonly caps?: { readonly open?: number | undefined; readonly perDay?: number | undefined } | undefined;
  readonly languages?: readonly string[] | undefined;
  readonly insurances?: readonly string[] | undefined;
  readonly locations?: readonly string[] | undefined;
  readonly specialties?: readonly string[] | undefined;
}

/** The work that a member has, as their load item counts it. */
export interface Workload {
  /** Open inquiries that are theirs. */
  readonly open: number;
  /** Of these, those that nobody has called about yet. */
  readonly uncalled: number;
  /** The local date of the member for which `today` counts what they were given. */
  readonly day?: string | undefined;
  readonly today: number;
  readonly disabled: boolean;
  /** Until when a call of theirs is taken to be in progress. */
  readonly callingUntil?: string | undefined;
}

/** What an inquiry asks of whoever takes it; what is absent asks nothing. */
export interface Needs {
  readonly locationId: string;
  /** Language tag. */
  readonly language?: string | undefined;
  /** The plan, in the person's words. */
  readonly insurance?: string | undefined;
  /** A specialty that a rule asks for. */
  readonly specialty?: string | undefined;
}

/** A minute of a zone's wall clock and calendar, counted as if that zone were UTC. */
type LocalMinute = number;

/** Why somebody cannot take it now. */
export interface Exclusion {
  readonly reason: string;
}

interface Clock {
  readonly timeZone: string;
  /** The local date, as `2026-11-20`. */
  readonly date: string;
  readonly at: LocalMinute;
}

const dayMinutes = 1_440;
const midnightOf = (at: LocalMinute): LocalMinute => at - (at % dayMinutes);

/** Of a text such as `2026-11-23T08:00`, or of a date, whose first minute it is. */
const minuteOf = (text: string): LocalMinute =>
  Date.parse(`${text.slice(0, 10)}T00:00Z`) / 60_000 + (text.length > 10 ? minuteOfDay(text.slice(11)) : 0);

const dateOf = (at: LocalMinute): Date => new Date(at * 60_000);
const textOf = (at: LocalMinute): string => dateOf(at).toISOString().slice(0, 16);
const timeOf = (at: LocalMinute): string => textOf(at).slice(11);
interface Span {
  readonly from: number;
  /** No longer part of it. */
  readonly to: number;
}

/** When a member works, in numbers. */
interface Schedule {
  /** Their blocks on each day of the week, in minutes of the day; undefined of who works at any time. */
  readonly week: readonly (readonly Span[])[] | undefined;
  readonly isNever: boolean;
  readonly leave: readonly Span[];
}

const schedules = new WeakMap<Availability, Schedule>();

/** Worked out once for each version of the configuration. */
function scheduleOf(member: Availability): Schedule {
  const known = schedules.get(member);
  if (known) return known;
  const { shifts, leave = [] } = member;
  const week =
    shifts &&
    weekdays.map((day) =>
      (shifts[day] ?? []).map(({ open, close }) => ({ from: minuteOfDay(open), to: minuteOfDay(close) })),
    );
  const schedule: Schedule = {
    week,
    isNever: week?.every((blocks) => blocks.length === 0) ?? false,
    leave: leave.map(({ from, to }) => ({
      from: minuteOf(from),
      to: to.length > 10 ? minuteOf(to) : minuteOf(to) + dayMinutes,
    })),
  };
  schedules.set(member, schedule);
  return schedule;
}

/** The end of the leave that covers a minute, of several the last; undefined where none does. */
function leaveUntil({ leave }: Schedule, at: LocalMinute): LocalMinute | undefined {
  let last: LocalMinute | undefined;
  for (const { from, to } of leave) {
    if (from <= at && at < to && (last === undefined || to > last)) last = to;
  }
  return last;
}

/** The blocks of a day of the week; the first of January 1970 was a Thursday. */
const blocksOn = (week: readonly (readonly Span[])[], midnight: LocalMinute): readonly Span[] =>
  week[(midnight / dayMinutes + 3) % 7] ?? [];

/** The first minute of a shift on the day of `at`, from then on; where there is none, the end of that day. */
function shiftFrom({ week }: Schedule, at: LocalMinute): LocalMinute {
  if (week === undefined) return at;
  const midnight = midnightOf(at);
  for (const { from, to } of blocksOn(week, midnight)) {
    if (at < midnight + to) return Math.max(at, midnight + from);
  }
  return midnight + dayMinutes;
}

/** Each step goes on by a leave, a shift or a day: nobody's leaves are nearly as many. */
const mostSteps = 1_000;

/** The first minute from `from` on that is on shift and not on leave; undefined where there is none. */
function dutyFrom(schedule: Schedule, from: LocalMinute): LocalMinute | undefined {
  if (schedule.isNever) return undefined;
  let at = from;
  for (let i = 0; i < mostSteps; i++) {
    const shift = shiftFrom(schedule, at);
    const next = leaveUntil(schedule, shift) ?? shift;
    if (next === at) return at;
    at = next;
  }
  return undefined;
}

/**
 * The first minute from `from` on at which a member is on shift and not on leave, both as their
 * wall clock shows them (`2026-11-23T08:00`); undefined where there is none.
 */
export function onDutyFrom(member: Availability, from: string): string | undefined {
  const at = dutyFrom(scheduleOf(member), minuteOf(from));
  return at === undefined ? undefined : textOf(at);
}

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As `Mon 08:00`, or `Mon 30 Nov 08:00` where that could be taken for another week's. */
function shown(at: LocalMinute, now: LocalMinute): string {
  const date = dateOf(at);
  const isThisWeek = at < midnightOf(now) + 7 * dayMinutes;
  const day = isThisWeek ? '' : `${date.getUTCDate()} ${monthNames[date.getUTCMonth()]} `;
  return `${weekdayNames[date.getUTCDay()]} ${day}${timeOf(at)}`;
}

/** The primary part of a language tag: who speaks `es` speaks with somebody from `es-MX`, and the other way round. */
const primary = (tag: string): string => tag.toLowerCase().split('-', 1)[0] ?? '';

/** A list of the configuration in the form in which it is compared: made once for each list. */
function comparable(form: (word: string) => string): (words: readonly string[]) => readonly string[] {
  const known = new WeakMap<readonly string[], readonly string[]>();
  return (words) => {
    const found = known.get(words);
    if (found) return found;
    const formed = words.map(form);
    known.set(words, formed);
    return formed;
  };
}
const foldAll = comparable(foldWording);
const primaries = comparable(primary);

/** Whether one of the plans stands in the person's words: `Aetna` takes "Aetna PPO". */
export const takesInsurance = (insurances: readonly string[], written: string): boolean =>
  takesFolded(insurances, foldWording(written));

const takesFolded = (insurances: readonly string[], folded: string): boolean =>
  foldAll(insurances).some((plan) => holdsPhrase(folded, plan));

/** What is asked for, in the form in which it is compared, with what is said of whoever does not meet it. */
interface Asked {
  readonly needs: Needs;
  readonly language: string;
  readonly insurance: string;
  readonly unmet: Readonly<Record<'language' | 'insurance' | 'location' | 'specialty', Exclusion>>;
}

const askedBy = (needs: Needs): Asked => ({
  needs,
  language: primary(needs.language ?? ''),
  insurance: foldWording(needs.insurance ?? ''),
  unmet: {
    language: { reason: `does not speak ${needs.language}` },
    // The plan is the person's own words: the receipt does not repeat them.
    insurance: { reason: 'does not take the insurance' },
    location: { reason: `does not serve ${needs.locationId}` },
    specialty: { reason: `no specialist in ${needs.specialty}` },
  },
});

/** What of the inquiry's needs a member does not meet, whatever the time. */
function unmet(member: Availability, { needs, ...asked }: Asked): Exclusion | undefined {
  const { languages, insurances, locations, specialties = [] } = member;
  const { language, insurance, locationId, specialty } = needs;
  if (language !== undefined && languages && !primaries(languages).includes(asked.language))
    return asked.unmet.language;
  if (insurance !== undefined && insurances && !takesFolded(insurances, asked.insurance))
    return asked.unmet.insurance;
  if (locations && !locations.includes(locationId)) return asked.unmet.location;
  if (specialty !== undefined && !specialties.includes(specialty)) return asked.unmet.specialty;
  return undefined;
}

export interface Team {
  readonly members: readonly Availability[];
  readonly locations: readonly { readonly id: string; readonly timeZone: string }[];
}

/** A member with what only the whole team tells of them. */
interface Known {
  readonly member: Availability;
  readonly timeZone: string;
  readonly schedule: Schedule;
}

const byId = new WeakMap<Team, ReadonlyMap<string, Known>>();

/** Worked out once for each version of the configuration. */
function knownIn(team: Team): ReadonlyMap<string, Known> {
  const known = byId.get(team);
  if (known) return known;
  const map = new Map(
    team.members.map((member): [string, Known] => [
      member.id,
      { member, timeZone: zoneOf(member, team), schedule: scheduleOf(member) },
    ]),
  );
  byId.set(team, map);
  return map;
}

/** The member of an id; undefined where the configuration has none. */
export const findMember = (team: Team, id: string): Availability | undefined => knownIn(team).get(id)?.member;

/** A member's own zone; where none is named, that of the first location that they serve. */
export function zoneOf({ timeZone, locations = [] }: Availability, team: Team): string {
  if (timeZone !== undefined) return timeZone;
  const served = team.locations.find(({ id }) => locations.includes(id)) ?? team.locations[0];
  return served?.timeZone ?? 'UTC';
}

/** Who can take what at one instant. The wall clock of each zone is looked at once, and each member's duty, too. */
export interface Attendance {
  /** Why a member cannot take an inquiry with these needs, or one without any; undefined where they can. */
  exclusion(memberId: string, needs: Needs | undefined, load: Workload): Exclusion | undefined;
  /** The local date of a member. */
  dateOf(memberId: string): string | undefined;
}

/**
 * @param readClock - as a wall clock shows an instant; tests count how often it is read
 */
export function attendanceAt(team: Team, now: Date, readClock: typeof localTime = localTime): Attendance {
  const members = knownIn(team);
  const clocks = new Map<string, Clock>();
  const duties = new Map<string, Exclusion | undefined>();
  const labels = new Map<string, Exclusion>();
  let asked: Asked | undefined;

  function clockOf(timeZone: string): Clock {
    const known = clocks.get(timeZone);
    if (known) return known;
    const { time, ...day } = readClock(now, timeZone);
    const at = Date.UTC(day.year, day.month - 1, day.day) / 60_000 + minuteOfDay(time);
    const clock = { timeZone, date: textOf(at).slice(0, 10), at };
    clocks.set(timeZone, clock);
    return clock;
  }

  function until(what: string, { timeZone, at: now }: Clock, at: LocalMinute | undefined): Exclusion {
    if (at === undefined) return { reason: what };
    // Many begin at the same minute, and are told of in the same words.
    const key = `${what} ${timeZone} ${at}`;
    const known = labels.get(key);
    if (known) return known;
    const label = { reason: `${what} until ${shown(at, now)}` };
    labels.set(key, label);
    return label;
  }

  /** Why a member is not at work; looked at once for all inquiries. */
  function absence({ member, timeZone, schedule }: Known): Exclusion | undefined {
    const known = duties.get(member.id);
    if (known !== undefined || duties.has(member.id)) return known;
    const clock = clockOf(timeZone);
    const next = dutyFrom(schedule, clock.at);
    const isAway = next !== clock.at && leaveUntil(schedule, clock.at) !== undefined;
    const found = next === clock.at ? undefined : until(isAway ? 'on leave' : 'off shift', clock, next);
    duties.set(member.id, found);
    return found;
  }

  function full(
    { member, timeZone, schedule }: Known,
    { open, day, today }: Workload,
  ): Exclusion | undefined {
    const { caps } = member;
    if (caps?.open !== undefined && open >= caps.open) return { reason: `at the cap of ${caps.open} open` };
    if (caps?.perDay === undefined || today < caps.perDay) return undefined;
    const clock = clockOf(timeZone);
    if (day !== clock.date) return undefined;
    const next = dutyFrom(schedule, midnightOf(clock.at) + dayMinutes);
    return until(`at the cap of ${caps.perDay} a day`, clock, next);
  }

  return {
    exclusion(memberId, needs, load) {
      const known = members.get(memberId);
      if (known === undefined) return { reason: 'not in the configuration' };
      // The load item knows of a disabling before the configuration in memory does.
      if (!known.member.enabled || load.disabled) return { reason: 'disabled' };
      if (needs && asked?.needs !== needs) asked = askedBy(needs);
      return (needs && asked && unmet(known.member, asked)) ?? absence(known) ?? full(known, load);
    },
    dateOf(memberId) {
      const known = members.get(memberId);
      return known && clockOf(known.timeZone).date;
    },
  };
}
