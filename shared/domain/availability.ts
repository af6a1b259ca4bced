/**
 * Who can take an inquiry now, and who cannot yet: shifts and leave in the
 * member's own zone, caps, and what somebody has to speak, take and serve. Pure:
 * the configuration, the loads and an instant in; a reason for each who cannot out.
 */
import { addDays, instantOf, isoDate, localTime, weekdayOf } from './local-time.ts';
import type { Weekday } from './weekdays.ts';
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

/** A minute of a zone's wall clock, as `2026-11-23T08:00`; such minutes compare as text. */
type LocalMinute = string;

/** A minute from which on somebody can take it, unless something else happens before. */
export interface Start {
  readonly timeZone: string;
  readonly at: LocalMinute;
}

/** Why somebody cannot take it now. */
export interface Exclusion {
  readonly reason: string;
  /** Where the clock alone ends it: from when on. */
  readonly from?: Start;
}

interface Clock {
  readonly timeZone: string;
  /** The local date, as `2026-11-20`. */
  readonly date: string;
  readonly at: LocalMinute;
}

const dayOf = (at: LocalMinute) => {
  const [year = 0, month = 0, day = 0] = at.slice(0, 10).split('-').map(Number);
  return { year, month, day };
};
/** Remembers the answers of one look: the days that a team asks about are few. */
function remembered<Value>(compute: (date: string) => Value): (date: string) => Value {
  const known = new Map<string, Value>();
  return (date) => {
    const found = known.get(date);
    if (found !== undefined) return found;
    const value = compute(date);
    known.set(date, value);
    return value;
  };
}

const createCalendar = () => ({
  weekdayOf: remembered((date) => weekdayOf(dayOf(date))),
  /** The midnight that ends a day. */
  endOf: remembered((date): LocalMinute => `${isoDate(addDays(dayOf(date), 1))}T00:00`),
});
type Calendar = ReturnType<typeof createCalendar>;

const dateIn = (at: LocalMinute): string => at.slice(0, 10);

/** Where a leave begins and ends, to the minute; the end is no longer part of it. */
const begin = ({ from }: Leave): LocalMinute => (from.length > 10 ? from : `${from}T00:00`);
const end = ({ to }: Leave, { endOf }: Calendar): LocalMinute => (to.length > 10 ? to : endOf(to));

/** The end of a leave that covers a minute; undefined where none does. */
function leaveUntil(
  { leave = [] }: Availability,
  at: LocalMinute,
  calendar: Calendar,
): LocalMinute | undefined {
  let last: LocalMinute | undefined;
  for (const one of leave) {
    if (begin(one) > at || dateIn(one.to) < dateIn(at)) continue;
    const ends = end(one, calendar);
    if (at < ends && (last === undefined || ends > last)) last = ends;
  }
  return last;
}

/** The first minute of a shift on the day of `at`, from then on; undefined where there is none. */
function shiftFrom({ shifts }: Availability, at: LocalMinute, calendar: Calendar): LocalMinute | undefined {
  if (shifts === undefined) return at;
  const date = dateIn(at);
  const time = at.slice(11);
  const block = shifts[calendar.weekdayOf(date)]?.find(({ close }) => time < close);
  return block && `${date}T${block.open > time ? block.open : time}`;
}

/** Each step goes on by a leave, a shift or a day: nobody's leaves are nearly as many. */
const mostSteps = 1_000;

