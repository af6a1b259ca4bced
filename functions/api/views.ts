/**
 * What the API answers: schemas of its own, so that no stored field shows unless
 * it was meant to. Each is made with the first answer of its kind.
 */
import * as z from 'zod';
import type { Contact } from '../../shared/data/contacts.ts';
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { urgencies } from '../../shared/domain/clinical-urgency.ts';
import {
  type Inquiry,
  parkReasons,
  progresses,
  quarantineReasons,
  receiptSchema,
} from '../../shared/domain/inquiry/state.ts';
import { redFlagStates } from '../../shared/domain/red-flags.ts';
import { type Decision, ruleHitSchema } from '../../shared/domain/rules/decision.ts';
import { actionSchema } from '../../shared/domain/schema/action.ts';
import { scoreSchema } from '../../shared/domain/scoring.ts';
import { closeReasons, stages, tiers } from '../../shared/domain/stages.ts';
import { type Told, timelineKinds } from '../../shared/domain/timeline.ts';

export const inquirySummarySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    version: z.int(),
    stage: z.enum(stages),
    closeReason: z.enum(closeReasons).optional(),
    progress: z.enum(progresses),
    quarantine: z.array(z.enum(quarantineReasons)).optional(),
    receivedAt: z.string(),
    respondBy: z.string().optional(),
    contactId: z.string(),
    location: z.string(),
    channel: z.string(),
    source: z.string(),
    campaign: z.string().optional(),
    service: z.string().optional(),
    tier: z.enum(tiers).optional(),
    assignee: z.string().optional(),
    urgency: z.enum(urgencies),
    redFlag: z.enum(redFlagStates).optional(),
    /** Until when the present assignee is to call, where that is not the respond-by. */
    deadline: z.string().optional(),
    hold: z
      .object({
        kind: z.enum(['snoozed', 'parked']),
        by: z.string(),
        since: z.string(),
        until: z.string(),
        reason: z.enum(parkReasons).optional(),
        owner: z.string().optional(),
      })
      .optional(),
    calling: z.object({ by: z.string(), since: z.string(), until: z.string() }).optional(),
  }),
);
export type InquirySummary = z.infer<typeof inquirySummarySchema>;

const somebodySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
  }),
);

/** What triage decided with the score that counts. */
const triageSchema = z.lazy(() =>
  z.object({
    clock: z.string(),
    respondWithinMinutes: z.int(),
    /** Where it goes in place of its service's pool, and because of what. */
    pool: z.object({ id: z.string(), because: z.string().optional() }).optional(),
    memberId: z.string().optional(),
    toOwner: z.boolean().optional(),
    hits: z.array(ruleHitSchema),
    /** Actions that are noted, and acted on once their machinery is there. */
    recorded: z.array(actionSchema),
    rulesVersion: z.int().optional(),
  }),
);

export const inquiryViewSchema = z.lazy(() =>
  inquirySummarySchema
    .unwrap()
    .omit({ contactId: true, tier: true, assignee: true })
    .extend({
      contact: somebodySchema,
      /** Who wrote, where that is not the patient. */
      writer: somebodySchema.optional(),
      message: z.string().optional(),
      fields: z.record(z.string(), z.union([z.string(), z.boolean()])),
      answers: z.array(z.object({ question: z.string(), answer: z.string() })).optional(),
      score: scoreSchema.optional(),
      triage: triageSchema.optional(),
      assignment: z.object({ memberId: z.string(), at: z.string(), receipt: receiptSchema }).optional(),
      /** In the queue of which pool it waits, and why nobody has it yet. */
      waiting: z.object({ pool: z.string(), receipt: receiptSchema }).optional(),
    }),
);
export type InquiryView = z.infer<typeof inquiryViewSchema>;

/** An inquiry in a list: no name, no number, no words. */
export function summaryOf(head: Inquiry): InquirySummary {
  return inquirySummarySchema.parse({
    ...head,
    location: head.locationId,
    source: head.sourceId,
    service: head.serviceId,
    assignee: head.assignedTo,
    urgency: head.urgency ?? 'routine',
  });
}

const triageOf = ({ poolId, poolBecause, hits = [], recorded = [], ...decision }: Decision) => ({
  ...decision,
  hits,
  recorded,
  ...(poolId !== undefined && { pool: { id: poolId, because: poolBecause } }),
});

/** One inquiry, whole; `contact` and `writer` are those who speak for them. */
export function inquiryView(
  { head, body, score }: InquiryRecord,
  contact: Contact | undefined,
  writer: Contact | undefined,
): InquiryView {
  const { message, ...fields } = body?.fields ?? {};
  return inquiryViewSchema.parse({
    ...summaryOf(head),
    // The head learns of its score at routing; until then the score's own item tells.
    progress: head.progress === 'captured' && score ? 'scored' : head.progress,
    contact: contact ?? { id: head.contactId },
    writer,
    message,
    fields,
    answers: body?.answers,
    score,
    triage: score?.decision && triageOf(score.decision),
    urgency: head.urgency ?? score?.decision?.urgency ?? 'routine',
    ...(head.assignedTo !== undefined &&
      head.receipt && {
        assignment: { memberId: head.assignedTo, at: head.assignedAt, receipt: head.receipt },
      }),
    ...(head.assignedTo === undefined &&
      head.progress === 'waiting' &&
      head.receipt && { waiting: { pool: head.poolId, receipt: head.receipt } }),
  });
}

export const timelineItemSchema = z.lazy(() =>
  z.object({
    /** Of an entry that was recorded by itself. */
    id: z.string().optional(),
    kind: z.enum(timelineKinds),
    at: z.string(),
    recordedAt: z.string().optional(),
    actor: z.string(),
    contactId: z.string(),
    inquiryId: z.string().optional(),
    details: z.record(z.string(), z.unknown()),
  }),
);
export type TimelineItem = z.infer<typeof timelineItemSchema>;

/** An entry of a timeline. */
export const timelineItem = (told: Told): TimelineItem =>
  timelineItemSchema.parse({ ...told, id: told.entryId });
