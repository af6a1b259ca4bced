/** Hands out what waits in the queue of a pool, oldest deadline first. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { inquiryPk, queueOfPool } from '../../shared/data/keys.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { awaitsRouting, type Inquiry, isCalledAbout } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { mailAbout, mostAttempts, RotationBusy, type RouteDependencies } from './dependencies.ts';
import { takeTurns } from './turns.ts';

/** Each takes a write for its head, and at the most one for its pool and one for its member: well within a transaction. */
const pageSize = 25;

export interface Drained {
  /** How many were given to somebody. */
  readonly given: number;
  /** Whether there are pages that were not looked at. */
  readonly more: boolean;
}

/**
 * Works through the queue of a pool, a page at a time, as long as somebody can
 * take anything, in the order of the deadlines: what nobody can take waits on and
 * holds up nothing behind it.
 *
 * @param limits.pages - how many pages at the most
 * @param limits.fruitless - after how many pages of which nobody could take anything it ends
 */
export async function drainPool(
  dependencies: RouteDependencies,
  practice: Practice,
  poolId: string,
  limits: { readonly pages: number; readonly fruitless: number },
): Promise<Drained> {
  let given = 0;
  let fruitless = 0;
  let after: Record<string, unknown> | undefined;
  for (let page = 0; page < limits.pages; page++) {
    const { rows, next } = await dependencies.table.query({
      index: 'queue',
      pk: queueOfPool(poolId),
      limit: pageSize,
      ...(after && { after }),
    });
    const ids = rows.map(({ pk }) => pk.slice(inquiryPk('').length));
    const done = await drainPage(dependencies, practice, poolId, ids);
    given += done.given;
    if (next === undefined || done.isNobodyThere) return { given, more: false };
    fruitless = done.given > 0 ? 0 : fruitless + 1;
    if (fruitless >= limits.fruitless) return { given, more: false };
    after = next;
  }
  return { given, more: true };
}

/** The page in one transaction; it is decided anew as often as others were faster. */
async function drainPage(
  { table, inquiries, routingStates, mailQueue, environment }: RouteDependencies,
  practice: Practice,
  poolId: string,
  ids: readonly string[],
): Promise<{ readonly given: number; readonly isNobodyThere: boolean }> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    // The newest score of each counts, so each is read by itself.
    const read = await Promise.all(ids.map((id) => inquiries.findForRouting(id).catch(() => undefined)));
    const records = read.filter(
      (record): record is InquiryRecord =>
        record !== undefined &&
        awaitsRouting(record.head) &&
        record.head.poolId === poolId &&
        !isCalledAbout(record.head, environment.now()),
    );
    // Last of what is read: the transaction must find it as it is here.
    const turns = takeTurns(practice, await routingStates.read(), environment.now());
    const now = environment.now();
    const given: Inquiry[] = [];
    for (const { head, score } of records) {
      if (!score) continue;
      const { chosen, decided } = turns.next(head, score);
      if (chosen === undefined) continue;
      const next = assigned(head, { ...decided, memberId: chosen }, now);
      turns.count(head, next);
      given.push(next);
    }
    const isNobodyThere = !turns.isAnybodyThere(poolId);
    if (given.length === 0) return { given: 0, isNobodyThere };
    const done = await table.transact([...given.map(inquiries.save), ...turns.save(routingStates)]);
    if (done.committed) {
      await mailQueue.sendAll(given.map(mailAbout));
      return { given: given.length, isNobodyThere };
    }
    await environment.backOff(20 * attempt);
  }
  throw new RotationBusy();
}
