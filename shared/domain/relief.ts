/** Whose room for more work grows with a change of an inquiry, who may have waited for that, and what is with nobody any more. */
import { findMember } from './availability.ts';
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

/** Whether it is with somebody who is disabled, or gone: routing gives it back to its pool. */
export const isLeftBehind = (practice: Practice, inquiry: Inquiry): boolean =>
  isOpen(inquiry) &&
  inquiry.assignedTo !== undefined &&
  findMember(practice, inquiry.assignedTo)?.enabled !== true;
