import { beforeEach, describe, expect, it } from 'vitest';
import type { IncomingInquiry } from '../../functions/capture/capture-inquiry.ts';
import { nextActionAt } from '../../shared/domain/inquiry.ts';
import { createPipeline, digest, hours } from '../support/fixtures.ts';
import { createMemoryTable, type MemoryTable } from '../support/memory-table.ts';

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

  it('with a name, who left a new point without one, is found by name there', async () => {
    const maria = await person(onlyPhone);
    expect(await person(nameless)).toBe(maria);

    expect(await person(onlyEmail)).toBe(maria);
    expect(await person({ name: 'Pedro Lopez', ...onlyEmail })).not.toBe(maria);
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
