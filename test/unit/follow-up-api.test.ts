/** What follows a call: its next attempt, the end of the cadence, a wrong number; through the API. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseHead } from '../../shared/data/inquiries.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { hours } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call } = createStaff();
beforeEach(() => {
  ({ table, pipeline, failures, call } = createStaff());
});

/** The body of this one says all that its person is known by. */
const arrived = () => pipeline.mailed({ language: undefined });

const record = async (id: string, entry: object) => {
  const { contactId } = await pipeline.head(id);
  const answer = await call('POST /v1/contacts/{id}/entries', {
    claims: callers.coordinator,
    pathParameters: { id: contactId },
    body: JSON.stringify({ inquiryId: id, ...entry }),
    headers: { 'content-type': 'application/json' },
  });
  expect(failures).toEqual([]);
  expect(answer.statusCode).toBe(201);
  return bodyOf(answer);
};
const calls = (id: string, disposition: string) => record(id, { kind: 'call', disposition });
const isAsTold = async (id: string) =>
  expect((await verifyContact(table, (await pipeline.head(id)).contactId))?.differences).toEqual([]);

describe('a call that reached nobody', () => {
  it('is followed by the next at another time of day, and the last of them closes the inquiry', async () => {
    const id = await arrived();
    pipeline.environment.set('2026-11-20T17:30:00.000Z');
    const due: (string | undefined)[] = [];
    for (let n = 0; n < 5; n++) {
      await calls(id, n % 2 === 0 ? 'voicemail' : 'no_answer');
      const { timers, attempts, stage } = await pipeline.head(id);
      due.push(timers.followUp);
      if (n < 4) expect({ attempts, stage }).toEqual({ attempts: n + 1, stage: 'new' });
      await isAsTold(id);
      if (timers.followUp !== undefined) pipeline.environment.set(timers.followUp);
    }

    // Friday 9:30: that afternoon, Monday morning, Wednesday at midday, a week on by the afternoon.
    expect(due).toEqual([
      '2026-11-20T22:00:00.000Z',
      '2026-11-23T17:00:00.000Z',
      '2026-11-25T19:00:00.000Z',
      '2026-11-30T22:00:00.000Z',
      undefined,
    ]);
    const closed = await pipeline.head(id);
    expect(closed).toMatchObject({ stage: 'closed', closeReason: 'no_response' });
    expect(closed).not.toHaveProperty('attempts');
    await isAsTold(id);
  });

  it('is brought to mind when the next is due', async () => {
    const id = await arrived();
    pipeline.environment.set('2026-11-20T17:30:00.000Z');
    await calls(id, 'voicemail');
    pipeline.mailer.sent.splice(0);
    pipeline.environment.set('2026-11-20T21:59:00.000Z');
    await pipeline.sweep();
    await pipeline.drain();
    expect(pipeline.mailer.sent).toEqual([]);

    pipeline.environment.set('2026-11-20T22:00:00.000Z');
    await pipeline.sweep();
    await pipeline.drain();

    expect(pipeline.mailer.sent.map(({ mail }) => mail.subject)).toEqual(['Call again: tier B']);
  });

  it.each(['reached', 'booked'])('is forgotten once somebody was %s', async (disposition) => {
    const id = await arrived();
    await calls(id, 'voicemail');
    await calls(id, disposition);

    expect(await pipeline.head(id)).not.toHaveProperty('attempts');
    await isAsTold(id);
  });

  it('is forgotten once they wrote', async () => {
    const id = await arrived();
    await calls(id, 'voicemail');
    await record(id, { kind: 'email', direction: 'received' });

    const head = await pipeline.head(id);
    expect(head).not.toHaveProperty('attempts');
    expect(Date.parse(head.timers.followUp ?? '') - pipeline.environment.now().getTime()).toBe(hours(48));
    await isAsTold(id);
  });

  it('begins anew after the inquiry was closed and opened again', async () => {
    const id = await arrived();
    for (let n = 0; n < 5; n++) await calls(id, 'no_answer');
    const { version } = await pipeline.head(id);
    await call('PATCH /v1/inquiries/{id}', {
      claims: callers.coordinator,
      pathParameters: { id },
      body: JSON.stringify({ stage: 'contacted' }),
      headers: { 'content-type': 'application/json', 'if-match': `"${version}"` },
    });
    await calls(id, 'no_answer');

    expect(await pipeline.head(id)).toMatchObject({ stage: 'contacted', attempts: 1 });
    await isAsTold(id);
  });

  it('counts from when it was made', async () => {
    const id = await arrived();
    pipeline.environment.set('2026-11-21T01:30:00.000Z');
    await record(id, { kind: 'call', disposition: 'voicemail', at: '2026-11-20T18:00:00Z' });

    // It was made on Friday morning; by now the practice is closed until Monday, and the step is for an afternoon.
    expect((await pipeline.head(id)).timers.followUp).toBe('2026-11-23T22:00:00.000Z');
  });
});

describe('a wrong number', () => {
  it('makes a task for whoever has the inquiry, and is no attempt', async () => {
    const id = await arrived();
    pipeline.environment.set('2026-11-20T17:30:00.000Z');
    await calls(id, 'wrong_number');

    const head = await pipeline.head(id);
    expect(head).not.toHaveProperty('attempts');
    const [task] = await pipeline.dependencies.tasks.ofContact(head.contactId);
    expect(task).toMatchObject({
      title: 'Find another phone number',
      owner: head.assignedTo,
      follows: true,
      dueAt: '2026-11-20T21:30:00.000Z',
      madeBy: 'ana',
    });
    await isAsTold(id);
  });

  it('of an inquiry that is closed makes none', async () => {
    const id = await arrived();
    await calls(id, 'not_interested');
    await calls(id, 'wrong_number');

    expect(await pipeline.dependencies.tasks.ofContact((await pipeline.head(id)).contactId)).toEqual([]);
  });

  it('leaves every head readable', async () => {
    const id = await arrived();
    await calls(id, 'wrong_number');
    expect(() =>
      table
        .rows()
        .filter(({ sk }) => sk === 'HEAD')
        .map(parseHead),
    ).not.toThrow();
    expect(await pipeline.head(id)).toMatchObject({ tasksFollow: true });
  });
});
