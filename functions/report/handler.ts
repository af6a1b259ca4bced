/** Follows the table's stream: inquiry heads into the roll-ups, and a watch over the audit trail. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { auditPk, inquiryPk, inquirySk } from '../../shared/data/keys.ts';
import { isRestored } from '../../shared/data/restored.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import type { Row } from '../../shared/data/table.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { noteFailuresIn } from '../../shared/runtime/failures.ts';
import { countMetric, describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { countChanges, type HeadChange } from './count-change.ts';

const settings = readSettings({ TABLE_NAME: setting });
const table = openTable(settings.TABLE_NAME);
const dependencies = {
  rollups: createRollups(table),
  practice: openConfiguration(table).current,
  environment: systemEnvironment,
};

const noteFailure = noteFailuresIn(table);

const toRow = (image: Record<string, unknown> | undefined): Row | undefined =>
  image && (unmarshall(image as Record<string, AttributeValue>) as Row);

/** A record of an inquiry's head, with its change. */
interface HeadRecord {
  readonly record: DynamoDBRecord;
  readonly change: HeadChange;
}

/** The records of heads among those of a batch. The filter lets through of the audit what is forbidden there. */
function headRecords(records: readonly DynamoDBRecord[]): HeadRecord[] {
  return records.flatMap((record) => {
    const key = toRow(record.dynamodb?.Keys);
    if (key?.pk.startsWith(auditPk(''))) {
      const { pk, sk } = key;
      logger.error('an audit entry was changed or removed', { eventId: record.eventID, pk, sk });
      countMetric('audit_entry_changed');
      return [];
    }
    const after = toRow(record.dynamodb?.NewImage);
    if (key?.sk !== inquirySk.head || after === undefined) return [];
    // Put back, and so counted in the roll-ups that were put back with it.
    if (record.eventName === 'INSERT' && isRestored(after)) return [];
    return [{ record, change: { before: toRow(record.dynamodb?.OldImage), after } }];
  });
}

/** Counts the changes of a batch; gives the first record that was not counted. */
async function count(heads: readonly HeadRecord[]): Promise<DynamoDBRecord | undefined> {
  const outcomes = await countChanges(
    dependencies,
    heads.map(({ change }) => change),
  );
  let firstFailed: DynamoDBRecord | undefined;
  for (const [i, { record, change }] of heads.entries()) {
    const outcome = outcomes[i];
    const { pk, version } = change.after;
    const ids = { eventId: record.eventID, inquiryId: pk.slice(inquiryPk('').length), version };
    if (outcome instanceof Error) {
      logger.error('change failed', { ...ids, ...describeError(outcome) });
      await noteFailure(record.dynamodb?.SequenceNumber ?? '', outcome, `${pk} ${inquirySk.head}`);
      firstFailed ??= record;
    } else {
      logger.info('change handled', { ...ids, outcome });
    }
  }
  return firstFailed;
}

export const handler = lambdaHandler<DynamoDBStreamEvent, DynamoDBBatchResponse>(async ({ Records }) => {
  const failed = await count(headRecords(Records));
  // The stream goes on from there: what it then brings again and was counted has its mark.
  // An empty identifier would be the whole batch.
  return { batchItemFailures: failed ? [{ itemIdentifier: failed.dynamodb?.SequenceNumber ?? '' }] : [] };
});
