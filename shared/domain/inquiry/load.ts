/** What an inquiry means for the work of members and for the queues of pools. */
import { type Inquiry, isOpen, owesCall } from './state.ts';

/** How a change of an inquiry changes what is counted of members and pools; what stays is not there. */
export interface LoadChange {
  readonly members: ReadonlyMap<string, { readonly open: number; readonly uncalled: number }>;
  /** Inquiries that wait, by pool. */
  readonly pools: ReadonlyMap<string, number>;
  /** The pool in which it waits and did not before. */
  readonly cameTo: string | undefined;
  /** Who began a call, and until when it is taken to go on; without an end, who ended one. */
  readonly calls: ReadonlyMap<string, string | undefined>;
}

/** The pool in whose queue it waits. */
const waitsIn = (inquiry: Inquiry): string | undefined =>
  isOpen(inquiry) && inquiry.progress === 'waiting' ? inquiry.poolId : undefined;

/** What is counted for whoever has it. */
const countsFor = (inquiry: Inquiry) => ({
  open: isOpen(inquiry) ? 1 : 0,
  uncalled: owesCall(inquiry) ? 1 : 0,
});

/** Everything that is counted follows from the full states: no way of changing one can forget to count it. */
export function loadChange(before: Inquiry, after: Inquiry): LoadChange {
  const members = new Map<string, { open: number; uncalled: number }>();
  const pools = new Map<string, number>();
  for (const [inquiry, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    const { assignedTo } = inquiry;
    if (assignedTo !== undefined) {
      const { open, uncalled } = countsFor(inquiry);
      const so = members.get(assignedTo) ?? { open: 0, uncalled: 0 };
      members.set(assignedTo, { open: so.open + sign * open, uncalled: so.uncalled + sign * uncalled });
    }
    const pool = waitsIn(inquiry);
    if (pool !== undefined) pools.set(pool, (pools.get(pool) ?? 0) + sign);
  }
  for (const [id, { open, uncalled }] of members) if (open === 0 && uncalled === 0) members.delete(id);
  for (const [id, n] of pools) if (n === 0) pools.delete(id);

  const calls = new Map<string, string | undefined>();
  const isSame = before.calling?.by === after.calling?.by && before.calling?.until === after.calling?.until;
  if (!isSame && before.calling) calls.set(before.calling.by, undefined);
  if (!isSame && after.calling) calls.set(after.calling.by, after.calling.until);
  const [waited, waits] = [waitsIn(before), waitsIn(after)];
  return { members, pools, cameTo: waits === waited ? undefined : waits, calls };
}

/** Members who have less open work after a change than before. */
export const relieved = ({ members }: LoadChange): string[] =>
  [...members].filter(([, { open }]) => open < 0).map(([id]) => id);
