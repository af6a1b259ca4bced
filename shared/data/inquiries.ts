/**
 * Inquiries in the table: a head (the state), an immutable body (what was sent)
 * and scores, in a partition of their own.
 */
import * as z from 'zod';
import {
  type Candidate,
  type Inquiry,
  inquirySchema,
  isOpen,
  nextActionAt,
  type Receipt,
} from '../domain/inquiry.ts';
import { decisionSchema } from '../domain/rules/decision.ts';
import { type Score, scoreSchema } from '../domain/scoring.ts';
import {
  boardOfStage,
  byTime,
  duePk,
  dueShardOf,
  inquiryBody,
  inquiryHead,
  inquiryPk,
  inquiryScore,
  inquirySk,
  queueOfMember,
  queueOfPool,
  timelineOf,
} from './keys.ts';
import { absent, atVersion, type Row, type Table, type Write } from './table.ts';

/** Version of the layout of head, body and score rows. */
const schemaVersion = 1;

export const bodySchema = z.object({
  inquiryId: z.string(),
  contactId: z.string(),
  receivedAt: z.iso.datetime(),
  channel: z.string(),
  sourceId: z.string(),
  attributedBy: z.string(),
  serviceId: z.string().optional(),
  /** What came with it, as it came; for staff's eyes only. */
  fields: z.record(z.string(), z.union([z.string(), z.boolean()])),
  /** Questions of a form that no field stands for, with their answers. */
  answers: z.array(z.object({ question: z.string(), answer: z.string() })).optional(),
  /** Whether the person was known before. */
  returning: z.boolean().optional(),
  /** The contact who wrote, where that is not the patient. */
  writerId: z.string().optional(),
  /** Ids of the red flags whose words were found in it. */
  redFlags: z.array(z.string()).optional(),
  /** Contact points that were given but cannot be one. */
  invalidPoints: z.array(z.enum(['email', 'phone'])).optional(),
});
/** What was sent: written once, never changed. */
export type InquiryBody = z.infer<typeof bodySchema>;

export const scoredSchema = scoreSchema.extend({
  inquiryId: z.string(),
  scoredAt: z.iso.datetime(),
  /** What triage decided by it; absent from scores of before there were rules. */
  decision: decisionSchema.optional(),
});
/** A score as it was stored at the decision, with what triage decided. */
export type StoredScore = z.infer<typeof scoredSchema>;

// Receipts are the widest part of a head, and each write of it pays for them again: as one text, a line for
// each candidate, a pool of five stays within a write unit. Ids hold no space, reasons no line break.
const outcomeCodes = { assigned: 'a', passed_over: 'p', excluded: 'x' } as const;
const codedOutcomes: Readonly<Record<string, Candidate['outcome']>> = {
  a: 'assigned',
  p: 'passed_over',
  x: 'excluded',
};

const packReceipt = ({ pool, strategy, candidates }: Receipt): string =>
  [
    `${pool} ${strategy}`,
    ...candidates.map((c) => `${c.memberId} ${c.share} ${outcomeCodes[c.outcome]} ${c.reason}`),
  ].join('\n');

/** What is not as it was packed is left for the schema to refuse. */
function unpackReceipt(packed: string): unknown {
  const [first = '', ...lines] = packed.split('\n');
  const [pool, strategy] = first.split(' ');
  const candidates = lines.map((line) => {
    const [, memberId, share, code = '', reason] = /^(\S+) (\S+) (\S) (.*)$/.exec(line) ?? [];
    return { memberId, share: Number(share), outcome: codedOutcomes[code], reason };
  });
  return { pool, strategy, candidates };
}

/**
 * The index attributes of an inquiry, all of them, from its full state: whatever
 * writes a head writes these with it, so that none can be stale.
 */
function indexAttributes(inquiry: Inquiry): Record<string, string> {
  const pk = inquiryPk(inquiry.id);
  const due = nextActionAt(inquiry);
  const queue =
    inquiry.assignedTo !== undefined
      ? queueOfMember(inquiry.assignedTo)
      : inquiry.progress === 'waiting' && inquiry.poolId !== undefined
        ? queueOfPool(inquiry.poolId)
        : undefined;
  return {
    ...(due !== undefined && { duePk: duePk(dueShardOf(pk)), dueSk: byTime(due, inquiry.id) }),
    ...(queue !== undefined &&
      isOpen(inquiry) && {
        queuePk: queue,
        queueSk: byTime(inquiry.respondBy ?? inquiry.receivedAt, inquiry.id),
      }),
    boardPk: boardOfStage(inquiry.stage),
    boardSk: byTime(inquiry.receivedAt, inquiry.id),
    // The head is the timeline's entry of its own routing; it costs one index write, not an item.
    ...(inquiry.assignedAt !== undefined && {
      timelinePk: timelineOf(inquiry.contactId),
      timelineSk: byTime(inquiry.assignedAt, inquiry.id),
    }),
  };
}

