/** Merges, relations and suggested matches on DynamoDB's own engine, with two writers at every condition. */
import { beforeEach, describe, expect, it } from 'vitest';
import { suggestMatches } from '../../functions/people/suggest-matches.ts';
import { type Contacts, createContacts, mostFamilyMembers } from '../../shared/data/contacts.ts';
import { contactProfile } from '../../shared/data/keys.ts';
import type { Table, Transacted, Write } from '../../shared/data/table.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline } from '../support/fixtures.ts';

const now = new Date('2026-11-20T16:00:00.000Z');
const done = { by: 'ana', now };
const idOf = (letter: string): string => `con_${letter.padStart(26, '0')}`;
const [a, b, c] = ['A', 'B', 'C'].map(idOf) as [string, string, string];

let table: Table;
let contacts: Contacts;
beforeEach(async () => {
  ({ table } = await freshTable());
  contacts = createContacts(table);
});

async function create(...ids: string[]): Promise<void> {
  for (const id of ids) {
    const contact = { id, name: `Name ${id}`, email: undefined, phone: undefined, language: 'es' };
    await write(contacts.create(contact, now));
  }
}

const transact = (writes: readonly Write[]): Promise<Transacted> => table.transact(writes);
async function write(...writes: Write[]): Promise<void> {
  expect(await transact(writes)).toEqual({ committed: true });
}
/** The transactions at one moment; how many of them were committed. */
async function racing(...all: (readonly Write[])[]): Promise<number> {
  const results = await Promise.all(all.map(transact));
  return results.filter(({ committed }) => committed).length;
}
async function find(id: string) {
  const contact = await contacts.find(id, { consistent: true });
  if (!contact) throw new Error(`no contact ${id}`);
  return contact;
}
const merging = async (survivorId: string, mergedId: string): Promise<Write[]> =>
  contacts.merge(await find(survivorId), await find(mergedId), done);
const merge = async (survivorId: string, mergedId: string): Promise<void> =>
  write(...(await merging(survivorId, mergedId)));
const familyOf = async (id: string): Promise<string[]> => (await contacts.family(await find(id))).toSorted();

