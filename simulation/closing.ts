/** What must hold once a run is over: everything that is kept twice agrees, and nothing was left behind. */
import { parseHead } from '../shared/data/inquiries.ts';
import { inquirySk, memberLoad, poolRotation } from '../shared/data/keys.ts';
import type { Row } from '../shared/data/table.ts';
import { verifyContact } from '../shared/data/verify.ts';
import { type Inquiry, isOpen } from '../shared/domain/inquiry/state.ts';
import { minuteMs } from './minutes.ts';
import type { World } from './world.ts';

/** What is due is claimed by the next sweep, or by the one after. */
const sweepsAllowedMs = 2 * minuteMs;

/** What of a world is looked at. */
export type Closed = Pick<World, 'table' | 'practice' | 'agenda'>;

/** Each thing that does not hold, in a line. */
export async function closingFaults(world: Closed): Promise<string[]> {
  const rows = world.table.rows();
  const heads = rows.filter(({ sk }) => sk === inquirySk.head).map(parseHead);
  return [
    ...countFaults(world, heads),
    ...overdueEntries(world, rows),
    ...(await timelineFaults(world, heads)),
  ];
}

/** The work that members and pools are said to have, against the inquiries themselves. */
function countFaults(world: Closed, heads: readonly Inquiry[]): string[] {
  const practice = world.practice();
  const differ = (what: string, kept: unknown, counted: number): string[] =>
    (kept ?? 0) === counted ? [] : [`${what}: ${kept} are kept, ${counted} counted`];
  const open = heads.filter(isOpen);
  const ofMembers = practice.members.flatMap(({ id }) => {
    const load = world.table.peek(memberLoad(id));
    const theirs = open.filter(({ assignedTo }) => assignedTo === id);
    const uncalled = theirs.filter(({ firstContactedAt }) => firstContactedAt === undefined);
    return [
      ...differ(`open work of ${id}`, load?.['open'], theirs.length),
      ...differ(`uncalled work of ${id}`, load?.['uncalled'], uncalled.length),
    ];
  });
  const ofPools = practice.pools.flatMap(({ id }) => {
    const waiting = open.filter(({ progress, poolId }) => progress === 'waiting' && poolId === id);
    return differ(`waiting in ${id}`, world.table.peek(poolRotation(id))?.['waiting'], waiting.length);
  });
  return [...ofMembers, ...ofPools];
}

/** Entries of the due index that no sweep has taken. */
function overdueEntries(world: Closed, rows: readonly Row[]): string[] {
  const latest = new Date(world.agenda.nowMs() - sweepsAllowedMs).toISOString();
  return rows
    .filter((row) => row['duePk'] !== undefined && String(row['dueSk']) < latest)
    .map(({ pk, sk }) => `${pk} ${sk} is overdue`);
}

/** Inquiries and people whose state is not what their timeline leads to. */
async function timelineFaults({ table }: Closed, heads: readonly Inquiry[]): Promise<string[]> {
  const faults: string[] = [];
  for (const contactId of new Set(heads.map((head) => head.contactId))) {
    const verified = await verifyContact(table, contactId);
    for (const { id, field } of verified?.differences ?? [{ id: contactId, field: 'contact' }]) {
      faults.push(`${field} of ${id} is not what the timeline leads to`);
    }
  }
  return faults;
}
