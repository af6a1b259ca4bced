/**
 * Inquiries in the table: a head (the state), an immutable body (what was sent)
 * and scores, in a partition of their own.
 */
import * as z from 'zod';
import { type Alert, alertSchema, raised } from '../domain/alert.ts';
import {
  type Candidate,
  type Inquiry,
  inquirySchema,
  isOpen,
  memberActionAt,
  nextActionAt,
  quarantineReasons,
  type Receipt,
} from '../domain/inquiry/state.ts';
import { type Decision, decisionSchema } from '../domain/rules/decision.ts';
import { type Score, scoreSchema } from '../domain/scoring.ts';
import { claimMail, claimMails } from './claim-mail.ts';
import {
  boardOfStage,
  byTime,
  duePk,
  dueShardOf,
  inquiryAlert,
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

export const bodySchema = z.lazy(() =>
  z.object({
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
    /** Contacts of the same name behind other points that it came with: they may be the same person. */
    namesakeIds: z.array(z.string()).optional(),
    /** Ids of the red flags whose words were found in it. */
    redFlags: z.array(z.string()).optional(),
    /** What it was set aside for as it came. */
    quarantine: z.array(z.enum(quarantineReasons)).optional(),
    /** The location that was asked for; absent where none was. */
    wantedLocationId: z.string().optional(),
    /** Contact points that were given but cannot be one. */
    invalidPoints: z.array(z.enum(['email', 'phone'])).optional(),
  }),
);
/** What was sent: written once, never changed. */
export type InquiryBody = z.infer<typeof bodySchema>;

export const scoredSchema = z.lazy(() =>
  scoreSchema.unwrap().extend({
    inquiryId: z.string(),
    scoredAt: z.iso.datetime(),
    /** What triage decided by it; absent from scores of before there were rules. */
    decision: decisionSchema.optional(),
    /** The respond-by that it moved to an earlier time; only a later score does. */
    respondBy: z.iso.datetime().optional(),
  }),
);
/** A score as it was stored at the decision, with what triage decided. */
export type StoredScore = z.infer<typeof scoredSchema>;

export interface NewScore {
  readonly inquiryId: string;
  readonly contactId: string;
  /** The first score of an inquiry is 1. */
  readonly number: number;
  readonly score: Score;
  readonly decision: Decision;
  readonly respondBy?: string | undefined;
}

// Receipts are the widest part of a head, and each write of it pays for them again: as one text, a line for
// each candidate, a pool of five stays within a write unit. Ids hold no space, reasons no line break.
const outcomeCodes = { assigned: 'a', passed_over: 'p', excluded: 'x' } as const;
const codedOutcomes: Readonly<Record<string, Candidate['outcome']>> = {
  a: 'assigned',
  p: 'passed_over',
  x: 'excluded',
};

/** Beside the candidates' outcomes: a provider recommended. */
const recommendedCode = 'r';

const packReceipt = ({ pool, strategy, candidates, by, provider }: Receipt): string =>
  [
    `${pool} ${strategy}${by === undefined ? '' : ` ${by}`}`,
    ...candidates.map((c) => `${c.memberId} ${c.share} ${outcomeCodes[c.outcome]} ${c.reason}`),
    ...(provider ? [`${provider.memberId} 0 ${recommendedCode} ${provider.reason}`] : []),
  ].join('\n');

/** What is not as it was packed is left for the schema to refuse. */
function unpackReceipt(packed: string): unknown {
  const [first = '', ...lines] = packed.split('\n');
  const [pool, strategy, by] = first.split(' ');
  const read = lines.map((line) => {
    const [, memberId, share, code = '', reason] = /^(\S+) (\S+) (\S) (.*)$/.exec(line) ?? [];
    return { code, candidate: { memberId, share: Number(share), outcome: codedOutcomes[code], reason } };
  });
  const recommended = read.find(({ code }) => code === recommendedCode)?.candidate;
  return {
    pool,
    strategy,
    candidates: read.filter(({ code }) => code !== recommendedCode).map(({ candidate }) => candidate),
    ...(by !== undefined && { by }),
    ...(recommended && { provider: { memberId: recommended.memberId, reason: recommended.reason } }),
  };
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
        queueSk: byTime(memberActionAt(inquiry), inquiry.id),
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

/** A head as it is stored: its id is in its key alone, and what is nothing, no timers and counters at 0, is left out. */
export function headRow(inquiry: Inquiry): Row {
  const { id, receipt, timers, stepRepeats, reminders, ...state } = inquiry;
  return {
    ...inquiryHead(id),
    ...indexAttributes(inquiry),
    ...state,
    ...(Object.values(timers).some((time) => time !== undefined) && { timers }),
    ...(stepRepeats > 0 && { stepRepeats }),
    ...(reminders > 0 && { reminders }),
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

/**
 * A score as it is stored. The first is told with its inquiry's body, which saves
 * an index write for each inquiry; a later one is an entry of the timeline by itself.
 */
function scoreRow({ inquiryId, contactId, number, score, decision, respondBy }: NewScore, now: Date): Row {
  const stored: StoredScore = {
    ...score,
    inquiryId,
    scoredAt: now.toISOString(),
    decision,
    ...(respondBy !== undefined && { respondBy }),
  };
  return storedScoreRow(stored, contactId, number);
}

export const storedScoreRow = (stored: StoredScore, contactId: string, number: number): Row => ({
  ...inquiryScore(stored.inquiryId, number),
  ...(number > 1 && {
    timelinePk: timelineOf(contactId),
    timelineSk: byTime(stored.scoredAt, stored.inquiryId),
  }),
  ...stored,
  schemaVersion,
});

export function alertRow(alert: Alert): Row {
  const { inquiryId, nextAt } = alert;
  return {
    ...inquiryAlert(inquiryId),
    ...(nextAt !== undefined && {
      duePk: duePk(dueShardOf(inquiryPk(inquiryId))),
      dueSk: byTime(nextAt, inquiryId),
    }),
    timelinePk: timelineOf(alert.contactId),
    timelineSk: byTime(alert.raisedAt, inquiryId),
    ...alert,
    schemaVersion,
  };
}

/** An inquiry with what is known of it; all but the head where it was asked for and is there. */
export interface InquiryRecord {
  readonly head: Inquiry;
  readonly body?: InquiryBody;
  /** The newest score, the one that counts. */
  readonly score?: StoredScore;
  /** How many scores it has had. */
  readonly scores: number;
  readonly alert?: Alert;
}

/** Puts together what was read of one inquiry, in the order of the keys; undefined without a head. */
export function recordOf(rows: readonly Row[]): InquiryRecord | undefined {
  let head: Inquiry | undefined;
  let body: InquiryBody | undefined;
  let alert: Alert | undefined;
  let newest: Row | undefined;
  let scores = 0;
  for (const row of rows) {
    if (row.sk === inquirySk.head) head = parseHead(row);
    else if (row.sk === inquirySk.body) body = bodySchema.parse(row);
    else if (row.sk === inquirySk.alert) alert = alertSchema.parse(row);
    else {
      newest = row;
      scores++;
    }
  }
  const score = newest && scoredSchema.parse(newest);
  return head && { head, scores, ...(body && { body }), ...(score && { score }), ...(alert && { alert }) };
}

const mostKeysAtOnce = 100;

export type Inquiries = ReturnType<typeof createInquiries>;

/** Reads and writes of inquiries. Reads are consistent: each is followed by a decision. */
export function createInquiries(table: Table) {
  async function read(id: string, from: string, to: string): Promise<InquiryRecord | undefined> {
    const { rows } = await table.query({ pk: inquiryPk(id), from, to, consistent: true });
    return recordOf(rows);
  }

  return {
    /** Head, body, newest score and alert. */
    find: (id: string) => read(id, inquirySk.alert, inquirySk.scoresEnd),
    /** Head and newest score, without what was sent. */
    findForRouting: (id: string) => read(id, inquirySk.head, inquirySk.scoresEnd),

    /**
     * Inquiries in the order of their ids, in as few reads as hold their keys: with the score that was
     * stored first and, where asked for, the body. What is not there or cannot be read is left out.
     */
    async findMany(ids: readonly string[], { body }: { readonly body: boolean }): Promise<InquiryRecord[]> {
      const unique = [...new Set(ids)];
      const keys = unique.flatMap((id) => [
        ...(body ? [inquiryBody(id)] : []),
        inquiryHead(id),
        inquiryScore(id, 1),
      ]);
      const pages = await Promise.all(
        Array.from({ length: Math.ceil(keys.length / mostKeysAtOnce) }, (_, i) =>
          table.batchGet(keys.slice(i * mostKeysAtOnce, (i + 1) * mostKeysAtOnce), { consistent: true }),
        ),
      );
      const rowsOf = Map.groupBy(pages.flat(), (row) => row.pk);
      return unique.flatMap((id) => {
        try {
          return recordOf(rowsOf.get(inquiryPk(id)) ?? []) ?? [];
        } catch {
          // Whoever looks at it by itself finds out what is wrong with it.
          return [];
        }
      });
    },

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

    /** Stores a score under its number, once. */
    saveScore: (score: NewScore, now: Date): Write => ({ put: scoreRow(score, now), when: absent }),

    /** Puts the alert of a red flag beside its inquiry: due at once, and an entry of the person's timeline. */
    raiseAlert: (inquiryId: string, contactId: string, flags: readonly string[], now: Date): Write => ({
      put: alertRow(raised(inquiryId, contactId, flags, now)),
      when: absent,
    }),

    async findAlert(id: string): Promise<Alert | undefined> {
      const row = await table.get(inquiryAlert(id), { consistent: true });
      return row && alertSchema.parse(row);
    },

    /** Writes a new state of an alert over the one it was made from. */
    saveAlert: (next: Alert): Write => ({ put: alertRow(next), when: atVersion(next.version - 1) }),

    /** Claims the sending of an alert's mail, as for an inquiry's mail. */
    async claimAlert(id: string, now: Date, leaseMs: number): Promise<Alert | undefined> {
      const written = await table.write({
        update: inquiryAlert(id),
        set: { state: 'sending', stateAt: now.toISOString() },
        add: { version: 1 },
        when: [
          [['state', '=', 'pending']],
          [
            ['state', '=', 'sending'],
            ['stateAt', '<=', new Date(now.getTime() - leaseMs).toISOString()],
          ],
        ],
      });
      return written.committed && written.row ? alertSchema.parse(written.row) : undefined;
    },

    /**
     * Claims the sending of the newest mail.
     */
    async claimMail(id: string, now: Date, leaseMs: number): Promise<Inquiry | undefined> {
      const row = await claimMail(table, inquiryHead(id), now, leaseMs);
      return row && parseHead(row);
    },

    /** Claims several mails, as `claimMail` does one; all or none, and undefined where it was none. */
    async claimMails(ids: readonly string[], now: Date, leaseMs: number): Promise<Inquiry[] | undefined> {
      const rows = await claimMails(table, ids.map(inquiryHead), now, leaseMs);
      return rows?.map(parseHead);
    },
  };
}
