import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHybridClock, keepingTime, mostAheadMs } from '../../shared/data/hybrid-clock.ts';
import {
  contactProfile,
  inquiryBody,
  inquiryHead,
  inquiryScore,
  poolRotation,
} from '../../shared/data/keys.ts';
import { absent, atVersion } from '../../shared/data/table.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';

const head = inquiryHead('inq_1');
const startMs = Date.parse('2026-11-20T17:00:00Z');

/** A process with a clock of its own, on a table that others change, too. */
function createProcess(table = createMemoryTable(), offMs = 0) {
  const machine = { ms: startMs + offMs };
  const clock = createHybridClock(() => machine.ms);
  return { machine, clock, table: keepingTime(table, clock) };
}

describe('a clock', () => {
  it('is the machine’s as long as nothing that is read is ahead of it', () => {
    const { machine, clock } = createProcess();
    clock.see(startMs - 1);

    expect(clock.now().getTime()).toBe(startMs);
    machine.ms += 5;
    expect(clock.now().getTime()).toBe(startMs + 5);
  });

  it('is just after what was read, until its machine is past that', () => {
    const { machine, clock } = createProcess();
    clock.see(startMs + 20);
    clock.see(startMs + 10);

    expect(clock.now().getTime()).toBe(startMs + 21);
    machine.ms += 21;
    expect(clock.now().getTime()).toBe(startMs + 21);
    machine.ms += 1;
    expect(clock.now().getTime()).toBe(startMs + 22);
  });

  it('does not go back where its machine is set back a little', () => {
    const { machine, clock } = createProcess();
    expect(clock.now().getTime()).toBe(startMs);
    machine.ms -= 40;

    expect(clock.now().getTime()).toBe(startMs);
  });

  it('follows nobody whose clock is wrong, nor itself where its machine is set back by much', () => {
    const { machine, clock } = createProcess();
    clock.see(startMs + mostAheadMs);
    expect(clock.now().getTime()).toBe(startMs);

    clock.see(startMs + mostAheadMs - 1);
    expect(clock.now().getTime()).toBe(startMs + mostAheadMs);
    machine.ms -= 60_000;
    expect(clock.now().getTime()).toBe(startMs - 60_000);
  });
});

describe('a process that changes what others have changed', () => {
  it('tells of it later, whatever their clocks differ by within a second', async () => {
    // Who follows somebody is a little ahead of them.
    const most = mostAheadMs / 2 - 50;
    const off = fc.integer({ min: -most, max: most });
    const turns = fc.array(fc.record({ who: fc.nat(2), afterMs: fc.nat(3) }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.tuple(off, off, off), turns, async (offs, turns) => {
        const shared = createMemoryTable();
        const processes = offs.map((offMs) => createProcess(shared, offMs));
        await shared.write({ put: { ...head, version: 1 } });
        const told: number[] = [];
        for (const { who, afterMs } of turns) {
          for (const { machine } of processes) machine.ms += afterMs;
          const { table, clock } = processes[who] as (typeof processes)[number];
          const version = Number((await table.get(head, { consistent: true }))?.['version']);
          told.push(clock.now().getTime());
          await table.write({ put: { ...head, version: version + 1 }, when: atVersion(version) });
        }

        expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
      }),
    );
  });

  it.each([
    ['gets it', (table: ReturnType<typeof keepingTime>) => table.get(head)],
    ['gets it with others', (table: ReturnType<typeof keepingTime>) => table.batchGet([head])],
    ['asks for what is there', (table: ReturnType<typeof keepingTime>) => table.query({ pk: head.pk })],
    [
      'meets it in a write',
      (table: ReturnType<typeof keepingTime>) => table.write({ put: { ...head, version: 1 }, when: absent }),
    ],
    [
      'claims it as it is',
      (table: ReturnType<typeof keepingTime>) => table.write({ update: head, add: { version: 1 } }),
    ],
    [
      'meets it in a transaction',
      (table: ReturnType<typeof keepingTime>) =>
        table.transact([
          { update: contactProfile('con_1'), set: { version: 1 } },
          { check: head, when: absent },
        ]),
    ],
  ])('knows its time where it %s', async (_, read) => {
    const shared = createMemoryTable();
    const fast = createProcess(shared, 40);
    await fast.table.write({ put: { ...head, version: 1 }, when: absent });
    const { table, clock } = createProcess(shared);

    await read(table);

    expect(clock.now().getTime()).toBe(startMs + 41);
  });
});

describe('what carries its time', () => {
  it('is what is new of people and inquiries, or goes over what was read, and nothing else', async () => {
    const shared = createMemoryTable();
    const { table } = createProcess(shared);
    const [profile, body, rotation] = [contactProfile('con_1'), inquiryBody('inq_1'), poolRotation('skin')];
    for (const key of [profile, rotation]) await shared.write({ put: { ...key, version: 1 } });
    await table.transact([
      { put: { ...head, version: 1 }, when: absent },
      { put: { ...body, text: 'x' } },
      { put: { ...inquiryScore('inq_1', 1), total: 5 }, when: absent },
      { update: profile, add: { version: 1 }, when: atVersion(1) },
      { update: rotation, add: { version: 1 }, when: atVersion(1) },
    ]);
    await table.write({ update: body, set: { text: 'y' } });

    expect(shared.peek(head)?.['clockMs']).toBe(startMs);
    expect(shared.peek(inquiryScore('inq_1', 1))?.['clockMs']).toBe(startMs);
    expect(shared.peek(profile)?.['clockMs']).toBe(startMs);
    expect(shared.peek(body)).toEqual({ ...body, text: 'y' });
    expect(shared.peek(rotation)).toEqual({ ...rotation, version: 2 });
  });
});
