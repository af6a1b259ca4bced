/** Who gets what, on DynamoDB's own engine: caps, waiting, the disabled and work by hand, with two writers racing. */
import { beforeEach, describe, expect, it } from 'vitest';
import { assignInquiry, type WantedAssignment } from '../../functions/api/assign-inquiry.ts';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import { RotationBusy } from '../../functions/route/dependencies.ts';
import { handleMessage } from '../../functions/route/handle-message.ts';
import { takeTurns } from '../../functions/route/turns.ts';
import { memberLoad } from '../../shared/data/keys.ts';
import type { Table } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { waiting } from '../../shared/domain/inquiry/assignment.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { RouteMessage } from '../../shared/queues/messages.ts';
import { freshTable } from '../support/dynamodb.ts';
import { coordinators, createPipeline, enable, minutes } from '../support/fixtures.ts';

let table: Table;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(async () => {
  ({ table } = await freshTable());
  pipeline = createPipeline(table);
});

type Member = Practice['members'][number];
const members = (change: (member: Member) => void, ...ids: string[]): void =>
  pipeline.change((practice) => {
    for (const member of practice.members) if (ids.length === 0 || ids.includes(member.id)) change(member);
  });
const by = (memberId: string) => ({ memberId, practice: pipeline.state.practice });

let people = 0;
const scored = async (change: Parameters<typeof pipeline.captured>[0] = {}): Promise<string> => {
  const id = await pipeline.captured({
    name: `Person ${++people}`,
    email: `p${people}@example.com`,
    ...change,
  });
  await pipeline.score(id);
  return id;
};
const many = async (n: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < n; i++) {
    ids.push(await scored());
    pipeline.environment.advance(1_000);
  }
  return ids;
};
/** As the queue does: what was busy comes again. */
const handle = async (message: RouteMessage): Promise<string> => {
  try {
    return await handleMessage(pipeline.dependencies, message);
  } catch (error) {
    if (!(error instanceof RotationBusy)) throw error;
    return handle(message);
  }
};
const route = (id: string): Promise<string> => handle({ inquiryId: id, version: 1 });
/** Works through the route queue; what it asks for itself, too. */
async function routeAll(): Promise<void> {
  while (pipeline.queues.route.sent.length > 0) await Promise.all(pipeline.queues.route.take().map(handle));
}
/** Two workers on the same messages, each of which comes twice. */
async function race(ids: readonly string[]): Promise<void> {
  const left = [...ids, ...ids];
  const work = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await route(id);
  };
  await Promise.all([work(), work()]);
}
const heads = (ids: readonly string[]): Promise<Inquiry[]> => Promise.all(ids.map(pipeline.head));
const countOf = (all: readonly Inquiry[]): Record<string, number> =>
  Object.fromEntries(
    coordinators.map((id) => [id, all.filter(({ assignedTo }) => assignedTo === id).length]),
  );
const loadOf = async (id: string) => (await pipeline.routingStates.read()).load(id);
const waitingIn = async (pool: string) => (await pipeline.routingStates.read()).rotation(pool).waiting;
const configured = () => handle({ kind: 'configuration_changed', version: 2 });
const change = async (id: string, wanted: WantedAssignment, who = 'mia') =>
  assignInquiry(pipeline.dependencies, id, (await pipeline.head(id)).version, wanted, by(who));

/** What is counted is what the heads say. */
async function expectCounted(ids: readonly string[]): Promise<void> {
  const all = await heads(ids);
  const states = await pipeline.routingStates.read();
  for (const member of [...coordinators, 'mia']) {
    const theirs = all.filter(({ assignedTo, stage }) => assignedTo === member && stage !== 'closed');
    expect([member, states.load(member).open, states.load(member).uncalled]).toEqual([
      member,
      theirs.length,
      theirs.filter(({ firstContactedAt }) => firstContactedAt === undefined).length,
    ]);
  }
  for (const pool of ['skin', 'intake']) {
    expect(states.rotation(pool).waiting).toBe(
      all.filter(
        ({ progress, poolId, stage }) => progress === 'waiting' && poolId === pool && stage !== 'closed',
      ).length,
    );
  }
}

