/**
 * What is kept twice agrees, or is found and mended. The healthy table is that of a simulated afternoon:
 * inquiries in every state, as the functions themselves left them.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { parseHead } from '../../shared/data/inquiries.ts';
import {
  inquiryHead,
  inquiryPk,
  inquirySk,
  type Key,
  memberLoad,
  poolRotation,
  routingPk,
} from '../../shared/data/keys.ts';
import { type Finding, type ReconcileOptions, reconcile } from '../../shared/data/reconcile.ts';
import type { Row, Table } from '../../shared/data/table.ts';
import { type Inquiry, isMailUnderWay, isOpen } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { momentOf } from '../../simulation/moment.ts';
import { simulate } from '../../simulation/simulate.ts';
import { friday } from '../support/fixtures.ts';
import { callers, createStaff } from '../support/staff.ts';

const practice = readPracticeFile(readFileSync('practices/dermatology.yaml', 'utf8')).practice as Practice;
const from = momentOf('Fri 15:00', 'America/Chicago') as Date;
const until = momentOf('Fri 20:00', 'America/Chicago', from) as Date;

let healthy: Row[];
let heads: Inquiry[];

beforeAll(async () => {
  const { world } = await simulate({ practice, inquiries: 36, from, until, seed: 11 });
  // Two more, of which nothing is done yet: one on its way, one set aside.
  for (const origin of [undefined, 'https://elsewhere.example']) {
    const answer = await world.fromOutside('POST /v1/inquiries', {
      headers: { 'content-type': 'application/json', ...(origin && { origin }) },
      body: JSON.stringify({ name: 'Nora New', email: `nora@${origin ? 'one' : 'two'}.example` }),
    });
    expect(answer.statusCode).toBe(202);
  }
  healthy = world.table.rows();
  heads = healthy.filter(({ sk }) => sk === inquirySk.head).map(parseHead);
}, 120_000);

async function tableOf(rows: readonly Row[]): Promise<MemoryTable> {
  const table = createMemoryTable();
  for (const row of rows) await table.write({ put: row });
  return table;
}

/** Pages as a scan brings them: of so many rows, whatever partitions they cut. */
async function* pagesOf(table: MemoryTable, size = 37): AsyncGenerator<Row[]> {
  const rows = table.rows();
  for (let i = 0; i < rows.length; i += size) yield rows.slice(i, i + size);
}

const run = (table: MemoryTable, repair: boolean, options: Partial<ReconcileOptions> = {}) =>
  reconcile({
    table,
    pages: pagesOf(table),
    repair,
    now: () => until,
    settle: async () => {},
    ...options,
  });

const keyOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
const without = (row: Row, name: string): Row => {
  const { [name]: _gone, ...rest } = row;
  return rest as Row;
};

interface Damage {
  /** The row that takes the place of one of the healthy ones. */
  readonly row: Row;
  readonly finds: Finding['kind'];
  /** Whether the row is as it was once it is mended, but for its version. */
  readonly isExact: boolean;
}

const rowOf = (id: string): Row => healthy.find((row) => keyOf(row) === keyOf(inquiryHead(id) as Row)) as Row;
const openHeads = (): Inquiry[] => heads.filter(isOpen);

const indexNames = ['duePk', 'dueSk', 'queuePk', 'queueSk', 'boardPk', 'boardSk', 'timelinePk', 'timelineSk'];

