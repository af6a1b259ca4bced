import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { absent, atVersion, type Table, type Write } from '../../shared/data/table.ts';
import { writeTogether } from '../../shared/data/write-together.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';

let table: Table;
let calls: string[];
beforeEach(() => {
  const memory = createMemoryTable();
  calls = [];
  table = {
    ...memory,
    write: (write) => {
      calls.push('write');
      return memory.write(write);
    },
    transact: (writes) => {
      calls.push(`transact ${writes.length}`);
      return memory.transact(writes);
    },
  };
});

const put = (name: string, more: object = {}, when: Write['when'] = absent): Write => ({
  put: { pk: name, sk: 'ROW', ...more },
  when,
});
const rows = async (...names: string[]) =>
  await Promise.all(names.map((name) => table.get({ pk: name, sk: 'ROW' })));

describe('writes of several tasks', () => {
  it('are one transaction, and each has its answer', async () => {
    const ended = await writeTogether(
      table,
      ['a', 'b', 'c'].map((name) => (of) => of.write(put(name, { n: name }))),
    );

    expect(calls).toEqual(['transact 3']);
    expect(ended).toEqual(
      ['a', 'b', 'c'].map((name) => ({
        status: 'fulfilled',
        value: { committed: true, row: { pk: name, sk: 'ROW', n: name } },
      })),
    );
  });

  it('wait for a task that is still reading, and not for one that is done or asks for something else', async () => {
    const ended = await writeTogether(table, [
      (of) => of.write(put('a')),
      async (of) => {
        await of.get({ pk: 'x', sk: 'ROW' });
        await of.get({ pk: 'y', sk: 'ROW' });
        return of.write(put('b'));
      },
      async () => undefined,
      (of) => of.write({ update: { pk: 'c', sk: 'ROW' }, set: { n: 1 } }),
      async (of) => void (await of.transact([put('d'), put('e')])),
    ]);

    expect(calls).toEqual(['write', 'transact 2', 'transact 2']);
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'fulfilled'));
    expect(await rows('a', 'b', 'c', 'd', 'e')).not.toContain(undefined);
  });

  it('of which one is refused are written each by itself, and only that one is refused', async () => {
    await table.write(put('b', { version: 1 }));
    calls = [];

    const ended = await writeTogether(
      table,
      ['a', 'b'].map((name) => (of) => of.write(put(name))),
    );

    expect(calls).toEqual(['transact 2', 'write', 'write']);
    expect(ended).toMatchObject([
      { value: { committed: true } },
      { value: { committed: false, existing: { version: 1 } } },
    ]);
  });

  it('to the same item are written one by one', async () => {
    const ended = await writeTogether(
      table,
      [1, 2].map((n) => (of) => of.write(put('a', { n }))),
    );

    expect(calls).toEqual(['write', 'write']);
    expect(ended).toMatchObject([{ value: { committed: true } }, { value: { committed: false } }]);
  });

  it('that fail together fail each by itself', async () => {
    const { write } = table;
    table.transact = async () => {
      throw new Error('too large');
    };
    table.write = async (each) => {
      if ('put' in each && each.put.pk === 'b') throw new Error('too large');
      return write(each);
    };

    const ended = await writeTogether(
      table,
      ['a', 'b', 'c'].map((name) => (of) => of.write(put(name))),
    );

    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('leave what each by itself would leave, whatever the tasks do', async () => {
    const step = fc.record({ item: fc.nat(4), pause: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 6 }), async (plans) => {
        const memory = createMemoryTable();
        const ended = await writeTogether(
          memory,
          plans.map((steps) => async (of) => {
            for (const { item, pause } of steps) {
              for (let turn = 0; turn < pause; turn++) await Promise.resolve();
              for (let done = false; !done; ) {
                const key = { pk: `item ${item}`, sk: 'ROW' };
                const n = Number((await of.get(key))?.['version'] ?? 0);
                done = (await of.write({ put: { ...key, version: n + 1 }, when: atVersion(n) })).committed;
              }
            }
          }),
        );

        expect(ended.every(({ status }) => status === 'fulfilled')).toBe(true);
        for (const item of [0, 1, 2, 3, 4]) {
          const row = await memory.get({ pk: `item ${item}`, sk: 'ROW' });
          expect(row?.['version'] ?? 0).toBe(plans.flat().filter((each) => each.item === item).length);
        }
      }),
    );
  });
});
