/** What took long is told after what was recorded meanwhile, whatever it waited for: the timeline leads to what is stored. */
import { describe, expect, it } from 'vitest';
import { verifyContact } from '../../shared/data/verify.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { smallPractice } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

/** Maria Lopez by her mailbox, with what else she says. */
const maria = (said: {
  readonly name?: string | undefined;
  readonly patientName?: string;
  message?: string;
}) => {
  const { message, ...names } = { name: 'Maria Lopez', ...said };
  const given = { ...names, message, email: 'm@example.com' };
  const fields = Object.fromEntries(
    Object.entries(given).flatMap(([field, text]) => (text === undefined ? [] : [[field, text]])),
  );
  return { ...names, email: given.email, phone: undefined, language: undefined, fields };
};

/** Rules that move people: on arrival, once spam was released, and after a call. */
const moving: Practice = practiceSchema.parse({
  ...structuredClone(smallPractice),
  rules: [
    {
      id: 'spam',
      name: 'Spam',
      on: ['arrival'],
      when: { field: 'message', operator: 'contains', value: 'casino' },
      actions: [{ do: 'mark_spam' }],
    },
    {
      id: 'book',
      name: 'Book',
      on: ['arrival'],
      when: { field: 'message', operator: 'contains', value: 'book me' },
      actions: [{ do: 'set_stage', stage: 'booked' }],
    },
    {
      id: 'book-voicemail',
      name: 'Book voicemails',
      on: ['disposition'],
      when: { field: 'disposition', operator: 'is', value: 'voicemail' },
      actions: [
        { do: 'set_stage', stage: 'booked' },
        { do: 'tag', tag: 'called' },
      ],
    },
  ],
});

