/**
 * Timelines in the table: what the index of a person lists, read and told. The
 * people that a survivor of merges speaks for have one timeline with it.
 */
import { alertSchema } from '../domain/alert.ts';
import type { Stage } from '../domain/stages.ts';
import {
  byTimeTold,
  contactActor,
  correctedTo,
  entryDetails,
  entrySchema,
  ruleActor,
  systemActor,
  type TimelineEntry,
  type Told,
} from '../domain/timeline.ts';
import { bodySchema, type InquiryBody, parseHead, scoredSchema } from './inquiries.ts';
import { contactEntry, contactPk, inquiryPk, inquiryScore, inquirySk, timelineOf } from './keys.ts';
import { queryAll, type Row, type Table } from './table.ts';

/** Which score of an inquiry it is; the first is 1. */
export const numberOfScore = (sk: string): number => Number(sk.slice(sk.indexOf('#') + 1));

/** How an inquiry came, with everything that was sent. */
export function toldOfBody(body: InquiryBody, contactId = body.contactId): Told {
  const { inquiryId, contactId: _own, receivedAt, sourceId, serviceId, ...sent } = body;
  return {
    kind: 'captured',
    at: receivedAt,
    actor: contactActor,
    contactId,
    inquiryId,
    details: { source: sourceId, service: serviceId, ...sent },
  };
}

/** Everything that one item tells. */
function tell(row: Row, contactId: string): Told[] {
  if (row.sk.startsWith('ENTRY#')) {
    return [entrySchema.parse(row)];
  }
  const inquiryId = row.pk.slice(inquiryPk('').length);
  const told = (kind: Told['kind'], at: string, actor: string, details: Told['details']): Told => ({
    kind,
    at,
    actor,
    contactId,
    inquiryId,
    details,
  });
  if (row.sk === inquirySk.body) return [toldOfBody(bodySchema.parse(row), contactId)];
  if (row.sk === inquirySk.head) {
    const { assignedAt, receivedAt, assignedTo, respondBy, receipt, ...head } = parseHead(row);
    const routed = told('routed', assignedAt ?? receivedAt, receipt?.by ?? systemActor, {
      memberId: assignedTo,
      respondBy,
      receipt,
    });
    const { mailKind, mailState, mailAt } = head;
    if (mailState !== 'sent' || mailAt === undefined) return [routed];
    return [routed, told('mailed', mailAt, systemActor, { mail: mailKind })];
  }
  if (row.sk === inquirySk.alert) {
    const { flags, raisedAt } = alertSchema.parse(row);
    return [told('red_flag', raisedAt, systemActor, { flags })];
  }
  const number = numberOfScore(row.sk);
  const { inquiryId: _id, scoredAt, decision, ...score } = scoredSchema.parse(row);
  const { hits = [], ...decided } = decision ?? {};
  return [
    told('scored', scoredAt, systemActor, { number, ...score, ...(decision && { decision: decided }) }),
    ...hits.map(({ rule, did }) => told('rule_hit', scoredAt, ruleActor(rule), { number, rule, did })),
  ];
}

/** A place in a timeline: the index row after which a page goes on. */
export interface Place {
  readonly timelineSk: string;
  readonly pk: string;
  readonly sk: string;
}

export interface TimelinePage {
  /** Newest first. */
  readonly items: Told[];
  readonly next?: Place;
}

/** The most items of an inquiry that stand at one instant in the index, and so have equal sort keys. */
const mostAtOnce = 8;
/** The most index rows of a page: each may need a second item, and one read fetches a hundred. */
const mostPerPage = 50;

const placeOf = (row: Row): Place => ({ timelineSk: String(row['timelineSk']), pk: row.pk, sk: row.sk });
/** Negative where `a` is the newer place; the item's own key settles equal times. */
function compare(a: Place, b: Place): number {
  const [ka, kb] = [a, b].map(({ timelineSk, pk, sk }) => [timelineSk, pk, sk].join('\u0000'));
  return ka === kb ? 0 : String(ka) > String(kb) ? -1 : 1;
}

/** Where pages of a timeline may start: anywhere, since a place says nothing of whose timeline it is. */
export const placeShape = { timelineSk: undefined, pk: undefined, sk: undefined } as const;

/** The stage that an entry says an inquiry was brought to. */
function stageSetBy({ kind, details }: TimelineEntry): Stage | undefined {
  if (kind === 'stage_changed') return entryDetails.stage_changed.parse(details).to;
  return kind === 'rules_applied' ? entryDetails.rules_applied.parse(details).stage?.to : undefined;
}

const answeringCalls: readonly string[] = ['reached', 'booked', 'not_interested'];

