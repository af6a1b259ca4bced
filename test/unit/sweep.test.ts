import { beforeEach, describe, expect, it } from 'vitest';
import { sweptNothing } from '../../functions/remind/sweep.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, hours, minutes } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
});

const nothing = sweptNothing();
/** Loses every message on its way. */
const loseMessages = () => {
  for (const queue of Object.values(pipeline.queues)) queue.take();
};

describe('the sweep', () => {
  it('asks again for what is stuck, and not before', async () => {
    const id = await pipeline.captured();
    loseMessages();
    pipeline.environment.advance(minutes(1) - 1);
    expect(await pipeline.sweep()).toEqual(nothing);

    pipeline.environment.advance(1);
    expect(await pipeline.sweep()).toEqual({ ...nothing, score: 1 });

    expect(pipeline.queues.score.sent).toEqual([{ inquiryId: id, version: 2 }]);
    expect(await pipeline.sweep()).toEqual(nothing);
  });

  it.each(['score', 'route', 'mail'] as const)('carries on where the %s message was lost', async (lost) => {
    const id = await pipeline.captured();
    if (lost !== 'score') await pipeline.score(id);
    if (lost === 'mail') await pipeline.route(id);
    loseMessages();
    pipeline.environment.advance(minutes(1));

    await pipeline.sweep();
    await pipeline.drain();

    expect((await pipeline.head(id)).progress).toBe('notified');
    expect(pipeline.mailer.sent).toHaveLength(1);
  });

  it('of many stuck ones brings each to its mail, once, two sweeps running at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 250 }, (_, i) => pipeline.captured({ name: `P${i}`, email: `p${i}@example.com` })),
    );
    loseMessages();
    pipeline.environment.advance(minutes(1));

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);

    expect(swept.reduce((sum, { score }) => sum + score, 0)).toBe(250);
    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId).toSorted()).toEqual(ids.toSorted());
  });

  it('escalates a call that was not made by respond-by, once for two sweeps at once', async () => {
    const id = await pipeline.mailed();
    pipeline.environment.set('2026-11-20T18:00:00.000Z');

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);
    await pipeline.drain();

    expect(swept.map(({ mail }) => mail).toSorted()).toEqual([0, 1]);
    expect(pipeline.mailer.sent.map(({ to, mail }) => [mail.subject, ...to])).toEqual([
      ['New inquiry: tier B, call by Fri 20 Nov, 10:00 AM PST', 'ana@bayview.example'],
      ['Escalated: tier B, call was due Fri 20 Nov, 10:00 AM PST', 'ana@bayview.example'],
      ['Escalated: tier B, call was due Fri 20 Nov, 10:00 AM PST', 'mia@bayview.example'],
      ['Taken over: tier B, call by Fri 20 Nov, 11:00 AM PST', 'ben@bayview.example'],
    ]);
    const head = await pipeline.head(id);
    expect(head).toMatchObject({ reminders: 1, assignedTo: 'ben', hadBy: ['ana'], mailState: 'sent' });
    expect(head).not.toHaveProperty('reassign');
  });

  it('puts off what it cannot read, tells of it, and goes on to what is behind it', async () => {
    const broken = await pipeline.captured();
    const id = await pipeline.captured({ name: 'Pedro' });
    loseMessages();
    await table.write({ update: inquiryHead(broken), set: { stage: 'nonsense' } });
    await table.write({
      put: { pk: 'WHAT#1', sk: 'IS', duePk: 'DUE#0', dueSk: '2026-01-01T00:00:00.000Z#x' },
    });
    pipeline.environment.advance(minutes(1));

    expect(await pipeline.sweep()).toEqual({ ...nothing, score: 1, broken: 2 });

    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual([id]);
    expect(pipeline.broken.map(({ pk }) => pk).toSorted()).toEqual([`INQ#${broken}`, 'WHAT#1']);
    expect((await pipeline.sweep()).broken).toBe(0);
    pipeline.environment.advance(hours(1));
    expect((await pipeline.sweep()).broken).toBe(2);
  });

  it('asks within a minute for what it could not claim for a fault of the table, whatever it is', async () => {
    const id = await pipeline.captured({ redFlags: ['chest-pain'] });
    loseMessages();
    const { write } = table;
    table.write = async () => {
      throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    };
    pipeline.environment.advance(minutes(2));
    expect(await pipeline.sweep()).toEqual({ ...nothing, broken: 2 });
    table.write = write;

    pipeline.environment.advance(minutes(1));
    expect(await pipeline.sweep()).toEqual({ ...nothing, score: 1, alerts: 1 });

    expect(pipeline.queues.mail.sent).toEqual([{ kind: 'alert', inquiryId: id }]);
  });

  it('puts nothing off that was moved on meanwhile, though it cannot be read', async () => {
    const key = { pk: 'WHAT#1', sk: 'IS' };
    const due = { duePk: 'DUE#0', dueSk: '2026-01-01T00:00:00.000Z#x' };
    await table.write({ put: { ...key, ...due, dueSk: '2030-01-01T00:00:00.000Z#x' } });
    const { query } = table;
    table.query = async (wanted) =>
      wanted.index === 'due' && wanted.pk === 'DUE#0' ? { rows: [{ ...key, ...due }] } : query(wanted);

    expect((await pipeline.sweep()).broken).toBe(1);

    expect(await table.get(key)).toMatchObject({ dueSk: '2030-01-01T00:00:00.000Z#x' });
  });

  it('one entry that cannot be written holds up no other', async () => {
    const stuck = await pipeline.captured();
    const others = await Promise.all(['A', 'B', 'C'].map((name) => pipeline.captured({ name })));
    loseMessages();
    const { write } = table;
    table.write = async (change) => {
      if ('put' in change && change.put.pk === `INQ#${stuck}`) throw new Error('refused');
      return write(change);
    };
    pipeline.environment.advance(minutes(1));

    expect(await pipeline.sweep()).toEqual({ ...nothing, score: 3, broken: 1 });

    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId).toSorted()).toEqual(
      others.toSorted(),
    );
    table.write = write;
    expect(await pipeline.sweep()).toEqual({ ...nothing, score: 1 });
  });

  it('does nothing about an index entry that was true a moment ago', async () => {
    const closed = await pipeline.captured();
    const gone = await pipeline.captured({ name: 'Pedro' });
    pipeline.environment.advance(minutes(1));
    const stale = await table.query({ index: 'due', pk: 'DUE#0' });
    const change = changeStage(await pipeline.head(closed), 'closed', 'spam', pipeline.environment.now());
    if (change.outcome === 'changed') await table.write(pipeline.inquiries.save(change.next));
    await table.write({ remove: inquiryHead(gone) });
    const { query } = table;
    const rows = [closed, gone].map((id) => ({ ...inquiryHead(id), duePk: 'DUE#0', dueSk: 'past' }));
    table.query = async (wanted) =>
      wanted.index === 'due'
        ? { rows: wanted.pk === 'DUE#0' ? [...stale.rows.slice(0, 0), ...rows] : [] }
        : query(wanted);
    loseMessages();

    expect(await pipeline.sweep()).toEqual({ ...nothing, stale: 1 });

    expect(pipeline.queues.score.sent).toEqual([]);
  });

  it('that could not enqueue leaves what it claimed to the next one', async () => {
    const id = await pipeline.captured();
    loseMessages();
    pipeline.queues.score.broken = true;
    pipeline.environment.advance(minutes(1));
    await expect(pipeline.sweep()).rejects.toThrow('away');
    pipeline.queues.score.broken = false;

    pipeline.environment.advance(minutes(1));
    await pipeline.sweep();

    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual([id]);
  });

  it('that ends in the middle of a page has asked for all but a few of what it claimed', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    loseMessages();
    pipeline.environment.advance(minutes(1));
    const { write } = table;
    let claims = 0;
    table.write = async (change) => (++claims <= 100 ? write(change) : new Promise(() => {}));

    void pipeline.sweep();

    // Of the hundred, each of the four shards may keep nine back.
    await expect.poll(() => pipeline.queues.score.sent.length).toBeGreaterThanOrEqual(64);
  });

  it('stops between two pages when its time is up, and the next goes on', async () => {
    await Promise.all(Array.from({ length: 900 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    loseMessages();
    pipeline.environment.advance(minutes(1));
    pipeline.dependencies.remainingMs = () => 1_000;

    const first = await pipeline.sweep();
    expect(first.score).toBeGreaterThan(0);
    expect(first.score).toBeLessThan(900);

    pipeline.dependencies.remainingMs = () => 60_000;
    expect((await pipeline.sweep()).score).toBe(900 - first.score);
  });
});
