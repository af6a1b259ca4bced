import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { applyConfiguration, planConfiguration } from '../../shared/data/apply-configuration.ts';
import { ConfigurationMissing, createConfigurationReader } from '../../shared/data/configuration.ts';
import { configuration, configurationPk, memberLoad, weeklyReport } from '../../shared/data/keys.ts';
import { queryAll, type Table } from '../../shared/data/table.ts';
import { localTime, weekdayOf } from '../../shared/domain/local-time.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { nextReportAt } from '../../shared/domain/weekly-report.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { freshTable } from '../support/dynamodb.ts';

/** The demo practice as it is read back: its rules are never changed here, and so stay the first. */
const demo: Practice = {
  ...(readPracticeFile(readFileSync('practices/demo.yaml', 'utf8')).practice as Practice),
  rulesVersion: 1,
};
/** A Friday. */
const start = new Date('2026-11-20T15:00:00.000Z');

/** The demo practice with something changed in it. */
function changed(change: (practice: Practice) => void, from = demo): Practice {
  const practice = structuredClone(from);
  change(practice);
  return practice;
}
const disable = (id: string) => (practice: Practice) => {
  for (const member of practice.members) if (member.id === id) member.enabled = false;
};
const drop = (id: string) => (practice: Practice) => {
  practice.members = practice.members.filter((member) => member.id !== id);
  for (const pool of practice.pools) pool.members = pool.members.filter((member) => member.id !== id);
};

let table: Table;
beforeEach(async () => {
  ({ table } = await freshTable());
});
const apply = (practice: Practice, author = 'ada', on = table) =>
  applyConfiguration({ table: on, practice, author, now: () => start });
const stored = () => queryAll(table, { pk: configurationPk, consistent: true });
const reader = (on = table) => createConfigurationReader({ table: on, now: () => start });

