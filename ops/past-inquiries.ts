/** What commands read of past inquiries: newest first, in pages, each as it was stored. */
import { newestOnBoard } from '../shared/data/board.ts';
import { type Contacts, createContacts } from '../shared/data/contacts.ts';
import { createInquiries, type InquiryRecord } from '../shared/data/inquiries.ts';
import { inquiryPk } from '../shared/data/keys.ts';
import type { Table } from '../shared/data/table.ts';
import { createTimelines } from '../shared/data/timeline.ts';
import { personOf } from '../shared/domain/person.ts';
import type { CompiledRules } from '../shared/domain/rules/compile.ts';
import { type KnownPerson, knownOf } from '../shared/domain/rules/gather.ts';
import type { PastInquiry } from '../shared/domain/rules/replay.ts';
import { mayMoveLater } from '../shared/domain/rules/replay-later.ts';

/** Entries of the board that are read at once. */
const pageSize = 50;
/** Inquiries that are read at the same time. */
const atOnce = 10;

/** Ids of inquiries, newest first, page by page; with `since`, those received at or after it. */
export async function* newestIds(
  table: Table,
  options: { readonly most: number; readonly since?: string },
): AsyncGenerator<string[]> {
  let left = options.most;
  let after: Record<string, unknown> | undefined;
  do {
    const page = await newestOnBoard(table, Math.min(pageSize, left), after);
    const rows = page.rows.filter(
      ({ boardSk }) => options.since === undefined || String(boardSk) >= options.since,
    );
    // An inquiry that changes its stage meanwhile can be read under both.
    if (rows.length > 0) yield [...new Set(rows.map(({ pk }) => pk.slice(inquiryPk('').length)))];
    left -= page.rows.length;
    after = rows.length < page.rows.length ? undefined : page.next;
  } while (after !== undefined && left > 0);
}

/** Does something with each of a list, a few at a time, and gives the results in the list's order. */
export async function mapAFew<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let i = 0; i < items.length; i += atOnce) {
    results.push(...(await Promise.all(items.slice(i, i + atOnce).map(work))));
  }
  return results;
}

/** The person behind a contact as they are by now, whichever of their contacts is known by what. */
async function findPerson(contacts: Contacts, contactId: string): Promise<KnownPerson | undefined> {
  const whole = await contacts.findWhole(contactId);
  return whole && knownOf(personOf(whole.family));
}

/** Whether rules look at the person on arrival, or send them to whoever knows them. */
const asksForPerson = (compiled: CompiledRules): boolean =>
  compiled.needsPerson('arrival') ||
  compiled.rules.some(
    ({ enabled, on, actions }) =>
      enabled && on.includes('arrival') && actions.some((action) => action.do === 'send_to_owner'),
  );

/**
 * Reads past inquiries one by one, with what triage knew: the person only where
 * one of the rules asks for them, and they were known before or had been scored again.
 *
 * @param rules - all that the inquiries are looked at by
 */
export function createPastReader(table: Table, ...rules: readonly CompiledRules[]) {
  const inquiries = createInquiries(table);
  const contacts = createContacts(table);
  const timelines = createTimelines(table);
  const withPerson = rules.some(asksForPerson);
  const withTimeline = rules.some(mayMoveLater);

  async function laterOf(contactId: string): Promise<PastInquiry['later']> {
    const [told, person] = await Promise.all([timelines.all([contactId]), findPerson(contacts, contactId)]);
    return { told, person };
  }

  /** Undefined where it was not scored: it waits for a human, or came in this moment. */
  async function past(record: InquiryRecord | undefined): Promise<PastInquiry | undefined> {
    if (!record?.body || !record.score) return undefined;
    const { head, body, score, scores } = record;
    // Who was released from suspicion may have had a second score for that alone.
    const wasKnown = body.returning === true || scores > (head.clockFrom === undefined ? 1 : 2);
    const person = withPerson && wasKnown ? await findPerson(contacts, head.contactId) : undefined;
    const later = withTimeline ? await laterOf(head.contactId) : undefined;
    return { head, body, score, ...(person && { person }), ...(later && { later }) };
  }

  return {
    find: async (id: string) => {
      const record = await inquiries.find(id);
      return record && { record, past: await past(record) };
    },
  };
}