/** Whether an entry says that the person was spoken with, or answered. */
function isAnswer(entry: TimelineEntry, entries: readonly TimelineEntry[]): boolean {
  const { kind, details } = entry;
  if (kind === 'appointment') return true;
  if (kind === 'email') return details['direction'] === 'received';
  return kind === 'call' && answeringCalls.includes(correctedTo(entry, entries));
}

export type Timelines = ReturnType<typeof createTimelines>;

export function createTimelines(table: Table) {
  const timelines = {
    /** Every entry of a contact that is an item of its own, in the order in which they were written. */
    async entriesOf(contactId: string): Promise<TimelineEntry[]> {
      const rows = await queryAll(table, {
        pk: contactPk(contactId),
        from: contactEntry(contactId, '').sk,
        to: contactEntry(contactId, '~').sk,
        consistent: true,
      });
      return rows.map((row) => entrySchema.parse(row));
    },

    /** Whether an inquiry of a contact was booked at any time, by whomever. */
    async wasBooked(contactId: string, inquiryId: string): Promise<boolean> {
      const entries = await timelines.entriesOf(contactId);
      return entries.some((entry) => entry.inquiryId === inquiryId && stageSetBy(entry) === 'booked');
    },

    /**
     * Whether any of these contacts wrote back, was reached by a call, or has an
     * appointment, as was recorded since a moment.
     */
    async answeredSince(family: readonly string[], since: string): Promise<boolean> {
      const entries = (await Promise.all(family.map(timelines.entriesOf))).flat();
      return entries.some((entry) => (entry.recordedAt ?? entry.at) >= since && isAnswer(entry, entries));
    },

    /** When anything was last recorded of a family; undefined where nothing was. */
    async newest(family: readonly string[]): Promise<string | undefined> {
      const pages = await Promise.all(
        family.map((contactId) =>
          table.query({ index: 'timeline', pk: timelineOf(contactId), newestFirst: true, limit: 1 }),
        ),
      );
      const newest = pages
        .flatMap(({ rows }) => rows.map((row) => String(row['timelineSk'])))
        .sort()
        .at(-1);
      return newest?.split('#', 1)[0];
    },

    /**
     * One page of the timeline of a family: every contact that is one person by now. A page
     * is a prefix of one order over all of them and goes on after a place in that order: so
     * whatever is added meanwhile, and whoever is merged meanwhile, nothing shows twice and
     * nothing that was there is left out. The index names the items, one read fetches them.
     *
     * What one item tells comes on one page: the first score with what was sent (it saves an
     * index write for each inquiry), the mail with the routing; so a page may be longer than
     * `limit`, which is at most 50.
     *
     * @param options - `consistent`: the items are read as they are committed; which there are, the index says all the same
     */
    async page(
      family: readonly string[],
      limit: number,
      after?: Place,
      { consistent = false } = {},
    ): Promise<TimelinePage> {
      const pages = await Promise.all(
        family.map((contactId) =>
          table.query({
            index: 'timeline',
            pk: timelineOf(contactId),
            newestFirst: true,
            // Those at the place itself are read again and left out; and one more tells whether there is more.
            limit: limit + mostAtOnce + (after ? mostAtOnce : 0),
            ...(after && { to: after.timelineSk }),
          }),
        ),
      );
      const listed = pages
        .flatMap(({ rows }, i) =>
          rows.map((row) => ({ row, place: placeOf(row), contactId: family[i] ?? '' })),
        )
        .filter(({ place }) => after === undefined || compare(after, place) < 0)
        .sort((a, b) => compare(a.place, b.place));
      const taken = listed.slice(0, limit);
      const owners = new Map(taken.map(({ row, contactId }) => [row.pk + row.sk, contactId]));
      const scores = taken
        .filter(({ row }) => row.sk === inquirySk.body)
        .map(({ row, contactId }) => {
          const key = inquiryScore(row.pk.slice(inquiryPk('').length), 1);
          owners.set(key.pk + key.sk, contactId);
          return key;
        });
      const keys = [...taken.map(({ row: { pk, sk } }) => ({ pk, sk })), ...scores];
      const rows = keys.length === 0 ? [] : await table.batchGet(keys, { consistent });
      const items = rows.flatMap((row) => tell(row, owners.get(row.pk + row.sk) ?? ''));
      const last = taken.at(-1);
      return {
        items: items.sort((a, b) => byTimeTold(b, a)),
        ...(listed.length > limit && last && { next: last.place }),
      };
    },

    /** The whole timeline of a family, oldest first: for checks, so read consistently; people have a few dozen entries. */
    async all(family: readonly string[]): Promise<Told[]> {
      const items: Told[] = [];
      let next: Place | undefined;
      do {
        const page: TimelinePage = await timelines.page(family, mostPerPage, next, { consistent: true });
        items.push(...page.items);
        next = page.next;
      } while (next !== undefined);
      return items.sort(byTimeTold);
    },
  };
  return timelines;
}
