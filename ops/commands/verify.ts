/** `verify`: rebuilds people and their inquiries from their timelines and compares that with what is stored. */
import { parseArgs } from 'node:util';
import { newestOnBoard } from '../../shared/data/board.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { boardOfStage, byTime, inquiryPk } from '../../shared/data/keys.ts';
import type { Table } from '../../shared/data/table.ts';
import { standing, verifyContact } from '../../shared/data/verify.ts';
import { stages } from '../../shared/domain/stages.ts';
import { mapAFew, newestIds } from '../past-inquiries.ts';
import { onTable, settle } from '../system.ts';
import { count, createProgress, layOut, Refusal } from '../terminal.ts';

const mostContacts = 10_000;
/** Inquiries that are taken from one place in time. */
const perPlace = 10;

/** When the oldest inquiry came in; undefined where there is none. */
async function oldestAt(table: Table): Promise<string | undefined> {
  const pages = await Promise.all(
    stages.map((stage) => table.query({ index: 'board', pk: boardOfStage(stage), limit: 1 })),
  );
  const [oldest] = pages.flatMap(({ rows }) => rows.map(({ boardSk }) => String(boardSk))).sort();
  return oldest?.split('#')[0];
}

/** Contacts of inquiries: half of them of the newest, half from places in time chosen at random. */
async function sampleContacts(table: Table, size: number): Promise<string[]> {
  const inquiries = createInquiries(table);
  const contacts = new Set<string>();
  const take = async (ids: readonly string[], most: number): Promise<void> => {
    const heads = await inquiries.findHeads(ids.slice(0, 100));
    for (const { contactId } of heads) if (contacts.size < most) contacts.add(contactId);
  };
  const newest = Math.ceil(size / 2);
  for await (const ids of newestIds(table, { most: 4 * size })) {
    await take(ids, newest);
    if (contacts.size >= newest) break;
  }
  const oldest = Date.parse((await oldestAt(table)) ?? '');
  // A practice with few inquiries may have no more people than were found.
  for (let tries = 0; contacts.size < size && tries < size && !Number.isNaN(oldest); tries++) {
    const at = new Date(oldest + Math.random() * (Date.now() - oldest)).toISOString();
    const page = await newestOnBoard(table, perPlace, { boardSk: byTime(at, '~') });
    await take(
      page.rows.map(({ pk }) => pk.slice(inquiryPk('').length)),
      size,
    );
  }
  return [...contacts];
}

/** Fields of which a terminal is told that they differ, not what they are. */
const personal: readonly string[] = ['name', 'languages', 'insurances', 'age', 'timeZone', 'consents'];

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** @throws Refusal where it is no size of a sample */
function sampleOf(given: string): number {
  const sample = Number(given);
  if (!Number.isInteger(sample) || sample < 1 || sample > mostContacts)
    throw new Refusal(`--sample takes a number from 1 to ${mostContacts}, not ${given}.`);
  return sample;
}

export async function verify(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { sample: { type: 'string', default: '100' } } });
  const size = sampleOf(values.sample);
  await onTable(async (table) => {
    const progress = createProgress('People verified');
    let people = 0;
    const verified = await mapAFew(await sampleContacts(table, size), async (id) => {
      const one = await verifyContact(table, id);
      people += 1;
      progress(people);
      return one ? { id, ...one } : [];
    });
    const all = verified.flat();
    const inQuestion = all.filter(({ differences }) => differences.length > 0);
    // What was just done may not be in the index of timelines yet.
    if (inQuestion.length > 0) await settle();
    const again = await mapAFew(inQuestion, async (before) => {
      const after = await verifyContact(table, before.id);
      return after ? standing(before, after) : [];
    });
    const differing = again.flat();
    if (differing.length > 0) {
      const rows = differing.map(({ id, field, stored, rebuilt }) => [
        id,
        field,
        personal.includes(field)
          ? 'differs'
          : field === 'unreadable'
            ? `an item of theirs cannot be read: ${shown(stored)}`
            : `stored ${shown(stored)}, by the timeline ${shown(rebuilt)}`,
      ]);
      console.log(layOut(['what', 'field', 'difference'], rows));
      console.log('');
      process.exitCode = 1;
    }
    const sum = (of: (one: (typeof all)[number]) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    console.log(
      `${count(all.length, 'timeline')} rebuilt, with ${sum(({ inquiries }) => inquiries)} inquiries and ${sum(({ entries }) => entries)} entries: ${differing.length === 0 ? 'all as stored' : count(differing.length, 'difference')}.`,
    );
  });
}
