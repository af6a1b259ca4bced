import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConsents } from '../../shared/data/consents.ts';
import { recordAnswer } from '../../shared/data/idempotency.ts';
import { inquirySk } from '../../shared/data/keys.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { mostWrites } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { digest, hours, minutes, smallPractice } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

/** A practice whose rules listen for all that happens. */
const listening: Practice = practiceSchema.parse({
  ...structuredClone(smallPractice),
  rules: [
    {
      id: 'tag-no-answer',
      name: 'Tag who does not answer',
      on: ['disposition'],
      when: { field: 'disposition', operator: 'is', value: 'no_answer' },
      actions: [{ do: 'tag', tag: 'hard-to-reach' }],
    },
    {
      id: 'book-voicemail',
      name: 'Book whom a voicemail reached',
      on: ['disposition'],
      when: { field: 'disposition', operator: 'is', value: 'voicemail' },
      actions: [{ do: 'set_stage', stage: 'booked' }],
    },
    { id: 'tag-reply', name: 'Tag who replies', on: ['reply'], actions: [{ do: 'tag', tag: 'replied' }] },
    {
      id: 'tag-consult',
      name: 'Tag consults',
      on: ['stage_change'],
      when: { field: 'stage', operator: 'is', value: 'consult' },
      actions: [{ do: 'tag', tag: 'in-consult' }],
    },
  ],
});

let { table, pipeline, failures, call, audits } = createStaff();
const start = (practice?: Practice): void => {
  ({ table, pipeline, failures, call, audits } = createStaff(practice));
};
beforeEach(() => start());

