/** What would stay with nobody. */
import { beforeEach, describe, expect, it } from 'vitest';
import { hours } from '../support/fixtures.ts';
import { callers, createStaff } from '../support/staff.ts';

let staff: ReturnType<typeof createStaff>;
beforeEach(() => {
  staff = createStaff();
});
const change = async (id: string, wanted: object): Promise<number> => {
  const { version } = await staff.pipeline.head(id);
  const answer = await staff.call('PATCH /v1/inquiries/{id}', {
    pathParameters: { id },
    claims: callers.manager,
    body: JSON.stringify(wanted),
    headers: { 'content-type': 'application/json', 'if-match': `"${version}"` },
  });
  return answer.statusCode;
};

describe('what somebody who is gone had', () => {
  let id: string;
  beforeEach(async () => {
    const { pipeline } = staff;
    id = await pipeline.mailed();
    expect((await pipeline.head(id)).assignedTo).toBe('ana');
    await change(id, { stage: 'closed', closeReason: 'duplicate' });
    pipeline.change((practice) => {
      practice.members = practice.members.filter((member) => member.id !== 'ana');
      for (const pool of practice.pools) pool.members = pool.members.filter((member) => member.id !== 'ana');
    });
  });

  it('goes back to its pool where it is opened again', async () => {
    expect(await change(id, { stage: 'contacted' })).toBe(200);
    await staff.pipeline.drain();

    expect(await staff.pipeline.head(id)).toMatchObject({ progress: 'notified', assignedTo: 'ben' });
    const states = await staff.pipeline.routingStates.read();
    expect([states.load('ana').open, states.load('ben').open]).toEqual([0, 1]);
  });

  it('goes back when it is due, where nobody could be told before', async () => {
    const { pipeline } = staff;
    pipeline.queues.route.broken = true;
    expect(await change(id, { stage: 'contacted' })).toBe(200);
    pipeline.queues.route.broken = false;
    pipeline.environment.advance(hours(48));
    await pipeline.sweep();
    await pipeline.drain();

    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', assignedTo: 'ben' });
  });

  it('stays while somebody is on the phone about it', async () => {
    const { pipeline } = staff;
    pipeline.queues.route.broken = true;
    await change(id, { stage: 'contacted' });
    pipeline.queues.route.broken = false;
    await change(id, { calling: true });
    await pipeline.drain();
    expect(await pipeline.head(id)).toMatchObject({ assignedTo: 'ana', calling: { by: 'mia' } });

    await change(id, { calling: false });
    await pipeline.drain();
    expect(await pipeline.head(id)).toMatchObject({ assignedTo: 'ben' });
  });
});

it('what was suspected and closed is a matter of review again, once it is opened again', async () => {
  const { pipeline } = staff;
  const id = await pipeline.captured({ quarantine: ['honeypot'] });
  await change(id, { stage: 'closed', closeReason: 'spam' });

  expect(await change(id, { stage: 'contacted' })).toBe(200);

  expect((await pipeline.head(id)).timers).toEqual({ review: '2026-11-21T16:00:00.000Z' });
});

it("an inquiry of a location that is gone is the first one's, its provider, too", async () => {
  const { pipeline } = staff;
  pipeline.change((practice) => {
    practice.members.push({
      ...(practice.members[0] as (typeof practice.members)[number]),
      id: 'dr-lee',
      role: 'provider',
      locations: [practice.locations[0]?.id ?? ''],
      provider: { specialties: ['acne'], openPanel: true },
    });
  });
  const id = await pipeline.captured({ locationId: 'closed-down', serviceId: 'acne' });
  await pipeline.drain();

  expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', providerId: 'dr-lee' });
});