/** Ways in which a table can be wrong, each made of a healthy row. */
const damages: Readonly<Record<string, () => fc.Arbitrary<Damage>>> = {
  'an index attribute is gone': () =>
    fc
      .constantFrom(...healthy.filter((row) => row.pk.startsWith(inquiryPk(''))))
      .chain((row) => fc.tuple(fc.constant(row), fc.constantFrom(...indexNames)))
      .filter(([row, name]) => row[name] !== undefined)
      .map(([row, name]) => ({ row: without(row, name), finds: 'index', isExact: true })),
  'an index attribute is stale': () =>
    fc
      .constantFrom(...healthy.filter(({ sk }) => sk === inquirySk.head))
      .chain((row) => fc.tuple(fc.constant(row), fc.constantFrom(...indexNames)))
      .map(([row, name]) => ({ row: { ...row, [name]: 'stale' }, finds: 'index', isExact: true })),
  'the score is not that of the decision': () =>
    fc.constantFrom(...heads.filter(({ score }) => score !== undefined)).map(({ id, score = 0 }) => ({
      row: { ...rowOf(id), score: score + 1 },
      finds: 'score',
      isExact: true,
    })),
  'all timers are gone': () =>
    fc
      .constantFrom(
        ...openHeads().filter((head) => Object.values(head.timers).some((time) => time !== undefined)),
      )
      .map((head) => ({
        row: without(rowOf(head.id), 'timers'),
        finds: head.progress === 'captured' || isMailUnderWay(head) || head.trigger ? 'step' : 'clock',
        isExact: false,
      })),
  'nobody has what was given to somebody': () =>
    fc.constantFrom(...openHeads().filter(({ assignedTo }) => assignedTo !== undefined)).map(({ id }) => ({
      row: without(rowOf(id), 'assignedTo'),
      finds: 'placement',
      isExact: false,
    })),
  'what somebody has waits for somebody': () =>
    fc.constantFrom(...openHeads().filter(({ assignedTo }) => assignedTo !== undefined)).map(({ id }) => ({
      row: { ...rowOf(id), progress: 'waiting' },
      finds: 'placement',
      isExact: false,
    })),
  'the stage is not what the timeline tells': () =>
    fc.constantFrom(...heads.filter(({ stage }) => stage !== 'consult')).map(({ id }) => ({
      row: { ...rowOf(id), stage: 'consult' },
      finds: 'timeline',
      isExact: false,
    })),
  'a call that the timeline tells of is forgotten': () =>
    fc
      .constantFrom(...heads.filter(({ firstContactedAt }) => firstContactedAt !== undefined))
      .map(({ id }) => ({
        row: without(rowOf(id), 'firstContactedAt'),
        finds: 'timeline',
        isExact: false,
      })),
  'the work of a member is miscounted': () =>
    fc
      .tuple(
        fc.constantFrom(
          ...healthy.filter(({ pk, sk }) => pk === routingPk && sk.startsWith(memberLoad('').sk)),
        ),
        fc.constantFrom('open', 'uncalled'),
        fc.integer({ min: -3, max: 3 }).filter((n) => n !== 0),
      )
      .map(([row, name, n]) => ({
        row: { ...row, [name]: Number(row[name] ?? 0) + n },
        finds: 'load',
        isExact: true,
      })),
  'what waits in a pool is miscounted': () =>
    fc
      .tuple(
        fc.constantFrom(
          ...healthy.filter(({ pk, sk }) => pk === routingPk && sk.startsWith(poolRotation('').sk)),
        ),
        fc.integer({ min: 1, max: 5 }),
      )
      .map(([row, n]) => ({
        row: { ...row, waiting: Number(row['waiting'] ?? 0) + n },
        finds: 'load',
        isExact: true,
      })),
};

/** As they were, but for what mending a row changes of it by itself. */
const comparable = (row: Row): Row => ({
  ...row,
  version: 0,
  clockMs: 0,
  ...(row.pk === routingPk && { waiting: row['waiting'] ?? 0 }),
});

describe('a healthy table', () => {
  it('has nothing to mend, and nothing is written to it', async () => {
    const table = await tableOf(healthy);

    const { inquiries, people, findings } = await run(table, true);

    expect(findings).toEqual([]);
    expect(inquiries).toBe(heads.length);
    expect(people).toBe(new Set(heads.map(({ contactId }) => contactId)).size);
    expect(table.rows()).toEqual(healthy);
    // The afternoon has led to more than one state.
    expect(new Set(heads.map(({ progress }) => progress))).toEqual(
      new Set(['captured', 'quarantined', 'notified']),
    );
    expect(new Set(heads.map(({ stage }) => stage)).size).toBeGreaterThan(2);
  });
});