/** The first minute from `from` on at which a member is on shift and not on leave; undefined where there is none. */
export function onDutyFrom(
  member: Availability,
  from: LocalMinute,
  calendar: Calendar = createCalendar(),
): LocalMinute | undefined {
  if (member.shifts && Object.values(member.shifts).every((blocks) => !blocks?.length)) return undefined;
  let at = from;
  for (let i = 0; i < mostSteps; i++) {
    const shift = shiftFrom(member, at, calendar) ?? calendar.endOf(dateIn(at));
    const next = leaveUntil(member, shift, calendar) ?? shift;
    if (next === at) return at;
    at = next;
  }
  return undefined;
}

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As `Mon 08:00`, or `Mon 30 Nov 08:00` where that could be taken for another week's. */
function shown(at: LocalMinute, { date }: Clock): string {
  const { year, month, day } = dayOf(at);
  const weekday = weekdayNames[new Date(Date.UTC(year, month - 1, day)).getUTCDay()];
  const isThisWeek = at.slice(0, 10) < isoDate(addDays(dayOf(date), 7));
  return `${weekday} ${isThisWeek ? '' : `${day} ${monthNames[month - 1]} `}${at.slice(11)}`;
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

/** What is asked for, in the form in which it is compared. */
interface Asked {
  readonly language: string;
  readonly insurance: string;
}

/** What of the inquiry's needs a member does not meet, whatever the time. */
function unmet(member: Availability, needs: Needs, asked: Asked): string | undefined {
  const { languages, insurances, locations, specialties = [] } = member;
  const { language, insurance, locationId, specialty } = needs;
  if (language !== undefined && languages && !primaries(languages).includes(asked.language))
    return `does not speak ${language}`;
  // The plan is the person's own words: the receipt does not repeat them.
  if (insurance !== undefined && insurances && !takesFolded(insurances, asked.insurance))
    return 'does not take the insurance';
  if (locations && !locations.includes(locationId)) return `does not serve ${locationId}`;
  if (specialty !== undefined && !specialties.includes(specialty)) return `no specialist in ${specialty}`;
  return undefined;
}

export interface Team {
  readonly members: readonly Availability[];
  readonly locations: readonly { readonly id: string; readonly timeZone: string }[];
}

const byId = new WeakMap<Team, ReadonlyMap<string, Availability>>();
function membersById(team: Team): ReadonlyMap<string, Availability> {
  const known = byId.get(team);
  if (known) return known;
  const map = new Map(team.members.map((member) => [member.id, member]));
  byId.set(team, map);
  return map;
}

/** The member of an id; undefined where the configuration has none. */
export const findMember = (team: Team, id: string): Availability | undefined => membersById(team).get(id);

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
  const clocks = new Map<string, Clock>();
  const duties = new Map<string, Exclusion | undefined>();
  const calendar = createCalendar();
  const foldedInsurance = remembered(foldWording);
  const primaryOf = remembered(primary);
  const labels = new Map<string, Exclusion>();

  function clockOf(member: Availability): Clock {
    const timeZone = zoneOf(member, team);
    const known = clocks.get(timeZone);
    if (known) return known;
    const local = readClock(now, timeZone);
    const date = isoDate(local);
    const clock = { timeZone, date, at: `${date}T${local.time}` };
    clocks.set(timeZone, clock);
    return clock;
  }

  function until(what: string, clock: Clock, at: LocalMinute | undefined): Exclusion {
    if (at === undefined) return { reason: what };
    // Many begin at the same minute, and are told of in the same words.
    const key = `${what} ${clock.timeZone} ${at}`;
    const known = labels.get(key);
    if (known) return known;
    const from = { timeZone: clock.timeZone, at };
    const label = { reason: `${what} until ${shown(at, clock)}`, from };
    labels.set(key, label);
    return label;
  }

  /** Why a member is not at work; looked at once for all inquiries. */
  function absence(member: Availability): Exclusion | undefined {
    if (duties.has(member.id)) return duties.get(member.id);
    const clock = clockOf(member);
    const next = onDutyFrom(member, clock.at, calendar);
    const isAway = next !== clock.at && leaveUntil(member, clock.at, calendar) !== undefined;
    const found = next === clock.at ? undefined : until(isAway ? 'on leave' : 'off shift', clock, next);
    duties.set(member.id, found);
    return found;
  }

  function full(member: Availability, { open, day, today }: Workload): Exclusion | undefined {
    const { caps = {} } = member;
    if (caps.open !== undefined && open >= caps.open) return { reason: `at the cap of ${caps.open} open` };
    if (caps.perDay === undefined || today < caps.perDay) return undefined;
    const clock = clockOf(member);
    if (day !== clock.date) return undefined;
    const next = onDutyFrom(member, calendar.endOf(clock.date), calendar);
    return until(`at the cap of ${caps.perDay} a day`, clock, next);
  }

  return {
    exclusion(memberId, needs, load) {
      const member = findMember(team, memberId);
      if (member === undefined) return { reason: 'not in the configuration' };
      // The load item knows of a disabling before the configuration in memory does.
      if (!member.enabled || load.disabled) return { reason: 'disabled' };
      const reason =
        needs &&
        unmet(member, needs, {
          language: primaryOf(needs.language ?? ''),
          insurance: foldedInsurance(needs.insurance ?? ''),
        });
      if (reason !== undefined) return { reason };
      return absence(member) ?? full(member, load);
    },
    dateOf(memberId) {
      const member = findMember(team, memberId);
      return member && clockOf(member).date;
    },
  };
}

/** The earliest instant at which the clock alone lets one of them take it; undefined where it never does. */
export function firstStart(exclusions: Iterable<Exclusion | undefined>): Date | undefined {
  // Of one zone the earliest minute counts: only that is turned into an instant.
  const firsts = new Map<string, LocalMinute>();
  for (const one of exclusions) {
    if (one?.from === undefined) continue;
    const { timeZone, at } = one.from;
    const known = firsts.get(timeZone);
    if (known === undefined || at < known) firsts.set(timeZone, at);
  }
  const instants = [...firsts].map(([timeZone, at]) =>
    instantOf(dayOf(at), at.slice(11), timeZone).getTime(),
  );
  return instants.length > 0 ? new Date(Math.min(...instants)) : undefined;
}
