/**
 * The digest of a member's working mornings: what waits for them, in numbers and
 * links. A due item of its own for each member, with its mail's state; one mail a
 * date.
 */
import * as z from 'zod';
import { onDutyFrom, zoneOf } from './availability.ts';
import { addBusinessMinutes } from './business-time.ts';
import { addDays, instantOf, isoDate, type LocalDay, localTime } from './local-time.ts';
import type { Member, Practice } from './practice.ts';
import { asked, askedAgain, sendingShape, sent } from './sending.ts';

export const digestSchema = z.lazy(() =>
  z.object({
    memberId: z.string(),
    version: z.int().min(0).default(0),
    /** When the next one is to go out. */
    nextAt: z.iso.datetime(),
    /** The member's local date whose digest is under way or was sent last (`2026-11-20`). */
    date: z.string().optional(),
    ...sendingShape(),
  }),
);
export type Digest = z.infer<typeof digestSchema>;

type Team = Pick<Practice, 'members' | 'locations' | 'pools' | 'digest'>;

/** A digest is for a morning: one that could not be sent for this long is left out. */
const longestDelayMs = 4 * 60 * 60_000;
/** Who is away for longer is looked at again then. */
const mostDaysAhead = 60;

/** Members who get one: who is enabled and takes inquiries from some pool. */
export const digestMembers = ({ members, pools }: Pick<Team, 'members' | 'pools'>): Member[] => {
  const taking = new Set(pools.flatMap((pool) => pool.members.map(({ id }) => id)));
  return members.filter(({ id, enabled }) => enabled && taking.has(id));
};

/** Whether a location opens on a day of its calendar. */
function isOpenOn(day: LocalDay, location: Team['locations'][number]): boolean {
  const midnight = instantOf(day, '00:00', location.timeZone);
  return addBusinessMinutes(midnight, 0, location) < instantOf(day, '24:00', location.timeZone);
}

/**
 * Whether a member works on a day of their calendar: on shift for a part of it
 * that no leave takes; of who has no shifts, whether a location of theirs opens.
 */
export function worksOn(member: Member, day: LocalDay, { locations }: Pick<Team, 'locations'>): boolean {
  const date = isoDate(day);
  if (onDutyFrom(member, `${date}T00:00`)?.slice(0, 10) !== date) return false;
  if (member.shifts !== undefined) return true;
  return locations.some(
    (location) => (member.locations?.includes(location.id) ?? true) && isOpenOn(day, location),
  );
}

/** When a member's next digest goes out: on the first working morning after `now`, by their clock. */
export function nextDigestAt(now: Date, member: Member, team: Team): string {
  const timeZone = zoneOf(member, team);
  const today = localTime(now, timeZone);
  const at = (ahead: number): Date => instantOf(addDays(today, ahead), team.digest.at, timeZone);
  for (let ahead = 0; ahead < mostDaysAhead; ahead++) {
    if (at(ahead) > now && worksOn(member, addDays(today, ahead), team)) return at(ahead).toISOString();
  }
  return at(mostDaysAhead).toISOString();
}

export const digestActionAt = (digest: Digest): string => digest.step ?? digest.nextAt;

/**
 * The state once the digest is under way, or left out: of a member who no longer
 * gets one, of a day off, or where its morning is over. Undefined where none is due.
 */
export function takeDueDigest(digest: Digest, team: Team, now: Date): Digest | undefined {
  if (digestActionAt(digest) > now.toISOString()) return undefined;
  const version = digest.version + 1;
  const member = digestMembers(team).find(({ id }) => id === digest.memberId);
  if (!member) {
    const { step: _gone, mailState: _none, ...rest } = digest;
    return { ...rest, version, nextAt: new Date(now.getTime() + 24 * 60 * 60_000).toISOString() };
  }
  if (digest.step !== undefined) return { ...digest, version, ...askedAgain(digest, now) };
  const nextAt = nextDigestAt(now, member, team);
  const due = localTime(digest.nextAt, zoneOf(member, team));
  const isMissed = now.getTime() - Date.parse(digest.nextAt) > longestDelayMs;
  const date = isoDate(due);
  // What was configured since may have moved the morning, but not to a second one of a day.
  if (isMissed || date === digest.date || !worksOn(member, due, team)) return { ...digest, version, nextAt };
  return { ...digest, version, nextAt, date, ...asked(now) };
}

/** The state once the mail is out. */
export const digestSent = (digest: Digest, now: Date): Digest => ({
  ...sent(digest, now),
  version: digest.version + 1,
});

/** What waits for a member on a morning. */
export interface DigestCounts {
  /** Open inquiries of theirs. */
  readonly open: number;
  /** Of these, those whose first call is late. */
  readonly overdue: number;
  /** Of these, those that are due in the course of the day. */
  readonly dueToday: number;
  /** Tasks of theirs that are due by the end of the day. */
  readonly tasks: number;
  /** Inquiries that wait in their pools for somebody who can take them. */
  readonly waiting: number;
  /** Appointments of the day, at the locations that they serve. */
  readonly appointments: number;
}
