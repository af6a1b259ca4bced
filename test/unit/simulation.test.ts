/** The simulation itself: small runs in which nothing may be wrong, each the same for the same seed. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { Refusal } from '../../ops/terminal.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { createAgenda } from '../../simulation/agenda.ts';
import { figuresOf, tableOf } from '../../simulation/figures.ts';
import { readArguments } from '../../simulation/main.ts';
import { createMemoryTable, type RowChange } from '../../simulation/memory-table.ts';
import { momentOf } from '../../simulation/moment.ts';
import { createRandom } from '../../simulation/random.ts';
import { simulate } from '../../simulation/simulate.ts';
import { ruleOf } from '../support/rules.ts';

const file = 'practices/dermatology.yaml';
const practice = readPracticeFile(readFileSync(file, 'utf8')).practice as Practice;
const from = momentOf('Fri 15:00', 'America/Chicago') as Date;
const until = momentOf('Mon 12:00', 'America/Chicago', from) as Date;
const run = (seed: number, change: { readonly inquiries?: number; readonly until?: Date } = {}) =>
  simulate({ practice, inquiries: 40, from, until, seed, ...change });

describe('a run of 40 inquiries', { timeout: 120_000 }, () => {
  it.each([1, 2, 3])('has nothing wrong at any step, nor at its end (seed %i)', async (seed) => {
    const done = await run(seed);
    const { counts, violations, members, tiers, pools, mails } = figuresOf(done);

    expect(violations).toEqual({
      noNextAction: 0,
      notEligible: 0,
      overCap: 0,
      waitedInVain: 0,
      suppressed: 0,
      namesPerson: 0,
    });
    expect(done.faults).toEqual([]);
    expect(done.world.troubles).toEqual([]);
    expect(counts).toMatchObject({ acknowledged: 40, stored: 40 });
    // Staff's calls are refused only where somebody was faster.
    expect([...done.world.answers.keys()].filter((name) => !/ (2\d\d|409|412)$/.test(name))).toEqual([]);

    expect(members).toHaveLength(8);
    // What whoever was disabled had went back to its pools.
    expect(members.find(({ memberId }) => memberId === done.disabled)?.open).toBe(0);
    const total = (list: readonly { readonly inquiries: number }[]) =>
      list.reduce((sum, { inquiries }) => sum + inquiries, 0);
    expect([total(tiers), total(pools)]).toEqual([40, 40]);
    const kinds = mails.map(([kind]) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['assigned', 'acknowledgement', 'digest']));
  });
});

it('has nothing wrong where rules take inquiries elsewhere at calls, stages and in silence', {
  timeout: 120_000,
}, async () => {
  const moving = structuredClone(practice);
  moving.rules.push(
    ruleOf({
      id: 'not-reached',
      on: ['disposition'],
      when: { field: 'disposition', operator: 'in', value: ['voicemail', 'no_answer'] },
      actions: [{ do: 'send_to_pool', pool: 'cosmetic' }],
    }),
    ruleOf({ id: 'consults', on: ['stage_change'], actions: [{ do: 'send_to_member', member: 'bea' }] }),
    ruleOf({
      id: 'quiet',
      on: ['silence'],
      silentHours: 1,
      actions: [{ do: 'send_to_specialty', specialty: 'mohs' }],
    }),
  );
  const saturday = momentOf('Sat 13:00', 'America/Chicago', from) as Date;
  const done = await simulate({ practice: moving, inquiries: 40, from, until: saturday, seed: 4 });

  const { violations } = figuresOf(done);
  expect([...Object.values(violations), done.faults, done.world.troubles]).toEqual([
    0,
    0,
    0,
    0,
    0,
    0,
    [],
    [],
  ]);
  const receipts = [...done.observer.inquiries.values()].flatMap(({ assigned }) => assigned);
  const by = new Set(
    receipts.flatMap(({ receipt }) => receipt?.by ?? []).filter((who) => who.startsWith('rule:')),
  );
  expect([...by].toSorted()).toEqual(['rule:consults', 'rule:not-reached', 'rule:quiet']);
});

it('the same seed gives the same, to the last row and mail, and another something else', {
  timeout: 120_000,
}, async () => {
  const short = { inquiries: 25, until: momentOf('Sat 13:00', 'America/Chicago', from) as Date };
  const [first, second, other] = [await run(7, short), await run(7, short), await run(8, short)];
  const mails = ({ world }: typeof first) =>
    world.mails.map(({ at, to, subject, text }) => [at, ...to, subject, text]);

  expect(tableOf(figuresOf(second))).toBe(tableOf(figuresOf(first)));
  expect(mails(second)).toEqual(mails(first));
  expect(second.world.table.rows()).toEqual(first.world.table.rows());
  expect(mails(other)).not.toEqual(mails(first));
});

describe('arguments', () => {
  const refused: [string[], string][] = [
    [[], 'Name the practice file: --practice practices/dermatology.yaml'],
    [['--practice', 'nowhere.yaml'], 'Cannot read nowhere.yaml (ENOENT).'],
    [['--practice', file, '--inquiries', 'many'], '--inquiries must be a whole number from 1 to 100000.'],
    [['--practice', file, '--inquiries', '0'], '--inquiries must be a whole number from 1 to 100000.'],
    [['--practice', file, '--seed=-1'], '--seed must be a whole number from 0 to 2147483647.'],
    [
      ['--practice', file, '--from', 'someday'],
      '--from must be a moment such as "Fri 15:00" or "2026-11-13 15:00".',
    ],
    [
      ['--practice', file, '--from', '2026-11-13 15:00', '--until', '2026-11-13 14:00'],
      '--until must be later than --from, by at most 31 days.',
    ],
  ];
  it.each(refused)('%j are refused in one line', (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
    expect(message).not.toContain('\n');
  });

  it.each([
    [['--practise', file], "Unknown option '--practise'."],
    [['--practice', file, '--seed', '-1'], "Option '--seed' argument is ambiguous."],
    [['--practice', file, 'more'], "Unexpected argument 'more'."],
  ])('%j are refused in one line, too', (args, message) => {
    expect(() => readArguments(args)).toThrow(new Refusal(message));
  });

  it('left out are those of an afternoon', () => {
    expect(readArguments(['--practice', file])).toMatchObject({
      inquiries: 500,
      seed: 1,
      from,
      until,
      inbox: true,
    });
    expect(readArguments(['--practice', file, '--no-inbox', '--seed', '9'])).toMatchObject({
      seed: 9,
      inbox: false,
    });
  });
});

describe('a moment', () => {
  it('is a weekday and a time of one week, or the next such after another', () => {
    const zone = 'America/Denver';
    const friday = momentOf('fri 9:05', zone);

    expect(friday?.toISOString()).toBe('2026-11-13T16:05:00.000Z');
    expect(momentOf('Friday 09:05', zone, friday)?.toISOString()).toBe('2026-11-20T16:05:00.000Z');
    expect(momentOf('2026-12-01 08:00', zone)?.toISOString()).toBe('2026-12-01T15:00:00.000Z');
    for (const wrong of ['', 'Fri', 'Fri 25:00', 'Fo 12:00', '2026-02-30 10:00', '15:00'])
      expect(momentOf(wrong, zone)).toBeUndefined();
  });
});

describe('virtual time', () => {
  it('does things by their instant, and of one instant in the order of asking', async () => {
    const agenda = createAgenda(0);
    const done: string[] = [];
    const note = (name: string) => () => void done.push(`${name} at ${agenda.nowMs()}`);
    agenda.at(30, note('c'));
    agenda.at(10, async () => {
      note('a')();
      agenda.at(20, note('b'));
      // Nothing happens in the past.
      agenda.at(5, note('a2'));
    });
    agenda.at(30, note('d'));
    agenda.at(31, note('later'));

    await agenda.runUntil(30);

    expect(done).toEqual(['a at 10', 'a2 at 10', 'b at 20', 'c at 30', 'd at 30']);
  });

  it('keeps its order with many', async () => {
    const agenda = createAgenda(0);
    const random = createRandom('many');
    const seen: number[] = [];
    for (let i = 0; i < 2_000; i++) agenda.at(random.between(0, 500), () => void seen.push(agenda.nowMs()));

    await agenda.runUntil(500);

    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen).toHaveLength(2_000);
  });
});

it('the stream of the table tells each commit, as it was and as it is', async () => {
  const told: RowChange[][] = [];
  const table = createMemoryTable({ onCommit: (changes) => void told.push([...changes]) });
  const key = { pk: 'A', sk: 'B' };
  const other = { pk: 'A', sk: 'C' };
  await table.write({ put: { ...key, n: 1 } });
  await table.transact([{ put: { ...key, n: 2 } }, { put: other }]);
  await table.transact([{ remove: other }, { check: key, when: [[['n', '=', 2]]] }]);
  await table.write({ put: { ...key, n: 3 }, when: [[['n', '=', 9]]] });

  expect(told).toEqual([
    [expect.objectContaining({ before: undefined, after: { ...key, n: 1 } })],
    [
      expect.objectContaining({ before: { ...key, n: 1 }, after: { ...key, n: 2 } }),
      expect.objectContaining({ before: undefined, after: other }),
    ],
    [expect.objectContaining({ before: other, after: undefined })],
  ]);
});
