/** Handlers of queues; apart from `lambda.ts`, so that only what reads a queue carries the batch library. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import type { NoteFailure } from './failures.ts';
import { countMetric, describeError, lambdaHandler, logger } from './lambda.ts';

type Outcome = string | Error | undefined;

/**
 * A handler of a queue: each message is checked and worked on by itself, and only
 * those that failed come again. `work` answers with a short code of what became
 * of the message, which is logged beside the message's ids.
 *
 * @param options.noteFailure - leaves a note of why a message failed, should it end among the dead letters
 * @param options.oneByOne - works on the messages of a batch one after the other, where all of them
 * write the same item: side by side they would only make each other try again
 * @param options.together - tries the messages of a batch in one go before; gives, by position, the code of
 * each that was worked on, the error of each that failed and has to come again, and undefined for each that
 * is still to be worked on by itself
 */
export function queueHandler<Schema extends z.ZodType<Record<string, unknown>>>(
  schema: Schema,
  work: (message: z.output<Schema>) => Promise<string>,
  options: {
    readonly noteFailure: NoteFailure;
    readonly oneByOne?: boolean;
    readonly together?: (messages: readonly z.output<Schema>[]) => Promise<readonly Outcome[]>;
  },
) {
  const processor = new BatchProcessor(EventType.SQS);

  async function handleRecord(
    record: SQSRecord,
    outcomes: ReadonlyMap<SQSRecord, string | Error>,
  ): Promise<void> {
    const ids: Record<string, unknown> = { messageId: record.messageId };
    try {
      const message = schema.parse(JSON.parse(record.body));
      Object.assign(ids, message);
      const outcome = outcomes.get(record) ?? (await work(message));
      if (outcome instanceof Error) throw outcome;
      logger.info('message handled', { ...ids, outcome });
      countMetric(outcome);
    } catch (error) {
      logger.error('message failed', { ...ids, ...describeError(error) });
      await options.noteFailure(record.messageId, error);
      throw error;
    }
  }

  /** What could be done in one go; a failure leaves everything to be done one by one. */
  async function tryTogether(records: readonly SQSRecord[]): Promise<ReadonlyMap<SQSRecord, string | Error>> {
    const outcomes = new Map<SQSRecord, string | Error>();
    if (!options.together || records.length < 2) return outcomes;
    try {
      const read = records.flatMap((record) => {
        const parsed = schema.safeParse(parseJson(record.body));
        return parsed.success ? [{ record, message: parsed.data }] : [];
      });
      const codes = await options.together(read.map(({ message }) => message));
      for (const [i, { record }] of read.entries()) {
        const code = codes[i];
        if (code !== undefined) outcomes.set(record, code);
      }
    } catch (error) {
      logger.warn('batch not handled in one go', describeError(error));
    }
    return outcomes;
  }

  return lambdaHandler<SQSEvent, SQSBatchResponse>(async (event, context) => {
    const outcomes = await tryTogether(event.Records);
    return await processPartialResponse(
      event,
      (record: SQSRecord) => handleRecord(record, outcomes),
      processor,
      {
        context,
        processInParallel: !options.oneByOne,
        // Its error for a batch that failed as a whole quotes the records.
        throwOnFullBatchFailure: false,
      },
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