describe('two routers, each message twice', () => {
  it('never go over a cap of open work; the rest waits', async () => {
    members((member) => Object.assign(member, { caps: { open: 2 } }));
    const ids = await many(16);

    await race(ids);

    const all = await heads(ids);
    expect(countOf(all)).toEqual({ ana: 2, ben: 2, carla: 2, dev: 2, elena: 2 });
    expect(all.filter(({ progress }) => progress === 'waiting')).toHaveLength(6);
    expect(await waitingIn('skin')).toBe(6);
    await expectCounted(ids);
  }, 60_000);

  it('never go over a cap of a day, across pools', async () => {
    members((member) => Object.assign(member, { caps: { perDay: 1 } }), 'ana', 'ben');
    const ids = [
      ...(await many(6)),
      ...(await Promise.all([1, 2, 3, 4].map(() => scored({ serviceId: undefined })))),
    ];

    await race(ids);

    const { ana, ben } = countOf(await heads(ids));
    expect([ana, ben]).toEqual([1, 1]);
    expect(await loadOf('ana')).toMatchObject({ day: '2026-11-20', today: 1 });
    await expectCounted(ids);
  }, 60_000);

  it('stay fair among those who are there, whoever is on leave', async () => {
    members(
      (member) => Object.assign(member, { leave: [{ from: '2026-11-20', to: '2026-11-20' }] }),
      'elena',
    );
    const ids = await many(20);

    await race(ids);

    expect(countOf(await heads(ids))).toEqual({ ana: 5, ben: 5, carla: 5, dev: 5, elena: 0 });
    await expectCounted(ids);
  }, 60_000);
});

describe('what waits', () => {
  const from = (open: string) => ({ shifts: { friday: [{ open, close: '17:00' }] } });

  it('is handed out when somebody comes to work, oldest deadline first, before a newer arrival', async () => {
    members((member) => Object.assign(member, from('09:30')));
    members((member) => Object.assign(member, { caps: { open: 1 } }), 'ana', 'ben', 'carla');
    members((member) => Object.assign(member, { enabled: false }), 'dev', 'elena');
    const [late = '', early = '', third = ''] = await many(3);
    // The second has the earlier deadline.
    await pipeline.table.write({
      update: { pk: `INQ#${early}`, sk: 'HEAD' },
      set: { respondBy: '2026-11-20T17:05:00.000Z' },
    });
    for (const id of [late, early, third]) expect(await route(id)).toBe('waiting');
    expect((await pipeline.head(third)).receipt?.candidates[0]).toMatchObject({
      reason: 'off shift until Fri 09:30',
    });
    pipeline.environment.set('2026-11-20T17:29:00.000Z');
    expect(await pipeline.sweep()).toMatchObject({ pools: 0, route: 0 });

    pipeline.environment.set('2026-11-20T17:30:00.000Z');
    const newer = await scored();
    expect(await route(newer)).toBe('waiting');

    const all = await heads([early, late, third]);
    expect(all.map(({ assignedTo }) => assignedTo)).toEqual(['ana', 'ben', 'carla']);
    expect(await waitingIn('skin')).toBe(1);
    await expectCounted([early, late, third, newer]);
  });

  it('for somebody who speaks the language holds up nobody else', async () => {
    pipeline.change((practice) => {
      for (const member of practice.members) Object.assign(member, { languages: ['en'] });
    });
    const fields = { name: 'X', phone: '+16505550100', language: 'es', message: 'hola' };
    const spanish = await scored({ language: 'es', fields });
    expect(await route(spanish)).toBe('waiting');
    expect((await pipeline.head(spanish)).receipt?.candidates[0]?.reason).toBe('does not speak es');

    const english = await scored();
    expect(await route(english)).toBe('routed');

    members((member) => Object.assign(member, { languages: ['en', 'es'] }), 'dev');
    expect(await configured()).toBe('configuration_followed');
    expect(await pipeline.head(spanish)).toMatchObject({ progress: 'routed', assignedTo: 'dev' });
    expect(await waitingIn('skin')).toBe(0);
  });

  it('is handed out as soon as somebody at their cap has closed something', async () => {
    members((member) => Object.assign(member, { caps: { open: 1 } }));
    const ids = await many(7);
    for (const id of ids) await route(id);
    const [first = ''] = ids;
    const { version } = await pipeline.head(first);

    const closing = { stage: 'closed', closeReason: 'duplicate' } as const;
    await changeInquiry(pipeline.dependencies, first, version, closing, by('ana'));
    expect(pipeline.queues.route.sent).toContainEqual({ kind: 'pool', poolId: 'skin' });
    await routeAll();

    expect((await pipeline.head(ids[5] ?? '')).assignedTo).toBe('ana');
    expect((await pipeline.head(ids[6] ?? '')).progress).toBe('waiting');
    await expectCounted(ids);
  });

  it('of many pages is handed out by two at once, each once', async () => {
    pipeline.change(enable(false, ...coordinators));
    const ids = await many(60);
    for (const id of ids) await route(id);
    expect(await waitingIn('skin')).toBe(60);
    pipeline.queues.mail.take();

    pipeline.change(enable(true, ...coordinators));
    await Promise.all([configured(), configured()]);
    await routeAll();

    expect(countOf(await heads(ids))).toEqual({ ana: 12, ben: 12, carla: 12, dev: 12, elena: 12 });
    expect(pipeline.queues.mail.sent).toHaveLength(60);
    await expectCounted(ids);
  }, 60_000);
});