/** A head as it is stored: its id is in its key alone. */
export function headRow(inquiry: Inquiry): Row {
  const { id, receipt, ...state } = inquiry;
  return {
    ...inquiryHead(id),
    ...indexAttributes(inquiry),
    ...state,
    ...(receipt && { receipt: packReceipt(receipt) }),
    schemaVersion,
  };
}

export function parseHead(row: Row): Inquiry {
  const { receipt } = row;
  return inquirySchema.parse({
    ...row,
    id: row.pk.slice(inquiryPk('').length),
    ...(typeof receipt === 'string' && { receipt: unpackReceipt(receipt) }),
  });
}

export function bodyRow(body: InquiryBody): Row {
  return {
    ...inquiryBody(body.inquiryId),
    timelinePk: timelineOf(body.contactId),
    timelineSk: byTime(body.receivedAt, body.inquiryId),
    ...body,
    schemaVersion,
  };
}

/** An inquiry with what is known of it; `body` and `score` where they were asked for and are there. */
export interface InquiryRecord {
  readonly head: Inquiry;
  readonly body?: InquiryBody;
  readonly score?: StoredScore;
}

export type Inquiries = ReturnType<typeof createInquiries>;

/** Reads and writes of inquiries. Reads are consistent: each is followed by a decision. */
export function createInquiries(table: Table) {
  async function read(id: string, from: string, to: string): Promise<InquiryRecord | undefined> {
    const { rows } = await table.query({ pk: inquiryPk(id), from, to, consistent: true });
    let head: Inquiry | undefined;
    let body: InquiryBody | undefined;
    let score: StoredScore | undefined;
    for (const row of rows) {
      if (row.sk === inquirySk.head) head = parseHead(row);
      else if (row.sk === inquirySk.body) body = bodySchema.parse(row);
      else score = scoredSchema.parse(row);
    }
    return head && { head, ...(body && { body }), ...(score && { score }) };
  }

  return {
    /** Head, body and newest score. */
    find: (id: string) => read(id, inquirySk.body, inquirySk.scoresEnd),
    /** Head and newest score, without what was sent. */
    findForRouting: (id: string) => read(id, inquirySk.head, inquirySk.scoresEnd),

    async findHead(id: string): Promise<Inquiry | undefined> {
      const row = await table.get(inquiryHead(id), { consistent: true });
      return row && parseHead(row);
    },

    /** Heads by id, in no particular order; rows that cannot be read are handed to `onBroken`. */
    async findHeads(
      ids: readonly string[],
      onBroken?: (id: string, error: unknown) => void,
    ): Promise<Inquiry[]> {
      const rows = await table.batchGet([...new Set(ids)].map(inquiryHead), { consistent: true });
      return rows.flatMap((row) => {
        try {
          return [parseHead(row)];
        } catch (error) {
          if (!onBroken) throw error;
          onBroken(row.pk.slice(inquiryPk('').length), error);
          return [];
        }
      });
    },

    /** Writes a new state over the one it was made from; refused where somebody was faster. */
    save: (next: Inquiry): Write => ({ put: headRow(next), when: atVersion(next.version - 1) }),

    /** Writes what was sent. */
    saveBody: (body: InquiryBody): Write => ({ put: bodyRow(body), when: absent }),

    /** Stores the first score of an inquiry, once. */
    async saveScore(inquiryId: string, score: Score, now: Date): Promise<'scored' | 'scored_before'> {
      const stored: StoredScore = { ...score, inquiryId, scoredAt: now.toISOString() };
      const written = await table.write({
        put: { ...inquiryScore(inquiryId, 1), ...stored, schemaVersion },
        when: absent,
      });
      return written.committed ? 'scored' : 'scored_before';
    },

    /**
     * Claims the sending of the newest mail: true for one caller only, until its
     * lease of `leaseMs` runs out. The claim touches no index attribute.
     */
    async claimMail(id: string, now: Date, leaseMs: number): Promise<Inquiry | undefined> {
      const at = now.toISOString();
      const written = await table.write({
        update: inquiryHead(id),
        set: { mailState: 'sending', mailAt: at },
        add: { version: 1 },
        when: [
          [['mailState', '=', 'pending']],
          [
            ['mailState', '=', 'sending'],
            ['mailAt', '<=', new Date(now.getTime() - leaseMs).toISOString()],
          ],
        ],
      });
      return written.committed && written.row ? parseHead(written.row) : undefined;
    },
  };
}