function createWorld(practice?: Practice) {
  const { table, pipeline, call } = createStaff(practice);
  const { environment } = pipeline;
  /** A request of a coordinator's, which comes to something. */
  const send = async (route: string, body: object, pathParameters = {}, headers = {}) => {
    const answer = await call(route, {
      claims: callers.coordinator,
      pathParameters,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    expect(answer.statusCode, answer.body).toBeLessThan(300);
    return bodyOf(answer);
  };
  const contactOf = async (inquiryId: string) => (await pipeline.head(inquiryId)).contactId;
  const world = {
    pipeline,
    send,
    contactOf,
    patch: async (id: string, change: object) =>
      send(
        'PATCH /v1/inquiries/{id}',
        change,
        { id },
        { 'if-match': `"${(await pipeline.head(id)).version}"` },
      ),
    patchAppointment: ({ id, contactId, version }: Record<string, unknown>, change: object) =>
      send(
        'PATCH /v1/contacts/{id}/appointments/{appointmentId}',
        change,
        { id: contactId, appointmentId: id },
        { 'if-match': `"${version}"` },
      ),
    record: async (inquiryId: string, disposition: string) => {
      const call = { kind: 'call', disposition, inquiryId };
      const { entry } = await send('POST /v1/contacts/{id}/entries', call, {
        id: await contactOf(inquiryId),
      });
      return (entry as { id: string }).id;
    },
    /** Has something happen while a read of what follows waits for its answer. Gives whether there was such a read. */
    async meanwhile(nth: number, happens: () => Promise<unknown>, follows: () => Promise<unknown>) {
      const { get, batchGet, query } = table;
      const restore = () => Object.assign(table, { get, batchGet, query });
      let reads = 0;
      const late =
        <Asked extends unknown[], Answer>(read: (...asked: Asked) => Promise<Answer>) =>
        async (...asked: Asked): Promise<Answer> => {
          reads++;
          if (reads === nth) {
            restore();
            environment.advance(1_000);
            await happens();
            environment.advance(1_000);
          }
          return await read(...asked);
        };
      Object.assign(table, { get: late(get), batchGet: late(batchGet), query: late(query) });
      await follows();
      restore();
      return reads >= nth;
    },
    people: () => table.rows().flatMap(({ pk, sk }) => (sk === 'PROFILE' ? [pk.slice('CON#'.length)] : [])),
    differences: async (contactId: string) => (await verifyContact(table, contactId))?.differences,
  };
  return world;
}
type World = ReturnType<typeof createWorld>;

/** Makes two inquiries of one person. */
async function createTwo(practice?: Practice, first = 'hello') {
  const world = createWorld(practice);
  const one = await world.pipeline.mailed(maria({ message: first }));
  const two = await world.pipeline.mailed(maria({ message: 'hello again' }));
  world.pipeline.environment.advance(60_000);
  return { ...world, one, two };
}
type Two = Awaited<ReturnType<typeof createTwo>>;

/** Prepares something for the first inquiry, and gives what does it. */
type Case = (world: Two) => Promise<() => Promise<unknown>>;

const at = '2026-11-25T18:00:00.000Z';
const byStaff: Readonly<Record<string, Case>> = {
  'a stage':
    async ({ patch, one }) =>
    () =>
      patch(one, { stage: 'booked' }),
  'a call':
    async ({ record, one }) =>
    () =>
      record(one, 'booked'),
  'a corrected call': async ({ record, send, contactOf, pipeline, one }) => {
    const entryId = await record(one, 'no_answer');
    const id = await contactOf(one);
    pipeline.environment.advance(60_000);
    return () =>
      send('POST /v1/contacts/{id}/entries/{entryId}/correction', { disposition: 'booked' }, { id, entryId });
  },
  'an appointment':
    async ({ send, one }) =>
    () =>
      send('POST /v1/appointments', { inquiryId: one, at }),
  'an appointment that was kept after all': async ({ send, patchAppointment, contactOf, pipeline, one }) => {
    const made = await send('POST /v1/appointments', { inquiryId: one, at });
    const missed = await patchAppointment(made, { outcome: 'no_show' });
    const contactId = await contactOf(one);
    const etag = (await pipeline.contacts.find(contactId))?.version;
    await send(
      'PATCH /v1/contacts/{id}',
      { lifecycle: 'lead' },
      { id: contactId },
      { 'if-match': `"${contactId}:${etag}"` },
    );
    pipeline.environment.advance(60_000);
    return () => patchAppointment(missed, { correct: 'kept' });
  },
  'an appointment without an inquiry': async ({ send, patchAppointment, contactOf, one }) => {
    const made = await send('POST /v1/appointments', { contactId: await contactOf(one), at });
    return () => patchAppointment(made, { outcome: 'kept' });
  },
};

/** Tries it with each of the reads that it waits for. */
async function tryEach(create: () => Promise<Two>, prepare: Case): Promise<void> {
  for (let nth = 1; ; nth++) {
    const world = await create();
    const { meanwhile, patch, contactOf, differences, one, two } = world;
    const follows = await prepare(world);
    const waited = await meanwhile(nth, () => patch(two, { stage: 'consult' }), follows);
    expect([nth, await differences(await contactOf(one))]).toEqual([nth, []]);
    if (waited) continue;
    expect(nth).toBeGreaterThan(2);
    return;
  }
}

describe('what moves a person is told after what moved them meanwhile', () => {
  it.each(Object.entries(byStaff))('where it is %s', async (_, prepare) => {
    await tryEach(() => createTwo(), prepare);
  });

  it('where it is a rule about a call', async () => {
    await tryEach(
      () => createTwo(moving),
      async ({ record, pipeline, one }) => {
        await record(one, 'voicemail');
        return () => pipeline.score(one);
      },
    );
  });

  it('where it is a rule about an arrival', async () => {
    const arriving = async () => {
      const world = createWorld(moving);
      const two = await world.pipeline.mailed(maria({ message: 'hello' }));
      const one = await world.pipeline.captured(maria({ message: 'please book me' }));
      return { ...world, one, two };
    };
    await tryEach(
      arriving,
      async ({ pipeline, one }) =>
        () =>
          pipeline.score(one),
    );
  });

  it('where it is a rule about what was released', async () => {
    await tryEach(
      () => createTwo(moving, 'book me into the casino'),
      async ({ patch, pipeline, one }) => {
        await patch(one, { release: true });
        return () => pipeline.score(one);
      },
    );
  });
});

it.each([
  ['under another spelling of the name', { name: 'maria lópez' }],
  ['for somebody else', { name: 'maria lópez', patientName: 'Ana Lopez' }],
  ['without a name', { name: undefined }],
])('an inquiry that comes %s is told after the one that made the person meanwhile', async (_, said) => {
  for (let nth = 1; ; nth++) {
    const { pipeline, meanwhile, people, differences }: World = createWorld();
    const first = () => pipeline.captured(maria({}));
    const waited = await meanwhile(nth, first, () => pipeline.captured(maria(said)));
    for (const contactId of people()) expect([nth, await differences(contactId)]).toEqual([nth, []]);
    if (waited) continue;
    expect(nth).toBeGreaterThan(1);
    return;
  }
});
