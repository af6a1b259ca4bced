/** What staff do to people and inquiries on DynamoDB's own engine, with two writers at every condition. */
import { beforeEach, describe, expect, it } from 'vitest';
import { changeContact } from '../../functions/api/change-contact.ts';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import {
  decideDifferent,
  mergeContacts,
  relateContacts,
  unmergeContacts,
  unrelateContacts,
} from '../../functions/api/link-contacts.ts';
import { recordEntry } from '../../functions/api/record-entry.ts';
import type { WantedEntry } from '../../functions/api/wanted-entry.ts';
import { contactPk } from '../../shared/data/keys.ts';
import { queryAll, type Table } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, minutes, smallPractice } from '../support/fixtures.ts';

const by = { memberId: 'ana', practice: smallPractice };
const phone = '+16505550188';

let table: Table;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(async () => {
  ({ table } = await freshTable());
  pipeline = createPipeline(table);
});

/** An inquiry that was mailed, with its person. */
async function mailed(name: string): Promise<{ id: string; contactId: string }> {
  const fields = { name, phone, language: 'es' };
  const id = await pipeline.mailed({ name, phone, email: undefined, fields });
  pipeline.environment.advance(minutes(1));
  return { id, contactId: (await pipeline.head(id)).contactId };
}
const contact = async (id: string) => {
  const found = await pipeline.contacts.find(id, { consistent: true });
  if (!found) throw new Error(`no contact ${id}`);
  return found;
};
/** How many of the works, done at one moment, were done, and the codes of those that were not. */
async function racing(...works: (() => Promise<unknown>)[]) {
  const results = await Promise.allSettled(works.map((work) => work()));
  const codes = results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as { code?: string }).code ?? String(result.reason)] : [],
  );
  return { done: results.length - codes.length, codes };
}
const kindsOf = async (contactId: string): Promise<string[]> =>
  (await queryAll(table, { pk: contactPk(contactId), from: 'ENTRY#', to: 'ENTRY~' })).map(({ kind }) =>
    String(kind),
  );
const count = (kinds: readonly string[], wanted: string): number =>
  kinds.filter((kind) => kind === wanted).length;
/** The state of each contact is what its timeline tells. */
async function expectVerified(...ids: string[]): Promise<void> {
  for (const id of ids) expect((await verifyContact(table, id))?.differences).toEqual([]);
}