describe('whatever is damaged', () => {
  it.each(Object.keys(damages))('is found and mended, and nothing else touched: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty((damages[name] as () => fc.Arbitrary<Damage>)(), async ({ row, finds, isExact }) => {
        const table = await tableOf([...healthy.filter((one) => keyOf(one) !== keyOf(row)), row]);

        const looked = await run(table, false);
        expect(looked.findings.map(({ kind }) => kind)).toContain(finds);
        expect(looked.findings.every(({ mended }) => !mended)).toBe(true);

        const { findings } = await run(table, true);
        expect(findings.map(({ kind }) => kind)).toContain(finds);
        expect(findings.filter(({ mended }) => !mended)).toEqual([]);
        expect((await run(table, false)).findings).toEqual([]);

        const after = table.rows();
        const isTouched = (one: Row): boolean =>
          keyOf(one) === keyOf(row) || (!isExact && one.pk === routingPk);
        expect(after.filter((one) => !isTouched(one))).toEqual(healthy.filter((one) => !isTouched(one)));
        if (!isExact) return;
        const was = healthy.find((one) => keyOf(one) === keyOf(row)) as Row;
        expect(comparable(after.find((one) => keyOf(one) === keyOf(row)) as Row)).toEqual(comparable(was));
      }),
      { numRuns: 5 },
    );
  });

  it('is mended at once, however much of it there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...Object.values(damages).map((damage) => damage())).map((all) => all as Damage[]),
        async (all) => {
          const byKey = new Map(all.map(({ row }) => [keyOf(row), row]));
          const table = await tableOf([
            ...healthy.filter((row) => !byKey.has(keyOf(row))),
            ...byKey.values(),
          ]);

          const { findings } = await run(table, true);

          expect(findings.length).toBeGreaterThanOrEqual(byKey.size);
          expect(findings.filter(({ mended }) => !mended)).toEqual([]);
          expect((await run(table, false)).findings).toEqual([]);
        },
      ),
      { numRuns: 5 },
    );
  });
});

describe('what cannot be mended', () => {
  it('is said: an item that nobody can read, and one that is gone', async () => {
    const [broken, bodiless] = openHeads() as [Inquiry, Inquiry];
    const table = await tableOf(
      healthy
        .filter((row) => keyOf(row) !== `${inquiryPk(bodiless.id)} ${inquirySk.body}`)
        .map((row) => (keyOf(row) === keyOf(rowOf(broken.id)) ? { ...row, stage: 'maria' } : row)),
    );

    const { findings } = await run(table, true);

    expect(findings).toContainEqual({
      kind: 'unreadable',
      about: broken.id,
      what: 'HEAD: stage',
      mended: false,
    });
    expect(findings).toContainEqual({ kind: 'incomplete', about: bodiless.id, what: 'BODY', mended: false });
    expect(JSON.stringify(findings)).not.toContain('maria');
  });
});

describe('beside the running system', () => {
  it('takes nothing for wrong that is only on its way', async () => {
    const [first] = heads as [Inquiry];
    const table = await tableOf(healthy);
    // A page that was read before its inquiry was written once more.
    const stale = { ...rowOf(first.id), boardPk: 'STAGE#before', score: 1 };
    const pages = async function* (): AsyncGenerator<Row[]> {
      yield table.rows().map((row) => (keyOf(row) === keyOf(stale) ? stale : row));
    };

    const { findings } = await run(table, true, { pages: pages() });

    expect(findings).toEqual([]);
    expect(table.rows()).toEqual(healthy);
  });

  it('counts a member anew where they get something meanwhile', async () => {
    const given = openHeads().find(({ assignedTo }) => assignedTo !== undefined) as Inquiry;
    const key = memberLoad(given.assignedTo as string);
    const was = healthy.find((row) => keyOf(row) === keyOf(key as Row)) as Row;
    const table = await tableOf(healthy.map((row) => (row === was ? { ...row, open: 90 } : row)));
    let settles = 0;

    const { findings } = await run(table, true, {
      settle: async () => {
        // A routing in between; and then there is none any more.
        if (++settles === 2) await table.write({ update: key, add: { version: 1 } });
      },
    });

    expect(findings).toEqual([{ kind: 'load', about: given.assignedTo, what: 'open', mended: true }]);
    expect(table.peek(key)).toMatchObject({ open: was['open'] ?? 0 });
    expect(settles).toBeGreaterThan(2);
  });
});

