/** Counts what waits for a member on a morning: their own open work, never more than a person can have. */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import {
  byTime,
  inquiryPk,
  queueOfAppointments,
  queueOfMember,
  queueOfPool,
  queueOfTasks,
} from '../../shared/data/keys.ts';
import type { Row, Table } from '../../shared/data/table.ts';
import { zoneOf } from '../../shared/domain/availability.ts';
import type { DigestCounts } from '../../shared/domain/digest.ts';
import { isOpen, memberActionAt } from '../../shared/domain/inquiry/state.ts';
import { instantOf, localTime } from '../../shared/domain/local-time.ts';
import type { Member, Practice } from '../../shared/domain/practice.ts';

/** The most of each kind that is counted; who has more has enough to do. */
const mostCounted = 1_000;
const mostKeysAtOnce = 100;

/** Index rows of a queue, at most `mostCounted` of them. */
async function listed(table: Table, pk: string, range: { from?: string; to?: string } = {}): Promise<Row[]> {
  const rows: Row[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page = await table.query({
      index: 'queue',
      pk,
      ...range,
      limit: mostCounted - rows.length,
      ...(after && { after }),
    });
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined && rows.length < mostCounted);
  return rows;
}

export async function countForDigest(
  { table, inquiries }: { readonly table: Table; readonly inquiries: Pick<Inquiries, 'findHeads'> },
  practice: Practice,
  member: Member,
  now: Date,
): Promise<DigestCounts> {
  const timeZone = zoneOf(member, practice);
  const today = localTime(now, timeZone);
  const [from, until] = ['00:00', '24:00'].map((time) => instantOf(today, time, timeZone).toISOString()) as [
    string,
    string,
  ];
  const pools = practice.pools.filter(({ members }) => members.some(({ id }) => id === member.id));
  const served = practice.locations.filter(({ id }) => member.locations?.includes(id) ?? true);
  const day = { from, to: byTime(until, '') };
  const [own, tasks, waiting, appointments] = await Promise.all([
    listed(table, queueOfMember(member.id)),
    listed(table, queueOfTasks(member.id), { to: byTime(until, '') }),
    Promise.all(pools.map(({ id }) => listed(table, queueOfPool(id)))),
    Promise.all(served.map(({ id }) => listed(table, queueOfAppointments(id), day))),
  ]);
  const ids = own.map(({ pk }) => pk.slice(inquiryPk('').length));
  const pages = await Promise.all(
    Array.from({ length: Math.ceil(ids.length / mostKeysAtOnce) }, (_, i) =>
      inquiries.findHeads(ids.slice(i * mostKeysAtOnce, (i + 1) * mostKeysAtOnce), () => undefined),
    ),
  );
  const heads = pages.flat().filter((head) => isOpen(head) && head.assignedTo === member.id);
  const at = now.toISOString();
  // What somebody set aside is due when that ends.
  const due = heads.filter(({ hold }) => !hold).map(memberActionAt);
  return {
    open: heads.length,
    overdue: due.filter((time) => time <= at).length,
    dueToday: due.filter((time) => time > at && time < until).length,
    tasks: tasks.length,
    waiting: waiting.flat().length,
    appointments: appointments.flat().length,
  };
}