describe('that all that waits was looked at', () => {
  const skin = async () => (await pipeline.routingStates.read()).rotation('skin');
  /** An inquiry that is about to wait, and one that waits; everybody is there. */
  async function coming() {
    const { routingStates, inquiries } = pipeline;
    pipeline.change(enable(false, ...coordinators));
    await route(await scored());
    const id = await scored();
    const { head, score } = (await inquiries.findForRouting(id)) ?? {};
    if (!head || !score) throw new Error('it was scored');
    await table.write(routingStates.saveLook('skin', await skin(), ['ana', 'ben']));
    const states = await routingStates.read();
    const { decided } = takeTurns(pipeline.state.practice, states, pipeline.environment.now()).next(
      head,
      score,
    );
    const next = waiting(head, decided, pipeline.environment.now());
    return { head, next, before: states.rotation('skin') };
  }

  it('holds only with those who could take nothing of what came since', async () => {
    const { head, next, before } = await coming();
    const { routingStates, inquiries } = pipeline;
    const begin = routingStates.beginWaiting(head, next, before, new Set(['ben', 'mia']));
    expect((await table.transact([inquiries.save(next), ...begin])).committed).toBe(true);

    expect(await skin()).toMatchObject({ waiting: 2, news: 2, lookedWith: ['ben'] });
  });

  it('is noted by one of two: who looked, or who brought something that they did not see', async () => {
    for (let i = 0; i < 5; i++) {
      const { head, next, before } = await coming();
      const { routingStates, inquiries } = pipeline;
      await Promise.all([
        table.write(routingStates.saveLook('skin', before, ['ana', 'carla'])),
        // As `returned` does, and whatever else puts something there.
        table.transact([inquiries.save(next), ...routingStates.follow(head, next)]),
      ]);

      // Noted before, it is forgotten; noted after, it is refused.
      expect((await skin()).lookedWith).toBeUndefined();
    }
  });

  it('is forgotten with a new configuration, whoever decided by the old one at that moment', async () => {
    for (let i = 0; i < 5; i++) {
      const { head, next, before } = await coming();
      const { routingStates, inquiries } = pipeline;
      const [begun] = await Promise.all([
        table.transact([
          inquiries.save(next),
          ...routingStates.beginWaiting(head, next, before, new Set(['ana'])),
        ]),
        table.write(routingStates.forgetLook('skin')),
      ]);

      expect((await skin()).lookedWith).toBeUndefined();
      // Refused, it is decided anew.
      expect((await pipeline.head(head.id)).progress).toBe(begun.committed ? 'waiting' : 'captured');
    }
  });

  it('is not noted while an index does not show all of it yet', async () => {
    await coming();
    await table.write(pipeline.routingStates.forgetLook('skin'));
    const hiding: Table = {
      ...table,
      query: async (query) => (query.index === 'queue' ? { rows: [] } : table.query(query)),
    };

    const look = (on: Table) =>
      handleMessage({ ...pipeline.dependencies, table: on }, { kind: 'pool', poolId: 'skin' });
    expect(await look(hiding)).toBe('pool_drained');
    expect((await skin()).lookedWith).toBeUndefined();
    await look(table);
    expect((await skin()).lookedWith).toEqual(['mia', 'max', 'ada']);
  });
});

