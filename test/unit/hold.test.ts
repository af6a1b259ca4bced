import { beforeEach, describe, expect, it } from 'vitest';
import { followChange } from '../../functions/people/follow-change.ts';
import { SnoozeBusy, wakeSnoozed } from '../../functions/people/wake-snoozed.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { heldAs } from '../../shared/domain/rebuild.ts';
import { coordinators, enable, hours, minutes } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

let staff: ReturnType<typeof createStaff>;
let id: string;
beforeEach(async () => {
  staff = createStaff();
  id = await staff.pipeline.mailed();
  // Friday 9:00: an hour to the respond-by.
  staff.pipeline.environment.advance(hours(1));
});

const head = () => staff.pipeline.head(id);
const patch = async (change: object, claims = callers.coordinator) =>
  staff.call('PATCH /v1/inquiries/{id}', {
    pathParameters: { id },
    claims,
    body: JSON.stringify(change),
    headers: { 'content-type': 'application/json', 'if-match': `"${(await head()).version}"` },
  });
const call = async (disposition: string) => {
  const { contactId } = await head();
  return staff.call('POST /v1/contacts/{id}/entries', {
    pathParameters: { id: contactId },
    claims: callers.coordinator,
    body: JSON.stringify({ kind: 'call', disposition, inquiryId: id }),
    headers: { 'content-type': 'application/json' },
  });
};
/** What every minute's sweep and the queues make of a time, and the mails of it. */
async function pass(ms: number): Promise<string[]> {
  const { environment, mailer } = staff.pipeline;
  const before = mailer.sent.length;
  for (let left = ms; left > 0; left -= minutes(10)) {
    environment.advance(Math.min(left, minutes(10)));
    await staff.pipeline.sweep();
    await staff.pipeline.drain();
  }
  return mailer.sent.slice(before).map(({ to, mail }) => `${mail.subject} > ${to.join(' ')}`);
}
const told = async (): Promise<string[]> =>
  (await staff.pipeline.timelines.all([(await head()).contactId]))
    .filter(({ kind }) => ['held', 'resumed', 'calling', 'escalated'].includes(kind))
    .map(({ kind, actor, details }) => `${actor} ${kind} ${Object.values(details).join(' ')}`);
async function expectRebuilt(): Promise<void> {
  const verified = await verifyContact(staff.table, (await head()).contactId);
  expect(verified?.differences.filter(({ of }) => of === 'inquiry')).toEqual([]);
}

