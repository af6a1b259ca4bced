/** What a dead letter says of itself: ids and codes, and nothing else of what it holds. */
import * as z from 'zod';
import { mailMessageSchema, routeMessageSchema, stepMessageSchema } from '../shared/queues/messages.ts';
import type { DeadLetters, Letter } from './dead-letters.ts';

export interface Told {
  /** In words of ids. */
  readonly about: string;
  readonly inquiryId?: string | undefined;
  /** What a note of its failure is kept under. */
  readonly noted: string;
  /** What whoever gave it up says of why, as a code. */
  readonly condition?: string | undefined;
}

/** Words that are codes of AWS or of ours; anything else might quote what somebody wrote. */
const code = z.string().regex(/^[\w.:-]{1,80}$/);

const lambdaSchema = z.object({
  requestContext: z.object({
    requestId: code.optional(),
    condition: code,
    approximateInvokeCount: z.int().optional(),
  }),
  responsePayload: z.object({ errorType: code.optional() }).optional().catch(undefined),
  DDBStreamBatchInfo: z
    .object({
      startSequenceNumber: code,
      batchSize: z.int(),
      approximateArrivalOfFirstRecord: z.iso.datetime().optional(),
      approximateArrivalOfLastRecord: z.iso.datetime().optional(),
    })
    .optional(),
});

/** Where and when the records of a `position` stood; undefined where it is none. */
export function positionOf({ body }: Letter): { readonly from: Date; readonly to: Date } | undefined {
  const found = lambdaSchema.safeParse(parseJson(body)).data?.DDBStreamBatchInfo;
  if (found?.approximateArrivalOfFirstRecord === undefined) return undefined;
  const { approximateArrivalOfFirstRecord: from, approximateArrivalOfLastRecord: to = from } = found;
  return { from: new Date(from), to: new Date(to) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const schemas: Readonly<Record<string, z.ZodType<Record<string, unknown>>>> = {
  score: stepMessageSchema,
  route: routeMessageSchema,
  mail: mailMessageSchema,
};

function ofMessage({ name }: DeadLetters, { id, body }: Letter): Told {
  const message = schemas[name]?.safeParse(parseJson(body)).data;
  if (!message) return { about: 'no message of ours', noted: id };
  const { inquiryId, kind, version: _version, ...ids } = message;
  const words = [kind, inquiryId, ...Object.values(ids)].filter((word) => word !== undefined);
  return {
    about: words.map(String).join(' '),
    noted: id,
    ...(typeof inquiryId === 'string' && { inquiryId }),
  };
}

/** What a queue is told of an event that could not be delivered at all. */
function deliveryCode({ attributes }: Letter): string | undefined {
  const { ERROR_CODE, ErrorCode } = attributes;
  return code.safeParse(ERROR_CODE?.StringValue ?? ErrorCode?.StringValue).data;
}

export function readLetter(queue: DeadLetters, letter: Letter): Told {
  if (queue.holds === 'message') return ofMessage(queue, letter);
  const { data } = lambdaSchema.safeParse(parseJson(letter.body));
  if (!data) {
    return { about: `an event for ${queue.of}`, noted: letter.id, condition: deliveryCode(letter) };
  }
  const { requestContext, responsePayload, DDBStreamBatchInfo: position } = data;
  const { requestId, condition, approximateInvokeCount: tries } = requestContext;
  const because = [condition, responsePayload?.errorType, tries && `${tries} tries`]
    .filter(Boolean)
    .join(', ');
  if (!position) {
    return { about: `run ${requestId ?? '-'} of ${queue.of}`, noted: letter.id, condition: because };
  }
  const records = position.batchSize === 1 ? 'a change' : `${position.batchSize} changes`;
  return {
    about: `${records} at ${position.startSequenceNumber}`,
    noted: position.startSequenceNumber,
    condition: because,
  };
}
