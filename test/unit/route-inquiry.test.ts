import { beforeEach, describe, expect, it } from 'vitest';
import { RotationBusy, routeInquiry } from '../../functions/route/route-inquiry.ts';
import { coordinators, createPipeline, enable, minutes, smallPractice } from '../support/fixtures.ts';
import { createMemoryTable, type MemoryTable } from '../support/memory-table.ts';

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
      timers: { step: '2026-11-20T16:01:00.000Z' },
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
