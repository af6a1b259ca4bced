/** Hands out what waits in the queue of a pool, oldest deadline first. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { inquiryPk, queueOfPool } from '../../shared/data/keys.ts';
import type { PoolState } from '../../shared/data/rotation.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { awaitsRouting, type Inquiry, isCalledAbout } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { QueuePlace } from '../../shared/queues/messages.ts';
import { mailAbout, mostAttempts, RotationBusy, type RouteDependencies } from './dependencies.ts';
import { takeTurns } from './turns.ts';

/** Each takes a write for its head, and at the most one for its pool and one for its member: well within a transaction. */
const pageSize = 25;

export interface Drained {
  /** How many were given to somebody. */
  readonly given: number;
  /** Where to go on, where there are pages that were not looked at. */
  readonly next?: QueuePlace;
}

/**
 * Works through the queue of a pool, a page at a time, in the order of the
 * deadlines: what nobody can take waits on and holds up nothing behind it. Once
 * all that waits there was looked at, with whom is noted: none of it is for them.
 *
 * @param practice - as it is now: what is noted must hold for it
 * @param limits.pages - how many pages at the most
 * @param limits.fruitless - after how many pages of which nobody could take anything it ends
 * @param from - where a look that took longer goes on
 */
export async function drainPool(
  dependencies: RouteDependencies,
  practice: Practice,
  poolId: string,
  limits: { readonly pages: number; readonly fruitless: number },
  from?: QueuePlace,
): Promise<Drained> {
  const { table, routingStates } = dependencies;
  let given = 0;
  let fruitless = 0;
  let place = from;
  for (let page = 0; page < limits.pages; page++) {
    const { rows, next } = await table.query({
      index: 'queue',
      pk: queueOfPool(poolId),
      limit: pageSize,
      ...(place && { after: place.after }),
    });
    const ids = rows.map(({ pk }) => pk.slice(inquiryPk('').length));
    const done = await drainPage(dependencies, practice, poolId, ids);
    given += done.given;
    const { news, waiting, ...so } = place ?? { ...done.before, seen: 0, able: [...done.able] };
    const [seen, able] = [so.seen + done.seen, so.able.filter((id) => done.able.has(id))];
    if (next === undefined) {
      // An index shows a moment later what was written: what it has not shown yet was not looked at.
      if (seen >= waiting) await table.write(routingStates.saveLook(poolId, { news }, able));
      return { given };
    }
    place = { after: next as QueuePlace['after'], news, waiting, seen, able };
    // Nobody is left for the rest.
    if (done.able.size === 0) return { given };
    fruitless = done.given > 0 ? 0 : fruitless + 1;
    if (fruitless >= limits.fruitless) return { given };
  }
  return { given, ...(place && { next: place }) };
}

interface DrainedPage {
  readonly given: number;
  /** How many of the page waited and were looked at. */
  readonly seen: number;
  /** The pool as it was when the page was first looked at. */
  readonly before: PoolState;
  /** Who could take anything afterwards. */
  readonly able: ReadonlySet<string>;
}

/** The page in one transaction; it is decided anew as often as others were faster. */
async function drainPage(
  { table, inquiries, routingStates, mailQueue, environment }: RouteDependencies,
  practice: Practice,
  poolId: string,
  ids: readonly string[],
): Promise<DrainedPage> {
  let before: PoolState | undefined;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    // The newest score of each counts, so each is read by itself.
    const read = await Promise.all(ids.map((id) => inquiries.findForRouting(id).catch(() => undefined)));
    const waiting = read.filter(
      (record): record is InquiryRecord =>
        record !== undefined && awaitsRouting(record.head) && record.head.poolId === poolId,
    );
    // Last of what is read: the transaction must find it as it is here.
    const states = await routingStates.read();
    before ??= states.rotation(poolId);
    const now = environment.now();
    const turns = takeTurns(practice, states, now);
    const given: Inquiry[] = [];
    // While somebody is on the phone about it, it is not looked at with anybody.
    const looked = waiting.filter(({ head }) => !isCalledAbout(head, now));
    for (const { head, score } of looked) {
      if (!score) continue;
      const { chosen, decided } = turns.next(head, score);
      if (chosen === undefined) continue;
      const next = assigned(head, { ...decided, memberId: chosen }, now);
      turns.count(head, next);
      given.push(next);
    }
    const done = { given: given.length, seen: looked.length, before, able: turns.able() };
    if (given.length === 0) return done;
    const saved = await table.transact([...given.map(inquiries.save), ...turns.save(routingStates)]);
    if (saved.committed) {
      await mailQueue.sendAll(given.map(mailAbout));
      return done;
    }
    await environment.backOff(20 * attempt);
  }
  throw new RotationBusy();
}