describe('a snooze', () => {
  const until = '2026-11-23T18:00:00.000Z';

  it('that is made while somebody who wrote again is heard is told before it is ended', async () => {
    await patch({ snoozeUntil: until });
    const open = [await head()];
    const { get } = staff.table;
    staff.table.get = async (key, options) => {
      staff.table.get = get;
      staff.pipeline.environment.advance(minutes(1));
      await patch({ wake: true });
      await patch({ snoozeUntil: until });
      return await get(key, options);
    };

    await wakeSnoozed(staff.pipeline.dependencies, open);

    await expectRebuilt();
  });

  it('that cannot be ended, since others keep writing, is tried again by the stream', async () => {
    await patch({ snoozeUntil: until });
    const open = [await head()];
    const pauses: number[] = [];
    const environment: Environment = {
      ...staff.pipeline.environment,
      backOff: async (mostMs) => void pauses.push(mostMs),
    };
    const wake = () => wakeSnoozed({ ...staff.pipeline.dependencies, environment }, open);
    staff.table.conflicts = 5;

    await expect(wake()).rejects.toThrow(SnoozeBusy);
    expect((await head()).hold).toMatchObject({ until });
    expect(pauses).toEqual([20, 40, 60, 80, 100]);

    staff.table.conflicts = 4;
    await wake();
    expect((await head()).hold).toMatchObject({ until: staff.pipeline.environment.now().toISOString() });
    await expectRebuilt();
  });

  it('keeps everybody silent until its time, then tells the assignee, and their time goes on', async () => {
    const answer = await patch({ snoozeUntil: until });

    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toMatchObject({
      hold: { kind: 'snoozed', by: 'ana', since: '2026-11-20T17:00:00.000Z', until },
    });
    expect(await pass(hours(73) - minutes(10))).toEqual([]);
    expect(await pass(minutes(10))).toEqual(['Snooze over: tier B > ana@bayview.example']);
    // It had an hour left, and has it still; the promise stays where it was.
    expect(await head()).toMatchObject({
      respondBy: '2026-11-20T18:00:00.000Z',
      deadline: '2026-11-23T19:00:00.000Z',
    });
    expect(await head()).not.toHaveProperty('hold');
    expect(await pass(hours(1))).toEqual([
      expect.stringMatching(/^Reminder: tier B, call by Mon 23 Nov, 11:00 AM PST > ana/),
      expect.stringMatching(/^Time is running out/),
      expect.stringMatching(/^Escalated: tier B, call was due Mon 23 Nov, 11:00 AM PST > ana/),
      expect.stringMatching(/^Escalated: tier B, call was due Mon 23 Nov, 11:00 AM PST > mia/),
      expect.stringMatching(/^Taken over: tier B, call by Mon 23 Nov, 12:00 PM PST > ben/),
    ]);
    expect(await told()).toEqual([
      `ana held snoozed ${until}`,
      'firstcall resumed snoozed time',
      expect.stringMatching(/^firstcall escalated 100 notify_manager,reassign/),
    ]);
    await expectRebuilt();
  });

  it('can be set anew, ended by hand, and is ended by a reply', async () => {
    await patch({ snoozeUntil: until });
    expect((await patch({ snoozeUntil: '2026-11-24T18:00:00Z' })).statusCode).toBe(200);
    expect((await head()).hold).toMatchObject({ until: '2026-11-24T18:00:00.000Z' });
    expect((await patch({ wake: true })).statusCode).toBe(200);
    expect(await head()).not.toHaveProperty('hold');
    expect((await patch({ wake: true })).statusCode).toBe(409);

    await patch({ snoozeUntil: until });
    const { contactId } = await head();
    await staff.call('POST /v1/contacts/{id}/entries', {
      pathParameters: { id: contactId },
      claims: callers.coordinator,
      body: JSON.stringify({ kind: 'email', direction: 'received', inquiryId: id }),
      headers: { 'content-type': 'application/json' },
    });
    expect(await head()).not.toHaveProperty('hold');
    await expectRebuilt();
  });

  it('is over once the person writes again', async () => {
    await patch({ snoozeUntil: until });
    await staff.pipeline.captured();

    for (const row of staff.table.rows())
      await followChange({ ...staff.pipeline.dependencies, onBroken: () => {} }, row);

    expect((await head()).hold).toMatchObject({ until: '2026-11-20T17:00:00.000Z' });
    expect(await pass(minutes(10))).toContain('Snooze over: tier B > ana@bayview.example');
    expect(await head()).not.toHaveProperty('hold');
    await expectRebuilt();
  });

  it.each([
    [{ snoozeUntil: '2026-11-20T16:59:00Z' }, 422],
    [{ snoozeUntil: '2028-11-20T16:59:00Z' }, 422],
    [{ snoozeUntil: 'tomorrow' }, 422],
    [{ snoozeUntil: until, wake: true }, 422],
    [{ park: { reason: 'tired', until } }, 422],
    [{ park: { reason: 'records', until, owner: 'nobody' } }, 422],
    [{ park: { reason: 'records' } }, 422],
    [{ wake: false }, 422],
    [{ unpark: true }, 409],
    [{ calling: false }, 409],
    [{}, 422],
  ])('or whatever else sets aside: %j is refused', async (change, status) => {
    expect((await patch(change)).statusCode).toBe(status);
    expect(await head()).not.toHaveProperty('hold');
  });

  it.each([
    ['closed', { stage: 'closed', closeReason: 'spam' }],
    ['booked', { stage: 'booked' }],
  ])('ends where it is %s, and cannot be where it is', async (_, change) => {
    await patch({ snoozeUntil: until });
    await patch(change);

    expect(await head()).toMatchObject({ timers: {} });
    expect(await head()).not.toHaveProperty('hold');
    expect((await patch({ snoozeUntil: until })).statusCode).toBe(409);
    await expectRebuilt();
  });

  it('is for what somebody can work on', async () => {
    id = await staff.pipeline.captured({ quarantine: ['honeypot'] });

    expect((await patch({ snoozeUntil: until })).statusCode).toBe(409);
  });
});

