/**
 * What every `Table` means. The suite runs against DynamoDB's own engine and
 * against the table in memory, as it is and behind the ports of the fault simulator, so that tests on
 * the latter can be believed.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  absent,
  atVersion,
  type Clause,
  type Condition,
  queryAll,
  type Row,
  type Table,
} from '../../shared/data/table.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createQuietTable } from '../support/quiet-ports.ts';

const key = (sk: string, pk = 'P') => ({ pk, sk });
const sks = (rows: readonly Row[]) => rows.map(({ sk }) => sk);

describe.each([
  ['in memory', async (): Promise<Table> => createMemoryTable()],
  ['of the fault simulator', async (): Promise<Table> => createQuietTable()],
  ['in DynamoDB', async (): Promise<Table> => (await freshTable()).table],
])('a table %s', (_, create) => {
  let table: Table;
  beforeEach(async () => {
    table = await create();
  });

  describe('reading', () => {
    it('gets a row as it was put, without its undefined attributes', async () => {
      const row = {
        ...key('a'),
        n: 1.5,
        text: 'x',
        flag: false,
        list: [1, 'b'],
        map: { deep: { n: 0 } },
        none: null,
      };

      await table.write({ put: { ...row, gone: undefined, map: { ...row.map, gone: undefined } } });

      expect(await table.get(key('a'), { consistent: true })).toEqual(row);
      expect(Object.keys((await table.get(key('a'))) ?? {})).not.toContain('gone');
      expect(await table.get(key('b'))).toBeUndefined();
    });

    it('gets many rows, leaving out the absent ones', async () => {
      await table.write({ put: { ...key('a'), n: 1 } });
      await table.write({ put: { ...key('b'), n: 2 } });

      const rows = await table.batchGet([key('a'), key('b'), key('c')], { consistent: true });

      expect(rows).toHaveLength(2);
      expect(rows).toEqual(
        expect.arrayContaining([
          { ...key('a'), n: 1 },
          { ...key('b'), n: 2 },
        ]),
      );
      expect(await table.batchGet([])).toEqual([]);
    });

    it('refuses more than 100 keys, and one key twice', async () => {
      await expect(table.batchGet(Array.from({ length: 101 }, (_, i) => key(`${i}`)))).rejects.toThrow('100');
      await expect(table.batchGet([key('a'), key('a')])).rejects.toThrow();
    });
  });

  describe('conditions', () => {
    const row = { ...key('a'), version: 2, text: 'm', flag: true };
    const held: [string, Clause][] = [
      ['an attribute is absent', ['other', 'absent']],
      ['an attribute is present', ['text', 'present']],
      ['a number is equal', ['version', '=', 2]],
      ['a text is equal', ['text', '=', 'm']],
      ['a boolean is equal', ['flag', '=', true]],
      ['a number is less', ['version', '<', 3]],
      ['a text is less', ['text', '<', 'n']],
      ['a number is at most', ['version', '<=', 2]],
      ['a number differs', ['version', '<>', 3]],
      ['a type differs', ['version', '<>', '2']],
      ['an absent attribute differs from any value', ['other', '<>', 1]],
    ];
    const refused: [string, Clause][] = [
      ['an attribute should be absent', ['text', 'absent']],
      ['an attribute should be present', ['other', 'present']],
      ['a number is not equal', ['version', '=', 3]],
      ['a type is not equal', ['version', '=', '2']],
      ['a number is not less', ['version', '<', 2]],
      ['a number is more', ['version', '<=', 1]],
      ['types do not compare', ['version', '<', '9']],
      ['an absent attribute does not compare', ['other', '<=', 1]],
      ['an absent attribute does not equal', ['other', '=', 1]],
      ['a value does not differ', ['text', '<>', 'm']],
    ];

    it.each(held)('holds: %s', async (_, clause) => {
      await table.write({ put: row });

      const written = await table.write({ put: { ...row, done: true }, when: [[clause]] });

      expect(written).toEqual({ committed: true, row: { ...row, done: true } });
    });

    it.each(refused)('does not hold: %s', async (_, clause) => {
      await table.write({ put: row });

      const written = await table.write({ put: { ...row, done: true }, when: [[clause]] });

      expect(written).toEqual({ committed: false, existing: row });
      expect(await table.get(row)).toEqual(row);
    });

    it('takes any of several lists, and all of one', async () => {
      await table.write({ put: row });
      const attempt = async (when: Condition) => (await table.write({ put: row, when })).committed;

      expect(await attempt([[['version', '=', 9]], [['text', '=', 'm']]])).toBe(true);
      expect(
        await attempt([
          [
            ['version', '=', 2],
            ['text', '=', 'm'],
          ],
        ]),
      ).toBe(true);
      expect(
        await attempt([
          [
            ['version', '=', 2],
            ['text', '=', 'n'],
          ],
        ]),
      ).toBe(false);
      expect(
        await attempt([
          [['version', '=', 9]],
          [
            ['version', '=', 2],
            ['text', '=', 'n'],
          ],
        ]),
      ).toBe(false);
    });

    it('on an item that does not exist holds where it may be absent', async () => {
      const when: Condition = [...absent, [['until', '<', 5]]];

      expect((await table.write({ put: { ...key('a'), until: 4 }, when })).committed).toBe(true);
      expect((await table.write({ put: { ...key('a'), until: 9 }, when })).committed).toBe(true);
      expect(await table.write({ put: { ...key('a'), until: 9 }, when })).toEqual({
        committed: false,
        existing: { ...key('a'), until: 9 },
      });
    });

    it('refuses with no existing row where there is none', async () => {
      expect(await table.write({ put: row, when: atVersion(3) })).toEqual({
        committed: false,
        existing: undefined,
      });
      expect(await table.write({ remove: key('a'), when: [[['pk', 'present']]] })).toEqual({
        committed: false,
        existing: undefined,
      });
    });

    it('takes an empty condition for a mistake', async () => {
      await expect(table.write({ put: row, when: [] })).rejects.toThrow('clause');
      await expect(table.write({ put: row, when: [[]] })).rejects.toThrow('clause');
    });
  });

  describe('update', () => {
    it('sets and adds, leaves the rest and returns the row as it is now', async () => {
      await table.write({ put: { ...key('a'), version: 1, count: 5, kept: 'k', changed: 'old' } });

      const written = await table.write({
        update: key('a'),
        set: { changed: 'new', fresh: { deep: 1 } },
        add: { version: 1, count: -2, other: 3 },
        when: atVersion(1),
      });

      const row = {
        ...key('a'),
        version: 2,
        count: 3,
        kept: 'k',
        changed: 'new',
        fresh: { deep: 1 },
        other: 3,
      };
      expect(written).toEqual({ committed: true, row });
      expect(await table.get(key('a'))).toEqual(row);
    });

    it('makes a row that is not there', async () => {
      expect(await table.write({ update: key('a'), set: { x: 'y' }, add: { version: 1 } })).toEqual({
        committed: true,
        row: { ...key('a'), x: 'y', version: 1 },
      });
    });

    it('sets where there is none, in a row or without one, and leaves what is there', async () => {
      await table.write({ put: { ...key('a'), is: 'old' } });
      const setIfAbsent = { is: 'new', other: 1 };

      expect(await table.write({ update: key('a'), setIfAbsent, set: { z: 2 } })).toEqual({
        committed: true,
        row: { ...key('a'), is: 'old', other: 1, z: 2 },
      });
      expect(await table.transact([{ update: key('b'), setIfAbsent }])).toEqual({ committed: true });
      expect(await table.get(key('b'), { consistent: true })).toEqual({ ...key('b'), ...setIfAbsent });
    });

    it('removes an attribute that is set to undefined', async () => {
      await table.write({ put: { ...key('a'), x: 1, y: 2 } });

      expect(await table.write({ update: key('a'), set: { x: undefined } })).toEqual({
        committed: true,
        row: { ...key('a'), y: 2 },
      });
    });

    it('refused, tells the existing row and changes nothing', async () => {
      await table.write({ put: { ...key('a'), version: 4 } });

      expect(await table.write({ update: key('a'), add: { version: 1 }, when: atVersion(3) })).toEqual({
        committed: false,
        existing: { ...key('a'), version: 4 },
      });
      expect(await table.get(key('a'))).toEqual({ ...key('a'), version: 4 });
    });

    it('does not add to a text', async () => {
      await table.write({ put: { ...key('a'), x: 'text' } });

      await expect(table.write({ update: key('a'), add: { x: 1 } })).rejects.toThrow();
    });
  });

  describe('remove', () => {
    it('removes, and is content where nothing was', async () => {
      await table.write({ put: { ...key('a') } });

      expect(await table.write({ remove: key('a') })).toEqual({ committed: true });
      expect(await table.write({ remove: key('a') })).toEqual({ committed: true });
      expect(await table.get(key('a'))).toBeUndefined();
    });
  });

  it('refuses a key with an empty part, and to order booleans', async () => {
    for (const empty of [key(''), key('a', '')]) {
      await expect(table.write({ put: { ...empty } })).rejects.toThrow();
      await expect(table.get(empty)).rejects.toThrow();
      await expect(table.query({ pk: empty.pk, from: empty.sk })).rejects.toThrow();
    }
    await expect(table.write({ put: { ...key('a') }, when: [[['flag', '<', true]]] })).rejects.toThrow();
  });

  it('takes a check only in a transaction', async () => {
    await expect(table.write({ check: key('a'), when: absent })).rejects.toThrow('transaction');
  });

  describe('transaction', () => {
    it('commits every kind of write together', async () => {
      await table.write({ put: { ...key('updated'), version: 1 } });
      await table.write({ put: { ...key('removed') } });
      await table.write({ put: { ...key('checked'), version: 7 } });

      const result = await table.transact([
        { put: { ...key('put'), x: undefined, y: 1 }, when: absent },
        { update: key('updated'), set: { x: 'y', z: undefined }, add: { version: 1 }, when: atVersion(1) },
        { remove: key('removed'), when: [[['pk', 'present']]] },
        { check: key('checked'), when: atVersion(7) },
      ]);

      expect(result).toEqual({ committed: true });
      expect(await queryAll(table, { pk: 'P', consistent: true })).toEqual([
        { ...key('checked'), version: 7 },
        { ...key('put'), y: 1 },
        { ...key('updated'), version: 2, x: 'y' },
      ]);
    });

    it('refused, changes nothing and tells each condition that failed, by index, with its row', async () => {
      const standing = { ...key('b'), version: 2, list: ['x'] };
      await table.write({ put: standing });

      const result = await table.transact([
        { put: { ...key('a') }, when: absent },
        { put: { ...key('b'), version: 9 }, when: absent },
        { check: key('c'), when: atVersion(1) },
        { update: key('d'), add: { n: 1 } },
      ]);

      expect(result).toEqual({
        committed: false,
        failed: new Map([
          [1, standing],
          [2, undefined],
        ]),
      });
      expect(await queryAll(table, { pk: 'P' })).toEqual([standing]);
    });

    it('refuses more than 100 writes, and one item twice', async () => {
      const writes = Array.from({ length: 101 }, (_, i) => ({ put: { ...key(`${i}`) } }));

      await expect(table.transact(writes)).rejects.toThrow('100');
      await expect(table.transact([{ put: key('a') as Row }, { remove: key('a') }])).rejects.toThrow();
      expect((await table.transact(writes.slice(0, 100))).committed).toBe(true);
    });
  });

  describe('races', () => {
    it('commits exactly one of many writers on absence', async () => {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, by) => table.write({ put: { ...key('a'), by }, when: absent })),
      );

      expect(results.filter(({ committed }) => committed)).toHaveLength(1);
      const row = await table.get(key('a'), { consistent: true });
      for (const result of results) if (!result.committed) expect(result.existing).toEqual(row);
    });

    it('commits exactly one of many writers at a version', async () => {
      await table.write({ put: { ...key('a'), version: 1 } });

      const results = await Promise.all(
        Array.from({ length: 8 }, () =>
          table.write({ update: key('a'), add: { version: 1 }, when: atVersion(1) }),
        ),
      );

      expect(results.filter(({ committed }) => committed)).toHaveLength(1);
      expect(await table.get(key('a'), { consistent: true })).toEqual({ ...key('a'), version: 2 });
    });

    it('commits exactly one of many transactions', async () => {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, by) =>
          table.transact([{ put: { ...key('lock'), by }, when: absent }, { put: { ...key(`own-${by}`) } }]),
        ),
      );

      expect(results.filter(({ committed }) => committed)).toHaveLength(1);
      expect(await queryAll(table, { pk: 'P', consistent: true })).toHaveLength(2);
    });
  });

  describe('query', () => {
    const letters = ['a', 'b', 'c', 'd', 'e'];
    beforeEach(async () => {
      for (const letter of letters) await table.write({ put: { ...key(letter), n: 1 } });
      await table.write({ put: { ...key('c', 'Q') } });
    });

    it('reads one partition in order, and backwards', async () => {
      expect(sks((await table.query({ pk: 'P' })).rows)).toEqual(letters);
      expect(sks((await table.query({ pk: 'P', newestFirst: true })).rows)).toEqual(letters.toReversed());
      expect(await table.query({ pk: 'none' })).toEqual({ rows: [] });
    });

    it('reads a range, ends included', async () => {
      expect(sks((await table.query({ pk: 'P', from: 'b', to: 'd' })).rows)).toEqual(['b', 'c', 'd']);
      expect(sks((await table.query({ pk: 'P', from: 'd' })).rows)).toEqual(['d', 'e']);
      expect(sks((await table.query({ pk: 'P', to: 'b' })).rows)).toEqual(['a', 'b']);
      expect(await table.query({ pk: 'P', from: 'd', to: 'b' })).toEqual({ rows: [] });
    });

    it.each([false, true])('pages (newest first: %s)', async (newestFirst) => {
      const expected = newestFirst ? letters.toReversed() : letters;

      const first = await table.query({ pk: 'P', limit: 2, newestFirst });
      const second = await table.query({ pk: 'P', limit: 2, newestFirst, after: first.next ?? {} });
      const third = await table.query({ pk: 'P', limit: 2, newestFirst, after: second.next ?? {} });

      expect([first, second, third].map(({ rows }) => sks(rows))).toEqual([
        expected.slice(0, 2),
        expected.slice(2, 4),
        expected.slice(4),
      ]);
      expect(third.next).toBeUndefined();
    });

    it('goes on from a row that has been removed', async () => {
      const { next } = await table.query({ pk: 'P', limit: 2 });
      await table.write({ remove: key('b') });

      expect(sks((await table.query({ pk: 'P', after: next ?? {} })).rows)).toEqual(['c', 'd', 'e']);
    });

    it('refuses to go on from a row outside of the range', async () => {
      const { next } = await table.query({ pk: 'P', limit: 2 });

      await expect(table.query({ pk: 'P', from: 'c', to: 'd', after: next ?? {} })).rejects.toThrow();
      await expect(table.query({ pk: 'P', to: 'a', after: next ?? {} })).rejects.toThrow();
    });

    it('reads all pages', async () => {
      expect(sks(await queryAll(table, { pk: 'P', limit: 2, newestFirst: true }))).toEqual(
        letters.toReversed(),
      );
    });
  });

  describe.each(['due', 'queue', 'board', 'timeline'] as const)('index %s', (index) => {
    const entry = (pk: string, sk: string) => ({ [`${index}Pk`]: pk, [`${index}Sk`]: sk });
    const read = async (pk = 'I') => (await table.query({ pk, index })).rows;

    it('has the keys only of the rows that have its attributes', async () => {
      await table.write({ put: { ...key('a'), ...entry('I', '2'), secret: 'x' } });
      await table.write({ put: { ...key('b'), ...entry('I', '1'), secret: 'x' } });
      await table.write({ put: { ...key('c'), secret: 'x' } });
      await table.write({ put: { ...key('d'), ...entry('J', '1') } });

      expect(await read()).toEqual([
        { ...key('b'), ...entry('I', '1') },
        { ...key('a'), ...entry('I', '2') },
      ]);
    });

    it('follows a row in, along and out', async () => {
      await table.write({ put: { ...key('a') } });
      expect(await read()).toEqual([]);

      await table.write({ update: key('a'), set: entry('I', '1') });
      expect(await read()).toEqual([{ ...key('a'), ...entry('I', '1') }]);

      await table.write({ update: key('a'), set: entry('J', '2') });
      expect(await read()).toEqual([]);
      expect(await read('J')).toHaveLength(1);

      await table.write({ update: key('a'), set: { [`${index}Pk`]: undefined, [`${index}Sk`]: undefined } });
      expect(await read('J')).toEqual([]);

      await table.transact([{ put: { ...key('a'), ...entry('I', '3') } }]);
      expect(await read()).toHaveLength(1);
      await table.write({ put: { ...key('a') } });
      expect(await read()).toEqual([]);
    });

    it('pages over a range, both ways', async () => {
      for (const sk of ['1', '2', '3', '4', '5']) {
        await table.write({ put: { ...key(sk, `P${sk}`), ...entry('I', `t${sk}`) } });
      }
      const query = { pk: 'I', index, from: 't2', to: 't4', limit: 2 };

      const first = await table.query(query);
      const rest = await table.query({ ...query, after: first.next ?? {} });
      expect(sks([...first.rows, ...rest.rows])).toEqual(['2', '3', '4']);
      expect(rest.next).toBeUndefined();
      expect(sks(await queryAll(table, { ...query, newestFirst: true }))).toEqual(['4', '3', '2']);
    });

    it('refuses an empty key', async () => {
      await expect(table.write({ put: { ...key('a'), ...entry('I', '') } })).rejects.toThrow();
    });

    it('has no consistent reads', async () => {
      await expect(table.query({ pk: 'I', index, consistent: true })).rejects.toThrow();
    });
  });
});
