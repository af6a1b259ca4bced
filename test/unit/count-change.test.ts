import { beforeEach, describe, expect, it } from 'vitest';
import { countChanges, RollupBusy } from '../../functions/report/count-change.ts';
import { headRow } from '../../shared/data/inquiries.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, minutes } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
let inquiry: Inquiry;
beforeEach(async () => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
  // Nine in the evening there, and the next day in UTC.
  pipeline.environment.set('2026-11-21T05:00:00.000Z');
  // From the first state that is counted on.
  inquiry = { ...(await pipeline.head(await pipeline.captured())), progress: 'routed' };
});

type Change = readonly [before: Inquiry | undefined, after: Inquiry];
const countAll = (...changes: readonly Change[]) =>
  countChanges(
    pipeline.dependencies,
    changes.map(([before, after]) => ({ before: before && headRow(before), after: headRow(after) })),
  );
const count = async (...change: Change) => (await countAll(change))[0];
const days = () => pipeline.rollups.days('main-street', '2026-11-01', '2026-11-30');

describe('a change on the stream', () => {
  it('is counted once however often it comes, on the local day of receipt', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => count(undefined, inquiry)));

    expect(outcomes.toSorted()).toEqual(
      [...Array.from({ length: 4 }, () => 'counted_before'), 'counted'].toSorted(),
    );
    expect(await days()).toEqual([
      { date: '2026-11-20', counts: { inquiries: 1, 'source:website': 1, 'stage:new': 1 } },
    ]);
  });

  it('that came late and twice still leaves the counts of the last state', async () => {
    const change = changeStage(inquiry, 'contacted', undefined, new Date('2026-11-21T05:10:00.000Z'));
    if (change.outcome !== 'changed') throw new Error('not changed');

    await count(inquiry, change.next);
    await count(undefined, inquiry);
    await count(inquiry, change.next);

    expect((await days())[0]?.counts).toEqual({
      inquiries: 1,
      'source:website': 1,
      'stage:new': 0,
      'stage:contacted': 1,
      responses: 1,
      responseMinutes: 10,
      'response:within_15': 1,
    });
  });

  it('to a stage at which nothing is due any more is counted, from rows without an empty attribute', async () => {
    const change = changeStage(inquiry, 'closed', 'spam', new Date('2026-11-21T05:10:00.000Z'));
    if (change.outcome !== 'changed') throw new Error('not changed');
    const closed = headRow(change.next);
    // An attribute without anything in it is what streams of the local engine cannot tell.
    expect(closed).not.toHaveProperty('timers');

    const before = headRow(inquiry);
    const outcomes = await countChanges(pipeline.dependencies, [
      { before: undefined, after: before },
      { before, after: closed },
      // As it was stored before.
      { before: { ...closed, timers: {} }, after: { ...closed, timers: {}, version: 3, stage: 'contacted' } },
    ]);

    expect(outcomes).toEqual(['counted', 'counted', 'counted']);
    expect((await days())[0]?.counts).toMatchObject({ inquiries: 1, 'stage:contacted': 1 });
  });

  it('of nothing that is counted writes nothing', async () => {
    const before = table.rows();

    expect(await count(inquiry, { ...inquiry, version: 2 })).toBe('nothing_to_count');

    expect(table.rows()).toEqual(before);
  });

  it('waits for its turn on the counters, and comes again where there is none', async () => {
    table.conflicts = 3;
    expect(await count(undefined, inquiry)).toBe('counted');

    table.conflicts = 100;
    expect(await count(undefined, { ...inquiry, version: 9 })).toBeInstanceOf(RollupBusy);
  });

  it('leaves a marker that the table deletes after a week, behind all that a step reads', async () => {
    await count(undefined, inquiry);

    const marker = table.rows().find(({ sk }) => sk === '~COUNTED');
    expect(marker?.['expiresAt']).toBe((pipeline.environment.now().getTime() + minutes(7 * 24 * 60)) / 1_000);
    expect((await pipeline.inquiries.find(inquiry.id))?.head.id).toBe(inquiry.id);
  });
});

