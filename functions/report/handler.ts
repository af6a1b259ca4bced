/** Follows the table's stream: inquiry heads into the roll-ups, and a watch over the audit trail. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { auditPk, inquiryPk, inquirySk } from '../../shared/data/keys.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import type { Row } from '../../shared/data/table.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { countMetric, describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { countChange } from './count-change.ts';

const settings = readSettings({ TABLE_NAME: setting });
const table = openTable(settings.TABLE_NAME);
const dependencies = {
  rollups: createRollups(table),
  practice: openConfiguration(table),
  environment: systemEnvironment,
};

const toRow = (image: Record<string, unknown> | undefined): Row | undefined =>
  image && (unmarshall(image as Record<string, AttributeValue>) as Row);

async function handleRecord(record: DynamoDBRecord): Promise<void> {
  const ids = { eventId: record.eventID };
  try {
    const key = toRow(record.dynamodb?.Keys);
    if (key?.pk.startsWith(auditPk(''))) {
      // The filter lets only changes and removals through; both are forbidden.
      logger.error('an audit entry was changed or removed', { ...ids, pk: key.pk, sk: key.sk });
      countMetric('audit_entry_changed');
      return;
    }
    const after = toRow(record.dynamodb?.NewImage);
    if (key?.sk !== inquirySk.head || after === undefined) return;
    const outcome = await countChange(dependencies, toRow(record.dynamodb?.OldImage), after);
    const inquiryId = key.pk.slice(inquiryPk('').length);
    logger.info('change handled', { ...ids, inquiryId, version: after['version'], outcome });
  } catch (error) {
    logger.error('change failed', { ...ids, ...describeError(error) });
    throw error;
  }
}

const processor = new BatchProcessor(EventType.DynamoDBStreams);

export const handler = lambdaHandler<DynamoDBStreamEvent, DynamoDBBatchResponse>((event, context) =>
  processPartialResponse(event, handleRecord, processor, {
    context,
    // All of a day's changes add to one item: side by side they would only get in each other's way.
    processInParallel: false,
    throwOnFullBatchFailure: false,
  }),
);
