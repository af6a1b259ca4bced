/** Rules that take an inquiry elsewhere once somebody has it: at a stage, a call's outcome, an answer, or silence. */
import { beforeEach, describe, expect, it } from 'vitest';
import { verifyContact } from '../../shared/data/verify.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Action } from '../../shared/domain/rules/rule.ts';
import { coordinators, enable, hours, minutes, smallPractice } from '../support/fixtures.ts';
import { ruleOf } from '../support/rules.ts';
import { callers, createStaff } from '../support/staff.ts';

let staff: ReturnType<typeof createStaff>;
let id: string;

/** A practice whose skin pool are ana and ben, and whose intake are carla, dev and elena. */
function practiceWith(...actions: Action[]): Practice {
  const practice = structuredClone(smallPractice);
  const inPool = (poolId: string, ...ids: string[]): void => {
    const pool = practice.pools.find((one) => one.id === poolId);
    if (pool) pool.members = ids.map((member) => ({ id: member, weight: 1 }));
  };
  inPool('skin', 'ana', 'ben');
  inPool('intake', 'carla', 'dev', 'elena');
  const on = ['disposition'] as const;
  practice.rules = [
    ruleOf({
      id: 'move',
      on: [...on],
      when: { field: 'disposition', operator: 'is', value: 'voicemail' },
      actions,
    }),
  ];
  return practice;
}
const json = { 'content-type': 'application/json' };
async function voicemail(): Promise<void> {
  const { contactId } = await staff.pipeline.head(id);
  const answer = await staff.call('POST /v1/contacts/{id}/entries', {
    pathParameters: { id: contactId },
    claims: callers.manager,
    headers: json,
    body: JSON.stringify({ kind: 'call', disposition: 'voicemail', inquiryId: id }),
  });
  expect(answer.statusCode).toBe(201);
}
async function change(wanted: object): Promise<void> {
  const { version } = await staff.pipeline.head(id);
  const answer = await staff.call('PATCH /v1/inquiries/{id}', {
    pathParameters: { id },
    claims: callers.manager,
    body: JSON.stringify(wanted),
    headers: { ...json, 'if-match': `"${version}"` },
  });
  expect(answer.statusCode).toBe(200);
}
/** What the timeline tells of who had it, by whom, and that all that is stored follows from it. */
async function told(): Promise<unknown[]> {
  const { pipeline, table } = staff;
  const { contactId } = await pipeline.head(id);
  const { differences = [] } = (await verifyContact(table, contactId)) ?? {};
  expect(differences.filter(({ of }) => of === 'inquiry')).toEqual([]);
  const entries = await pipeline.timelines.all([contactId]);
  return entries
    .filter(({ kind }) => ['routed', 'returned', 'not_reassigned'].includes(kind))
    .map(({ kind, actor, details }) => [kind, details['memberId'], actor]);
}
async function begin(...actions: Action[]): Promise<void> {
  staff = createStaff(practiceWith(...actions));
  id = await staff.pipeline.mailed();
  expect(await staff.pipeline.head(id)).toMatchObject({ assignedTo: 'ana', poolId: 'skin' });
  staff.pipeline.mailer.sent.splice(0);
}
const counts = async () => {
  const states = await staff.pipeline.routingStates.read();
  return Object.fromEntries(coordinators.map((member) => [member, states.load(member).open]));
};