const record = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  call('POST /v1/contacts/{id}/entries', {
    claims: callers.coordinator,
    pathParameters: { id },
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
const patch = async (id: string, change: unknown) =>
  call('PATCH /v1/inquiries/{id}', {
    claims: callers.coordinator,
    pathParameters: { id },
    body: JSON.stringify(change),
    headers: { 'content-type': 'application/json', 'if-match': `"${(await pipeline.head(id)).version}"` },
  });
const timeline = async (id: string) =>
  (
    bodyOf(
      await call('GET /v1/contacts/{id}/timeline', {
        claims: callers.coordinator,
        pathParameters: { id },
        query: { limit: '50' },
      }),
    ) as { items: { kind: string; actor: string; at: string; inquiryId?: string; details: object }[] }
  ).items;
const code = (answer: APIGatewayProxyResult) => [answer.statusCode, bodyOf(answer)['code']];
const open = async () => (await pipeline.routingStates.read()).load('ana').open;
const lifecycle = async (id: string) => (await pipeline.contacts.find(id))?.lifecycle;
const entriesOf = () => table.rows().filter(({ sk }) => sk.startsWith('ENTRY#'));

/** An inquiry that was mailed, with its contact. */
async function mailed(change: Parameters<typeof pipeline.mailed>[0] = {}) {
  const inquiryId = await pipeline.mailed(change);
  pipeline.environment.advance(minutes(3));
  return { inquiryId, contactId: (await pipeline.head(inquiryId)).contactId };
}

describe('an entry', () => {
  it('that took long is told after what was recorded meanwhile: the timeline leads to what is stored', async () => {
    const { inquiryId, contactId } = await mailed();
    const { get } = table;
    table.get = async (key, options) => {
      if (key.sk !== inquirySk.head) return await get(key, options);
      table.get = get;
      pipeline.environment.advance(minutes(1));
      await record(contactId, { inquiryId, kind: 'call', disposition: 'voicemail' });
      return await get(key, options);
    };

    await record(contactId, { inquiryId, kind: 'call', disposition: 'not_interested' });

    const calls = (await timeline(contactId)).filter(({ kind }) => kind === 'call');
    expect(calls.map(({ details }) => details)).toMatchObject([
      { disposition: 'not_interested' },
      { disposition: 'voicemail' },
    ]);
    const differences = (await verifyContact(table, contactId))?.differences;
    expect(differences?.filter(({ of }) => of === 'inquiry')).toEqual([]);
  });

  it('that is a call looks again where a reply was recorded meanwhile', async () => {
    const { contactId, inquiryId } = await mailed();
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      pipeline.environment.advance(minutes(1));
      await record(contactId, { inquiryId, kind: 'email', direction: 'received', text: 'Thanks' });
      return await transact(writes);
    };

    expect((await record(contactId, { inquiryId, kind: 'call', disposition: 'no_answer' })).statusCode).toBe(
      201,
    );

    const told = (await timeline(contactId)).filter(({ kind }) => ['call', 'email'].includes(kind));
    expect(told.map(({ kind }) => kind).sort()).toEqual(['call', 'email']);
    const differences = (await verifyContact(table, contactId))?.differences;
    expect(differences?.filter(({ of }) => of === 'inquiry')).toEqual([]);
    expect((await pipeline.head(inquiryId)).attempts).toBe(1);
  });

  it.each([
    [{ kind: 'note', text: 'Prefers mornings.\nAsk for Ana.' }],
    [{ kind: 'email', direction: 'sent', subject: 'Your visit' }],
    [{ kind: 'call', disposition: 'voicemail', note: 'left a message' }],
    [{ kind: 'consent', channel: 'text', given: false, source: 'wrote STOP', class: 'transactional' }],
    [
      {
        kind: 'appointment',
        at: '2026-12-01T17:00:00.000Z',
        location: 'main-street',
        service: 'acne',
        status: 'booked',
      },
    ],
  ])('as in %j is written down as it was sent, and stands first in the timeline', async (sent) => {
    const { contactId } = await mailed();

    const answer = await record(contactId, sent);

    expect(answer.statusCode).toBe(201);
    const { kind, ...details } = sent;
    const { entry } = bodyOf(answer) as { entry: object };
    expect(entry).toMatchObject({
      id: expect.stringMatching(/^ent_/),
      kind,
      actor: 'ana',
      contactId,
      at: pipeline.environment.now().toISOString(),
      details,
    });
    expect((await timeline(contactId))[0]).toEqual(entry);
    expect(audits()).toContain(`ana change contact ${contactId} ${kind}`);
  });

  it.each([
    ['of no kind', {}],
    ['of a kind that only the system writes', { kind: 'merged', survivorId: 'a', mergedId: 'b' }],
    ['of a stage', { kind: 'stage_changed', from: 'new', to: 'booked' }],
    ['with more fields', { kind: 'note', text: 'x', actor: 'mia' }],
    ['without its text', { kind: 'note', text: '  ' }],
    ['with too long a text', { kind: 'note', text: 'x'.repeat(5_001) }],
    ['with a NUL', { kind: 'note', text: 'a\u0000b' }],
    ['with a disposition that is none', { kind: 'call', disposition: 'laughed' }],
    ['of no inquiry', { kind: 'call', disposition: 'reached', inquiryId: 'inq_1' }],
    ['of a subject of two lines', { kind: 'email', direction: 'sent', subject: 'a\r\nBcc: b' }],
    ['in no time', { kind: 'note', text: 'x', at: 'yesterday' }],
    ['in the future', { kind: 'note', text: 'x', at: '2027-01-01T00:00:00Z' }],
    ['of the year 0', { kind: 'note', text: 'x', at: '0000-01-01T00:00:00+01:00' }],
    ['of before there was a telephone', { kind: 'note', text: 'x', at: '1899-12-31T23:59:59Z' }],
    [
      'of an appointment past all years',
      { kind: 'appointment', at: '9999-12-31T23:59:59-23:00', status: 'booked' },
    ],
    ['of an appointment at no time', { kind: 'appointment', status: 'booked' }],
    [
      'at a place that is none of ours',
      { kind: 'appointment', at: '2026-12-01T17:00:00Z', status: 'booked', location: 'x' },
    ],
    [
      'for a service that is none of ours',
      { kind: 'appointment', at: '2026-12-01T17:00:00Z', status: 'booked', service: 'x' },
    ],
    ['of a consent to nothing', { kind: 'consent', channel: 'fax', given: true, source: 'form' }],
    ['of a consent that is neither', { kind: 'consent', channel: 'text', given: 'yes', source: 'form' }],
    ['that is a list', []],
  ])('%s is refused, and nothing of it is written or repeated', async (_, sent) => {
    const { contactId } = await mailed();

    const answer = await record(contactId, sent);

    expect(answer.statusCode).toBe(422);
    expect(entriesOf()).toEqual([]);
    expect(answer.body).not.toMatch(/Bcc|laughed|yesterday/);
    expect(failures).toEqual([]);
  });

  it('about an inquiry of somebody else is refused', async () => {
    const { contactId } = await mailed();
    const other = await mailed({ name: 'Ann', email: 'ann@example.com', phone: undefined });
    const sent = { kind: 'call', disposition: 'reached', inquiryId: other.inquiryId };

    expect(bodyOf(await record(contactId, sent))).toMatchObject({
      code: 'invalid_fields',
      errors: [{ field: 'inquiryId', reason: 'is not an inquiry of this contact' }],
    });
    const nobodys = { ...sent, inquiryId: `inq_${'Z'.repeat(26)}` };
    expect((await record(contactId, nobodys)).statusCode).toBe(422);
  });

  it('may be of a time before, and stands there', async () => {
    const { contactId, inquiryId } = await mailed();
    pipeline.environment.advance(hours(2));
    const before = new Date(pipeline.environment.now().getTime() - hours(1)).toISOString();
    await record(contactId, { kind: 'note', text: 'now' });

    const answer = await record(contactId, {
      kind: 'call',
      disposition: 'voicemail',
      inquiryId,
      at: before.replace('Z', '+00:00'),
    });

    expect(bodyOf(answer)['entry']).toMatchObject({
      at: before,
      recordedAt: pipeline.environment.now().toISOString(),
    });
    expect((await timeline(contactId)).map(({ kind }) => kind).slice(0, 2)).toEqual(['note', 'call']);
    expect((await pipeline.head(inquiryId)).firstContactedAt).toBe(before);
    const tooEarly = { kind: 'call', disposition: 'voicemail', inquiryId, at: '2026-11-19T00:00:00Z' };
    expect((await record(contactId, tooEarly)).statusCode).toBe(422);
  });

  it('under whichever contact it is recorded stays with the inquiry it is about', async () => {
    const { contactId, inquiryId } = await mailed();
    const other = await mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined });
    await call('POST /v1/contacts/{id}/merge', {
      claims: callers.coordinator,
      pathParameters: { id: other.contactId },
      body: JSON.stringify({ contactId }),
      headers: { 'content-type': 'application/json' },
    });

    const about = await record(other.contactId, { kind: 'call', disposition: 'reached', inquiryId });
    const general = await record(contactId, { kind: 'note', text: 'x' });

    expect(bodyOf(about)['entry']).toMatchObject({ contactId });
    expect(bodyOf(general)['entry']).toMatchObject({ contactId });
    const ofSurvivor = await record(other.contactId, { kind: 'note', text: 'x' });
    expect(bodyOf(ofSurvivor)['entry']).toMatchObject({ contactId: other.contactId });
  });

  it('about an inquiry may be recorded under whoever wrote it, and stands with the patient', async () => {
    const inquiryId = await pipeline.mailed({ patientName: 'Leo Lopez' });
    const { contactId: patient } = await pipeline.head(inquiryId);
    const writer = String((await pipeline.inquiries.find(inquiryId))?.body?.writerId);

    const answer = await record(writer, { kind: 'call', disposition: 'booked', inquiryId });

    expect(answer.statusCode).toBe(201);
    expect(bodyOf(answer)).toMatchObject({ entry: { contactId: patient }, inquiry: { stage: 'booked' } });
    expect((await timeline(patient)).map(({ kind }) => kind)).toContain('call');
    expect([await lifecycle(patient), await lifecycle(writer)]).toEqual(['patient', 'lead']);
  });
});

