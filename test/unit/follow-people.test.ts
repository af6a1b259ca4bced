/** What follows from a new contact, a new point, or an inquiry of somebody who was known. */
import { beforeEach, describe, expect, it } from 'vitest';
import { mergeContacts, unmergeContacts } from '../../functions/api/link-contacts.ts';
import type { IncomingInquiry } from '../../functions/capture/capture-inquiry.ts';
import { type Followed, followChange } from '../../functions/people/follow-change.ts';
import { MatchBusy } from '../../functions/people/suggest-matches.ts';
import type { Contact } from '../../shared/data/contacts.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, hours } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
let seen: Set<string>;
const broken: string[] = [];
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
  seen = new Set();
  broken.length = 0;
});

const dependencies = () => ({ ...pipeline.dependencies, onBroken: (id: string) => void broken.push(id) });

/** Hands over every row that is new since the last time, as the stream does. */
async function follow(): Promise<{ suggested: number; rescored: number }> {
  const sum = { suggested: 0, rescored: 0 };
  for (const row of table.rows()) {
    const key = `${row.pk} ${row.sk}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const followed: Followed = await followChange(dependencies(), row);
    if (followed.outcome !== 'people_followed') continue;
    sum.suggested += followed.suggested;
    sum.rescored += followed.rescored;
  }
  return sum;
}

const email = 'maria@example.com';
const phone = '+16505550188';
const onlyEmail = { email, phone: undefined } as const;
const onlyPhone = { email: undefined, phone } as const;
const person = async (change: Partial<IncomingInquiry> = {}): Promise<string> =>
  (await pipeline.head(await pipeline.captured(change))).contactId;
const find = async (id: string): Promise<Contact> => (await pipeline.contacts.find(id)) as Contact;
const reasonsOf = async (id: string): Promise<string[]> =>
  (await find(id)).matches.map(({ reasons }) => reasons.join(' '));
const open = async () => (await pipeline.contacts.openMatches(50)).matches;
const done = () => ({ by: 'ana', now: pipeline.environment.now() });

describe('somebody new', () => {
  it('with nobody else behind their points is suggested to be nobody', async () => {
    await person();
    const { query } = table;
    const asked: string[] = [];
    table.query = (wanted) => {
      asked.push(wanted.pk.slice(0, 3));
      return query(wanted);
    };

    expect(await follow()).toEqual({ suggested: 0, rescored: 0 });
    // One look at each of the two points, and none at the person.
    expect(asked).toEqual(['PT#', 'PT#']);
    expect(await open()).toEqual([]);
  });

  it.each([
    ['Mariah Lopez', 'likely_same', 'same_phone same_email similar_name same_last_name'],
    ['Pedro Lopez', 'may_be_family', 'same_phone same_email same_last_name'],
    ['Kim Park', 'may_be_family', 'same_phone same_email different_name'],
  ])('called %s, beside Maria Lopez, is suggested: %s', async (name, kind, reasons) => {
    const maria = await person();
    await follow();
    const other = await person({ name });

    expect(await follow()).toEqual({ suggested: 1, rescored: 0 });
    expect(await open()).toMatchObject([{ contactIds: [maria, other], kind, state: 'open' }]);
    expect(await reasonsOf(maria)).toEqual([reasons]);
    expect(await reasonsOf(other)).toEqual([reasons]);
  });

  it('is told apart from those on one of the two points', async () => {
    await person(onlyPhone);
    const other = await person({ name: 'Pedro Lopez' });
    await follow();

    expect(await reasonsOf(other)).toEqual(['same_phone same_last_name']);
  });

  it('who left no name, beside several who did, is suggested to be any of them', async () => {
    await person(onlyPhone);
    await person({ name: 'Pedro Lopez', ...onlyPhone });
    const somebody = await person({ name: undefined, ...onlyPhone });
    await follow();

    expect(await reasonsOf(somebody)).toEqual(['same_phone no_name', 'same_phone no_name']);
  });

  it('of the same name behind another point is seen once an inquiry comes with both', async () => {
    const first = await person(onlyEmail);
    const second = await person(onlyPhone);
    expect(await follow()).toMatchObject({ suggested: 0 });

    await person();

    expect(await follow()).toMatchObject({ suggested: 1 });
    expect(await open()).toMatchObject([{ contactIds: [first, second], kind: 'likely_same' }]);
    expect(await reasonsOf(first)).toEqual(['same_name same_name_came_together']);
    await person();
    expect(await follow()).toMatchObject({ suggested: 0 });
  });

  it('whom somebody wrote for is related to them, and no match', async () => {
    await person({ patientName: 'Leo Lopez' });

    expect(await follow()).toMatchObject({ suggested: 0 });
    expect(await open()).toEqual([]);
  });

  it('on a line with very many others is suggested to be none of them', async () => {
    for (let i = 0; i < 20; i++) await person({ name: `Guest ${i}`, ...onlyPhone });
    await follow();
    const before = (await open()).length;
    await person({ name: 'Guest 20', ...onlyPhone });

    expect(await follow()).toMatchObject({ suggested: 0 });
    expect(await open()).toHaveLength(before);
  });
});

describe('what is decided', () => {
  it('is never suggested again, nor is what was followed before', async () => {
    const [maria, pedro] = [await person(), await person({ name: 'Pedro Lopez' })];
    await follow();
    await table.transact(pipeline.contacts.decideMatch(maria, pedro, 'different', done()));
    seen.clear();

    expect(await follow()).toMatchObject({ suggested: 0 });
    expect(await open()).toEqual([]);
  });

  it('by a merge is that they are one: what is new is suggested to be whoever speaks for them', async () => {
    const [maria, mariah] = [await person(onlyPhone), await person({ name: 'Mariah Lopez', ...onlyPhone })];
    await table.transact(pipeline.contacts.merge(await find(maria), await find(mariah), done()));

    expect(await follow()).toMatchObject({ suggested: 0 });
    const third = await person({ name: 'M Lopez', ...onlyPhone });
    expect(await follow()).toMatchObject({ suggested: 1 });
    expect(await open()).toMatchObject([{ contactIds: [maria, third] }]);
  });

  it('by an undone merge is that they are two', async () => {
    const [maria, mariah] = [await person(), await person({ name: 'Mariah Lopez' })];
    await table.transact(pipeline.contacts.merge(await find(maria), await find(mariah), done()));
    await table.transact(pipeline.contacts.unmerge(maria, mariah, done()));

    expect(await follow()).toMatchObject({ suggested: 0 });
  });

  it('by nobody, since others kept writing, is tried again by the stream', async () => {
    await person();
    await person({ name: 'Pedro Lopez' });
    table.conflicts = 100;

    await expect(follow()).rejects.toThrow(MatchBusy);
  });
});

describe('a point that is added', () => {
  it('leads to whom else is behind it', async () => {
    await person({ name: 'Pedro Lopez', ...onlyEmail });
    const maria = await person(onlyPhone);
    await follow();
    await person();

    expect(await follow()).toMatchObject({ suggested: 1 });
    expect(await reasonsOf(maria)).toEqual(['same_email same_last_name']);
  });

  it('has the open inquiries of before scored again, not the one that brought it', async () => {
    const first = await pipeline.mailed(onlyPhone);
    pipeline.environment.advance(hours(1));
    const second = await pipeline.mailed();
    const rows = table.rows().filter(({ sk }) => sk.startsWith('POINT#'));
    for (const row of rows) await followChange(dependencies(), row);

    expect(rows).toHaveLength(1);
    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual([first]);
    expect(second).not.toBe(first);
  });
});

describe('a merge', () => {
  it('has the open inquiries of everybody who is one person since scored again, and so has its undoing', async () => {
    const [maria, mary] = [await pipeline.mailed(), await pipeline.mailed({ name: 'Mary Lopez' })];
    const closed = await pipeline.mailed({ name: 'Mary Lopez' });
    await table.write({ update: inquiryHead(closed), set: { stage: 'closed' } });
    await pipeline.mailed({ name: 'Pedro Lopez' });
    const [survivor, merged] = (await Promise.all([maria, mary].map(pipeline.head))).map(
      ({ contactId }) => contactId,
    ) as [string, string];
    await follow();

    const merge = () => mergeContacts(pipeline, survivor, merged, undefined, 'ana');
    const unmerge = () => unmergeContacts(pipeline, survivor, merged, 'ana');
    for (const change of [merge, unmerge]) {
      await change();
      pipeline.queues.score.take();
      const rows = table.rows().filter(({ sk }) => sk.startsWith('MERGED#'));
      expect(rows).toHaveLength(1);

      for (const row of rows) {
        expect(await followChange(dependencies(), row)).toMatchObject({ suggested: 0, rescored: 2 });
      }
      const asked = pipeline.queues.score.take().map(({ inquiryId }) => inquiryId);
      expect(asked.sort()).toEqual([maria, mary].sort());
    }
  });
});

describe('a second inquiry', () => {
  it('has the first one scored again while that is open, and nothing of anybody else', async () => {
    const first = await pipeline.mailed();
    await pipeline.mailed({ name: 'Pedro Lopez' });
    await follow();
    pipeline.queues.score.take();
    pipeline.environment.advance(hours(1));
    const { version } = await pipeline.head(first);
    await pipeline.captured();
    pipeline.queues.score.take();

    expect(await follow()).toEqual({ suggested: 0, rescored: 1 });
    expect(pipeline.queues.score.take()).toEqual([{ inquiryId: first, version }]);
  });

  it('says where they are, as far as they wrote it themselves, and the last word counts', async () => {
    const maria = await person();
    await follow();
    const said = async (timeZone: string, more = {}) => {
      pipeline.environment.advance(hours(1));
      await person({ fields: { name: 'Maria Lopez', timeZone, ...more }, ...more });
      await follow();
      return (await find(maria)).timeZone?.zone;
    };

    expect(await said('America/Denver')).toBe('America/Denver');
    expect(await said('America/Denver')).toBe('America/Denver');
    expect(await said('Asia/Tokyo')).toBe('Asia/Tokyo');
    // Pedro's browser says where Pedro is.
    expect(await said('Europe/Rome', { name: 'Pedro Lopez', patientName: 'Maria Lopez' })).toBe('Asia/Tokyo');
    const first = table.rows().find(({ sk, returning }) => sk === 'BODY' && returning);
    if (first) await followChange(dependencies(), first);
    expect((await find(maria)).timeZone?.zone).toBe('Asia/Tokyo');
    const changes = table.rows().filter(({ kind }) => kind === 'contact_changed');
    expect(changes).toHaveLength(2);
  });

  it('adds to the person what it says anew, with an entry that says so', async () => {
    const maria = await person();
    await follow();
    await person({
      wantedLocationId: 'main-street',
      fields: { name: 'Maria Lopez', language: 'en', insurance: 'Aetna' },
    });
    await follow();

    expect(await find(maria)).toMatchObject({
      version: 2,
      languages: ['es', 'en'],
      insurances: ['Aetna'],
      locations: ['main-street'],
    });
    const entries = table.rows().filter(({ sk }) => sk.startsWith('ENTRY#'));
    expect(entries).toMatchObject([
      {
        kind: 'contact_changed',
        actor: 'contact',
        details: {
          because: 'inquiry',
          changes: {
            languages: { from: ['es'], to: ['es', 'en'] },
            insurances: { from: [], to: ['Aetna'] },
            locations: { from: [], to: ['main-street'] },
          },
        },
      },
    ]);
  });

  it('adds nothing that is known already, however it is written, nor twice what comes twice', async () => {
    const maria = await person({ insurance: 'Blue Cross' });
    await person({ fields: { language: 'ES', insurance: 'blue-cross' } });
    await follow();
    expect((await find(maria)).version).toBe(1);

    await person({ fields: { insurance: 'Aetna' } });
    await follow();
    seen.clear();
    await follow();

    expect(await find(maria)).toMatchObject({ version: 2, insurances: ['Blue Cross', 'Aetna'] });
  });

  it('adds what it says over what somebody else changes at the same moment', async () => {
    const maria = await person();
    await follow();
    await person({ fields: { insurance: 'Aetna' } });
    const { transact } = table;
    table.transact = async (writes) => {
      table.transact = transact;
      await transact(
        pipeline.contacts.change(await find(maria), { tags: ['vip'] }, pipeline.environment.now()),
      );
      return transact(writes);
    };
    await follow();

    expect(await find(maria)).toMatchObject({ tags: ['vip'], insurances: ['Aetna'] });
  });

  it('has the ten newest scored again, however many are open', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      ids.push(await pipeline.captured());
      pipeline.environment.advance(1_000);
    }
    for (const row of table.rows()) seen.add(`${row.pk} ${row.sk}`);
    await pipeline.captured();
    pipeline.queues.score.take();

    expect(await follow()).toMatchObject({ rescored: 10 });
    expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual(ids.slice(2).toReversed());
  });

  it('leaves alone what is closed, quarantined, or cannot be read', async () => {
    const heads = [
      await pipeline.captured(),
      await pipeline.captured(),
      await pipeline.captured({ quarantine: ['honeypot'] }),
    ];
    const [closed = '', unreadable = ''] = heads;
    const key = (id: string) => ({ pk: `INQ#${id}`, sk: 'HEAD' });
    await table.write({ update: key(closed), set: { stage: 'closed' } });
    await table.write({ update: key(unreadable), set: { stage: 'nonsense' } });
    for (const row of table.rows()) seen.add(`${row.pk} ${row.sk}`);
    await pipeline.captured();
    pipeline.queues.score.take();

    expect(await follow()).toMatchObject({ rescored: 0 });
    expect(pipeline.queues.score.sent).toEqual([]);
    expect(broken).toEqual([unreadable]);
  });
});

describe('an inquiry in quarantine', () => {
  const quarantine = ['honeypot'] as const;

  it('of a person who is known notes nothing, suggests nobody and has nothing scored again', async () => {
    const maria = await person(onlyEmail);
    await person(onlyPhone);
    await follow();
    const before = await find(maria);

    await person({ fields: { language: 'fr', insurance: 'Aetna' }, wantedLocationId: 'x', quarantine });

    expect(await follow()).toEqual({ suggested: 0, rescored: 0 });
    expect(await find(maria)).toEqual(before);
    expect(await open()).toEqual([]);
  });

  it('of somebody new suggests nobody who is known', async () => {
    const maria = await person();
    await follow();

    await person({ name: 'Mariah Lopez', quarantine });

    expect(await follow()).toEqual({ suggested: 0, rescored: 0 });
    expect((await find(maria)).matches).toEqual([]);
  });
});

it('rows that are none of its concern change nothing', async () => {
  await person();
  const before = table.rows();

  for (const row of before.filter(({ sk }) => sk !== 'PROFILE')) {
    expect(await followChange(dependencies(), row)).toEqual({ outcome: 'people_not_concerned' });
  }
  expect(table.rows()).toEqual(before);
});
