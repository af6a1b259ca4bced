/** The reports' days, counted anew from what stands in the table. */
import { beforeEach, describe, expect, it } from 'vitest';
import { countChanges } from '../../functions/report/count-change.ts';
import { askToFollow, isAgain, mayBeFollowedIn } from '../../shared/data/follow-again.ts';
import { inquirySk, rollup } from '../../shared/data/keys.ts';
import { recountFigures } from '../../shared/data/recount.ts';
import type { Row } from '../../shared/data/table.ts';
import { createMemoryTable, type MemoryTable, type RowChange } from '../../simulation/memory-table.ts';
import { createPipeline, friday, minutes, smallPractice } from '../support/fixtures.ts';

let changes: RowChange[];
let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
const key = rollup('main-street', '2026-11-20');

beforeEach(async () => {
  changes = [];
  table = createMemoryTable({ onCommit: (all) => changes.push(...all) });
  pipeline = createPipeline(table);
  for (const name of ['maria', 'nora', 'olive']) await pipeline.mailed({ email: `${name}@example.com` });
});

/** What the stream brought, to be counted by `report`. */
const heads = () =>
  changes.flatMap(({ before, after }) => (after?.sk === inquirySk.head ? [{ before, after }] : []));
const count = (some: readonly { before: Row | undefined; after: Row }[]) =>
  countChanges(pipeline.dependencies, some);
const recount = (read?: () => AsyncIterable<Row[]>) =>
  recountFigures({
    table,
    practice: smallPractice,
    read:
      read ??
      async function* () {
        yield table.rows();
      },
    now: () => friday,
  });
const counters = () =>
  Object.entries(table.peek(key) ?? {}).filter(([name, n]) => name.startsWith('n:') && n !== 0);

describe('a recount', () => {
  it('leaves a day as it is where all was counted', async () => {
    await count(heads());
    const before = table.rows();

    expect(await recount()).toEqual({ days: 1, corrected: [], busy: [] });
    expect(table.rows()).toEqual(before);
  });

  it('counts what was given up, and what the stream still brings of it counts no more', async () => {
    const all = heads();
    await count(all);
    const whole = counters();
    const fresh = createMemoryTable();
    for (const row of table.rows().filter(({ pk, sk }) => pk !== key.pk && sk !== inquirySk.counted))
      await fresh.write({ put: row });
    table = fresh;
    pipeline = createPipeline(table);
    // Some were counted; one is among the dead letters, others are still to come.
    await count(all.slice(0, 4));
    expect(counters()).not.toEqual(whole);

    expect(await recount()).toMatchObject({ days: 1, corrected: ['ROLLUP#main-street 2026-11-20'] });
    expect(counters().sort()).toEqual(whole.sort());

    await count(all.slice(6));
    expect(counters().sort()).toEqual(whole.sort());
    expect((await recount()).corrected).toEqual([]);
  });

  it('leaves a day of which something is counted meanwhile to the next time', async () => {
    const all = heads();
    let reads = 0;

    const done = await recount(async function* () {
      yield table.rows();
      if (++reads === 2) await count(all);
    });

    expect(done).toEqual({ days: 1, corrected: [], busy: ['ROLLUP#main-street 2026-11-20'] });
    expect((await recount()).busy).toEqual([]);
  });
});

describe('what is followed again', () => {
  const window = {
    from: new Date(friday.getTime() - minutes(1)),
    to: new Date(friday.getTime() + minutes(1)),
  };
  const row = (pk: string, sk: string, more: object = {}): Row => ({ pk, sk, ...more });
  const at = friday.toISOString();

  it.each<[boolean, Row]>([
    [true, row('CON#con_1', 'PROFILE', { createdAt: at })],
    [true, row('CON#con_1', 'POINT#1.a', { addedAt: at })],
    [true, row('CON#con_1', 'MERGED#con_2', { mergedAt: at })],
    [true, row('CON#con_1', 'MERGED#con_2', { mergedAt: '2026-11-01T00:00:00.000Z', undoneAt: at })],
    [false, row('CON#con_1', 'MERGED#con_2', { mergedAt: at, undoneAt: '2026-11-21T00:00:00.000Z' })],
    [true, row('INQ#inq_1', 'BODY', { receivedAt: at, returning: true })],
    [true, row('CONFIG', 'VERSION', { version: 3 })],
    [false, row('INQ#inq_1', 'BODY', { receivedAt: at })],
    [false, row('CON#con_1', 'PROFILE', { createdAt: '2026-11-20T15:58:00.000Z' })],
    [false, row('CON#con_1', 'ENTRY#ent_1', { createdAt: at })],
    [false, row('INQ#inq_1', 'HEAD', { receivedAt: at })],
  ])('is what came new in that time: %s (%#)', (is, one) => {
    expect(mayBeFollowedIn(one, window)).toBe(is);
  });

  it('is asked for by a row of its own, which goes by itself', async () => {
    await table.write(askToFollow('0b5c', { pk: 'CON#con_1', sk: 'PROFILE' }, friday));
    const asked = table.rows().filter(isAgain);

    expect(asked).toMatchObject([{ of: { pk: 'CON#con_1', sk: 'PROFILE' }, expiresAt: expect.any(Number) }]);
  });
});