describe('somebody who is disabled', () => {
  const disable = async (id: string): Promise<void> => {
    pipeline.change(enable(false, id));
    await table.write({ update: memberLoad(id), set: { disabled: true }, add: { version: 1 } });
  };

  it('has their open work handed out to others at once, with entries', async () => {
    const ids = await many(10);
    for (const id of ids) await route(id);
    const theirs = (await heads(ids)).filter(({ assignedTo }) => assignedTo === 'ana');
    await disable('ana');

    await Promise.all([configured(), configured()]);

    expect((await loadOf('ana')).open).toBe(0);
    for (const { id, contactId } of theirs) {
      const head = await pipeline.head(id);
      expect(head.assignedTo).toMatch(/ben|carla|dev|elena/);
      const told = await pipeline.timelines.all([contactId]);
      expect(
        told
          .filter(({ kind }) => ['routed', 'returned'].includes(kind))
          .map(({ kind, details }) => [kind, details['memberId']]),
      ).toEqual([
        ['routed', 'ana'],
        ['returned', 'ana'],
        ['routed', head.assignedTo],
      ]);
      const { differences = [] } = (await verifyContact(table, contactId)) ?? {};
      expect(differences.filter(({ of }) => of === 'inquiry')).toEqual([]);
    }
    await expectCounted(ids);
  }, 60_000);

  it('gets nothing of what is routed while they are', async () => {
    const ids = await many(12);

    await Promise.all([race(ids), disable('ana').then(configured)]);
    await configured();

    expect(countOf(await heads(ids))['ana']).toBe(0);
    await expectCounted(ids);
  }, 60_000);
});