/** An inquiry that staff work with, and its table; indexes may stay behind until it is waited for them. */
async function worked() {
  const { pipeline, call, table } = createStaff();
  const id = await pipeline.mailed({ fields: { name: 'Maria Lopez' }, language: undefined });
  const { contactId } = await pipeline.head(id);
  const patch = async (path: string, of: string, change: Readonly<Record<string, unknown>>) => {
    const asked = { claims: callers.coordinator, pathParameters: { id: of } };
    const { headers } = await call(`GET /v1/${path}/{id}`, asked);
    const answer = await call(`PATCH /v1/${path}/{id}`, {
      ...asked,
      headers: { 'content-type': 'application/json', 'If-Match': String(headers?.['etag']) },
      body: JSON.stringify(change),
    });
    expect(answer.statusCode).toBe(200);
  };
  return {
    id,
    table,
    contactId,
    head: () => pipeline.head(id),
    close: () => patch('inquiries', id, { stage: 'closed', closeReason: 'not_interested' }),
    tag: (tag: string) => patch('contacts', contactId, { tags: [tag] }),
    /** Somebody changed it by other means: no entry tells of it. */
    async damage(change: Partial<Inquiry>) {
      const head = await pipeline.head(id);
      await table.write(pipeline.inquiries.save({ ...head, ...change, version: head.version + 1 }));
    },
    reconciled: (repair: boolean, options: Partial<ReconcileOptions>) =>
      run(table, repair, { now: () => friday, ...options }),
  };
}

/** A table whose indexes show rows of before, until it is waited for them. */
async function behind(table: MemoryTable, rows: readonly Row[]) {
  let shown: Table = await tableOf(rows);
  return {
    table: { ...table, query: (query) => (query.index ? shown : table).query(query) } satisfies Table,
    settle: async () => {
      shown = table;
    },
  };
}

describe('what was just done', () => {
  it.each([false, true])(
    'is neither undone nor wrong where no index shows it yet: repair %s',
    async (repair) => {
      const { table, close, reconciled } = await worked();
      const before = table.rows();
      await close();
      const after = table.rows();
      const late = await behind(table, before);
      let settles = 0;

      // The first time it is waited for what was written before timelines are looked at.
      const settle = async () => void (++settles > 1 && (await late.settle()));
      const { findings } = await reconciled(repair, { table: late.table, settle });

      expect(findings).toEqual([]);
      expect(settles).toBeGreaterThan(1);
      expect(table.rows()).toEqual(after);
    },
  );

  it.each([false, true])('is left to the next run while it goes on: repair %s', async (repair) => {
    const { table, contactId, close, tag, damage, head, reconciled } = await worked();
    await damage({ stage: 'consult' });
    // Indexes that never get there: only that both are changed meanwhile says that nothing is wrong.
    const late = await behind(table, table.rows());
    await tag('before');
    let settles = 0;

    const { findings } = await reconciled(repair, {
      table: late.table,
      settle: async () => {
        if (++settles !== 2) return;
        await close();
        await tag('after');
      },
    });

    expect(findings.filter(({ about }) => about === contactId)).toEqual([]);
    expect(findings.filter(({ kind }) => kind === 'timeline')).toEqual([]);
    expect(await head()).toMatchObject({ stage: 'closed', closeReason: 'not_interested' });
  });

  it.each(['before it is read', 'before it is written'])(
    'stands where it comes %s to be mended',
    async (when) => {
      const { table, id, close, damage, head, reconciled } = await worked();
      await damage({ stage: 'consult' });
      const isHead = ({ pk, sk }: Key): boolean => keyOf({ pk, sk }) === keyOf(inquiryHead(id));
      let done = false;
      const closeOnce = async (): Promise<void> => {
        if (done) return;
        done = true;
        await close();
      };
      const busy: Table = {
        ...table,
        async get(key, options) {
          if (when === 'before it is read' && isHead(key)) await closeOnce();
          return table.get(key, options);
        },
        async write(write) {
          if ('put' in write && isHead(write.put)) await closeOnce();
          return table.write(write);
        },
      };

      const { findings } = await reconciled(true, { table: busy });

      expect(done).toBe(true);
      expect(findings).toEqual([]);
      expect(await head()).toMatchObject({ stage: 'closed', closeReason: 'not_interested' });
    },
  );

  it('is not undone by what a stale index told before: what is wrong is mended by all that was told', async () => {
    const { table, close, damage, head, reconciled } = await worked();
    const before = table.rows();
    await close();
    const closed = await head();
    await damage({ firstContactedAt: undefined });
    const late = await behind(table, before);
    let settles = 0;
    const settle = async () => void (++settles > 1 && (await late.settle()));

    const { findings } = await reconciled(true, { table: late.table, settle });

    expect(findings.map(({ kind, mended }) => ({ kind, mended }))).toEqual([
      { kind: 'timeline', mended: true },
    ]);
    expect(await head()).toEqual({ ...closed, version: closed.version + 2 });
  });
});