describe('a batch of changes', () => {
  const nth = (n: number): Inquiry => ({ ...inquiry, id: `inq_${String(n).padStart(26, '0')}` });
  const arrivals = (from: number, to: number): Change[] =>
    Array.from({ length: to - from + 1 }, (_, i) => [undefined, nth(from + i)] as const);
  const routed = (before: Inquiry): Inquiry =>
    assigned(
      before,
      {
        memberId: 'ana',
        poolId: 'skin',
        respondBy: '2026-11-23T18:00:00.000Z',
        receipt: { pool: 'skin', strategy: 'weighted_round_robin', candidates: [] },
        score: 54,
        tier: 'B',
      },
      pipeline.environment.now(),
    );
  /** Sizes of the transactions that are sent from now on. */
  const transactions = (): number[] => {
    const sizes: number[] = [];
    const { transact } = table;
    table.transact = (writes) => {
      sizes.push(writes.length);
      return transact(writes);
    };
    return sizes;
  };

  it('is one transaction, with one write for each inquiry and one for each day', async () => {
    const sizes = transactions();
    const [first, second] = [nth(1), nth(2)];

    expect(
      await countAll(
        [undefined, first],
        [undefined, second],
        [first, routed(first)],
        [second, routed(second)],
      ),
    ).toEqual(['counted', 'counted', 'counted', 'counted']);

    expect(sizes).toEqual([3]);
    expect((await days())[0]?.counts).toEqual({
      inquiries: 2,
      'source:website': 2,
      'stage:new': 2,
      'tier:B': 2,
    });
  });

  it('that comes twice counts once', async () => {
    const changes = arrivals(1, 30);

    await countAll(...changes);
    expect(new Set(await countAll(...changes))).toEqual(new Set(['counted_before']));

    expect((await days())[0]?.counts).toMatchObject({ inquiries: 30 });
  });

  it('that overlaps another counts what is new of it, whichever versions came before', async () => {
    const [first, second] = [nth(1), nth(2)];
    // As after a batch was halved: a later version is there before an earlier one.
    await countAll([first, routed(first)], [undefined, second]);

    expect(
      await countAll(
        [undefined, first],
        [first, routed(first)],
        [undefined, second],
        [second, routed(second)],
        [undefined, nth(3)],
      ),
    ).toEqual(['counted', 'counted_before', 'counted_before', 'counted', 'counted']);

    expect((await days())[0]?.counts).toEqual({
      inquiries: 3,
      'source:website': 3,
      'stage:new': 3,
      'tier:B': 2,
    });
  });

  it('counts a version once that is there twice', async () => {
    expect(await countAll([undefined, inquiry], [undefined, inquiry])).toEqual(['counted', 'counted_before']);
    expect((await days())[0]?.counts).toMatchObject({ inquiries: 1 });
  });

  it('of more inquiries and days than a transaction takes is counted in several', async () => {
    const sizes = transactions();
    const onDay = (n: number): Inquiry => ({
      ...nth(n),
      receivedAt: new Date(Date.UTC(2026, 10, 1 + (n % 20), 20)).toISOString(),
    });
    const changes = Array.from({ length: 100 }, (_, n): Change => [undefined, onDay(n)]);

    expect(new Set(await countAll(...changes))).toEqual(new Set(['counted']));

    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes).toHaveLength(2);
    expect((await days()).map(({ counts }) => counts['inquiries'])).toEqual(
      Array.from({ length: 20 }, () => 5),
    );
  });

  it('of a hundred heads that stays busy is left for its return, from its first uncounted one', async () => {
    const changes = arrivals(1, 101);
    const { transact } = table;
    let sent = 0;
    table.transact = (writes) => {
      // The first transaction passes, the second meets others again and again.
      if (++sent === 2) table.conflicts = 100;
      return transact(writes);
    };

    const outcomes = await countAll(...changes);

    const firstLeft = outcomes.findIndex((outcome) => outcome instanceof Error);
    expect(firstLeft).toBe(99);
    expect(outcomes.slice(firstLeft).every((outcome) => outcome instanceof RollupBusy)).toBe(true);
    table.transact = transact;
    table.conflicts = 0;
    expect(await countAll(...changes.slice(firstLeft))).toEqual(['counted', 'counted']);
    expect((await days())[0]?.counts).toMatchObject({ inquiries: 101 });
  });

  it('holds up nothing for a head that cannot be read, and one without a change takes no marker', async () => {
    const broken = { ...headRow(nth(1)), stage: 'nonsense' };
    const before = table.rows().length;

    const outcomes = await countChanges(pipeline.dependencies, [
      { before: undefined, after: broken },
      { before: headRow(nth(2)), after: headRow({ ...nth(2), version: 2 }) },
      { before: undefined, after: headRow(nth(3)) },
    ]);

    expect(outcomes.map((outcome) => (outcome instanceof Error ? 'error' : outcome))).toEqual([
      'error',
      'nothing_to_count',
      'counted',
    ]);
    expect(table.rows()).toHaveLength(before + 2);
  });

  it('leaves a fault of the table to the stream, which halves the batch', async () => {
    table.transact = async () => {
      throw new Error('refused');
    };

    await expect(countAll(...arrivals(1, 3))).rejects.toThrow('refused');
  });
});
