import { beforeEach, describe, expect, it } from 'vitest';
import type { IncomingInquiry } from '../../functions/capture/capture-inquiry.ts';
import { nextActionAt } from '../../shared/domain/inquiry/state.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, digest, hours } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
});

const email = 'maria@example.com';
const phone = '+16505550188';
const nameless = { name: undefined } as const;
const onlyEmail = { email, phone: undefined } as const;
const onlyPhone = { email: undefined, phone } as const;
/** The person behind a captured inquiry. */
const person = async (change: Partial<IncomingInquiry> = {}): Promise<string> =>
  (await pipeline.head(await pipeline.captured(change))).contactId;
const people = () => table.rows().filter(({ sk }) => sk === 'PROFILE');

describe('a captured inquiry', () => {
  it('is stored whole, on the due index, and asked to be scored', async () => {
    const done = await pipeline.capture();

    expect(done).toMatchObject({ outcome: 'captured', receivedAt: '2026-11-20T16:00:00.000Z' });
    const id = 'id' in done ? done.id : '';
    const record = await pipeline.inquiries.find(id);
    expect(record?.head).toMatchObject({ version: 1, stage: 'new', progress: 'captured' });
    expect(record?.body).toMatchObject({ inquiryId: id, fields: { phone: '(650) 555-0188' } });
    expect(record && nextActionAt(record.head)).toBe('2026-11-20T16:01:00.000Z');
    expect(pipeline.queues.score.sent).toEqual([{ inquiryId: id, version: 1 }]);
    expect(table.rows().map(({ pk, sk }) => `${pk.split('#')[0]} ${sk.split('#')[0]}`)).toEqual([
      'CON PROFILE',
      'IDEM IDEM',
      'INQ BODY',
      'INQ HEAD',
      'PT NAME',
      'PT NAME',
    ]);
  });

  it('names its person in no key, no index and no message', async () => {
    await pipeline.captured();

    const strings = table
      .rows()
      .flatMap((row) => Object.entries(row).filter(([name]) => /pk$|sk$/i.test(name)))
      .map(([, value]) => String(value));
    expect(`${strings} ${JSON.stringify(pipeline.queues.score.sent)}`).not.toMatch(/maria|lopez|6505550188/i);
  });

  it('is safe where the queue is away', async () => {
    pipeline.queues.score.broken = true;

    const id = await pipeline.captured();

    expect(pipeline.enqueueFailures).toEqual([id]);
    expect((await pipeline.head(id)).progress).toBe('captured');
  });

  it('is asked for by nobody while it is in quarantine', async () => {
    const id = await pipeline.captured({ quarantine: ['honeypot'] });

    expect((await pipeline.head(id)).progress).toBe('quarantined');
    expect(pipeline.queues.score.sent).toEqual([]);
  });

  it('commits nothing where the table keeps refusing, and says so', async () => {
    table.conflicts = 100;

    expect(await pipeline.capture()).toEqual({ outcome: 'busy' });
    expect(table.rows()).toEqual([]);
  });

  it('gets past a conflict or two', async () => {
    table.conflicts = 2;

    expect(await pipeline.capture()).toMatchObject({ outcome: 'captured' });
  });
});

