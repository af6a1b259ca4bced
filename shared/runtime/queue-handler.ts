/** Handlers of queues; apart from `lambda.ts`, so that only what reads a queue carries the batch library. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import { countMetric, describeError, lambdaHandler, logger } from './lambda.ts';

/**
 * A handler of a queue: each message is checked and worked on by itself, and only
 * those that failed come again. `work` answers with a short code of what became
 * of the message, which is logged beside the message's ids.
 *
 * @param options.oneByOne - works on the messages of a batch one after the other, where all of them
 * write the same item: side by side they would only make each other try again
 */
export function queueHandler<Schema extends z.ZodType<Record<string, unknown>>>(
  schema: Schema,
  work: (message: z.output<Schema>) => Promise<string>,
  options: { readonly oneByOne?: boolean } = {},
) {
  const processor = new BatchProcessor(EventType.SQS);

  async function handleRecord(record: SQSRecord): Promise<void> {
    const ids: Record<string, unknown> = { messageId: record.messageId };
    try {
      const message = schema.parse(JSON.parse(record.body));
      Object.assign(ids, message);
      const outcome = await work(message);
      logger.info('message handled', { ...ids, outcome });
      countMetric(outcome);
    } catch (error) {
      logger.error('message failed', { ...ids, ...describeError(error) });
      throw error;
    }
  }

  return lambdaHandler<SQSEvent, SQSBatchResponse>((event, context) =>
    processPartialResponse(event, handleRecord, processor, {
      context,
      processInParallel: !options.oneByOne,
      // Its error for a batch that failed as a whole quotes the records.
      throwOnFullBatchFailure: false,
    }),
  );
}