describe('STOP in a reply', () => {
  const stop = { kind: 'email', direction: 'received', text: 'Stop' };
  const optedOut = async (email: string) =>
    (await createMailboxes(table).find(digest('email', email))).optedOut;

  it('about a minor holds for the guardians, who get the mails', async () => {
    const guardian = await pipeline.head(await pipeline.mailed());
    const inquiryId = await pipeline.mailed({
      name: 'Leo Garcia',
      email: undefined,
      phone: '+16505550177',
      fields: { name: 'Leo Garcia', age: '9' },
    });
    const { contactId } = await pipeline.head(inquiryId);
    await table.transact(pipeline.contacts.relate(guardian.contactId, contactId));

    expect((await record(contactId, { ...stop, inquiryId })).statusCode).toBe(201);

    expect(Object.keys(await optedOut('maria@example.com'))).toContain('inquiry');
  });

  it.each([
    ['a STOP', stop],
    ['a refusal on the phone', { kind: 'consent', channel: 'email', given: false, source: 'phone' }],
  ])('%s holds for more mailboxes than fit into one transaction, and is told once', async (_, said) => {
    const emails = Array.from({ length: mostWrites }, (_, n) => `maria${n}@example.com`);
    let contactId = '';
    for (const email of emails) ({ contactId } = await mailed({ email }));

    expect((await record(contactId, said)).statusCode).toBe(201);

    for (const email of emails) expect(Object.keys(await optedOut(email))).toContain('inquiry');
    expect(entriesOf().filter(({ kind }) => kind === said.kind)).toHaveLength(1);
    expect(await createConsents(table).of([contactId])).toContainEqual(
      expect.objectContaining({ purpose: 'inquiry', given: false }),
    );
  });

  it('is told once where the first of several transactions is all that went through', async () => {
    let contactId = '';
    for (let n = 0; n < mostWrites; n++) ({ contactId } = await mailed({ email: `maria${n}@example.com` }));
    const { transact } = table;
    let calls = 0;
    table.transact = async (writes) =>
      ++calls === 2 ? { committed: false, failed: new Map() } : await transact(writes);

    expect((await record(contactId, stop)).statusCode).toBe(201);

    expect(calls).toBeGreaterThan(2);
    expect(entriesOf().filter(({ kind }) => kind === 'email')).toHaveLength(1);
  });
});

