import { beforeEach, describe, expect, it } from 'vitest';
import { RotationBusy } from '../../functions/route/dependencies.ts';
import { routeInquiry, routeTogether } from '../../functions/route/route-inquiry.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { coordinators, createPipeline, enable, minutes, smallPractice } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
});

const scored = async (change: Parameters<typeof pipeline.captured>[0] = {}): Promise<string> => {
  const id = await pipeline.captured(change);
  await pipeline.score(id);
  pipeline.queues.score.take();
  pipeline.queues.route.take();
  return id;
};
const assignees = async (ids: readonly string[]): Promise<(string | undefined)[]> =>
  Promise.all(ids.map(async (id) => (await pipeline.head(id)).assignedTo));
const countOf = (names: readonly (string | undefined)[]): Record<string, number> =>
  Object.fromEntries(coordinators.map((name) => [name, names.filter((other) => other === name).length]));

describe('routing', () => {
  it('assigns, sets respond-by in business time, writes the receipt and asks for the mail', async () => {
    const id = await scored();
    pipeline.environment.advance(2_000);

    expect(await pipeline.route(id)).toBe('routed');

    const head = await pipeline.head(id);
    expect(head).toMatchObject({
      version: 2,
      progress: 'routed',
      assignedTo: 'ana',
      poolId: 'skin',
      tier: 'B',
      score: 54,
      assignedAt: '2026-11-20T16:00:02.000Z',
      // An hour of opening time from its receipt at 8:00, an hour before opening.
      respondBy: '2026-11-20T18:00:00.000Z',
      mailKind: 'assigned',
      mailState: 'pending',
    });
    expect(head.receipt?.candidates.map(({ memberId, outcome }) => `${memberId} ${outcome}`)).toEqual([
      'ana assigned',
      'ben passed_over',
      'carla passed_over',
      'dev passed_over',
      'elena passed_over',
    ]);
    expect(pipeline.queues.mail.sent).toEqual([{ kind: 'inquiry', inquiryId: id, version: 2 }]);
    expect((await pipeline.routingStates.read()).load('ana')).toMatchObject({ open: 1, version: 1 });
  });

  it('delivered many times at once, assigns once and asks for one mail', async () => {
    const id = await scored();

    const outcomes = await Promise.all(Array.from({ length: 20 }, () => pipeline.route(id)));

    expect(outcomes.filter((outcome) => outcome === 'routed')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['routed', 'route_not_due']));
    expect((await pipeline.head(id)).version).toBe(2);
    expect(pipeline.queues.mail.sent).toHaveLength(1);
    expect((await pipeline.routingStates.read()).load('ana').open).toBe(1);
  });

  it('of many inquiries at once, each delivered twice, stays fair and counts each once', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => scored({ name: `Person ${i}` })));
    /** As the queue does: what was busy comes again. */
    const route = async (id: string): Promise<void> => {
      await pipeline.route(id).catch((error: unknown) => {
        if (!(error instanceof RotationBusy)) throw error;
        return route(id);
      });
    };

    await Promise.all([...ids, ...ids].map(route));

    expect(countOf(await assignees(ids))).toEqual({ ana: 6, ben: 6, carla: 6, dev: 6, elena: 6 });
    expect(pipeline.queues.mail.sent.length).toBe(30);
    const states = await pipeline.routingStates.read();
    expect(coordinators.map((id) => states.load(id).open)).toEqual([6, 6, 6, 6, 6]);
    expect(states.rotation('skin').version).toBe(30);
  });

  it('gives the turn to somebody else where a member was disabled between reading and writing', async () => {
    const id = await scored();
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      // As `practice apply` marks the load item, in the very moment before.
      await table.write({
        update: { pk: 'ROUTING', sk: 'MEMBER#ana' },
        set: { disabled: true },
        add: { version: 1 },
      });
      return transact(writes);
    };

    expect(await pipeline.route(id)).toBe('routed');

    const head = await pipeline.head(id);
    expect(head.assignedTo).toBe('ben');
    expect(head.receipt?.candidates[0]).toMatchObject({
      memberId: 'ana',
      outcome: 'excluded',
      reason: 'disabled',
    });
  });

  it('decides again where the turn was taken meanwhile, so that no lag is lost', async () => {
    const [first, second] = [await scored(), await scored({ name: 'Pedro' })];
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      // Another function, which already knows that ana is away.
      await routeInquiry(
        {
          ...pipeline.dependencies,
          practice: async () => {
            const practice = structuredClone(smallPractice);
            enable(false, 'ana')(practice);
            return practice;
          },
        },
        { inquiryId: second },
      );
      return transact(writes);
    };

    await pipeline.route(first);

    expect(await assignees([first, second])).toEqual(['carla', 'ben']);
    const { version, lags } = (await pipeline.routingStates.read()).rotation('skin');
    expect(version).toBe(2);
    expect(lags).toEqual({ ana: 0.2, ben: -0.55, carla: -0.55, dev: 0.45, elena: 0.45 });
  });

  it('leaves out who is disabled or gone, and says why', async () => {
    pipeline.change(enable(false, 'ana'));
    pipeline.change((practice) => {
      practice.members = practice.members.filter(({ id }) => id !== 'ben');
    });

    const id = await scored();
    await pipeline.route(id);

    const { assignedTo, receipt } = await pipeline.head(id);
    expect(assignedTo).toBe('carla');
    expect(receipt?.candidates.slice(0, 2).map(({ reason }) => reason)).toEqual([
      'disabled',
      'not in the configuration',
    ]);
  });

  it('keeps each pool its own turn, and begins where there is least open work', async () => {
    const skin = await scored();
    await pipeline.route(skin);
    const other = await scored({ name: 'Pedro', serviceId: undefined });
    await pipeline.route(other);

    expect(await pipeline.head(other)).toMatchObject({ poolId: 'intake', assignedTo: 'ben' });
  });

  it('waits on the clock while nobody can take it, and is handed out once somebody can', async () => {
    pipeline.change(enable(false, ...coordinators));
    const id = await scored();

    expect(await pipeline.route(id)).toBe('waiting');
    expect(await pipeline.head(id)).toMatchObject({
      progress: 'waiting',
      poolId: 'skin',
      respondBy: '2026-11-20T18:00:00.000Z',
      timers: { step: '2026-11-21T16:00:00.000Z' },
    });
    expect(await pipeline.route(id)).toBe('still_waiting');
    expect((await pipeline.head(id)).version).toBe(2);
    expect(pipeline.queues.mail.sent).toEqual([]);

    pipeline.change(enable(true, 'dev'));
    pipeline.environment.advance(minutes(1));
    await pipeline.sweep();
    expect(pipeline.queues.route.sent).toHaveLength(1);
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', assignedTo: 'dev' });
    expect(pipeline.mailer.sent.map(({ to }) => to)).toEqual([['dev@bayview.example']]);
  });

  it('is not due before the score, nor of what is not there', async () => {
    const id = await pipeline.captured();

    expect(await pipeline.route(id)).toBe('route_not_scored');
    expect(await pipeline.route(`inq_${'Z'.repeat(26)}`)).toBe('route_unknown_inquiry');
  });

  it('that finds the rotation busy in every attempt comes again', async () => {
    const id = await scored();
    table.conflicts = 100;

    await expect(pipeline.route(id)).rejects.toThrow(RotationBusy);

    table.conflicts = 0;
    expect(await pipeline.route(id)).toBe('routed');
  });
});