describe('a merge', () => {
  it('has the survivor speak for the other, and moves nothing', async () => {
    await create(a, b);
    const before = await find(b);

    await merge(a, b);

    expect(await find(a)).toMatchObject({ mergedIds: [b], version: 2 });
    expect(await find(b)).toEqual({ ...before, mergedInto: a, version: 2 });
    expect((await contacts.findSurvivor(b))?.id).toBe(a);
    expect(await familyOf(a)).toEqual([a, b]);
  });

  it('of a family takes all of it', async () => {
    await create(a, b, c);
    await merge(b, c);
    await merge(a, b);

    expect(await familyOf(a)).toEqual([a, b, c]);
    expect((await contacts.findSurvivor(c))?.id).toBe(a);
    expect(await contacts.findSurvivorIds([c, b, idOf('Z')])).toEqual([a, idOf('Z')]);
  });

  it.each([
    ['the same two', [a, b], [a, b]],
    ['each into the other', [a, b], [b, a]],
    ['both into one', [a, b], [a, c]],
    ['one into both', [a, c], [b, c]],
    ['a chain', [b, a], [c, b]],
  ] as const)('at the same moment as another, %s, is one merge', async (_, first, second) => {
    await create(a, b, c);
    const merges = [await merging(...first), await merging(...second)] as const;

    expect(await racing(...merges)).toBe(1);
    expect(await racing(...merges)).toBe(0);
  });

  it('never closes a circle, however many race', async () => {
    const ids = ['A', 'B', 'C', 'D', 'E'].map(idOf);
    await create(...ids);
    for (let round = 0; round < 4; round++) {
      const merges = await Promise.all(
        ids.map((id, i) => merging(ids[(i + 1 + round) % ids.length] ?? a, id)),
      );
      await racing(...merges);
    }

    const into = new Map(
      await Promise.all(ids.map(async (id) => [id, (await find(id)).mergedInto] as const)),
    );
    for (const id of ids) {
      let steps = 0;
      for (let next = into.get(id); next !== undefined; next = into.get(next)) {
        expect(++steps).toBeLessThan(ids.length);
      }
    }
    // Every member is in just one family.
    const roots = ids.filter((id) => into.get(id) === undefined);
    const families = await Promise.all(roots.map(familyOf));
    expect(families.flat().toSorted()).toEqual(ids);
  });

  it('at the same moment as a change of either is one of the two', async () => {
    for (const changed of [a, b]) {
      await create(...[a, b].map((id) => `${id}${changed}`));
      const [into, other] = [`${a}${changed}`, `${b}${changed}`];
      const change = contacts.change(await find(`${changed}${changed}`), { tags: ['vip'] }, now);

      expect(await racing(await merging(into, other), change)).toBe(1);
    }
  });

  it('into somebody who was merged, of somebody who was, of unknown ones and into oneself is refused', async () => {
    await create(a, b, c);
    await merge(a, b);
    const [ofA, ofB, ofC] = [await find(a), await find(b), await find(c)];
    const unknown = { ...ofC, id: idOf('Z') };

    expect(await contacts.checkMerge(ofB, ofC)).toBe('merged_before');
    expect(await contacts.checkMerge(ofC, ofB)).toBe('merged_before');
    expect(await contacts.checkMerge(ofC, ofC)).toBe('same_contact');
    expect(await contacts.checkMerge(ofC, unknown)).toBe('unknown');
    expect(await contacts.checkMerge({ ...ofA, version: 1 }, ofC)).toBe('changed');
    expect(await contacts.checkMerge(ofA, ofC)).toBeUndefined();
    for (const writes of [contacts.merge(ofB, ofC, done), contacts.merge(ofC, ofB, done)]) {
      expect((await transact(writes)).committed).toBe(false);
    }
    expect((await transact(contacts.merge(ofC, unknown, done))).committed).toBe(false);
  });

  it(`makes no family of more than ${mostFamilyMembers}, counted on both sides`, async () => {
    const others = Array.from({ length: mostFamilyMembers }, (_, i) => idOf(String(i)));
    await create(a, b, ...others);
    for (const other of others.slice(0, 12)) await merge(a, other);
    for (const other of others.slice(12, -1)) await merge(b, other);

    expect((await familyOf(a)).length + (await familyOf(b)).length).toBe(mostFamilyMembers + 1);
    expect(await contacts.checkMerge(await find(a), await find(b))).toBe('family_full');
    await write(...contacts.unmerge(a, others[0] ?? '', done));
    expect(await contacts.checkMerge(await find(a), await find(b))).toBeUndefined();
    // Whoever joins after the look moves the version: the merge that was allowed is refused.
    const looked = await merging(a, b);
    await merge(b, others.at(-1) ?? '');
    expect((await transact(looked)).committed).toBe(false);
  });

  it('undone leaves each as it was, whatever happened to them since', async () => {
    await create(a, b, c);
    await merge(a, b);
    await write(...contacts.change(await find(a), { lifecycle: 'patient' }, now));
    await write(...contacts.change(await find(b), { tags: ['spanish'], owner: 'ana' }, now));
    await merge(c, a);

    await write(...contacts.unmerge(a, b, done));

    expect(await find(b)).toMatchObject({ tags: ['spanish'], owner: 'ana', lifecycle: 'lead' });
    expect((await find(b)).mergedInto).toBeUndefined();
    expect(await find(a)).toMatchObject({ mergedIds: [], separatedIds: [b], lifecycle: 'patient' });
    expect(await familyOf(c)).toEqual([a, c]);
    expect(await familyOf(b)).toEqual([b]);
  });

  it('is undone once, also by two at the same moment, and can be made again', async () => {
    await create(a, b);
    await merge(a, b);
    const undo = contacts.unmerge(a, b, done);

    expect(await racing(undo, undo)).toBe(1);
    expect((await transact(undo)).committed).toBe(false);
    await merge(a, b);
    expect(await familyOf(a)).toEqual([a, b]);
    expect((await find(a)).separatedIds).toEqual([]);
  });

  it('that never was cannot be undone', async () => {
    await create(a, b, c);
    await merge(a, b);

    for (const undo of [contacts.unmerge(b, a, done), contacts.unmerge(c, b, done)])
      expect((await transact(undo)).committed).toBe(false);
  });
});

describe('a profile', () => {
  it('changes over the version that was read, for one of two', async () => {
    await create(a);
    const read = await find(a);

    expect(
      await racing(
        contacts.change(read, { owner: 'ana' }, now),
        contacts.change(read, { owner: 'ben', languages: ['en'] }, now),
      ),
    ).toBe(1);
    const owned = await find(a);
    expect(owned.version).toBe(2);
    await write(...contacts.change(owned, { owner: undefined }, now));
    expect(await find(a)).not.toHaveProperty('owner');
  });

  it('of before there were versions has defaults, and can be changed and merged once', async () => {
    const old = { id: a, name: 'Old', phone: '+16505550188', createdAt: now.toISOString(), schemaVersion: 1 };
    await write({ put: { ...contactProfile(a), ...old } });
    await create(b);

    const read = await find(a);

    expect(read).toMatchObject({ version: 0, lifecycle: 'lead', languages: [], tags: [], matches: [] });
    const change = contacts.change(read, { lifecycle: 'patient' }, now);
    expect(await racing(change, contacts.merge(await find(b), read, done))).toBe(1);
    expect((await transact(change)).committed).toBe(false);
    expect((await find(a)).version).toBe(1);
  });

  it('is named once, which moves its version', async () => {
    await write(
      contacts.create({ id: a, name: undefined, email: undefined, phone: '+1', language: undefined }, now),
    );

    expect(await racing([contacts.nameThem(a, 'Maria', 'd1')], [contacts.nameThem(a, 'Pedro', 'd2')])).toBe(
      1,
    );
    expect((await find(a)).version).toBe(2);
  });
});

