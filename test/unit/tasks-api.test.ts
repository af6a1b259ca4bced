import { beforeEach, describe, expect, it } from 'vitest';
import { verifyContact } from '../../shared/data/verify.ts';
import { enable } from '../support/fixtures.ts';
import { bodyOf, callers, claimsOf, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call, audits } = createStaff();
beforeEach(() => {
  ({ table, pipeline, failures, call, audits } = createStaff());
});

const json = { 'content-type': 'application/json' };
const dueAt = '2026-11-20T18:00:00.000Z';
const arrived = () => pipeline.mailed({ language: undefined });
const make = (body: object, claims = callers.coordinator) =>
  call('POST /v1/tasks', { claims, body: JSON.stringify(body), headers: json });
const list = async (query: Record<string, string> = {}, claims = callers.coordinator) =>
  bodyOf(await call('GET /v1/tasks', { claims, query })) as {
    items: Record<string, unknown>[];
    cursor?: string;
  };
const patch = (contactId: string, taskId: string, change: object, version: number) =>
  call('PATCH /v1/contacts/{id}/tasks/{taskId}', {
    claims: callers.coordinator,
    pathParameters: { id: contactId, taskId },
    body: JSON.stringify(change),
    headers: { ...json, 'if-match': `"${version}"` },
  });
const isAsTold = async (contactId: string) =>
  expect((await verifyContact(table, contactId))?.differences).toEqual([]);