describe('a repetition', () => {
  const key = { 'idempotency-key': 'call 17' };

  it('under its key gives the first answer and writes nothing', async () => {
    const { contactId, inquiryId } = await mailed();
    const sent = { kind: 'call', disposition: 'booked', inquiryId };
    const first = await record(contactId, sent, key);
    pipeline.environment.advance(hours(1));

    const again = await record(contactId, sent, key);

    expect([again.statusCode, bodyOf(again)]).toEqual([201, bodyOf(first)]);
    expect(entriesOf().filter(({ kind }) => kind === 'call')).toHaveLength(1);
  });

  const merge = (id: string, contactId: string) =>
    call('POST /v1/contacts/{id}/merge', {
      claims: callers.coordinator,
      pathParameters: { id },
      body: JSON.stringify({ contactId }),
      headers: { 'content-type': 'application/json' },
    });

  it('after its contact was merged into another gives the first answer and writes nothing', async () => {
    const { contactId } = await mailed();
    const other = await mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined });
    const sent = { kind: 'call', disposition: 'voicemail', inquiryId: other.inquiryId };
    const first = await record(other.contactId, sent, key);
    expect((await merge(contactId, other.contactId)).statusCode).toBe(200);

    const again = await record(other.contactId, sent, key);

    expect([again.statusCode, bodyOf(again)]).toEqual([201, bodyOf(first)]);
    expect(entriesOf().filter(({ kind }) => kind === 'call')).toHaveLength(1);
    expect((await pipeline.head(other.inquiryId)).attempts).toBe(1);
  });

  it('about somebody else is none: its key came before, for another request', async () => {
    const { contactId } = await mailed();
    const other = await mailed({ name: 'Pedro', email: 'pedro@example.com', phone: undefined });
    const sent = { kind: 'note', text: 'x' };
    await record(contactId, sent, key);

    expect(code(await record(other.contactId, sent, key))).toEqual([409, 'idempotency_conflict']);

    expect(entriesOf()).toHaveLength(1);
  });

  it('of what was noted with the contact in its key is told by that', async () => {
    const { contactId } = await mailed();
    const sent = { kind: 'note', text: 'x' };
    const noted = { entryId: 'ent_1', contactId, at: '2026-11-20T16:00:00.000Z' };
    const under = digest('idempotency', `entry ana ${contactId} call 17`);
    const bodyDigest = digest('body', JSON.stringify(sent));
    await table.write(recordAnswer(under, { ...noted, bodyDigest }, pipeline.environment.now()));

    expect(bodyOf(await record(contactId, sent, key))['entry']).toMatchObject({ id: 'ent_1' });
    expect(code(await record(contactId, { ...sent, text: 'y' }, key))[0]).toBe(409);

    expect(entriesOf()).toEqual([]);
  });

  it('through another contact of the same person is one', async () => {
    const { contactId } = await mailed();
    const other = await mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined });
    await merge(contactId, other.contactId);
    const first = await record(contactId, { kind: 'note', text: 'x' }, key);

    const again = await record(other.contactId, { kind: 'note', text: 'x' }, key);

    expect(bodyOf(again)).toEqual(bodyOf(first));
    expect(entriesOf().filter(({ kind }) => kind === 'note')).toHaveLength(1);
  });

  it('at the same moment writes it once', async () => {
    const { contactId, inquiryId } = await mailed();
    const sent = { kind: 'call', disposition: 'no_answer', inquiryId };

    const answers = await Promise.all([1, 2, 3].map(() => record(contactId, sent, key)));

    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(entriesOf().filter(({ kind }) => kind === 'call')).toHaveLength(1);
  });

  it('with other content is a conflict, and under another key, or a day later, another entry', async () => {
    const { contactId } = await mailed();
    await record(contactId, { kind: 'note', text: 'a' }, key);

    expect(code(await record(contactId, { kind: 'note', text: 'b' }, key))).toEqual([
      409,
      'idempotency_conflict',
    ]);
    expect(
      (await record(contactId, { kind: 'note', text: 'a' }, { 'idempotency-key': 'x' })).statusCode,
    ).toBe(201);
    pipeline.environment.advance(hours(25));
    expect((await record(contactId, { kind: 'note', text: 'b' }, key)).statusCode).toBe(201);
    expect(entriesOf()).toHaveLength(3);
  });

  it('is told by a key that can be one', async () => {
    const { contactId } = await mailed();

    for (const bad of ['x'.repeat(201), 'clé']) {
      expect(
        (await record(contactId, { kind: 'note', text: 'a' }, { 'idempotency-key': bad })).statusCode,
      ).toBe(422);
    }
  });
});

