/** One page of a person's timeline, newest first. */
import { type Contacts, entrySchema } from '../../shared/data/contacts.ts';
import { bodySchema, parseHead, scoredSchema } from '../../shared/data/inquiries.ts';
import { inquiryScore, inquirySk } from '../../shared/data/keys.ts';
import type { Row, Table } from '../../shared/data/table.ts';
import { type TimelineItem, timelineItemSchema } from './views.ts';

/** Whoever acted, where it was the system itself. */
const system = 'firstcall';

function itemOf(row: Row): TimelineItem {
  if (row.sk === inquirySk.body) {
    const body = bodySchema.parse(row);
    return {
      kind: 'captured',
      at: body.receivedAt,
      actor: 'contact',
      inquiryId: body.inquiryId,
      details: {
        channel: body.channel,
        source: body.sourceId,
        service: body.serviceId,
        fields: body.fields,
        ...(body.answers && { answers: body.answers }),
      },
    };
  }
  if (row.sk === inquirySk.head) {
    const head = parseHead(row);
    return {
      kind: 'routed',
      at: head.assignedAt ?? head.receivedAt,
      actor: system,
      inquiryId: head.id,
      details: { memberId: head.assignedTo, respondBy: head.respondBy, receipt: head.receipt },
    };
  }
  if (row.sk.startsWith('ENTRY#')) {
    const { kind, at, actor, inquiryId, details } = entrySchema.parse(row);
    return { kind, at, actor, ...(inquiryId !== undefined && { inquiryId }), details };
  }
  const { inquiryId, scoredAt, ...score } = scoredSchema.parse(row);
  return { kind: 'scored', at: scoredAt, actor: system, inquiryId, details: { ...score } };
}

export interface TimelinePage {
  readonly items: TimelineItem[];
  readonly next?: Record<string, unknown>;
}

/**
 * The index names the items; one more read fetches them. The first score of an
 * inquiry is read with its body rather than listed on its own, which saves an
 * index write for each inquiry; it may make a page longer than `limit`.
 */
export async function readTimeline(
  { table, contacts }: { readonly table: Table; readonly contacts: Contacts },
  contactId: string,
  limit: number,
  after: Record<string, unknown> | undefined,
): Promise<TimelinePage> {
  const { rows: entries, next } = await contacts.timelinePage(contactId, limit, after);
  const scores = entries
    .filter(({ sk }) => sk === inquirySk.body)
    .map(({ pk }) => inquiryScore(pk.slice('INQ#'.length), 1));
  const rows = await table.batchGet([...entries, ...scores]);
  const items = rows.map(itemOf).sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  return { items: items.map((item) => timelineItemSchema.parse(item)), ...(next && { next }) };
}
