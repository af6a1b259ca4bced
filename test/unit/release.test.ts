/** What the release of a suspected inquiry does for the people that it names. */
import { beforeEach, describe, expect, it } from 'vitest';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import type { IncomingInquiry } from '../../functions/capture/capture-inquiry.ts';
import { followChange } from '../../functions/people/follow-change.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, minutes } from '../support/fixtures.ts';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table);
});

const phone = '+16505550188';
const known = 'maria@example.com';
const unknown = 'Stranger@Example.com';
const quarantine = ['honeypot'] as const;

/** Captures what a form with these fields would bring. */
async function captured(
  fields: Record<string, string>,
  more: Partial<IncomingInquiry> = {},
): Promise<{ id: string; contactId: string; writerId: string | undefined }> {
  const { name, patientName, email, phone: number } = fields;
  const id = await pipeline.captured({
    name,
    patientName,
    email: email?.toLowerCase(),
    phone: number,
    fields,
    ...more,
  });
  const body = (await pipeline.inquiries.find(id))?.body;
  return { id, contactId: body?.contactId ?? '', writerId: body?.writerId };
}
const release = async (id: string) =>
  changeInquiry(
    pipeline,
    id,
    (await pipeline.head(id)).version,
    { release: true },
    { memberId: 'ana', practice: pipeline.state.practice },
  );
const ofPeople = () => table.rows().filter(({ pk, sk }) => /^(CON|PT)#/.test(pk) && !sk.startsWith('ENTRY#'));

describe('an inquiry that is released', () => {
  it('brings its person the points that it came with, and whoever has only those is them from then on', async () => {
    const maria = await captured({ name: 'Maria Lopez', email: known, phone });
    const suspected = await captured({ name: 'Lopez, María', email: unknown, phone }, { quarantine });
    expect(suspected.contactId).toBe(maria.contactId);

    await release(suspected.id);

    expect(await pipeline.contacts.find(maria.contactId)).toMatchObject({
      email: known,
      otherPoints: [{ kind: 'email', value: unknown.toLowerCase() }],
    });
    const later = await captured({ name: 'Maria Lopez', email: unknown });
    expect(later.contactId).toBe(maria.contactId);
  });

  it('has its person, who is known by a new point since, scored anew where they wait', async () => {
    const maria = await pipeline.mailed({ name: 'Maria Lopez', email: undefined, phone });
    const suspected = await captured({ name: 'Maria Lopez', email: unknown, phone }, { quarantine });
    pipeline.environment.advance(minutes(10));
    await release(suspected.id);
    pipeline.queues.score.take();

    for (const row of table.rows().filter(({ sk }) => sk.startsWith('POINT#'))) {
      await followChange({ ...pipeline.dependencies, onBroken: () => {} }, row);
    }
    expect(pipeline.queues.score.take().map(({ inquiryId }) => inquiryId)).toContain(maria);
  });

  it('brings nothing to whom it led anyway, and nothing to somebody with a name where it has none', async () => {
    await captured({ name: 'Maria Lopez', email: known, phone });
    const same = await captured({ name: 'Maria Lopez', email: known, phone }, { quarantine });
    const nameless = await captured({ email: unknown, phone }, { quarantine });
    const stranger = await captured({ name: 'Kim Park', email: 'kim@example.com' }, { quarantine });
    const before = ofPeople();

    for (const { id } of [same, nameless, stranger]) await release(id);
    expect(ofPeople()).toEqual(before);
  });

  it('takes nobody who is behind a point under that name already from there', async () => {
    const one = await captured({ name: 'Maria Lopez', email: known });
    const other = await captured({ name: 'Maria Lopez', phone });
    const suspected = await captured({ name: 'Maria Lopez', email: known, phone }, { quarantine });
    const before = ofPeople();

    await release(suspected.id);
    expect(ofPeople()).toEqual(before);
    expect(one.contactId).not.toBe(other.contactId);
  });

  it('relates who wrote and whom they wrote for, but not against what staff said of the two', async () => {
    const rosa = await captured({ name: 'Rosa Vega', email: known });
    const leo = await captured({ name: 'Leo Vega', phone });
    const fields = { name: 'Rosa Vega', patientName: 'Leo Vega', email: known, phone };
    const suspected = await captured(fields, { quarantine });
    expect(suspected).toMatchObject({ contactId: leo.contactId, writerId: rosa.contactId });
    const again = await captured(fields, { quarantine });
    const relations = async () => (await pipeline.contacts.find(leo.contactId))?.relations;

    await release(suspected.id);
    expect(await relations()).toEqual([{ contactId: rosa.contactId, relation: 'ward_of' }]);
    expect(await pipeline.contacts.find(leo.contactId)).toMatchObject({ email: known, phone });

    const by = { by: 'ana', now: pipeline.environment.now() };
    await table.transact(pipeline.contacts.unrelate(rosa.contactId, leo.contactId, by));
    await release(again.id);
    expect(await relations()).toEqual([]);
  });
});