describe('where rules want what somebody has in another pool', () => {
  beforeEach(() =>
    pipeline.change(({ pools }) => {
      for (const pool of pools)
        pool.members = (pool.id === 'skin' ? ['ana', 'ben'] : ['carla', 'dev']).map((id) => ({
          id,
          weight: 1,
        }));
    }),
  );
  /** It is with somebody of the first pool, and wanted in the second. */
  async function wanted(): Promise<string> {
    const id = await scored();
    await route(id);
    const head = await pipeline.head(id);
    const move = { poolId: 'intake', by: 'rule:r' };
    await table.write(pipeline.inquiries.save({ ...head, version: head.version + 1, move }));
    return id;
  }
  async function expectOnce(ids: readonly string[]): Promise<void> {
    await expectCounted(ids);
    for (const id of ids) {
      const { contactId, move } = await pipeline.head(id);
      expect(move).toBeUndefined();
      const { differences = [] } = (await verifyContact(table, contactId)) ?? {};
      expect(differences.filter(({ of }) => of === 'inquiry')).toEqual([]);
    }
  }

  it('two routers, each message twice, take each there once, in turns', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, wanted));
    pipeline.queues.mail.take();

    await race(ids);

    expect(countOf(await heads(ids))).toEqual({ ana: 0, ben: 0, carla: 3, dev: 3, elena: 0 });
    expect(pipeline.queues.mail.sent).toHaveLength(6);
    await expectOnce(ids);
  }, 60_000);

  it('it is with one, whoever was faster: the rules, or a hand', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const id = await wanted();
      ids.push(id);
      await Promise.allSettled([route(id), change(id, { assignTo: 'elena' }), route(id)]);
      expect((await pipeline.head(id)).assignedTo).toMatch(/carla|dev|elena/);
    }
    await expectOnce(ids);
  }, 60_000);

  it('it is taken from nobody who has just begun to call', async () => {
    for (let i = 0; i < 5; i++) {
      const id = await wanted();
      const { version, assignedTo } = await pipeline.head(id);
      const [called] = await Promise.allSettled([
        changeInquiry(pipeline.dependencies, id, version, { calling: true }, by(String(assignedTo))),
        route(id),
      ]);

      const head = await pipeline.head(id);
      const kept = { assignedTo, calling: { by: assignedTo }, move: { poolId: 'intake' } };
      expect(head).toMatchObject(called.status === 'fulfilled' ? kept : { poolId: 'intake' });
      if (called.status === 'rejected') expect(head.assignedTo).toMatch(/carla|dev/);
    }
  }, 60_000);
});

