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
const midnightAfter = (at: LocalMinute): LocalMinute => `${isoDate(addDays(dayOf(at), 1))}T00:00`;

/** Where a leave begins and ends, to the minute; the end is no longer part of it. */
const begin = ({ from }: Leave): LocalMinute => (from.length > 10 ? from : `${from}T00:00`);
const end = ({ to }: Leave): LocalMinute => (to.length > 10 ? to : midnightAfter(to));

/** The end of a leave that covers a minute; undefined where none does. */
function leaveUntil({ leave = [] }: Availability, at: LocalMinute): LocalMinute | undefined {
  return leave
    .filter((one) => one.to.slice(0, 10) >= at.slice(0, 10) && begin(one) <= at && at < end(one))
    .map(end)
    .sort()
    .at(-1);
}

/** The first minute of a shift on the day of `at`, from then on; undefined where there is none. */
function shiftFrom({ shifts }: Availability, at: LocalMinute): LocalMinute | undefined {
  if (shifts === undefined) return at;
  const [date, time] = [at.slice(0, 10), at.slice(11)];
  const block = (shifts[weekdayOf(dayOf(at))] ?? []).find(({ close }) => time < close);
  return block && `${date}T${block.open > time ? block.open : time}`;
}

/** Each step goes on by a leave, a shift or a day: nobody's leaves are nearly as many. */
const mostSteps = 1_000;

/** The first minute from `from` on at which a member is on shift and not on leave; undefined where there is none. */
export function onDutyFrom(member: Availability, from: LocalMinute): LocalMinute | undefined {
  if (member.shifts && Object.values(member.shifts).every((blocks) => !blocks?.length)) return undefined;
  let at = from;
  for (let i = 0; i < mostSteps; i++) {
    const shift = shiftFrom(member, at) ?? midnightAfter(at);
    const next = leaveUntil(member, shift) ?? shift;
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

const foldedInsurances = new WeakMap<readonly string[], readonly string[]>();
function foldAll(insurances: readonly string[]): readonly string[] {
  const known = foldedInsurances.get(insurances);
  if (known) return known;
  const folded = insurances.map(foldWording);
  foldedInsurances.set(insurances, folded);
  return folded;
}

/** Whether one of the plans stands in the person's words: `Aetna` takes "Aetna PPO". */
export const takesInsurance = (insurances: readonly string[], written: string): boolean =>
  foldAll(insurances).some((plan) => holdsPhrase(foldWording(written), plan));

/** What of the inquiry's needs a member does not meet, whatever the time. */
function unmet(member: Availability, needs: Needs): string | undefined {
  const { languages, insurances, locations, specialties = [] } = member;
  const { language, insurance, locationId, specialty } = needs;
  if (language !== undefined && languages && !languages.some((one) => primary(one) === primary(language)))
    return `does not speak ${language}`;
  // The plan is the person's own words: the receipt does not repeat them.
  if (insurance !== undefined && insurances && !takesInsurance(insurances, insurance))
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
    const from = { timeZone: clock.timeZone, at };
    return { reason: `${what} until ${shown(at, clock)}`, from };
  }

  /** Why a member is not at work; looked at once for all inquiries. */
  function absence(member: Availability): Exclusion | undefined {
    if (duties.has(member.id)) return duties.get(member.id);
    const clock = clockOf(member);
    const next = onDutyFrom(member, clock.at);
    const isAway = leaveUntil(member, clock.at) !== undefined;
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
    const next = onDutyFrom(member, midnightAfter(clock.at));
    return until(`at the cap of ${caps.perDay} a day`, clock, next);
  }

  return {
    exclusion(memberId, needs, load) {
      const member = findMember(team, memberId);
      if (member === undefined) return { reason: 'not in the configuration' };
      // The load item knows of a disabling before the configuration in memory does.
      if (!member.enabled || load.disabled) return { reason: 'disabled' };
      const reason = needs && unmet(member, needs);
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