describe('a relation', () => {
  const both = async (): Promise<string[]> =>
    (await Promise.all([a, b].map(find))).map(({ relations }) => relations.map((one) => one.relation).join());

  it('is noted on both, once', async () => {
    await create(a, b);

    expect(await racing(contacts.relate(a, b), contacts.relate(a, b))).toBe(1);
    expect(await both()).toEqual(['guardian_of', 'ward_of']);
  });

  it('that an inquiry shows is noted however often it comes, and stays away where staff took it back', async () => {
    await create(a, b);

    await write(...contacts.noteGuardian(a, b));
    await write(...contacts.noteGuardian(a, b));
    expect(await both()).toEqual(['guardian_of', 'ward_of']);

    expect(await racing(contacts.unrelate(b, a, done), contacts.unrelate(a, b, done))).toBe(1);
    await write(...contacts.noteGuardian(a, b));
    expect(await both()).toEqual(['', '']);
    await write(...contacts.relate(a, b));
    expect(await both()).toEqual(['guardian_of', 'ward_of']);
  });

  it('that stands is not turned round by an inquiry the other way', async () => {
    await create(a, b);
    await write(...contacts.relate(a, b));

    await write(...contacts.noteGuardian(b, a));

    expect(await both()).toEqual(['guardian_of', 'ward_of']);
  });
});

describe('two who write for one patient in the same moment', () => {
  it('are one writer and one patient, related once', async () => {
    const pipeline = createPipeline(table);
    const forLeo = { patientName: 'Leo Lopez' };

    const ids = await Promise.all([pipeline.captured(forLeo), pipeline.captured(forLeo)]);

    const bodies = await Promise.all(ids.map(async (id) => (await pipeline.inquiries.find(id))?.body));
    const [first, second] = bodies.map((body) => [body?.contactId ?? '', body?.writerId ?? ''] as const);
    expect(second).toEqual(first);
    const [patientId = '', writerId = ''] = first ?? [];
    expect((await find(patientId)).relations).toEqual([{ contactId: writerId, relation: 'ward_of' }]);
    expect((await find(writerId)).relations).toEqual([{ contactId: patientId, relation: 'guardian_of' }]);
    // Who came second was known.
    expect(bodies.filter((body) => body?.returning)).toHaveLength(1);
  });
});

describe('a suggested match', () => {
  const suggestion = (at = now) => contacts.suggest(a, b, ['same_phone', 'similar_name'], at);

  it('is on both, with its reasons, once, whoever of the two was looked at', async () => {
    await create(a, b);

    expect(await racing(suggestion(), contacts.suggest(b, a, ['same_phone', 'no_name'], now))).toBe(1);
    const [ofA, ofB] = [await find(a), await find(b)];
    expect(ofA.matches).toEqual([
      { ...ofB.matches[0], contactId: b, kind: 'likely_same', state: 'open', suggestedAt: now.toISOString() },
    ]);
    expect(ofB.matches[0]?.contactId).toBe(a);
  });

  it('of two who came at the same moment is made once, though both are followed at once', async () => {
    const pipeline = createPipeline(table);
    const ids = await Promise.all(['Maria', 'Mariah'].map((name) => pipeline.captured({ name })));
    const people = await Promise.all(ids.map(async (id) => (await pipeline.head(id)).contactId));

    const suggested = await Promise.all(
      people.map(async (id) => suggestMatches(pipeline, id, (await find(id)).pointDigests)),
    );

    expect(suggested.toSorted()).toEqual([0, 1]);
    expect((await contacts.openMatches(10)).matches).toHaveLength(1);
  });

  it('is decided once, never suggested again, and may be opened again', async () => {
    await create(a, b);
    await write(...suggestion());

    expect(
      await racing(
        contacts.decideMatch(a, b, 'different', done),
        contacts.decideMatch(b, a, 'different', done),
      ),
    ).toBe(1);
    expect((await contacts.openMatches(10)).matches).toEqual([]);
    expect((await transact(suggestion())).committed).toBe(false);
    expect((await find(b)).matches[0]).toMatchObject({
      state: 'different',
      reasons: ['same_phone', 'similar_name'],
    });

    await write(...contacts.decideMatch(a, b, 'open', done));
    expect((await contacts.openMatches(10)).matches).toMatchObject([{ contactIds: [a, b], state: 'open' }]);
  });

  it('that was not made cannot be decided', async () => {
    await create(a, b);

    expect((await transact(contacts.decideMatch(a, b, 'merged', done))).committed).toBe(false);
  });

  it('is listed once, newest first, page by page', async () => {
    const others = Array.from({ length: 5 }, (_, i) => idOf(`X${i}`));
    await create(a, ...others);
    for (const [i, other] of others.entries()) {
      await write(...contacts.suggest(other, a, ['same_email'], new Date(now.getTime() + i * 1_000)));
    }
    const listed: string[] = [];
    let after: Record<string, unknown> | undefined;
    do {
      const page = await contacts.openMatches(2, after);
      listed.push(...page.matches.map(({ contactIds }) => contactIds[1]));
      after = page.next;
    } while (after);

    expect(listed).toEqual(others.toReversed());
  });
});
