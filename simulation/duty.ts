/**
 * When a member works, told from the configuration alone: by another way than routing takes, since a
 * check that asked the checked would find nothing.
 */
import { isoDate, localTime, weekdayOf } from '../shared/domain/local-time.ts';
import type { Member, Practice } from '../shared/domain/practice.ts';

export function zoneOfMember(member: Member, practice: Practice): string {
  if (member.timeZone !== undefined) return member.timeZone;
  const served = practice.locations.find(({ id }) => member.locations?.includes(id)) ?? practice.locations[0];
  return served?.timeZone ?? 'UTC';
}

/** The local date of a member, as `2026-11-20`. */
export const dateOfMember = (member: Member, practice: Practice, at: Date): string =>
  isoDate(localTime(at, zoneOfMember(member, practice)));

/** Why a member is not at work at an instant; undefined where they are. */
export function absenceOf(member: Member, practice: Practice, at: Date): string | undefined {
  if (!member.enabled) return 'disabled';
  const local = localTime(at, zoneOfMember(member, practice));
  const date = isoDate(local);
  const minute = `${date}T${local.time}`;
  for (const { from, to } of member.leave ?? []) {
    const begun = from.length > 10 ? minute >= from : date >= from;
    const over = to.length > 10 ? minute >= to : date > to;
    if (begun && !over) return 'on leave';
  }
  if (member.shifts === undefined) return undefined;
  const blocks = member.shifts[weekdayOf(local)] ?? [];
  return blocks.some(({ open, close }) => local.time >= open && local.time < close) ? undefined : 'off shift';
}
