/** Whose room for more work grows with a change of an inquiry, what waits for somebody who is there now, and what is with nobody any more. */
import { type Attendance, findMember, type Workload } from './availability.ts';
import { loadChange, relieved } from './inquiry/load.ts';
import { type Inquiry, isOpen } from './inquiry/state.ts';
import type { Practice } from './practice.ts';

/** Pools in which somebody has less open work now whom a cap may have kept from more. */
export function poolsRelieved(practice: Practice, before: Inquiry, after: Inquiry): string[] {
  const capped = relieved(loadChange(before, after)).filter((id) =>
    practice.members.some((member) => member.id === id && member.caps?.open !== undefined),
  );
  if (capped.length === 0) return [];
  return practice.pools
    .filter(({ members }) => members.some(({ id }) => capped.includes(id)))
    .map(({ id }) => id);
}

/** Who can take anything at all now, whatever it asks of them. Anybody can be named, whichever pools they are in. */
export const whoIsAble = (
  { members }: Practice,
  attendance: Attendance,
  loadOf: (memberId: string) => Workload,
): Set<string> =>
  new Set(
    members.map(({ id }) => id).filter((id) => attendance.exclusion(id, undefined, loadOf(id)) === undefined),
  );

/** What waits in a pool, and with whom it was looked at. */
export interface Looked {
  readonly waiting: number;
  readonly lookedWith?: readonly string[] | undefined;
}

/** Whether something that waits may be for somebody: they are able now, and it was not looked at with them yet. */
export function mayBeTaken({ waiting, lookedWith = [] }: Looked, able: () => ReadonlySet<string>): boolean {
  if (waiting <= 0) return false;
  const seen = new Set(lookedWith);
  return [...able()].some((id) => !seen.has(id));
}

/** Whether it is with somebody who is disabled, or gone: routing gives it back to its pool. */
export const isLeftBehind = (practice: Practice, inquiry: Inquiry): boolean =>
  isOpen(inquiry) &&
  inquiry.assignedTo !== undefined &&
  findMember(practice, inquiry.assignedTo)?.enabled !== true;
