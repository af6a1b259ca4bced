import { beforeEach, describe, expect, it } from 'vitest';
import { scoreTogether } from '../../functions/score/score-inquiry.ts';
import type { Write } from '../../shared/data/table.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { scoredFacts } from '../../shared/domain/scoring.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, friday } from '../support/fixtures.ts';

let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  pipeline = createPipeline(createMemoryTable());
});
const scoreOf = async (id: string) => (await pipeline.inquiries.find(id))?.score;

describe('scoring', () => {
  it('stores the score with its parts and asks for the routing', async () => {
    const id = await pipeline.captured();

    expect(await pipeline.score(id)).toBe('scored');

    expect(await scoreOf(id)).toMatchObject({ total: 54, tier: 'B', scoredAt: friday.toISOString() });
    expect(pipeline.queues.route.sent).toEqual([{ inquiryId: id, version: 1 }]);
  });

  it('delivered again keeps the first score, and asks for the routing that may never have been asked for', async () => {
    const id = await pipeline.captured();
    pipeline.queues.route.broken = true;
    await expect(pipeline.score(id)).rejects.toThrow();
    const first = await scoreOf(id);
    pipeline.queues.route.broken = false;
    pipeline.change((practice) => {
      for (const source of practice.sources) source.quality = 0;
    });

    expect(await pipeline.score(id)).toBe('scored_before');

    expect(await scoreOf(id)).toEqual(first);
    expect(pipeline.queues.route.sent).toHaveLength(1);
  });

  it('delivered many times at once, one of them acts', async () => {
    const id = await pipeline.captured();

    const outcomes = await Promise.all(Array.from({ length: 20 }, () => pipeline.score(id)));

    expect(outcomes.filter((outcome) => outcome === 'scored')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['scored', 'score_race_lost']));
    expect(pipeline.queues.route.sent).toHaveLength(1);
  });

  it('is not due once routed, closed or in quarantine, and nobody knows what is not there', async () => {
    const routed = await pipeline.mailed();
    const quarantined = await pipeline.captured({ quarantine: ['origin'] });
    const closed = await pipeline.captured();
    const change = changeStage(await pipeline.head(closed), 'closed', 'spam', friday);
    if (change.outcome === 'changed') await pipeline.table.write(pipeline.inquiries.save(change.next));
    pipeline.queues.score.take();

    for (const id of [routed, quarantined, closed]) expect(await pipeline.score(id)).toBe('score_not_due');
    expect(await pipeline.score(`inq_${'Z'.repeat(26)}`)).toBe('score_unknown_inquiry');
    expect(pipeline.queues.route.sent).toEqual([]);
  });
});

describe('the facts of a score', () => {
  it('do not take a point for reachable that cannot be one', async () => {
    const id = await pipeline.captured({
      email: undefined,
      fields: { email: 'not an address', phone: '650 555 0188', insurance: 'Blue' },
      invalidPoints: ['email'],
    });

    const body = (await pipeline.inquiries.find(id))?.body;

    expect(body && scoredFacts(body).has).toEqual({
      phone: true,
      email: false,
      name: false,
      service: false,
      insurance: true,
      preferred_time: false,
    });
  });
});

describe('scoring a batch', () => {
  const together = (...ids: readonly string[]) =>
    scoreTogether(
      pipeline.dependencies,
      ids.map((inquiryId) => ({ inquiryId, version: 1 })),
    );

  it('stores each score once and asks for the routings in one go', async () => {
    const ids = [await pipeline.captured(), await pipeline.captured({ name: 'Pedro', serviceId: 'implant' })];

    expect(await together(...ids)).toEqual(['scored', 'scored']);

    expect((await Promise.all(ids.map(scoreOf))).map((found) => found?.total)).toEqual([54, 76]);
    expect(pipeline.queues.route.sent).toEqual(ids.map((inquiryId) => ({ inquiryId, version: 1 })));
  });

  it('leaves to a look by itself what is scored, routed, not there or there twice', async () => {
    const [due, scored, routed] = [
      await pipeline.captured(),
      await pipeline.captured({ name: 'S' }),
      await pipeline.captured({ name: 'R' }),
    ];
    await pipeline.score(scored);
    await pipeline.score(routed);
    await pipeline.route(routed);
    pipeline.queues.route.take();

    expect(await together(due, scored, routed, `inq_${'Z'.repeat(26)}`, due)).toEqual([
      'scored',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(pipeline.queues.route.sent).toEqual([{ inquiryId: due, version: 1 }]);
  });

  it('of which one cannot be stored scores the others', async () => {
    const ids = [await pipeline.captured(), await pipeline.captured({ name: 'Pedro' })];
    const { write, transact } = pipeline.table;
    const isBroken = (each: Write): boolean => 'put' in each && each.put.pk.endsWith(String(ids[0]));
    pipeline.table.write = async (each) => {
      if (isBroken(each)) throw new Error('throttled');
      return write(each);
    };
    pipeline.table.transact = async (writes) => {
      if (writes.some(isBroken)) throw new Error('throttled');
      return transact(writes);
    };

    expect(await together(...ids)).toEqual([undefined, 'scored']);
  });

  it('whose routings could not be asked for asks for each by itself', async () => {
    const ids = [await pipeline.captured(), await pipeline.captured({ name: 'Pedro' })];
    pipeline.queues.route.broken = true;
    await expect(together(...ids)).rejects.toThrow();
    pipeline.queues.route.broken = false;

    expect(await Promise.all(ids.map(pipeline.score))).toEqual(['scored_before', 'scored_before']);
    expect(pipeline.queues.route.sent).toHaveLength(2);
  });
});
