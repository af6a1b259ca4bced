/** Whose room for more work grows with a change of an inquiry, and who may have waited for that. */
import { loadChange, relieved } from './inquiry/load.ts';
import type { Inquiry } from './inquiry/state.ts';
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
