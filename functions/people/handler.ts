/** Follows the table's stream, beside the pipeline: who came new, who came again, who may be the same, and what is configured anew. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { isRestored } from '../../shared/data/restored.ts';
import type { Row } from '../../shared/data/table.ts';
import { createSqsQueue } from '../../shared/queues/sqs-queue.ts';
import { serviceCalls } from '../../shared/runtime/calls.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { noteFailuresIn } from '../../shared/runtime/failures.ts';
import { countMetric, describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { followChange, type PeopleDependencies } from './follow-change.ts';

const settings = readSettings({ TABLE_NAME: setting, SCORE_QUEUE_URL: setting, ROUTE_QUEUE_URL: setting });
const table = openTable(settings.TABLE_NAME);
const sqs = new SQSClient(serviceCalls);
const dependencies: PeopleDependencies = {
  table,
  contacts: createContacts(table),
  inquiries: createInquiries(table),
  scoreQueue: createSqsQueue(sqs, settings.SCORE_QUEUE_URL),
  routeQueue: createSqsQueue(sqs, settings.ROUTE_QUEUE_URL),
  environment: systemEnvironment,
  onBroken: (inquiryId, error) =>
    logger.error('an inquiry cannot be read', { inquiryId, ...describeError(error) }),
};

const noteFailure = noteFailuresIn(table);

/** The key of the item that a record is of, as text: ids, and digests at the most. */
const keyOf = ({ dynamodb }: DynamoDBRecord): string => {
  const { pk, sk } = unmarshall((dynamodb?.Keys ?? {}) as Record<string, AttributeValue>);
  return `${pk} ${sk}`;
};

async function handleRecord(record: DynamoDBRecord): Promise<void> {
  const ids = { eventId: record.eventID };
  try {
    const image = record.dynamodb?.NewImage as Record<string, AttributeValue> | undefined;
    // The filter lets only new rows through, merges undone and made again, and new versions of the configuration.
    if (record.eventName === 'REMOVE' || image === undefined) return;
    const row = unmarshall(image) as Row;
    // Put back, with all that once followed from it.
    if (record.eventName === 'INSERT' && isRestored(row)) return;
    const followed = await followChange(dependencies, row);
    logger.info('change handled', { ...ids, ...followed });
    countMetric(followed.outcome);
  } catch (error) {
    logger.error('change failed', { ...ids, ...describeError(error) });
    await noteFailure(record.dynamodb?.SequenceNumber ?? '', error, keyOf(record));
    throw error;
  }
}

const processor = new BatchProcessor(EventType.DynamoDBStreams);

export const handler = lambdaHandler<DynamoDBStreamEvent, DynamoDBBatchResponse>((event, context) =>
  processPartialResponse(event, handleRecord, processor, {
    context,
    // Records of one family would write the same pairs side by side.
    processInParallel: false,
    throwOnFullBatchFailure: false,
  }),
);