describe('routing a batch', () => {
  const together = (...ids: readonly string[]) =>
    routeTogether(
      pipeline.dependencies,
      ids.map((inquiryId) => ({ inquiryId })),
    );
  const batch = (n: number, change: Parameters<typeof scored>[0] = {}) =>
    Promise.all(Array.from({ length: n }, (_, i) => scored({ name: `Person ${i}`, ...change })));
  /** What of the table a routing leaves, but for how often the turn was saved. */
  const left = () =>
    table.rows().flatMap((row) => {
      if (row.sk !== 'HEAD' && row.pk !== 'ROUTING') return [];
      const { version: _saved, ...rest } = row;
      return [row.pk === 'ROUTING' ? rest : row];
    });

  it('leaves what routing one by one leaves, over two pools with the same members', async () => {
    pipeline.change((practice) => {
      for (const [i, member] of (practice.pools[0]?.members ?? []).entries()) member.weight = 1 + i;
    });
    const { practice } = pipeline.state;
    const run = async (routeAll: (ids: readonly string[]) => Promise<unknown>) => {
      table = createMemoryTable();
      pipeline = createPipeline(table, practice);
      const ids = [...(await batch(6)), ...(await batch(4, { serviceId: undefined }))];
      await routeAll(ids);
      return { rows: left(), mails: pipeline.queues.mail.sent };
    };

    const oneByOne = await run(async (ids) => {
      for (const id of ids) await pipeline.route(id);
    });
    const atOnce = await run((ids) => together(...ids));

    expect(atOnce).toEqual(oneByOne);
    expect(atOnce.mails).toHaveLength(10);
  });

  it('is one transaction: every head, a rotation for each pool, a load for each member', async () => {
    const ids = await batch(10);
    const { transact } = table;
    const sizes: number[] = [];
    table.transact = (writes) => {
      sizes.push(writes.length);
      return transact(writes);
    };

    expect(new Set(await together(...ids))).toEqual(new Set(['routed']));

    expect(sizes).toEqual([16]);
    const states = await pipeline.routingStates.read();
    expect(coordinators.map((id) => states.load(id))).toEqual(
      coordinators.map(() => ({
        open: 2,
        uncalled: 2,
        day: '2026-11-20',
        today: 2,
        version: 1,
        disabled: false,
      })),
    );
  });

  it('leaves to a look by itself what is not due, not scored, not there, there twice or broken', async () => {
    const [due, routed, broken] = [await scored(), await scored({ name: 'P' }), await scored({ name: 'B' })];
    const unscored = await pipeline.captured({ name: 'U' });
    await pipeline.route(routed);
    await table.write({ update: { pk: `INQ#${broken}`, sk: 'HEAD' }, set: { stage: 'nonsense' } });
    pipeline.queues.mail.take();

    expect(await together(due, routed, unscored, `inq_${'Z'.repeat(26)}`, due, broken)).toEqual([
      'routed',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);

    expect(pipeline.queues.mail.sent.map((message) => 'inquiryId' in message && message.inquiryId)).toEqual([
      due,
    ]);
  });

  it('leaves to a look by itself what nobody can take, and takes no turn for it', async () => {
    pipeline.change(enable(false, ...coordinators));
    const ids = await batch(3);

    expect(await together(...ids)).toEqual([undefined, undefined, undefined]);

    expect((await pipeline.routingStates.read()).rotation('skin').version).toBe(0);
  });

  it('of many inquiries at once, each delivered twice, stays fair and counts each once', async () => {
    const ids = await batch(40);
    const batches = Array.from({ length: 8 }, (_, i) => ids.filter((_id, n) => n % 4 === i % 4));

    const outcomes = await Promise.all(batches.map((each) => together(...each)));
    const rest = batches.flatMap((each, b) => each.filter((_id, i) => outcomes[b]?.[i] === undefined));
    for (const id of rest) await pipeline.route(id);

    expect(countOf(await assignees(ids))).toEqual({ ana: 8, ben: 8, carla: 8, dev: 8, elena: 8 });
    expect(pipeline.queues.mail.sent).toHaveLength(40);
    const states = await pipeline.routingStates.read();
    expect(coordinators.map((id) => states.load(id).open)).toEqual([8, 8, 8, 8, 8]);
  });

  it('that finds the rotation busy again and again leaves it to each one', async () => {
    const ids = await batch(2);
    table.conflicts = 100;

    expect(await together(...ids)).toEqual([undefined, undefined]);
    expect(pipeline.queues.mail.sent).toEqual([]);
  });

  it('reads again where somebody was disabled between reading and writing', async () => {
    const ids = await batch(2);
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      await table.write({
        update: { pk: 'ROUTING', sk: 'MEMBER#ana' },
        set: { disabled: true },
        add: { version: 1 },
      });
      return transact(writes);
    };

    expect(await together(...ids)).toEqual(['routed', 'routed']);
    expect(await assignees(ids)).toEqual(['ben', 'carla']);
  });

  it('whose mails could not be asked for is told of by the sweep', async () => {
    const ids = await batch(3);
    pipeline.queues.mail.broken = true;
    await expect(together(...ids)).rejects.toThrow();
    pipeline.queues.mail.broken = false;

    // The messages come again, one by one, and find nothing to do.
    expect(await Promise.all(ids.map(pipeline.route))).toEqual(ids.map(() => 'route_not_due'));
    pipeline.environment.advance(minutes(1));
    await pipeline.sweep();
    await pipeline.drain();

    expect(pipeline.mailer.sent).toHaveLength(3);
  });

  it('of more than a transaction takes is routed in several', async () => {
    const ids = await batch(40);

    expect(new Set(await together(...ids))).toEqual(new Set(['routed']));
  });

  it('that loses to others tries with half as many, and goes on with the rest', async () => {
    const ids = await batch(10);
    const { transact } = table;
    const tried: number[] = [];
    table.transact = async (writes) => {
      const heads = writes.filter((write) => 'put' in write && write.put.sk === 'HEAD').length;
      tried.push(heads);
      // Somebody with smaller transactions is always faster than one of more than three.
      return heads > 3 ? { committed: false, failed: new Map() } : transact(writes);
    };

    expect(new Set(await together(...ids))).toEqual(new Set(['routed']));
    expect(tried.slice(0, 3)).toEqual([10, 5, 2]);
    expect(pipeline.queues.mail.sent).toHaveLength(10);
  });
});