describe('a call', () => {
  it.each([
    ['reached', { stage: 'contacted' }],
    ['booked', { stage: 'booked' }],
    ['not_interested', { stage: 'closed', closeReason: 'not_interested' }],
    ['voicemail', { stage: 'new' }],
    ['no_answer', { stage: 'new' }],
    ['wrong_number', { stage: 'new' }],
  ])(
    'with the disposition %s leaves the inquiry %j, and counts as the first attempt',
    async (disposition, left) => {
      const { contactId, inquiryId } = await mailed();
      const at = pipeline.environment.now().toISOString();

      const answer = await record(contactId, { kind: 'call', disposition, inquiryId });

      expect(bodyOf(answer)['inquiry']).toEqual({ id: inquiryId, version: 5, ...left });
      expect(await pipeline.head(inquiryId)).toMatchObject({ ...left, firstContactedAt: at });
      const kinds = (await timeline(contactId)).map(({ kind }) => kind);
      expect(kinds.includes('stage_changed')).toBe(left.stage !== 'new');
      expect(await open()).toBe(left.stage === 'booked' || left.stage === 'closed' ? 0 : 1);
      expect(await lifecycle(contactId)).toBe(left.stage === 'booked' ? 'patient' : 'lead');
    },
  );

  it('does not bring an inquiry back from where it has come to', async () => {
    const { contactId, inquiryId } = await mailed();
    await patch(inquiryId, { stage: 'consult' });

    await record(contactId, { kind: 'call', disposition: 'reached', inquiryId });
    expect((await pipeline.head(inquiryId)).stage).toBe('consult');

    await patch(inquiryId, { stage: 'closed', closeReason: 'no_response' });
    await record(contactId, { kind: 'call', disposition: 'reached', inquiryId });
    expect((await pipeline.head(inquiryId)).stage).toBe('closed');
    const booked = await record(contactId, { kind: 'call', disposition: 'booked', inquiryId });
    expect(code(booked)).toEqual([409, 'transition_not_allowed']);
  });

  it('about what is quarantined is noted, and releases nothing', async () => {
    const inquiryId = await pipeline.captured({ quarantine: ['honeypot'] });
    const { contactId } = await pipeline.head(inquiryId);

    expect((await record(contactId, { kind: 'call', disposition: 'reached', inquiryId })).statusCode).toBe(
      201,
    );

    expect(await pipeline.head(inquiryId)).toMatchObject({ stage: 'new', progress: 'quarantined' });
  });

  it('recorded by several at once is each recorded', async () => {
    const { contactId, inquiryId } = await mailed();

    const answers = await Promise.all(
      ['voicemail', 'reached', 'no_answer'].map((disposition) =>
        record(contactId, { kind: 'call', disposition, inquiryId }),
      ),
    );

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    expect(entriesOf().filter(({ kind }) => kind === 'call')).toHaveLength(3);
    expect((await pipeline.head(inquiryId)).stage).toBe('contacted');
  });

  it('is looked at by the rules that listen for it, even where the queue is away', async () => {
    start(listening);
    const { contactId, inquiryId } = await mailed();
    pipeline.queues.score.broken = true;

    expect((await record(contactId, { kind: 'call', disposition: 'no_answer', inquiryId })).statusCode).toBe(
      201,
    );
    expect(pipeline.enqueueFailures).toEqual([inquiryId]);
    expect(await pipeline.head(inquiryId)).toMatchObject({
      trigger: { kind: 'disposition', disposition: 'no_answer' },
    });
    pipeline.queues.score.broken = false;
    pipeline.environment.advance(minutes(2));
    await pipeline.sweep();
    await pipeline.drain();

    expect(await pipeline.head(inquiryId)).not.toHaveProperty('trigger');
    expect(await pipeline.contacts.find(contactId)).toMatchObject({ tags: ['hard-to-reach'] });
    expect((await timeline(contactId)).map(({ kind, actor }) => `${kind} ${actor}`)).toContain(
      'rules_applied rule:tag-no-answer',
    );
  });
});