describe('to another pool', () => {
  beforeEach(() => begin({ do: 'send_to_pool', pool: 'intake' }));

  it('it goes with a receipt and a mail, its turn is taken there, and what was stays told', async () => {
    const before = await staff.pipeline.head(id);
    await voicemail();
    await staff.pipeline.drain();

    const head = await staff.pipeline.head(id);
    expect(head).toMatchObject({
      assignedTo: 'carla',
      poolId: 'intake',
      progress: 'notified',
      respondBy: before.respondBy,
      attempts: 1,
      receipt: { pool: 'intake', strategy: 'weighted_round_robin', by: 'rule:move' },
    });
    expect(head.move).toBeUndefined();
    expect(staff.pipeline.mailer.sent.map(({ to }) => to)).toEqual([['carla@bayview.example']]);
    expect(await told()).toEqual([
      ['routed', 'ana', 'firstcall'],
      ['routed', 'carla', 'rule:move'],
    ]);
    expect(await counts()).toEqual({ ana: 0, ben: 0, carla: 1, dev: 0, elena: 0 });
    const states = await staff.pipeline.routingStates.read();
    expect(states.rotation('intake').lags).toEqual({
      carla: -0.666666667,
      dev: 0.333333333,
      elena: 0.333333333,
    });
    // Once there, it stays: rules trigger no rules, and the message that came twice finds nothing to do.
    staff.pipeline.queues.route.sent.push({ inquiryId: id, version: 1 });
    await staff.pipeline.drain();
    expect((await staff.pipeline.head(id)).version).toBe(head.version);
  });

  it('it goes where the message to routing was lost: the sweep asks', async () => {
    staff.pipeline.queues.route.broken = true;
    await voicemail();
    await staff.pipeline.drain().catch(() => {});
    staff.pipeline.queues.route.broken = false;
    expect(await staff.pipeline.head(id)).toMatchObject({ assignedTo: 'ana', move: { poolId: 'intake' } });

    staff.pipeline.environment.advance(minutes(2));
    await staff.pipeline.sweep();
    await staff.pipeline.drain();

    expect((await staff.pipeline.head(id)).assignedTo).toBe('carla');
  });

  it('it waits there where nobody is, and goes to the first who comes', async () => {
    staff.pipeline.change(enable(false, 'carla', 'dev', 'elena'));
    await voicemail();
    await staff.pipeline.drain();

    expect(await staff.pipeline.head(id)).toMatchObject({ progress: 'waiting', poolId: 'intake' });
    expect(await told()).toEqual([
      ['routed', 'ana', 'firstcall'],
      ['returned', 'ana', 'rule:move'],
    ]);

    staff.pipeline.change(enable(true, 'dev'));
    staff.pipeline.environment.advance(minutes(1));
    await staff.pipeline.sweep();
    await staff.pipeline.drain();
    const head = await staff.pipeline.head(id);
    expect(head).toMatchObject({ assignedTo: 'dev', receipt: { by: 'rule:move' } });
    expect(head.move).toBeUndefined();
    await told();
  });

  it('it stays with whoever is in that pool, too', async () => {
    staff.pipeline.change(({ pools }) => pools[1]?.members.push({ id: 'ana', weight: 1 }));
    await voicemail();
    await staff.pipeline.drain();

    expect(await staff.pipeline.head(id)).toMatchObject({ assignedTo: 'ana', poolId: 'intake' });
    expect(staff.pipeline.mailer.sent).toEqual([]);
    expect(await told()).toEqual([['routed', 'ana', 'firstcall']]);
  });

  it('it is not taken from whoever is on the phone about it again, until they are not', async () => {
    staff.pipeline.queues.route.broken = true;
    await voicemail();
    await staff.pipeline.drain().catch(() => {});
    staff.pipeline.queues.route.broken = false;
    await change({ calling: true });
    await staff.pipeline.drain();
    staff.pipeline.environment.advance(minutes(3));
    await staff.pipeline.sweep();
    await staff.pipeline.drain();
    expect(await staff.pipeline.head(id)).toMatchObject({ assignedTo: 'ana', calling: { by: 'mia' } });

    await change({ calling: false });
    staff.pipeline.environment.advance(minutes(1));
    await staff.pipeline.sweep();
    await staff.pipeline.drain();
    expect((await staff.pipeline.head(id)).assignedTo).toBe('carla');
    await told();
  });

  it('what is snoozed goes, and stays snoozed', async () => {
    const until = new Date(staff.pipeline.environment.now().getTime() + hours(30)).toISOString();
    await change({ snoozeUntil: until });
    await voicemail();
    await staff.pipeline.drain();

    expect(await staff.pipeline.head(id)).toMatchObject({
      assignedTo: 'carla',
      hold: { kind: 'snoozed', until },
    });
    await told();
  });

  it('what staff closed, or gave to somebody, before routing came to it stays where they put it', async () => {
    const { pipeline } = staff;
    pipeline.queues.route.broken = true;
    await voicemail();
    await pipeline.drain().catch(() => {});
    pipeline.queues.route.broken = false;
    await change({ assignTo: 'ben' });
    await pipeline.drain();
    expect((await pipeline.head(id)).move).toBeUndefined();

    pipeline.queues.route.broken = true;
    await voicemail();
    await pipeline.drain().catch(() => {});
    pipeline.queues.route.broken = false;
    expect((await pipeline.head(id)).move).toBeDefined();
    await change({ stage: 'closed', closeReason: 'duplicate' });
    await change({ stage: 'contacted' });
    pipeline.environment.advance(minutes(5));
    await pipeline.sweep();
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({ assignedTo: 'ben', poolId: 'skin' });
    await told();
  });
});

