/**
 * The sweep over the due index: what is stuck is enqueued again, what is due is
 * asked for. It claims each entry by moving its due time on, so that two sweeps
 * never do the same twice and an entry that cannot be read holds up no other.
 */
import * as z from 'zod';
import type { Contacts } from '../../shared/data/contacts.ts';
import {
  duePk,
  dueShardCount,
  dueUntil,
  inquiryHead,
  inquiryPk,
  inquirySk,
  type Key,
  routingPk,
} from '../../shared/data/keys.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Row } from '../../shared/data/table.ts';
import { attendanceAt } from '../../shared/domain/availability.ts';
import { type Due, takeDue } from '../../shared/domain/inquiry/due.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { clockFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { isLeftBehind, mayBeTaken, whoIsAble } from '../../shared/domain/relief.ts';
import { entryOf, systemActor } from '../../shared/domain/timeline.ts';
import type { MailMessage, Queue, RouteMessage, StepMessage } from '../../shared/queues/messages.ts';
import { type DueKindDependencies, dueKinds, kindsCounted } from './due-kinds.ts';

export interface SweepDependencies extends DueKindDependencies {
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly routingStates: Pick<RoutingStates, 'read'>;
  readonly scoreQueue: Queue<StepMessage>;
  readonly routeQueue: Queue<RouteMessage>;
  readonly mailQueue: Queue<MailMessage>;
  /** Time left for this run; a sweep that runs out of it stops between pages, and the next one goes on. */
  readonly remainingMs: () => number;
  readonly onBroken: (entry: { readonly pk: string; readonly sk: string }, error: unknown) => void;
}

/** What a sweep counts; `ended` moved on without anything to be asked for, `broken` entries could not be read, and were put off, or not claimed. */
const counted = ['score', 'route', 'mail', 'ended', ...kindsCounted, 'pools', 'stale', 'broken'] as const;
export type Swept = Record<(typeof counted)[number], number>;
export const sweptNothing = (): Swept => Object.fromEntries(counted.map((name) => [name, 0])) as Swept;

const pageSize = 100;
const concurrentClaims = 10;
const leastRemainingMs = 5_000;
/** An entry that cannot be read is looked at again after this long. */
const brokenPauseMs = 60 * 60_000;

/** Something due that no kind knows. */
class UnknownEntry extends Error {
  override readonly name = 'UnknownEntry';
}

/** Whether an entry is at fault itself; whatever a service answers is not. */
const isUnreadable = (error: unknown): boolean =>
  [z.ZodError, UnknownEntry, TypeError, RangeError].some((kind) => error instanceof kind);

/** Works on each of the items in their order, some at a time. */
async function forEachConcurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrentClaims, items.length) }, worker));
}

/** As many as go out in one call. */
const askedAtOnce = 10;

/**
 * What a page asks for, sent ten at a time while others are still claimed: a run that ends in the middle
 * leaves few claims that nobody asked for.
 */
function createOutbox<Message>(queue: Queue<Message>) {
  let waiting: Message[] = [];
  let failure: { readonly error: unknown } | undefined;
  async function send(): Promise<void> {
    const batch = waiting;
    waiting = [];
    // The others are claimed and asked for all the same; what did not go out is due again.
    await queue.sendAll(batch).catch((error: unknown) => {
      failure ??= { error };
    });
  }
  return {
    async add(message: Message): Promise<void> {
      waiting.push(message);
      if (waiting.length >= askedAtOnce) await send();
    },
    /** Sends what is left. @throws where any of it did not go out */
    async end(): Promise<void> {
      await send();
      if (failure) throw failure.error;
    },
  };
}