describe('a request that comes again', () => {
  const identity = { key: 'form k1', content: 'one body' };

  it('is answered as the first time, and stored once', async () => {
    const first = await pipeline.capture({}, identity);
    const before = table.rows();
    pipeline.environment.advance(hours(23));

    expect(await pipeline.capture({}, identity)).toEqual({ ...first, outcome: 'repeated' });
    expect(table.rows()).toEqual(before);
    expect(pipeline.queues.score.sent).toHaveLength(1);
  });

  it('with another body is a conflict', async () => {
    const first = await pipeline.capture({}, identity);

    const second = await pipeline.capture({}, { ...identity, content: 'another body' });

    expect(second).toEqual({ ...first, outcome: 'conflict' });
  });

  it('a day later is a new one, though the table has not yet deleted the record', async () => {
    await pipeline.capture({}, identity);
    pipeline.environment.advance(hours(24));

    expect(await pipeline.capture({}, identity)).toMatchObject({ outcome: 'captured' });
  });

  it('many times in the same moment is one inquiry, with one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => pipeline.capture({}, identity)));

    expect(new Set(answers.map((answer) => 'id' in answer && answer.id)).size).toBe(1);
    expect(answers.filter(({ outcome }) => outcome === 'captured')).toHaveLength(1);
    expect(table.rows().filter(({ sk }) => sk === 'HEAD')).toHaveLength(1);
    expect(pipeline.queues.score.sent).toHaveLength(1);
  });
});