describe('by hand', () => {
  it('an inquiry is handed over, with its receipt; the turns stay, and what was stays told', async () => {
    const id = await scored();
    await route(id);
    const before = await pipeline.head(id);
    const lags = (await pipeline.routingStates.read()).rotation('skin').lags;
    pipeline.environment.advance(minutes(3));
    pipeline.queues.mail.take();

    const next = await change(id, { assignTo: 'dev' });

    expect(next).toMatchObject({
      assignedTo: 'dev',
      progress: 'routed',
      mailKind: 'assigned',
      respondBy: before.respondBy,
    });
    expect(next.receipt).toEqual({
      pool: 'skin',
      strategy: 'by_hand',
      by: 'mia',
      candidates: [
        { memberId: 'dev', share: 1, outcome: 'assigned', reason: 'given it by mia' },
        { memberId: 'ana', share: 0, outcome: 'passed_over', reason: 'had it before' },
      ],
    });
    expect((await pipeline.head(id)).receipt).toEqual(next.receipt);
    expect(pipeline.queues.mail.sent).toEqual([{ kind: 'inquiry', inquiryId: id, version: next.version }]);
    expect((await pipeline.routingStates.read()).rotation('skin').lags).toEqual(lags);
    const told = (await pipeline.timelines.all([next.contactId])).filter(({ kind }) => kind === 'routed');
    expect(
      told.map(({ at, actor, details }) => [at, actor, details['memberId'], details['receipt']]),
    ).toEqual([
      [before.assignedAt, 'firstcall', 'ana', before.receipt],
      [next.assignedAt, 'mia', 'dev', next.receipt],
    ]);
    await expectCounted([id]);
  });

  it('goes over a cap and a plan, which the receipt says', async () => {
    members((member) => Object.assign(member, { caps: { open: 1 } }), 'ana');
    const [one = '', two = ''] = await many(2);
    await route(one);
    await route(two);

    const next = await change(two, { claim: true }, 'ana');

    expect(next.receipt?.candidates[0]?.reason).toBe('claimed it, though at the cap of 1 open');
    await expectCounted([one, two]);
  });

  it('what waits is claimed, once', async () => {
    pipeline.change(enable(false, ...coordinators));
    const id = await scored();
    await route(id);
    pipeline.change(enable(true, 'ana', 'ben'));

    const claims = await Promise.allSettled([
      change(id, { claim: true }, 'ana'),
      change(id, { claim: true }, 'ben'),
    ]);

    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(claims.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'precondition_failed' },
    });
    expect(await waitingIn('skin')).toBe(0);
    await expectCounted([id]);
  });

  it('goes back to a pool, whose next one gets it', async () => {
    const id = await scored();
    await route(id);
    await change(id, { returnToPool: true }, 'ana');
    expect(await pipeline.head(id)).toMatchObject({ progress: 'waiting', poolId: 'skin', hadBy: ['ana'] });
    expect(await waitingIn('skin')).toBe(1);

    await routeAll();

    const head = await pipeline.head(id);
    expect(head.assignedTo).toBe('ben');
    expect(head.receipt?.candidates[0]).toMatchObject({ memberId: 'ana', reason: 'had it before' });

    await change(id, { returnToPool: 'intake' }, 'ben');
    await routeAll();
    expect(await pipeline.head(id)).toMatchObject({ poolId: 'intake', progress: 'routed' });
    const { differences = [] } = (await verifyContact(table, head.contactId)) ?? {};
    expect(differences.filter(({ of }) => of === 'inquiry')).toEqual([]);
    await expectCounted([id]);
  });

  it('is refused for whoever is disabled, sees no inquiries or has it, and for what is closed or nobody has', async () => {
    const id = await scored();
    await expect(change(id, { returnToPool: true })).rejects.toMatchObject({ code: 'conflict' });
    await route(id);
    pipeline.change(enable(false, 'elena'));
    for (const assignTo of ['elena', 'max', 'nobody'])
      await expect(change(id, { assignTo })).rejects.toMatchObject({ code: 'invalid_fields' });
    await expect(change(id, { assignTo: 'ana' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(change(id, { returnToPool: 'gone' })).rejects.toMatchObject({ code: 'invalid_fields' });
    const { version } = await pipeline.head(id);
    const closing = { stage: 'closed', closeReason: 'duplicate' } as const;
    await changeInquiry(pipeline.dependencies, id, version, closing, by('ana'));
    await expect(change(id, { assignTo: 'ben' })).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('an inquiry whose time is up', () => {
  const askFor = async (id: string): Promise<void> => {
    await table.write({
      update: { pk: `INQ#${id}`, sk: 'HEAD' },
      set: { reassign: true, mailState: 'sent' },
      add: { version: 1 },
    });
  };

  it('goes to somebody who is free, and many of them to nobody twice', async () => {
    members((member) => Object.assign(member, { enabled: false }), 'dev', 'elena');
    const ids = await many(4);
    for (const id of ids) await change(id, { assignTo: 'ana' });
    for (const id of ids) await askFor(id);

    const outcomes = await Promise.all([...ids, ...ids].map(route));

    const all = await heads(ids);
    // Two are free, and then no longer.
    expect(countOf(all)).toMatchObject({ ana: 2, ben: 1, carla: 1 });
    expect(outcomes.filter((outcome) => outcome === 'reassigned')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'not_reassigned')).toHaveLength(2);
    for (const head of all) {
      expect(head.reassign).toBeUndefined();
      expect(head.hadBy).toEqual(head.assignedTo === 'ana' ? undefined : ['ana']);
      const told = await pipeline.timelines.all([head.contactId]);
      const kinds = told
        .map(({ kind }) => kind)
        .filter((kind) => kind === 'routed' || kind === 'not_reassigned');
      expect(kinds).toEqual(head.assignedTo === 'ana' ? ['routed', 'not_reassigned'] : ['routed', 'routed']);
    }
    await expectCounted(ids);
  });

  it('waits until the mail under way is out', async () => {
    const id = await scored();
    await route(id);
    await table.write({
      update: { pk: `INQ#${id}`, sk: 'HEAD' },
      set: { reassign: true },
      add: { version: 1 },
    });

    expect(await route(id)).toBe('reassign_later');
    expect((await pipeline.head(id)).assignedTo).toBe('ana');
  });
});