export async function sweep(dependencies: SweepDependencies): Promise<Swept> {
  const { table, inquiries, environment } = dependencies;
  const swept = sweptNothing();
  const kinds = dueKinds(dependencies);
  const inquiryPrefix = inquiryPk('');

  /** Leaves an entry due that can be read: most likely the fault passes, and the others go on. */
  function passOver(key: Key, error: unknown): void {
    swept.broken++;
    dependencies.onBroken(key, error);
  }

  /** Moves an entry on that cannot be read, without looking into it. */
  async function putOff(row: Row, error: unknown): Promise<void> {
    swept.broken++;
    dependencies.onBroken(row, error);
    const later = new Date(environment.now().getTime() + brokenPauseMs).toISOString();
    await table.write({
      update: row,
      set: { dueSk: `${later}#${row.pk}` },
      when: [[['dueSk', '=', String(row['dueSk'])]]],
    });
  }

  async function claim(inquiry: Inquiry, practice: Practice): Promise<Due | undefined> {
    const now = environment.now();
    const due = takeDue(inquiry, now, clockFor(practice, inquiry));
    if (due && (await write(due, now))) return due;
    swept.stale++;
    return undefined;
  }

  /** Writes a claim, in one transaction with what the timeline tells of it. */
  async function write({ next, entries }: Due, now: Date): Promise<boolean> {
    const save = inquiries.save(next);
    if (entries.length === 0) return (await table.write(save)).committed;
    const { id: inquiryId, contactId } = next;
    const told = entries.map(({ kind, details }) =>
      entryOf(
        kind,
        {
          entryId: environment.newId('entry'),
          contactId,
          inquiryId,
          actor: systemActor,
          at: now.toISOString(),
        },
        details,
      ),
    );
    return (await table.transact([save, ...told.map(dependencies.contacts.addEntry)])).committed;
  }

  /** Claims what is due beside inquiries, by what it is. */
  async function claimOther(row: Row): Promise<MailMessage | undefined> {
    const kind = kinds.find(({ isOf }) => isOf(row));
    if (!kind) throw new UnknownEntry('unknown kind of due entry');
    const message = await kind.claim(row);
    swept[message ? kind.counted : 'stale']++;
    return message;
  }

  async function sweepPage(rows: readonly Row[]): Promise<void> {
    const outbox = {
      score: createOutbox(dependencies.scoreQueue),
      route: createOutbox(dependencies.routeQueue),
      mail: createOutbox(dependencies.mailQueue),
    };
    const isHead = ({ pk, sk }: Row): boolean => pk.startsWith(inquiryPrefix) && sk === inquirySk.head;
    const byPk = new Map(rows.filter(isHead).map((row) => [row.pk, row]));
    const broken: { row: Row; error: unknown }[] = [];

    const ids = rows.filter(isHead).map(({ pk }) => pk.slice(inquiryPrefix.length));
    const heads = await inquiries.findHeads(ids, (id, error) => {
      const row = byPk.get(inquiryPk(id));
      if (row) broken.push({ row, error });
    });
    await forEachConcurrently(heads, async (head) => {
      // The practice is kept: it is read once, and again when it is some seconds old.
      const claiming = dependencies.practice().then(async (practice) => {
        const due = await claim(head, practice);
        return due && { ...due, isLeft: isLeftBehind(practice, due.next) };
      });
      const claimed = await claiming.catch((error: unknown) => passOver(inquiryHead(head.id), error));
      if (!claimed) return;
      const { next, action, isLeft } = claimed;
      const message = { inquiryId: next.id, version: next.version };
      swept[action ?? 'ended']++;
      if (action === 'mail') await outbox.mail.add({ kind: 'inquiry', ...message });
      else if (action !== undefined) await outbox[action].add(message);
      // Whoever has it is gone, and it did not go back with the rest of theirs.
      if (isLeft && action !== 'route') await outbox.route.add(message);
    });
    await forEachConcurrently(
      rows.filter((row) => !isHead(row)),
      async (row) => {
        try {
          const message = await claimOther(row);
          if (message) await outbox.mail.add(message);
        } catch (error) {
          if (isUnreadable(error)) broken.push({ row, error });
          else passOver(row, error);
        }
      },
    );
    await forEachConcurrently(broken, ({ row, error }) => putOff(row, error));
    // What is claimed and then not enqueued is due again when its step timer runs out.
    await Promise.all([outbox.score.end(), outbox.route.end(), outbox.mail.end()]);
  }

  const until = dueUntil(environment.now().toISOString());
  async function sweepShard(shard: number): Promise<void> {
    let after: Record<string, unknown> | undefined;
    do {
      const page = await table.query({
        index: 'due',
        pk: duePk(shard),
        to: until,
        limit: pageSize,
        ...(after && { after }),
      });
      await sweepPage(page.rows);
      after = page.next;
    } while (after !== undefined && dependencies.remainingMs() > leastRemainingMs);
  }

  /** Asks for what waits in a pool that somebody can take by now, whatever it was that kept them from it. */
  async function askForWaiting(): Promise<void> {
    const states = await dependencies.routingStates.read();
    if (states.waitingPools.length === 0) return;
    const practice = await dependencies.practice();
    const attendance = attendanceAt(practice, environment.now());
    const able = whoIsAble(practice, attendance, states.load);
    const asked = states.waitingPools.filter((id) => mayBeTaken(states.rotation(id), () => able));
    await dependencies.routeQueue.sendAll(asked.map((poolId) => ({ kind: 'pool', poolId })));
    swept.pools += asked.length;
  }

  // One shard after the other would let a full one starve those behind it.
  await Promise.all([
    ...Array.from({ length: dueShardCount }, (_, shard) => sweepShard(shard)),
    // What is due goes on all the same; the next sweep asks.
    askForWaiting().catch((error: unknown) => {
      swept.broken++;
      dependencies.onBroken({ pk: routingPk, sk: '' }, error);
    }),
  ]);
  return swept;
}