describe('what rules listen for', () => {
  beforeEach(() => start(listening));

  it('is a reply, and no e-mail that was sent', async () => {
    const { contactId, inquiryId } = await mailed();

    await record(contactId, { kind: 'email', direction: 'sent', inquiryId });
    expect(pipeline.queues.score.sent).toEqual([]);
    await record(contactId, { kind: 'email', direction: 'received', inquiryId });
    await pipeline.drain();

    expect(await pipeline.contacts.find(contactId)).toMatchObject({ tags: ['replied'] });
  });

  it('is a change of the stage', async () => {
    const { contactId, inquiryId } = await mailed();

    await patch(inquiryId, { stage: 'consult' });
    await pipeline.drain();

    expect(await pipeline.contacts.find(contactId)).toMatchObject({
      tags: ['in-consult'],
      lifecycle: 'consult',
    });
  });
});

it('a booking that a rule sets again makes no returning patient', async () => {
  start(listening);
  const { contactId, inquiryId } = await mailed();
  await patch(inquiryId, { stage: 'booked' });
  await patch(inquiryId, { stage: 'consult' });
  await pipeline.drain();

  await record(contactId, { kind: 'call', disposition: 'voicemail', inquiryId });
  await pipeline.drain();

  expect((await pipeline.head(inquiryId)).stage).toBe('booked');
  expect(await lifecycle(contactId)).toBe('patient');
});

