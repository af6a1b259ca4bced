import { beforeEach, describe, expect, it } from 'vitest';
import { countChange, RollupBusy } from '../../functions/report/count-change.ts';
import { headRow } from '../../shared/data/inquiries.ts';
import { changeStage, type Inquiry } from '../../shared/domain/inquiry.ts';
import { createPipeline, minutes } from '../support/fixtures.ts';
import { createMemoryTable, type MemoryTable } from '../support/memory-table.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
let inquiry: Inquiry;
beforeEach(async () => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
  // Nine in the evening there, and the next day in UTC.
  pipeline.environment.set('2026-11-21T05:00:00.000Z');
  inquiry = await pipeline.head(await pipeline.captured());
});

const count = (before: Inquiry | undefined, after: Inquiry) =>
  countChange(pipeline.dependencies, before && headRow(before), headRow(after));
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

  it('of nothing that is counted writes nothing', async () => {
    const before = table.rows();

    expect(await count(inquiry, { ...inquiry, version: 2 })).toBe('nothing_to_count');

    expect(table.rows()).toEqual(before);
  });

  it('waits for its turn on the counters, and comes again where there is none', async () => {
    table.conflicts = 3;
    expect(await count(undefined, inquiry)).toBe('counted');

    table.conflicts = 100;
    await expect(count(undefined, { ...inquiry, version: 9 })).rejects.toThrow(RollupBusy);
  });

  it('leaves a marker that the table deletes after a week, behind all that a step reads', async () => {
    await count(undefined, inquiry);

    const marker = table.rows().find(({ sk }) => sk === '~COUNTED#1');
    expect(marker?.['expiresAt']).toBe((pipeline.environment.now().getTime() + minutes(7 * 24 * 60)) / 1_000);
    expect((await pipeline.inquiries.find(inquiry.id))?.head.id).toBe(inquiry.id);
  });
});