describe('a task', () => {
  it('about a contact is whoever makes it, with its entry, in their list', async () => {
    const { contactId } = await pipeline.head(await arrived());

    const answer = await make({ contactId, title: 'Send the form', dueAt });

    expect(answer.statusCode).toBe(201);
    expect(answer.headers).toMatchObject({ etag: '"1"' });
    const task = bodyOf(answer);
    expect(task).toEqual({
      id: expect.stringMatching(/^tsk_/),
      version: 1,
      contactId,
      location: 'main-street',
      title: 'Send the form',
      dueAt,
      owner: 'ana',
      follows: false,
      done: false,
      madeBy: 'ana',
      madeAt: '2026-11-20T16:00:00.000Z',
      reminders: 0,
    });
    expect((await list()).items).toEqual([task]);
    expect(audits()).toContain(`ana change task of ${contactId}`);
    expect(audits()).toContain(`ana list tasks ${contactId}`);
    await isAsTold(contactId);
  });

  it('is made once under a key, and with other content under it not at all', async () => {
    const inquiryId = await arrived();
    const once = (title: string) =>
      call('POST /v1/tasks', {
        claims: callers.coordinator,
        body: JSON.stringify({ inquiryId, title, dueAt }),
        headers: { ...json, 'idempotency-key': 'task 1' },
      });

    const answers = await Promise.all([1, 2, 3].map(() => once('Send the form')));

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    const { contactId } = await pipeline.head(inquiryId);
    expect(await pipeline.tasks.ofContact(contactId)).toHaveLength(1);
    expect((await once('Another one')).statusCode).toBe(409);
    await isAsTold(contactId);
  });

  it('about an inquiry goes with it to whoever gets it', async () => {
    pipeline.change(enable(false, 'ben', 'carla', 'dev', 'elena'));
    const id = await arrived();
    await make({ inquiryId: id, title: 'Ask for the plan', dueAt });
    expect((await list()).items).toMatchObject([{ owner: 'ana', follows: true, inquiryId: id }]);

    const { version } = await pipeline.head(id);
    pipeline.change(enable(true, 'ben'));
    const moved = await call('PATCH /v1/inquiries/{id}', {
      claims: callers.coordinator,
      pathParameters: { id },
      body: JSON.stringify({ assignTo: 'ben' }),
      headers: { ...json, 'if-match': `"${version}"` },
    });
    expect(moved.statusCode).toBe(200);
    // Until the mail is out the index has it with whoever had it: they are not shown what is no longer theirs.
    expect((await list()).items).toEqual([]);
    await pipeline.drain();

    const bens = await list({}, claimsOf('ben', 'coordinator'));
    expect(bens.items).toMatchObject([{ owner: 'ben', title: 'Ask for the plan' }]);
    await isAsTold((await pipeline.head(id)).contactId);
  });

  it('is done, opened again, moved and handed over, each with its entry', async () => {
    const { contactId } = await pipeline.head(await arrived());
    const { id } = bodyOf(await make({ contactId, title: 'Send the form', dueAt })) as { id: string };
    const changes = [{ done: true }, { done: false }, { dueAt: '2026-11-21T18:00:00Z' }, { owner: 'ben' }];
    const answers = [];
    for (const [i, change] of changes.entries())
      answers.push(bodyOf(await patch(contactId, id, change, i + 1)));

    expect(answers).toMatchObject([
      { done: true, doneBy: 'ana', doneAt: '2026-11-20T16:00:00.000Z', version: 2 },
      { done: false, version: 3 },
      { dueAt: '2026-11-21T18:00:00.000Z', version: 4 },
      { owner: 'ben', version: 5 },
    ]);
    const told = table.rows().filter(({ kind }) => kind === 'task');
    expect(told.map(({ details }) => (details as { change: string }).change)).toEqual([
      'made',
      'done',
      'reopened',
      'moved',
      'handed_over',
    ]);
    expect((await list()).items).toEqual([]);
    await isAsTold(contactId);
  });

  it('of a stale version, done before or unknown is refused', async () => {
    const { contactId } = await pipeline.head(await arrived());
    const { id } = bodyOf(await make({ contactId, title: 'Send the form', dueAt })) as { id: string };
    await patch(contactId, id, { done: true }, 1);

    expect((await patch(contactId, id, { done: false }, 1)).statusCode).toBe(412);
    expect((await patch(contactId, id, { owner: 'ben' }, 2)).statusCode).toBe(409);
    expect((await patch(contactId, `tsk_${'Z'.repeat(26)}`, { done: true }, 1)).statusCode).toBe(404);
    // Said again, it is so already.
    expect(bodyOf(await patch(contactId, id, { done: true }, 2))).toMatchObject({ version: 2 });
  });

  it.each([
    [{ title: 'x', dueAt }, 'contactId'],
    [
      { contactId: `con_${'0'.repeat(26)}`, inquiryId: `inq_${'0'.repeat(26)}`, title: 'x', dueAt },
      'contactId',
    ],
    [{ contactId: `con_${'0'.repeat(26)}`, title: ' ', dueAt }, 'title'],
    [{ contactId: `con_${'0'.repeat(26)}`, title: 'x', dueAt: 'soon' }, 'dueAt'],
    [{ contactId: `con_${'0'.repeat(26)}`, title: 'x', dueAt, owner: 'mallory' }, 'owner'],
  ])('that says %j is refused', async (body, field) => {
    const answer = await make(body);

    expect(answer.statusCode).toBe(422);
    expect(bodyOf(answer)['errors']).toMatchObject([{ field }]);
    expect(failures).toEqual([]);
  });

  it('of others is for managers to see, and so are those of nobody', async () => {
    const { contactId } = await pipeline.head(await arrived());
    await make({ contactId, title: 'Send the form', dueAt, owner: 'ben' });

    expect(
      (await call('GET /v1/tasks', { claims: callers.coordinator, query: { owner: 'ben' } })).statusCode,
    ).toBe(403);
    expect((await list({ owner: 'ben' }, callers.manager)).items).toHaveLength(1);
    expect((await list({ owner: 'none' }, callers.manager)).items).toEqual([]);
  });

  it('comes in pages, due first at the front', async () => {
    const { contactId } = await pipeline.head(await arrived());
    for (const day of [22, 20, 21, 23, 24])
      await make({ contactId, title: `On ${day}`, dueAt: `2026-11-${day}T18:00:00Z` });
    const titles: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await list({ limit: '2', ...(cursor !== undefined && { cursor }) });
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.cursor;
    } while (cursor !== undefined);

    expect(titles).toEqual(['On 20', 'On 21', 'On 22', 'On 23', 'On 24']);
  });

  it('of somebody who was merged is found under whoever speaks for them', async () => {
    const first = (await pipeline.head(await arrived())).contactId;
    const second = (
      await pipeline.head(
        await pipeline.mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined }),
      )
    ).contactId;
    const { id } = bodyOf(await make({ contactId: second, title: 'Send the form', dueAt })) as { id: string };
    await call('POST /v1/contacts/{id}/merge', {
      claims: callers.coordinator,
      pathParameters: { id: first },
      body: JSON.stringify({ contactId: second }),
      headers: json,
    });

    const all = bodyOf(
      await call('GET /v1/contacts/{id}/tasks', {
        claims: callers.coordinator,
        pathParameters: { id: first },
      }),
    );
    expect(all['items']).toMatchObject([{ id, contactId: second }]);
    expect(bodyOf(await patch(first, id, { done: true }, 1))).toMatchObject({ done: true });
  });
});
