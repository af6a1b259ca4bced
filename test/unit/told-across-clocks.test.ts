/** What two processes record of one person, one after the other, by clocks that differ. */
import { beforeEach, describe, expect, it } from 'vitest';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import { correctCall } from '../../functions/api/correct-call.ts';
import { recordEntry } from '../../functions/api/record-entry.ts';
import type { WantedEntry } from '../../functions/api/wanted-entry.ts';
import { createHybridClock, keepingTime } from '../../shared/data/hybrid-clock.ts';
import { takeBack } from '../../shared/data/opt-out.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import { type IdKind, idPrefixes } from '../../shared/domain/ids.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, friday, minutes, smallPractice } from '../support/fixtures.ts';

/** As a form brings it. */
const sent = (name: string) => ({ name, fields: { name, language: 'es' } });
const by = { memberId: 'ana', practice: smallPractice };
let shared: MemoryTable;
let trueMs: number;
let ids: number;

/** A process whose machine is off by so many milliseconds. */
function createProcess(offMs: number) {
  const clock = createHybridClock(() => trueMs + offMs);
  const pipeline = createPipeline(keepingTime(shared, clock), smallPractice);
  Object.assign(pipeline.environment, {
    now: clock.now,
    newId: (kind: IdKind) =>
      `${idPrefixes[kind]}_${String(clock.now().getTime()).padStart(20, '0')}${String(ids++).padStart(6, '0')}`,
  });
  return pipeline;
}
type Process = ReturnType<typeof createProcess>;

/** Little enough that the second, by its machine, would be the first. */
const moment = () => {
  trueMs += 20;
};
const aWhile = () => {
  trueMs += minutes(10);
};
const record = (process: Process, contactId: string, wanted: WantedEntry) =>
  recordEntry(process.dependencies, contactId, wanted, by, undefined);
const differing = async (contactId: string): Promise<string[]> =>
  ((await verifyContact(shared, contactId))?.differences ?? []).map(({ field }) => field);

let fast: Process;
let slow: Process;
beforeEach(() => {
  [shared, trueMs, ids] = [createMemoryTable(), friday.getTime(), 0];
  [fast, slow] = [createProcess(50), createProcess(-50)];
});

/** An inquiry that was mailed ten minutes ago. */
async function mailed() {
  const inquiryId = await fast.mailed(sent('Maria Lopez'));
  aWhile();
  return { inquiryId, contactId: (await fast.head(inquiryId)).contactId };
}
const call = (inquiryId: string, disposition: 'no_answer' | 'reached' | 'not_interested'): WantedEntry => ({
  kind: 'call',
  inquiryId,
  details: { disposition },
});
const reply = (inquiryId: string): WantedEntry => ({
  kind: 'email',
  inquiryId,
  details: { direction: 'received', text: 'Thanks' },
});
const said = (given: boolean): WantedEntry => ({
  kind: 'consent',
  details: { channel: 'email', given, source: 'phone' },
});

describe('is told in the order in which it happened', () => {
  it('a call, then a closing', async () => {
    const { inquiryId, contactId } = await mailed();
    await record(fast, contactId, call(inquiryId, 'no_answer'));
    moment();
    const { version } = await slow.head(inquiryId);
    await changeInquiry(
      slow.dependencies,
      inquiryId,
      version,
      { stage: 'closed', closeReason: 'not_interested' },
      by,
    );

    expect(await differing(contactId)).toEqual([]);
  });

  it('a reply that changes nothing, then a call that reaches nobody', async () => {
    const { inquiryId, contactId } = await mailed();
    await record(fast, contactId, reply(inquiryId));
    moment();
    await record(slow, contactId, call(inquiryId, 'no_answer'));

    expect(await differing(contactId)).toEqual([]);
    expect((await slow.head(inquiryId)).attempts).toBe(1);
  });

  it('a call about what is closed, then its opening', async () => {
    const { inquiryId, contactId } = await mailed();
    await record(fast, contactId, call(inquiryId, 'not_interested'));
    aWhile();
    await record(fast, contactId, call(inquiryId, 'no_answer'));
    moment();
    const { version } = await slow.head(inquiryId);
    await changeInquiry(slow.dependencies, inquiryId, version, { stage: 'contacted' }, by);

    expect(await differing(contactId)).toEqual([]);
  });

  it('a score, then another', async () => {
    const inquiryId = await fast.captured({ ...sent('Maria Lopez'), phone: undefined });
    aWhile();
    await fast.capture({}, { key: 'two', content: 'x' });
    aWhile();
    await fast.score(inquiryId);
    moment();
    expect(await slow.score(inquiryId)).toBe('rescored');

    expect(await differing((await fast.head(inquiryId)).contactId)).toEqual([]);
  });

  it('an inquiry, then another of the same person, who spells their name otherwise', async () => {
    const inquiryId = await fast.captured(sent('Maria Lopez'));
    moment();
    await slow.capture(
      { name: 'MARIA LOPEZ', fields: { name: 'MARIA LOPEZ' } },
      { key: 'two', content: 'x' },
    );

    expect(await differing((await fast.head(inquiryId)).contactId)).toEqual([]);
  });
});

it('a call that is corrected leaves the stage that came after it', async () => {
  const { inquiryId, contactId } = await mailed();
  const { entry } = await record(fast, contactId, call(inquiryId, 'reached'));
  moment();
  const { version } = await slow.head(inquiryId);
  await changeInquiry(slow.dependencies, inquiryId, version, { stage: 'consult' }, by);
  aWhile();

  await correctCall(fast.dependencies, contactId, entry.entryId, { disposition: 'no_answer' }, by);

  expect((await fast.head(inquiryId)).stage).toBe('consult');
});

describe('who agreed to be e-mailed', () => {
  const standing = async (contactId: string) =>
    (await fast.consents.of([contactId])).find(({ purpose }) => purpose === 'inquiry')?.given;

  it.each([
    ['on the phone', (contactId: string) => record(slow, contactId, said(false))],
    ['in a reply', (contactId: string) => record(slow, contactId, stopping)],
    [
      'by a link',
      (contactId: string) => takeBack(slow.dependencies, contactId, 'inquiry', 'unsubscribe link'),
    ],
  ])('and then refused it %s gets no more', async (_, refuse) => {
    const { contactId } = await mailed();
    await record(fast, contactId, said(true));
    moment();

    await refuse(contactId);

    expect(await standing(contactId)).toBe(false);
    expect(await differing(contactId)).toEqual([]);
  });
  const stopping: WantedEntry = { kind: 'email', details: { direction: 'received', text: 'STOP' } };
});