describe('two writers', () => {
  it('of one version of a contact change it once', async () => {
    const { contactId } = await mailed('Maria Lopez');
    const read = await contact(contactId);
    const seen = `${contactId}:${read.version}`;
    const change = (tag: string) => () => changeContact(pipeline, contactId, seen, { tags: [tag] }, 'ana');

    expect(await racing(change('a'), change('b'))).toEqual({ done: 1, codes: ['precondition_failed'] });
    expect(count(await kindsOf(contactId), 'contact_changed')).toBe(1);
    await expectVerified(contactId);
  });

  it('of one name, staff who correct it and somebody who comes by it, both are done', async () => {
    const { contactId } = await mailed('Maria Lopez');
    const seen = `${contactId}:${(await contact(contactId)).version}`;
    const rename = () => changeContact(pipeline, contactId, seen, { name: 'Leo Lopez' }, 'ana');

    expect(await racing(rename, () => mailed('Leo Lopez'))).toEqual({ done: 2, codes: [] });

    expect(await contact(contactId)).toMatchObject({ name: 'Leo Lopez' });
    expect(new Set([(await mailed('Leo Lopez')).contactId, (await mailed('Leo Lopez')).contactId]).size).toBe(
      1,
    );
    expect((await mailed('Maria Lopez')).contactId).toBe(contactId);
  });

  it('of one merge make it once, in whichever direction', async () => {
    const [one, other] = [await mailed('Maria Lopez'), await mailed('Leo Lopez')];
    const merge = (a: string, b: string) => () => mergeContacts(pipeline, a, b, 'one', 'ana');

    const { done, codes } = await racing(
      merge(one.contactId, other.contactId),
      merge(other.contactId, one.contactId),
      merge(one.contactId, other.contactId),
    );

    expect([done, new Set(codes)]).toEqual([1, new Set(['merge_not_allowed'])]);
    expect(count(await kindsOf(one.contactId), 'merged')).toBe(1);
    await expectVerified(one.contactId, other.contactId);
  });

  it('of one undoing undo it once', async () => {
    const [one, other] = [await mailed('Maria Lopez'), await mailed('Leo Lopez')];
    await mergeContacts(pipeline, one.contactId, other.contactId, undefined, 'ana');
    const undo = () => unmergeContacts(pipeline, one.contactId, other.contactId, 'ana');

    expect(await racing(undo, undo)).toEqual({ done: 1, codes: ['merge_not_allowed'] });
    expect(await contact(other.contactId)).not.toHaveProperty('mergedInto');
    await expectVerified(one.contactId, other.contactId);
  });

  it('of a merge and a change of the same person have both', async () => {
    const [one, other] = [await mailed('Maria Lopez'), await mailed('Leo Lopez')];
    const { version } = await pipeline.head(one.id);

    const { done } = await racing(
      () => mergeContacts(pipeline, one.contactId, other.contactId, undefined, 'ana'),
      () => changeInquiry(pipeline, one.id, version, { stage: 'booked' }, by),
    );

    expect(done).toBe(2);
    expect(await contact(one.contactId)).toMatchObject({
      lifecycle: 'patient',
      mergedIds: [other.contactId],
    });
    await expectVerified(one.contactId);
  });

  it('of one decision, relation, or its end, make it once', async () => {
    const [{ contactId: mother }, { contactId: son }] = [
      await mailed('Maria Lopez'),
      await mailed('Leo Lopez'),
    ];
    await table.transact(pipeline.contacts.suggest(mother, son, ['same_phone'], pipeline.environment.now()));
    const decide = () => decideDifferent(pipeline, mother, son, 'ana');
    const relate = () => relateContacts(pipeline, mother, son, 'guardian_of', 'ana');
    const end = () => unrelateContacts(pipeline, son, mother, 'ana');

    expect(await racing(decide, decide)).toEqual({ done: 1, codes: ['conflict'] });
    expect(await racing(relate, relate)).toEqual({ done: 1, codes: ['conflict'] });
    expect((await racing(end, end)).done).toBe(1);
    const kinds = await kindsOf(son);
    expect(['match_decided', 'related', 'unrelated'].map((kind) => count(kinds, kind))).toEqual([1, 1, 1]);
  });

  it('of one entry under one key write it once, and get the same answer', async () => {
    const { id, contactId } = await mailed('Maria Lopez');
    const wanted: WantedEntry = { kind: 'call', details: { disposition: 'booked' }, inquiryId: id };
    const record = () => recordEntry(pipeline, contactId, wanted, by, { key: 'k', content: 'c' });

    const [first, second] = await Promise.all([record(), record()]);

    expect(second).toEqual(first);
    expect(count(await kindsOf(contactId), 'call')).toBe(1);
    expect((await pipeline.routingStates.read()).load('ana').open).toBe(0);
    await expectVerified(contactId);
  });

  it('of two calls about one inquiry record both', async () => {
    const { id, contactId } = await mailed('Maria Lopez');
    const call = (disposition: 'booked' | 'voicemail') => () =>
      recordEntry(
        pipeline,
        contactId,
        { kind: 'call', details: { disposition }, inquiryId: id },
        by,
        undefined,
      );

    expect((await racing(call('voicemail'), call('booked'))).done).toBe(2);
    expect(await pipeline.head(id)).toMatchObject({ stage: 'booked', version: expect.any(Number) });
    expect(count(await kindsOf(contactId), 'call')).toBe(2);
    await expectVerified(contactId);
  });
});

it('a timeline is read page by page over everybody who was merged', async () => {
  const [one, other] = [await mailed('Maria Lopez'), await mailed('Leo Lopez')];
  for (let i = 0; i < 5; i++) {
    for (const { contactId } of [one, other]) {
      const note: WantedEntry = { kind: 'note', details: { text: `note ${i}` } };
      await recordEntry(pipeline, contactId, note, by, undefined);
    }
    pipeline.environment.advance(minutes(1));
  }
  await mergeContacts(pipeline, one.contactId, other.contactId, undefined, 'ana');
  const family = await pipeline.contacts.family(await contact(one.contactId));
  const whole = await pipeline.timelines.all(family);

  const paged: typeof whole = [];
  let next: Parameters<typeof pipeline.timelines.page>[2];
  do {
    const page = await pipeline.timelines.page(family, 3, next);
    paged.push(...page.items);
    next = page.next;
  } while (next !== undefined);

  expect(paged).toHaveLength(whole.length);
  expect(new Set(paged.map((told) => JSON.stringify(told))).size).toBe(whole.length);
  expect(paged.filter(({ kind }) => kind === 'note')).toHaveLength(10);
});
