/** What DynamoDB Local never does: conflicts, throttling, unprocessed keys. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDynamoTable } from '../../shared/data/dynamo-table.ts';
import { absent, type Write } from '../../shared/data/table.ts';

const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }),
);
const dynamo = mockClient(client);
const table = createDynamoTable({ client, tableName: 'T' });
const fault = { message: 'refused', $metadata: {} };
const cancelled = (...reasons: TransactionCanceledException['CancellationReasons'] & object) =>
  new TransactionCanceledException({ ...fault, CancellationReasons: reasons });

beforeEach(() => dynamo.reset());

describe('a transaction', () => {
  const writes: Write[] = [
    { put: { pk: 'P', sk: 'a' }, when: absent },
    { put: { pk: 'P', sk: 'b' }, when: absent },
  ];

  it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    'that only met %s may be tried again',
    async (code) => {
      dynamo.on(TransactWriteCommand).rejects(cancelled({ Code: 'None' }, { Code: code }));

      expect(await table.transact(writes)).toEqual({ committed: false, failed: new Map() });
      expect(dynamo.commandCalls(TransactWriteCommand)).toHaveLength(1);
    },
  );

  it('that is under way already may be tried again', async () => {
    dynamo.on(TransactWriteCommand).rejects(new TransactionInProgressException(fault));

    expect(await table.transact(writes)).toEqual({ committed: false, failed: new Map() });
  });

  it('tells a failed condition beside a conflict, with the row that stood there', async () => {
    dynamo
      .on(TransactWriteCommand)
      .rejects(
        cancelled(
          { Code: 'TransactionConflict' },
          { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'P' }, sk: { S: 'b' }, version: { N: '3' } } },
        ),
      );

    expect(await table.transact(writes)).toEqual({
      committed: false,
      failed: new Map([[1, { pk: 'P', sk: 'b', version: 3 }]]),
    });
  });

  it.each(['ValidationError', 'ItemCollectionSizeLimitExceeded', 'AccessDenied'])(
    'cancelled for %s is a fault',
    async (code) => {
      const error = cancelled({ Code: 'ConditionalCheckFailed' }, { Code: code });
      dynamo.on(TransactWriteCommand).rejects(error);

      await expect(table.transact(writes)).rejects.toBe(error);
    },
  );

  it('cancelled without reasons is a fault', async () => {
    const error = new TransactionCanceledException(fault);
    dynamo.on(TransactWriteCommand).rejects(error);

    await expect(table.transact(writes)).rejects.toBe(error);
  });
});

describe('a single write', () => {
  const conflict = new TransactionConflictException(fault);

  it('waits for a transaction under way', async () => {
    dynamo.on(PutCommand).rejectsOnce(conflict).rejectsOnce(conflict).resolves({});
    dynamo
      .on(UpdateCommand)
      .rejectsOnce(conflict)
      .resolves({ Attributes: { pk: 'P', sk: 'a', n: 1 } });

    expect((await table.write({ put: { pk: 'P', sk: 'a' } })).committed).toBe(true);
    expect(dynamo.commandCalls(PutCommand)).toHaveLength(3);
    expect(await table.write({ update: { pk: 'P', sk: 'a' }, add: { n: 1 } })).toEqual({
      committed: true,
      row: { pk: 'P', sk: 'a', n: 1 },
    });
  });

  it('gives up where the conflict stays', async () => {
    dynamo.on(PutCommand).rejects(conflict);

    await expect(table.write({ put: { pk: 'P', sk: 'a' } })).rejects.toBe(conflict);
    expect(dynamo.commandCalls(PutCommand)).toHaveLength(6);
  });

  it('learns the existing row from the refusal, without another read', async () => {
    dynamo
      .on(PutCommand)
      .rejects(new ConditionalCheckFailedException({ ...fault, Item: { pk: { S: 'P' }, sk: { S: 'a' } } }));

    expect(await table.write({ put: { pk: 'P', sk: 'a' }, when: absent })).toEqual({
      committed: false,
      existing: { pk: 'P', sk: 'a' },
    });
    expect(dynamo.calls()).toHaveLength(1);
    expect(dynamo.call(0).args[0].input).toMatchObject({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  });
});

describe('a batch of reads', () => {
  const keys = ['a', 'b', 'c'].map((sk) => ({ pk: 'P', sk }));

  it('asks again for what was left unprocessed', async () => {
    dynamo
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { T: [{ pk: 'P', sk: 'a' }] },
        UnprocessedKeys: { T: { Keys: keys.slice(1), ConsistentRead: true } },
      })
      .resolvesOnce({
        Responses: { T: [{ pk: 'P', sk: 'b' }] },
        UnprocessedKeys: { T: { Keys: keys.slice(2), ConsistentRead: true } },
      })
      .resolves({ Responses: { T: [{ pk: 'P', sk: 'c' }] }, UnprocessedKeys: {} });

    expect(await table.batchGet(keys, { consistent: true })).toEqual(keys);

    const asked = dynamo.commandCalls(BatchGetCommand).map(({ args }) => args[0].input.RequestItems?.['T']);
    expect(asked).toEqual([
      { Keys: keys, ConsistentRead: true },
      { Keys: keys.slice(1), ConsistentRead: true },
      { Keys: keys.slice(2), ConsistentRead: true },
    ]);
  });

  it('fails where keys stay unprocessed, rather than leave rows out', async () => {
    dynamo.on(BatchGetCommand).resolves({ Responses: {}, UnprocessedKeys: { T: { Keys: keys } } });

    await expect(table.batchGet(keys)).rejects.toThrow('unprocessed');
  });
});