describe('the person', () => {
  it('is the same where a point and the name agree, however the name is written', async () => {
    const first = await person();

    expect(await person({ name: 'LÓPEZ, María' })).toBe(first);
    expect(await person(onlyEmail)).toBe(first);
    expect(await person(onlyPhone)).toBe(first);
    expect(people()).toHaveLength(1);
  });

  it('is another where the name on the same phone is another', async () => {
    const first = await person();

    const second = await person({ name: 'Pedro Lopez', ...onlyPhone });

    expect(second).not.toBe(first);
    expect(await person({ name: 'Pedro Lopez', ...onlyPhone })).toBe(second);
    expect(await person(onlyPhone)).toBe(first);
  });

  it('gains the points that came later', async () => {
    const first = await person(onlyEmail);
    await person();

    expect(await person(onlyPhone)).toBe(first);
    expect(await pipeline.contacts.find(first)).toMatchObject({ email, phone, otherPoints: [] });
    await person({ email: 'work@example.com' });
    expect((await pipeline.contacts.find(first))?.otherPoints).toEqual([
      { kind: 'email', value: 'work@example.com' },
    ]);
  });

  it('is the one known longer where mailbox and number lead to two of the same name', async () => {
    const first = await person(onlyEmail);
    const second = await person(onlyPhone);

    expect(second).not.toBe(first);
    expect(await person()).toBe(first);
    expect(await person(onlyPhone)).toBe(second);
  });

  it('is new each time where there is no point to be found by', async () => {
    const without = { email: undefined, phone: undefined };

    expect(await person(without)).not.toBe(await person(without));
  });

  it('without a name joins the one behind the point', async () => {
    const first = await person();

    expect(await person({ ...nameless, ...onlyPhone })).toBe(first);
    expect((await pipeline.contacts.find(first))?.name).toBe('Maria Lopez');
  });

  it('without a name is somebody of their own where several share the point', async () => {
    const maria = await person(onlyPhone);
    const pedro = await person({ name: 'Pedro Lopez', ...onlyPhone });

    const somebody = await person({ ...nameless, ...onlyPhone });

    expect([maria, pedro]).not.toContain(somebody);
    expect(await person({ ...nameless, ...onlyPhone })).toBe(somebody);
  });

  it('without a name gets one from whoever first gives one', async () => {
    const caller = await person({ ...nameless, ...onlyPhone });

    expect(await person()).toBe(caller);
    expect(await pipeline.contacts.find(caller)).toMatchObject({ name: 'Maria Lopez', email, phone });
    expect(await person(onlyEmail)).toBe(caller);
    expect(await person({ name: 'Pedro Lopez', ...onlyPhone })).not.toBe(caller);
  });

  describe('who was named through one of two points', () => {
    let caller: string;
    beforeEach(async () => {
      caller = await person(nameless);
      await person(onlyPhone);
    });

    it('is found by name through the other', async () => {
      expect(await person(onlyEmail)).toBe(caller);
      expect(await person(onlyEmail)).toBe(caller);
    });

    it('is not taken for somebody of another name there', async () => {
      const pedro = await person({ name: 'Pedro Lopez', ...onlyEmail });

      expect(pedro).not.toBe(caller);
      expect(await person({ name: 'Pedro Lopez', ...onlyEmail })).toBe(pedro);
      expect((await pipeline.contacts.find(caller))?.name).toBe('Maria Lopez');
    });
  });

  it('with a name gains no point from a stranger who gives their number and no name', async () => {
    const maria = await person(onlyPhone);
    const before = table.rows().filter(({ pk }) => /^(CON|PT)#/.test(pk));

    expect(await person({ ...nameless, email: 'stranger@example.com' })).toBe(maria);

    expect(table.rows().filter(({ pk }) => /^(CON|PT)#/.test(pk))).toEqual(before);
    expect(await person({ name: 'Sam Stranger', ...onlyEmail, email: 'stranger@example.com' })).not.toBe(
      maria,
    );
  });

  it('who got their name through another point gains none either', async () => {
    const caller = await person(nameless);
    await person(onlyPhone);

    expect(await person({ ...nameless, email, phone: '+16505550199' })).toBe(caller);

    expect((await pipeline.contacts.find(caller))?.otherPoints).toEqual([]);
  });

  it('without a name gains points without one', async () => {
    const caller = await person({ ...nameless, ...onlyPhone });

    expect(await person(nameless)).toBe(caller);
    expect(await person({ ...nameless, ...onlyEmail })).toBe(caller);
    expect(await pipeline.contacts.find(caller)).toMatchObject({ email, phone });
  });

  it.each([
    ['by name', {}],
    ['by phone alone', { ...nameless, ...onlyPhone }],
  ])('who first comes many times in the same moment, %s, is one person', async (_, change) => {
    const came = await Promise.all(Array.from({ length: 25 }, () => person(change)));

    expect(new Set(came).size).toBe(1);
    expect(people()).toHaveLength(1);
  });

  it('who is named by many in the same moment gets one name, and the others are others', async () => {
    const caller = await person({ ...nameless, ...onlyPhone });
    const names = ['Maria', 'Pedro', 'Ana', 'Luis'];

    const came = await Promise.all(names.map((name) => person({ name, ...onlyPhone })));

    expect(new Set(came).size).toBe(names.length);
    expect(came).toContain(caller);
    const again = await Promise.all(names.map((name) => person({ name, ...onlyPhone })));
    expect(again).toEqual(came);
  });

  it('has the digests of the points and names in the keys', async () => {
    await person(onlyEmail);

    expect(table.rows().map(({ pk, sk }) => `${pk}/${sk}`)).toContain(
      `PT#${digest('email', email)}/NAME#${digest('name', 'lopez maria')}`,
    );
  });
});

describe('a person who was known', () => {
  const returning = async (change: Partial<IncomingInquiry> = {}) =>
    (await pipeline.inquiries.find(await pipeline.captured(change)))?.body?.returning;

  it('is marked as such, and one who was not is not', async () => {
    expect(await returning()).toBeUndefined();
    expect(await returning()).toBe(true);
    expect(await returning({ name: 'Pedro Lopez' })).toBeUndefined();
    expect(await returning({ ...nameless, ...onlyPhone, phone: '+16505550189' })).toBeUndefined();
    expect(await returning({ ...onlyPhone, phone: '+16505550189' })).toBe(true);
  });

  it('keeps the language, the insurance and the place of their first inquiry', async () => {
    const first = await person({ insurance: 'Aetna', wantedLocationId: 'main-street' });

    expect(await pipeline.contacts.find(first)).toMatchObject({
      version: 1,
      lifecycle: 'lead',
      languages: ['es'],
      insurances: ['Aetna'],
      locations: ['main-street'],
      pointDigests: [
        { kind: 'email', digest: digest('email', email) },
        { kind: 'phone', digest: digest('phone', phone) },
      ],
    });
  });

  it('without a name, whose contacts behind the phone were merged, is the one who speaks for them', async () => {
    const maria = await person(onlyPhone);
    const mariah = await person({ name: 'Mariah Lopez', ...onlyPhone });
    const [survivor, merged] = await Promise.all([maria, mariah].map((id) => pipeline.contacts.find(id)));
    if (!survivor || !merged) throw new Error('both are there');
    const done = { by: 'ana', now: pipeline.environment.now() };
    await table.transact(pipeline.contacts.merge(survivor, merged, done));

    expect(await person({ ...nameless, ...onlyPhone })).toBe(maria);
    expect(people()).toHaveLength(2);
  });

  it('by two contacts of one name, through mailbox and number, names the other', async () => {
    const first = await person(onlyEmail);
    const second = await person(onlyPhone);

    const record = await pipeline.inquiries.find(await pipeline.captured());

    expect(record?.body).toMatchObject({ contactId: first, returning: true, namesakeIds: [second] });
  });
});

describe('who writes for somebody else', () => {
  const forLeo = { patientName: 'Leo Lopez' } as const;
  const bodyOf = async (change: Partial<IncomingInquiry> = {}) => {
    const record = await pipeline.inquiries.find(await pipeline.captured(change));
    if (!record?.body) throw new Error('no body');
    return record.body;
  };

  it('is a contact beside the patient, on the same points, and both are related', async () => {
    const body = await bodyOf(forLeo);

    const [patient, writer] = await Promise.all(
      [body.contactId, body.writerId ?? ''].map((id) => pipeline.contacts.find(id)),
    );
    expect(patient).toMatchObject({
      name: 'Leo Lopez',
      phone,
      relations: [{ contactId: body.writerId, relation: 'ward_of' }],
    });
    expect(writer).toMatchObject({
      name: 'Maria Lopez',
      email,
      relations: [{ contactId: body.contactId, relation: 'guardian_of' }],
    });
    expect(await person({ name: 'Leo Lopez' })).toBe(body.contactId);
    expect(await person()).toBe(body.writerId);
  });

  it('has an entry of it on their own timeline', async () => {
    const { inquiryId, contactId, writerId = '' } = await bodyOf(forLeo);

    const { rows } = await pipeline.contacts.timelinePage(writerId, 10);
    const entry = await table.get(rows[0] ?? { pk: '', sk: '' });
    expect(rows).toHaveLength(1);
    expect(entry).toMatchObject({
      kind: 'wrote_for',
      actor: 'contact',
      inquiryId,
      details: { patientId: contactId },
    });
  });

  it('and does so again is related once', async () => {
    const first = await bodyOf(forLeo);
    const second = await bodyOf(forLeo);

    expect(second).toMatchObject({ contactId: first.contactId, writerId: first.writerId, returning: true });
    expect(first.returning).toBeUndefined();
    expect(table.rows().filter(({ sk }) => sk.startsWith('RELATION#'))).toHaveLength(2);
  });

  it('under the name of the patient is the patient', async () => {
    expect(await bodyOf({ patientName: 'LOPEZ, María' })).not.toHaveProperty('writerId');
    expect(people()).toHaveLength(1);
  });

  it('without a name of their own leaves the patient alone to be known', async () => {
    const body = await bodyOf({ ...forLeo, ...nameless });

    expect(body).not.toHaveProperty('writerId');
    expect((await pipeline.contacts.find(body.contactId))?.name).toBe('Leo Lopez');
  });

  it('after a missed call of theirs was the caller, not the patient', async () => {
    const caller = await person({ ...nameless, ...onlyPhone });

    const body = await bodyOf(forLeo);

    expect(body.writerId).toBe(caller);
    expect((await pipeline.contacts.find(caller))?.name).toBe('Maria Lopez');
  });

  it('many times in the same moment makes two people', async () => {
    const bodies = await Promise.all(Array.from({ length: 15 }, () => bodyOf(forLeo)));

    expect(new Set(bodies.map(({ contactId, writerId }) => `${contactId} ${writerId}`)).size).toBe(1);
    expect(people()).toHaveLength(2);
  });

  it('takes one read and one transaction', async () => {
    const calls: string[] = [];
    for (const name of ['get', 'query', 'batchGet', 'write', 'transact'] as const) {
      const own = table[name] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(table, {
        [name]: (...args: unknown[]) => {
          calls.push(name);
          return own(...args);
        },
      });
    }

    await pipeline.captured(forLeo);
    await pipeline.captured(forLeo);

    expect(calls).toEqual(['batchGet', 'transact', 'batchGet', 'transact']);
  });
});

describe('an inquiry in quarantine', () => {
  const quarantine = ['honeypot'] as const;
  /** Everything about people: contacts, and who is behind which point. */
  const ofPeople = () => table.rows().filter(({ pk }) => /^(CON|PT)#/.test(pk));

  it.each([
    ['by name, with a new mailbox', { email: 'stranger@example.com' }],
    ['without a name, with a new mailbox', { ...nameless, email: 'stranger@example.com' }],
  ])('joins a person who is known, %s, and changes nothing about them', async (_, change) => {
    const maria = await person();
    const before = ofPeople();

    const suspected = await pipeline.captured({ ...change, quarantine });

    expect((await pipeline.head(suspected)).contactId).toBe(maria);
    expect(ofPeople()).toEqual(before);
    // Once it is released, their next inquiry brings the point along.
    expect(await person(change)).toBe(maria);
  });

  it('names nobody who left no name', async () => {
    const caller = await person({ ...nameless, ...onlyPhone });

    const other = await person({ quarantine });

    expect(other).not.toBe(caller);
    expect(await pipeline.contacts.find(caller)).not.toHaveProperty('name', 'Maria Lopez');
  });

  it('relates nobody who is known', async () => {
    const maria = await person();
    const leo = await person({ name: 'Leo Lopez' });

    await pipeline.captured({ patientName: 'Leo Lopez', quarantine });
    await pipeline.captured({ patientName: 'Kim Lopez', quarantine });

    for (const id of [maria, leo]) expect((await pipeline.contacts.find(id))?.relations).toEqual([]);
  });

  it('makes whoever is new, on their points, and relates the new', async () => {
    const id = await pipeline.captured({ patientName: 'Leo Lopez', quarantine });

    const body = (await pipeline.inquiries.find(id))?.body;
    expect(await pipeline.contacts.find(body?.contactId ?? '')).toMatchObject({
      name: 'Leo Lopez',
      email,
      relations: [{ contactId: body?.writerId, relation: 'ward_of' }],
    });
    expect(await person()).toBe(body?.writerId);
  });
});

describe('an inquiry with words of an emergency', () => {
  const flagged = { redFlags: ['chest-pain'] } as const;

  it.each([
    ['an open one', []],
    ['a quarantined one', ['honeypot']],
  ] as const)('%s is stored with its alert, due at once, and asked for', async (_, quarantine) => {
    const id = await pipeline.captured({ ...flagged, quarantine });

    const record = await pipeline.inquiries.find(id);
    expect(record?.head).toMatchObject({
      redFlag: 'raised',
      progress: quarantine.length > 0 ? 'quarantined' : 'captured',
    });
    expect(record?.body?.redFlags).toEqual(['chest-pain']);
    expect(table.rows().find(({ sk }) => sk === 'ALERT')).toMatchObject({
      pk: `INQ#${id}`,
      flags: ['chest-pain'],
      dueSk: expect.stringMatching(/^2026-11-20T16:00:00\.000Z/),
    });
    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual([id]);
  });

  it('and any other costs nothing for it', async () => {
    const record = await pipeline.inquiries.find(await pipeline.captured());

    expect(record?.head).not.toHaveProperty('redFlag');
    expect(table.rows().map(({ sk }) => sk)).not.toContain('ALERT');
  });
});