describe('apply', () => {
  it('stores every entity with its version, author, time and place in the file', async () => {
    const applied = await apply(demo);

    const rows = await stored();
    expect(applied).toMatchObject({ outcome: 'applied', version: 1 });
    expect(rows).toHaveLength(5 + 2 + 15 + 7 + 2 + 8 + 3 + 1);
    expect(rows.find(({ sk }) => sk === 'SERVICES#dermatology-skin-check')).toEqual({
      ...configuration.entity('services', 'dermatology-skin-check'),
      kind: 'services',
      id: 'dermatology-skin-check',
      position: 2,
      version: 1,
      schemaVersion: 1,
      author: 'ada',
      updatedAt: start.toISOString(),
      via: 'file',
      configurationVersion: 1,
      data: demo.services[1],
    });
    // The reader relies on this order.
    expect(rows.at(-1)).toMatchObject({ ...configuration.version, version: 1 });
  });

  it('gives the practice back as it was', async () => {
    await apply(demo);

    expect(await reader().current()).toEqual(demo);
  });

  it('again changes nothing', async () => {
    await apply(demo);
    const before = await stored();

    expect(await apply(demo, 'somebody else')).toEqual({ outcome: 'unchanged', version: 1 });
    expect(await stored()).toEqual(before);
  });

  it('writes what changed and nothing else', async () => {
    await apply(demo);
    const next = changed((practice) => {
      practice.name = 'Bayview';
      practice.services.splice(3, 1);
      practice.services.splice(1, 0, { id: 'peel', name: 'Chemical peel', aliases: [], valueCents: 30_000 });
      for (const pool of practice.pools) {
        pool.services = pool.services.filter((id) => id !== 'dermatology-psoriasis');
      }
    });

    const planned = await planConfiguration(table, next);
    const applied = await apply(next, 'mia');

    const changes = [
      { kind: 'services', id: 'peel', change: 'add' },
      { kind: 'practice', id: 'practice', change: 'change' },
      { kind: 'pools', id: 'dermatology', change: 'change' },
      { kind: 'services', id: 'dermatology-psoriasis', change: 'remove' },
    ];
    expect(applied).toEqual({ outcome: 'applied', version: 2, changes });
    expect(planned).toEqual({ version: 1, changes, conflicts: [] });
    expect(await reader().current()).toEqual(next);
    const byMia = (await stored()).filter(({ author }) => author === 'mia');
    expect(byMia.map(({ sk, version }) => [sk, version])).toEqual([
      ['POOLS#dermatology', 2],
      ['PRACTICE', 2],
      ['SERVICES#peel', 1],
      ['VERSION', 2],
    ]);
  });

  it('keeps the order of the file, whatever moves', async () => {
    await apply(demo);
    for (const turn of [1, 2, 3]) {
      const next = changed((practice) => {
        practice.sources.push(...practice.sources.splice(0, turn));
        practice.members.reverse();
      });

      await apply(next);

      expect(await reader().current()).toEqual(next);
    }
  });

  it('keeps the order over more insertions at one place than halving allows', async () => {
    const memory = createMemoryTable();
    let practice = demo;
    for (let i = 0; i < 120; i++) {
      practice = changed(({ services }) => {
        services.splice(1, 0, { id: `s-${i}`, name: `S ${i}`, aliases: [], valueCents: i });
      }, practice);
      await apply(practice, 'ada', memory);
    }

    expect(await reader(memory).current()).toEqual(practice);
  });

  it('takes as many transactions as a large practice needs', async () => {
    const large = changed(({ services }) => {
      for (let i = 0; i < 250; i++) {
        services.push({ id: `s-${i}`, name: `Service ${i}`, aliases: [], valueCents: i });
      }
    });

    expect(await apply(large)).toMatchObject({ outcome: 'applied', version: 3 });
    expect(await reader().current()).toEqual(large);
    expect(await apply(demo)).toMatchObject({ outcome: 'applied', version: 6 });
    expect(await reader().current()).toEqual(demo);
  });

  it('by several at once lets one win whole and tells the others', async () => {
    await apply(demo);
    const versions = ['a', 'b', 'c', 'd'].map((name) =>
      changed((practice) => {
        practice.name = name;
        practice.services.push({ id: `only-${name}`, name: `Only ${name}`, aliases: [], valueCents: 1 });
      }),
    );

    const outcomes = await Promise.all(versions.map((practice) => apply(practice)));

    // Whoever only began after another had finished applies, too: each is whole, or told.
    const winners = versions.filter((_, i) => outcomes[i]?.outcome === 'applied');
    const told = outcomes.filter(({ outcome }) => outcome === 'overtaken');
    expect(winners.length).toBeGreaterThan(0);
    expect(winners.length + told.length).toBe(versions.length);
    expect(winners).toContainEqual(await reader().current());
  });

  it('for the first time by two at once lets one win', async () => {
    const versions = [demo, changed(disable('ben'))];

    const outcomes = await Promise.all(versions.map((practice) => apply(practice)));

    const winners = versions.filter((_, i) => outcomes[i]?.outcome === 'applied');
    expect(winners).toContainEqual(await reader().current());
  });

  it('overtaken between two transactions is completed by the other', async () => {
    const memory = createMemoryTable();
    const large = changed(({ services }) => {
      for (let i = 0; i < 150; i++)
        services.push({ id: `s-${i}`, name: `S ${i}`, aliases: [], valueCents: i });
    });
    let transactions = 0;
    const interrupted: Table = {
      ...memory,
      async transact(writes) {
        transactions += 1;
        if (transactions === 2) await apply(demo, 'mia', memory);
        return memory.transact(writes);
      },
    };

    expect(await apply(large, 'ada', interrupted)).toEqual({ outcome: 'overtaken' });
    expect(await reader(memory).current()).toEqual(demo);
  });

  it('tries again where it only meets another transaction', async () => {
    const memory = createMemoryTable();
    memory.conflicts = 2;

    expect(await apply(demo, 'ada', memory)).toMatchObject({ outcome: 'applied' });
    expect(memory.conflicts).toBe(0);
  });
});

describe('a member’s load', () => {
  const load = (id: string) => table.get(memberLoad(id), { consistent: true });

  it('is left alone while nothing about the member changes', async () => {
    await apply(demo);

    expect(await load('ana')).toBeUndefined();
  });

  it('is disabled and enabled with the member, and its version moves each time', async () => {
    await apply(demo);
    await table.write({ put: { ...memberLoad('ben'), version: 5, open: 3 } });

    await apply(changed(disable('ben')));
    expect(await load('ben')).toEqual({
      ...memberLoad('ben'),
      version: 6,
      open: 3,
      disabled: true,
      schemaVersion: 1,
    });
    await apply(changed(disable('ben')));
    expect(await load('ben')).toMatchObject({ version: 6 });
    await apply(demo);
    expect(await load('ben')).toEqual({
      ...memberLoad('ben'),
      version: 7,
      open: 3,
      disabled: false,
      schemaVersion: 1,
    });
  });

  it('is disabled when the member goes, enabled on coming back', async () => {
    await apply(demo);

    await apply(changed(drop('carla')));
    expect(await load('carla')).toMatchObject({ version: 1, disabled: true });
    await apply(demo);
    expect(await load('carla')).toMatchObject({ version: 2, disabled: false });
  });
});