describe('to somebody by name', () => {
  it('it goes out of turn', async () => {
    await begin({ do: 'send_to_member', member: 'elena' });
    const lags = (await staff.pipeline.routingStates.read()).rotation('skin').lags;
    await voicemail();
    await staff.pipeline.drain();

    expect(await staff.pipeline.head(id)).toMatchObject({
      assignedTo: 'elena',
      poolId: 'skin',
      receipt: { strategy: 'fixed_member', by: 'rule:move' },
    });
    expect((await staff.pipeline.routingStates.read()).rotation('skin').lags).toEqual(lags);
  });

  it('it stays where they cannot take it, and its timeline says why', async () => {
    await begin({ do: 'send_to_member', member: 'elena' });
    staff.pipeline.change((practice) => {
      for (const member of practice.members) if (member.id === 'elena') member.caps = { open: 0 };
    });
    await voicemail();
    await staff.pipeline.drain();

    const head = await staff.pipeline.head(id);
    expect(head.assignedTo).toBe('ana');
    expect(head.move).toBeUndefined();
    expect(await told()).toEqual([
      ['routed', 'ana', 'firstcall'],
      ['not_reassigned', 'ana', 'rule:move'],
    ]);
  });

  // Ana has it; Elena cannot take it.
  it.each(['ana', 'elena'])(
    'it goes to whoever is free where what rules want comes to nothing and its time is up (%s)',
    async (memberId) => {
      await begin({ do: 'send_to_member', member: memberId });
      const { pipeline, table } = staff;
      pipeline.change((practice) => {
        for (const member of practice.members) if (member.id === 'elena') member.caps = { open: 0 };
      });
      const head = await pipeline.head(id);
      const asked = { reassign: true, move: { memberId, by: 'rule:move' } } as const;
      await table.write(pipeline.inquiries.save({ ...head, ...asked, version: head.version + 1 }));
      pipeline.queues.route.sent.push({ inquiryId: id, version: head.version + 1 });
      await pipeline.drain();

      // At once: the ladder has waited long enough.
      const { assignedTo, reassign } = await pipeline.head(id);
      expect({ assignedTo, reassign }).toEqual({ assignedTo: 'ben', reassign: undefined });
    },
  );

  it('it goes to the coordinator who knows the person, and stays where nobody does', async () => {
    await begin({ do: 'send_to_owner' });
    await voicemail();
    await staff.pipeline.drain();
    expect((await staff.pipeline.head(id)).assignedTo).toBe('ana');
    const { contactId } = await staff.pipeline.head(id);
    const [applied] = (await staff.pipeline.timelines.all([contactId])).filter(
      ({ kind }) => kind === 'rules_applied',
    );
    expect(applied?.details['hits']).toEqual([
      { rule: 'move', did: ['to the coordinator who knows the person: not done, nobody knows the person'] },
    ]);

    const person = await staff.pipeline.contacts.find(contactId);
    if (!person) throw new Error('they are there');
    await staff.table.transact(
      staff.pipeline.contacts.change(person, { owner: 'dev' }, staff.pipeline.environment.now()),
    );
    await voicemail();
    await staff.pipeline.drain();
    expect(await staff.pipeline.head(id)).toMatchObject({
      assignedTo: 'dev',
      receipt: { strategy: 'owner' },
    });
  });
});

it('to a specialty it goes within its pool, and waits for those who have it', async () => {
  await begin({ do: 'send_to_specialty', specialty: 'acne' });
  staff.pipeline.change((practice) => {
    for (const member of practice.members) if (member.id === 'ben') member.specialties = ['acne'];
  });
  await voicemail();
  await staff.pipeline.drain();

  expect(await staff.pipeline.head(id)).toMatchObject({ assignedTo: 'ben', poolId: 'skin' });
});

it('what waits goes over to the other queue, once', async () => {
  staff = createStaff(practiceWith({ do: 'send_to_pool', pool: 'intake' }));
  const { pipeline } = staff;
  pipeline.change(enable(false, ...coordinators));
  id = await pipeline.mailed();
  expect(await pipeline.head(id)).toMatchObject({ progress: 'waiting', poolId: 'skin' });
  await voicemail();
  await pipeline.drain();
  const states = await pipeline.routingStates.read();
  expect([states.rotation('skin').waiting, states.rotation('intake').waiting]).toEqual([0, 1]);

  pipeline.change(enable(true, 'ana', 'elena'));
  pipeline.environment.advance(minutes(1));
  await pipeline.sweep();
  await pipeline.drain();
  expect(await pipeline.head(id)).toMatchObject({ assignedTo: 'elena', poolId: 'intake' });
});
