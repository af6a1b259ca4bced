/** Calls that were recorded to have come to something that they did not. */
import { beforeEach, describe, expect, it } from 'vitest';
import { countChanges } from '../../functions/report/count-change.ts';
import type { Row } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { minutes } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call, audits } = createStaff();
let id = '';
let contactId = '';
beforeEach(async () => {
  ({ table, pipeline, failures, call, audits } = createStaff());
  id = await pipeline.mailed({ language: undefined });
  ({ contactId } = await pipeline.head(id));
});

const send = (route: string, body: object, pathParameters: Record<string, string>) =>
  call(route, {
    claims: callers.coordinator,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    pathParameters,
  });
const record = async (body: object): Promise<string> => {
  pipeline.environment.advance(minutes(10));
  const answer = await send('POST /v1/contacts/{id}/entries', body, { id: contactId });
  expect(answer.statusCode).toBe(201);
  return (bodyOf(answer)['entry'] as { id: string }).id;
};
const called = (disposition: string) => record({ kind: 'call', disposition, inquiryId: id });
const correct = (entryId: string, body: object) => {
  pipeline.environment.advance(minutes(1));
  return send('POST /v1/contacts/{id}/entries/{entryId}/correction', body, { id: contactId, entryId });
};
const corrected = async (entryId: string, disposition: string) => {
  const answer = await correct(entryId, { disposition });
  expect([answer.statusCode, failures]).toEqual([200, []]);
  return bodyOf(answer);
};
const head = () => pipeline.head(id);
const isAsTold = async () => expect((await verifyContact(table, contactId))?.differences).toEqual([]);
const lifecycle = async () => (await pipeline.contacts.find(contactId))?.lifecycle;

describe('a call', () => {
  it.each([
    ['reached', 'voicemail', { stage: 'new', attempts: 1 }],
    ['voicemail', 'reached', { stage: 'contacted', attempts: undefined }],
    ['not_interested', 'no_answer', { stage: 'new', attempts: 1, closeReason: undefined }],
    ['no_answer', 'not_interested', { stage: 'closed', closeReason: 'not_interested' }],
    ['booked', 'voicemail', { stage: 'new', attempts: 1 }],
    ['booked', 'reached', { stage: 'contacted', attempts: undefined }],
    ['voicemail', 'booked', { stage: 'booked', attempts: undefined }],
    ['wrong_number', 'voicemail', { stage: 'new', attempts: 1 }],
  ])('that was recorded as %s and was %s leaves its inquiry as that would have', async (was, is, state) => {
    const entryId = await called(was);
    const { firstContactedAt } = await head();

    const answer = await corrected(entryId, is);

    expect(answer['entry']).toMatchObject({
      kind: 'call_corrected',
      actor: 'ana',
      inquiryId: id,
      details: { corrects: entryId, from: was, to: is },
    });
    const { stage, closeReason, attempts, ...left } = await head();
    expect({ stage, closeReason, attempts }).toEqual({
      closeReason: undefined,
      attempts: undefined,
      ...state,
    });
    // It was made, whatever came of it.
    expect(left.firstContactedAt).toBe(firstContactedAt);
    expect(left.timers.followUp !== undefined).toBe(stage !== 'closed' && stage !== 'booked');
    expect(await lifecycle()).toBe(stage === 'booked' ? 'patient' : 'lead');
    expect(audits()).toContain(`ana change contact ${contactId} call ${entryId}`);
    await isAsTold();
  });

  it('of several is corrected with those before it, and can be corrected again', async () => {
    await called('voicemail');
    await called('no_answer');
    const last = await called('reached');
    expect(await head()).not.toHaveProperty('attempts');

    await corrected(last, 'no_answer');
    expect(await head()).toMatchObject({ stage: 'new', attempts: 3 });
    await corrected(last, 'wrong_number');
    expect(await head()).toMatchObject({ stage: 'new', attempts: 2 });
    await corrected(last, 'reached');

    expect(await head()).toMatchObject({ stage: 'contacted' });
    expect(await head()).not.toHaveProperty('attempts');
    await isAsTold();
  });

  it.each(['booked', 'not_interested'])(
    'of several that was %s after all leaves nothing to be counted any more',
    async (disposition) => {
      await called('no_answer');
      const last = await called('voicemail');
      expect((await head()).attempts).toBe(2);

      await corrected(last, disposition);

      expect((await head()).attempts).toBeUndefined();
      await isAsTold();
    },
  );

  it('after one that reached nobody who was booked leaves them booked, with nothing to be counted', async () => {
    await called('booked');
    await called('no_answer');
    const last = await called('not_interested');

    await corrected(last, 'booked');

    const { stage, attempts } = await head();
    expect({ stage, attempts }).toEqual({ stage: 'booked', attempts: undefined });
    await isAsTold();
  });

  it('after which something else happened is corrected in the record alone', async () => {
    const first = await called('reached');
    await called('voicemail');
    const before = await head();

    const answer = await corrected(first, 'voicemail');

    expect(answer).not.toHaveProperty('inquiry');
    expect(await head()).toEqual(before);
    await isAsTold();
  });

  it('that booked by mistake is no booking in the reports', async () => {
    const states: Row[] = [];
    const headNow = () => table.rows().find(({ pk, sk }) => pk === `INQ#${id}` && sk === 'HEAD') as Row;
    states.push(headNow());
    const entryId = await called('booked');
    states.push(headNow());
    const counted = async () => {
      const changes = states.slice(1).map((after, i) => ({ before: states[i], after }));
      await countChanges(pipeline.dependencies, changes);
      const query = { from: '2026-11-20', to: '2026-11-20' };
      const summary = bodyOf(await call('GET /v1/reports/summary', { claims: callers.marketer, query }));
      return (summary['results'] as Record<string, { booked: number }>)['website']?.booked ?? 0;
    };
    expect(await counted()).toBe(1);

    await corrected(entryId, 'no_answer');
    states.push(headNow());

    expect(await counted()).toBe(0);
  });

  it('that was reached by mistake does not end a sequence of messages', async () => {
    const entryId = await called('reached');
    const since = '2000';
    expect(await pipeline.timelines.answeredSince([contactId], since)).toBe(true);

    await corrected(entryId, 'voicemail');

    expect(await pipeline.timelines.answeredSince([contactId], since)).toBe(false);
  });

  it('to a wrong number has somebody look for another', async () => {
    await corrected(await called('voicemail'), 'wrong_number');

    const tasks = await pipeline.tasks.ofContact(contactId);
    expect(tasks.map(({ title }) => title)).toEqual(['Find another phone number']);
    await isAsTold();
  });

  it('is corrected to something else, and nothing but a call is', async () => {
    const entryId = await called('reached');
    const note = await record({ kind: 'note', text: 'x' });

    expect((await correct(entryId, { disposition: 'reached' })).statusCode).toBe(409);
    expect((await correct(entryId, { disposition: 'hung_up' })).statusCode).toBe(422);
    expect((await correct(entryId, {})).statusCode).toBe(422);
    expect((await correct(note, { disposition: 'reached' })).statusCode).toBe(404);
    expect((await correct(`ent_${'Z'.repeat(26)}`, { disposition: 'reached' })).statusCode).toBe(404);
    expect((await correct('..', { disposition: 'reached' })).statusCode).toBe(404);
    await isAsTold();
  });
});