describe('what is parked', () => {
  const until = '2026-11-20T20:00:00.000Z';
  const park = (more: object = {}) => patch({ park: { reason: 'insurance', until, ...more } });

  it('comes back to its owner when it is due, and on each business day until it goes on', async () => {
    expect((await park({ owner: 'ben' })).statusCode).toBe(200);

    expect(await pass(hours(3) - minutes(10))).toEqual([]);
    expect(await pass(minutes(10))).toEqual(['Parked and due: tier B > ben@bayview.example']);
    expect(await pass(hours(72))).toEqual(['Parked and due: tier B > ben@bayview.example']);
    expect((await head()).timers.wake).toBe('2026-11-24T17:00:00.000Z');
    expect((await patch({ snoozeUntil: '2026-11-25T20:00:00Z' })).statusCode).toBe(409);
    expect((await park({ until: '2026-11-24T18:00:00.000Z', reason: 'records' })).statusCode).toBe(200);
    expect((await head()).hold).toMatchObject({ reason: 'records', owner: 'ana' });
    expect((await patch({ unpark: true })).statusCode).toBe(200);
    expect(await told()).toEqual([
      `ana held parked ${until} insurance ben`,
      'ana held parked 2026-11-24T18:00:00.000Z records ana',
      'ana resumed parked by_hand',
    ]);
    // Its hour begins where it stopped.
    expect(await head()).toMatchObject({ deadline: '2026-11-23T21:00:00.000Z' });
    await expectRebuilt();
  });

  it('whose owner is no longer enabled comes back to the managers', async () => {
    await park({ owner: 'ben' });
    staff.pipeline.change((practice) => {
      for (const member of practice.members) if (member.id === 'ben') member.enabled = false;
    });

    expect(await pass(hours(3))).toEqual(['Parked and due: tier B > mia@bayview.example']);
  });

  it('tells nothing of why in its mails', async () => {
    await park();
    await pass(hours(3));

    expect(JSON.stringify(staff.pipeline.mailer.sent)).not.toMatch(/insurance|maria|lopez|acne|650/i);
  });

  it('stays parked through a reply and a call, whose time it is not', async () => {
    await park();
    const { hold } = await head();
    await call('voicemail');

    expect(hold && heldAs(hold)).toBe(`parked ${until} insurance ana`);
    expect((await head()).hold).toEqual(hold);
    expect(await pass(hours(3))).toEqual([expect.stringMatching(/^Parked and due/)]);
    await expectRebuilt();
  });
});

describe('a call in progress', () => {
  it('keeps the ladder waiting, and ends with what came of it', async () => {
    await pass(minutes(50));
    expect(bodyOf(await patch({ calling: true }))).toMatchObject({
      calling: { by: 'ana', since: '2026-11-20T17:50:00.000Z', until: '2026-11-20T18:20:00.000Z' },
    });
    expect(await pass(minutes(20))).toEqual([]);
    expect((await call('reached')).statusCode).toBe(201);

    expect(await head()).toMatchObject({ stage: 'contacted' });
    for (const gone of ['calling', 'rung', 'reassign']) expect(await head()).not.toHaveProperty(gone);
    await expectRebuilt();
  });

  it('ends by itself after half an hour, with as much time left as there was', async () => {
    await pass(minutes(50));
    await patch({ calling: true });

    expect(await pass(minutes(30))).toEqual([]);
    expect(await head()).not.toHaveProperty('calling');
    expect(await head()).toMatchObject({ deadline: '2026-11-20T18:30:00.000Z' });
    expect(await told()).toEqual(['ana calling began', 'firstcall calling ended time']);
    await expectRebuilt();
  });

  it('is one member at a time', async () => {
    await patch({ calling: true });

    expect((await patch({ calling: true }, callers.manager)).statusCode).toBe(409);
    expect((await patch({ calling: true })).statusCode).toBe(200);
    expect((await patch({ calling: false }, callers.manager)).statusCode).toBe(200);
    expect(await head()).not.toHaveProperty('calling');
    await expectRebuilt();
  });

  it('about what waits is given to nobody else meanwhile, and to whoever is free right after it', async () => {
    staff.pipeline.change(enable(false, ...coordinators));
    id = await staff.pipeline.mailed({ name: 'Ruth' });
    await patch({ calling: true }, callers.manager);
    staff.pipeline.change(enable(true, ...coordinators));
    await staff.pipeline.queues.route.send({ kind: 'configuration_changed', version: 1 });

    await pass(minutes(20));
    expect(await head()).toMatchObject({ progress: 'waiting', calling: { by: 'mia' } });

    await patch({ calling: false }, callers.manager);
    await staff.pipeline.sweep();
    await staff.pipeline.drain();
    expect(await head()).toMatchObject({ progress: 'notified', assignedTo: 'ben' });
    await expectRebuilt();
  });

  it('is not taken from whoever is on the phone', async () => {
    // What asks for somebody else is on its way.
    staff.pipeline.queues.route.send = async () => {};
    await pass(minutes(60));
    expect(await head()).toMatchObject({ assignedTo: 'ana', reassign: true });
    await patch({ calling: true });
    expect(await head()).not.toHaveProperty('reassign');

    await pass(minutes(20));

    expect(await head()).toMatchObject({ assignedTo: 'ana' });
  });
});