it('rules look at a person who was merged as all they are, and send them to whoever knows them', async () => {
  const toOwner = {
    id: 'patients-to-owner',
    name: 'Patients to whoever knows them',
    when: { field: 'lifecycle', operator: 'is', value: 'patient' },
    actions: [{ do: 'send_to_owner' }],
  };
  start(practiceSchema.parse({ ...structuredClone(smallPractice), rules: [toOwner] }));
  const { contactId, inquiryId } = await mailed();
  const known = await pipeline.contacts.find(contactId);
  await table.transact(
    pipeline.contacts.change(known ?? { id: '', version: 0 }, { owner: 'dev' }, pipeline.environment.now()),
  );
  await patch(inquiryId, { stage: 'booked' });
  const other = await mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined });
  await call('POST /v1/contacts/{id}/merge', {
    claims: callers.coordinator,
    pathParameters: { id: other.contactId },
    body: JSON.stringify({ contactId }),
    headers: { 'content-type': 'application/json' },
  });

  const again = await mailed({ name: 'M. Lopez', email: 'm@example.com', phone: undefined });

  expect(again.contactId).toBe(other.contactId);
  expect(await pipeline.head(again.inquiryId)).toMatchObject({
    assignedTo: 'dev',
    receipt: { strategy: 'owner' },
  });
});

describe('a change of an inquiry', () => {
  it('moves the lifecycle of its person, on and never back', async () => {
    const { contactId, inquiryId } = await mailed();
    await patch(inquiryId, { stage: 'consult' });
    expect(await lifecycle(contactId)).toBe('consult');
    await patch(inquiryId, { stage: 'booked' });
    expect(await lifecycle(contactId)).toBe('patient');
    await patch(inquiryId, { stage: 'consult' });
    await patch(inquiryId, { stage: 'booked' });
    expect(await lifecycle(contactId)).toBe('patient');

    const again = await mailed();
    expect(again.contactId).toBe(contactId);
    await patch(again.inquiryId, { stage: 'booked' });

    expect(await lifecycle(contactId)).toBe('returning');
    const moves = (await timeline(contactId)).filter(({ kind }) => kind === 'contact_changed');
    expect(moves.map(({ details }) => details)).toMatchObject([
      { changes: { lifecycle: { from: 'patient', to: 'returning' } }, because: 'stage' },
      { changes: { lifecycle: { from: 'consult', to: 'patient' } } },
      { changes: { lifecycle: { from: 'lead', to: 'consult' } } },
    ]);
  });

  it('says what a red flag was, and can say otherwise later', async () => {
    const inquiryId = await pipeline.captured({ redFlags: ['chest-pain'] });
    const { contactId } = await pipeline.head(inquiryId);

    expect(bodyOf(await patch(inquiryId, { redFlag: 'false_alarm' }))).toMatchObject({
      redFlag: 'false_alarm',
    });
    expect(bodyOf(await patch(inquiryId, { redFlag: 'confirmed' }))).toMatchObject({ redFlag: 'confirmed' });

    expect((await timeline(contactId)).filter(({ kind }) => kind === 'red_flag_reviewed')).toHaveLength(2);
    expect((await patch(inquiryId, { redFlag: 'raised' })).statusCode).toBe(422);
    expect((await patch(inquiryId, { redFlag: 'confirmed', stage: 'contacted' })).statusCode).toBe(422);
    const { inquiryId: calm } = await mailed({ name: 'Ann', email: 'ann@example.com', phone: undefined });
    expect(code(await patch(calm, { redFlag: 'confirmed' }))).toEqual([409, 'conflict']);
  });
});

describe('an inquiry, shown', () => {
  it('names who speaks for its person, who wrote it, and what triage decided and why', async () => {
    const inquiryId = await pipeline.mailed({ patientName: 'Leo Lopez' });
    const { contactId } = await pipeline.head(inquiryId);
    const view = async () =>
      bodyOf(
        await call('GET /v1/inquiries/{id}', {
          claims: callers.coordinator,
          pathParameters: { id: inquiryId },
        }),
      );

    expect(await view()).toMatchObject({
      contact: { id: contactId, name: 'Leo Lopez' },
      writer: { name: 'Maria Lopez' },
      urgency: 'routine',
      triage: { clock: 'tier B', respondWithinMinutes: 60, hits: [], recorded: [] },
    });
    const other = await mailed({ name: 'Leonardo Lopez', email: 'leo@example.com', phone: undefined });
    await call('POST /v1/contacts/{id}/merge', {
      claims: callers.coordinator,
      pathParameters: { id: other.contactId },
      body: JSON.stringify({ contactId }),
      headers: { 'content-type': 'application/json' },
    });
    expect(await view()).toMatchObject({ contact: { id: other.contactId, name: 'Leonardo Lopez' } });
  });
});