describe('a location’s weekly report', () => {
  const report = (id: string) => table.get(weeklyReport(id), { consistent: true });

  it('is due next Monday at seven, there', async () => {
    await apply(demo);

    const nextAt = '2026-11-23T15:00:00.000Z';
    const row = await report('mountain-view');
    expect(row).toEqual({
      ...weeklyReport('mountain-view'),
      entity: 'weekly-report',
      locationId: 'mountain-view',
      version: 0,
      nextAt,
      duePk: expect.stringMatching(/^DUE#[0-3]$/),
      dueSk: `${nextAt}#mountain-view`,
      schemaVersion: 1,
    });
    expect(await report('new-york')).toMatchObject({ nextAt: '2026-11-23T12:00:00.000Z' });
    expect((await table.query({ index: 'due', pk: String(row?.['duePk']) })).rows).toContainEqual(
      expect.objectContaining(weeklyReport('mountain-view')),
    );
  });

  it('keeps its time over the next apply, and goes with its location', async () => {
    await apply(demo);
    await table.write({ update: weeklyReport('new-york'), set: { nextAt: 'moved' } });
    await apply(demo);
    expect(await report('new-york')).toMatchObject({ nextAt: 'moved' });

    await apply(changed((practice) => void practice.locations.splice(1)));
    expect(await report('new-york')).toBeUndefined();
    expect(await report('mountain-view')).toBeDefined();
  });

  it.each([
    ['2026-11-23T14:59:59.999Z', '2026-11-23T15:00:00.000Z'],
    ['2026-11-23T15:00:00.000Z', '2026-11-30T15:00:00.000Z'],
    // Sunday in the zone, Monday in UTC.
    ['2026-11-23T07:00:00.000Z', '2026-11-23T15:00:00.000Z'],
    // Over the end of daylight-saving time on 1 November: 7:00 there all the same.
    ['2026-10-30T12:00:00.000Z', '2026-11-02T15:00:00.000Z'],
    ['2026-10-20T12:00:00.000Z', '2026-10-26T14:00:00.000Z'],
  ])('after %s is due at %s', (now, at) => {
    expect(nextReportAt(new Date(now), { timeZone: 'America/Los_Angeles' })).toBe(at);
    const local = localTime(at, 'America/Los_Angeles');
    expect([weekdayOf(local), local.time]).toEqual(['monday', '07:00']);
  });
});

describe('the reader', () => {
  /** A table that counts what is read of it, and fails on demand. */
  function watched(on: Table) {
    const reads: string[] = [];
    const watch = { reads, failing: false };
    const read = async <T>(what: string, then: () => Promise<T>): Promise<T> => {
      reads.push(what);
      if (watch.failing) throw new Error('the table is away');
      return then();
    };
    const spy: Table = {
      ...on,
      // Most functions may not get single items.
      get: (key) => Promise.reject(new Error(`get ${key.sk}`)),
      query: (query) => read(query.from ?? 'all', () => on.query(query)),
    };
    return { watch, spy };
  }

  function clocked(maxAgeMs?: number) {
    let nowMs = start.getTime();
    const pass = (ms: number) => {
      nowMs += ms;
    };
    const { watch, spy } = watched(table);
    const stale: unknown[] = [];
    const { current, fresh } = createConfigurationReader({
      table: spy,
      now: () => new Date(nowMs),
      onStale: (error) => stale.push(error),
      ...(maxAgeMs && { maxAgeMs }),
    });
    return { watch, current, fresh, pass, stale };
  }

  it('says what to do where no practice has been applied', async () => {
    const error = await reader()
      .current()
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ConfigurationMissing);
    expect(error).toMatchObject({ code: 'configuration_missing' });
    expect(String(error)).toContain('npm run practice -- apply <file>');
  });

  it('finds a practice applied after it was missing', async () => {
    const { current } = clocked();
    await expect(current()).rejects.toThrow(ConfigurationMissing);
    await apply(demo);

    expect(await current()).toEqual(demo);
  });

  it('loads once for all who ask at the same time, and again only past its age', async () => {
    await apply(demo);
    const { watch, current, pass } = clocked();

    const practices = await Promise.all([current(), current(), current()]);
    pass(9_999);
    await current();
    expect(watch.reads).toEqual(['all']);
    expect(new Set(practices).size).toBe(1);

    pass(1);
    await Promise.all([current(), current()]);
    await current();
    expect(watch.reads).toEqual(['all', 'VERSION']);
  });

  it('reads everything again when the version has changed', async () => {
    await apply(demo);
    const { watch, current, pass } = clocked(1_000);
    await current();
    await apply(changed(disable('dev')));
    expect((await current()).members[3]?.enabled).toBe(true);

    pass(1_000);
    expect((await current()).members[3]?.enabled).toBe(false);
    expect(watch.reads).toEqual(['all', 'VERSION', 'all']);
  });

  it('goes on with the one it has while the table is away, and sees what changed once it is back', async () => {
    await apply(demo);
    const { watch, current, pass, stale } = clocked();
    await current();
    await apply(changed(disable('dev')));

    pass(10_000);
    watch.failing = true;
    expect(await current()).toEqual(demo);
    watch.failing = false;
    pass(1_000);
    expect((await current()).members[3]?.enabled).toBe(false);
    expect(stale).toHaveLength(1);
    expect(watch.reads).toEqual(['all', 'VERSION', 'VERSION', 'all']);
  });

  it('asks a table that is away ever more rarely, up to once a minute, however many messages come', async () => {
    await apply(demo);
    const { watch, current, pass, stale } = clocked();
    await current();
    pass(10_000);
    watch.failing = true;
    watch.reads.length = 0;

    const askedAtSeconds: number[] = [];
    for (let second = 0; second < 200; second += 1) {
      for (let message = 0; message < 5; message += 1) expect(await current()).toEqual(demo);
      if (watch.reads.length > askedAtSeconds.length) askedAtSeconds.push(second);
      pass(1_000);
    }
    expect(askedAtSeconds).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(watch.reads).toHaveLength(askedAtSeconds.length);
    expect(stale).toHaveLength(askedAtSeconds.length);
  });

  it('is as patient as ever with a table that was away and came back', async () => {
    await apply(demo);
    const { watch, current, pass } = clocked();
    await current();
    for (const failing of [true, true, true, false, true]) {
      watch.failing = failing;
      pass(60_000);
      await current();
    }
    watch.reads.length = 0;

    pass(999);
    await current();
    expect(watch.reads).toEqual([]);
    pass(1);
    await current();
    expect(watch.reads).toEqual(['VERSION']);
  });

  it('fails where it has none and the table is away, and asks each time: nothing else would do', async () => {
    await apply(demo);
    const { watch, current } = clocked();
    watch.failing = true;
    await expect(current()).rejects.toThrow('away');

    watch.failing = false;
    expect(await current()).toEqual(demo);
  });

  it('looks at once where asked for the practice as it is now', async () => {
    await apply(demo);
    const { watch, current, fresh } = clocked();
    await current();
    expect(await fresh()).toEqual(demo);
    await apply(changed(disable('dev')));

    expect((await fresh()).members[3]?.enabled).toBe(false);
    expect((await current()).members[3]?.enabled).toBe(false);
    expect(watch.reads).toEqual(['all', 'VERSION', 'VERSION', 'all']);
  });

  it('does not take for fresh what was looked at before, and looks once for all who ask', async () => {
    await apply(demo);
    const { watch, current, fresh, pass } = clocked();
    await current();
    pass(10_000);

    await Promise.all([current(), fresh(), fresh()]);
    expect(watch.reads).toEqual(['all', 'VERSION', 'VERSION']);
  });

  it('gives nothing for fresh while the table is away', async () => {
    await apply(demo);
    const { watch, current, fresh } = clocked();
    await current();
    watch.failing = true;

    await expect(fresh()).rejects.toThrow('away');
    expect(await current()).toEqual(demo);
    await expect(fresh()).rejects.toThrow('away');
    watch.failing = false;
    expect(await fresh()).toEqual(demo);
  });

  it('fails at what a later release stored', async () => {
    await apply(demo);
    const row = (await stored()).find(({ kind }) => kind === 'members');
    if (row) await table.write({ put: { ...row, schemaVersion: 2 } });

    await expect(reader().current()).rejects.toThrow('unknown version');
  });
});

describe('what is written', () => {
  it('is valid: readers trust it', async () => {
    const broken = changed((practice) => {
      practice.pools = [];
    });

    await expect(apply(broken)).rejects.toThrow('exactly one pool must be the fallback');
    expect(await stored()).toEqual([]);
  });
});
