/** The table as every function opens it. */
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { decodeTime } from 'ulid';
import { beforeEach, expect, it } from 'vitest';
import { inquiryHead } from '../../shared/data/keys.ts';
import { atVersion } from '../../shared/data/table.ts';
import { idPrefixes } from '../../shared/domain/ids.ts';
import { systemEnvironment } from '../../shared/runtime/environment.ts';
import { openTable } from '../../shared/runtime/table.ts';

const dynamo = mockClient(DynamoDBDocumentClient);
beforeEach(() => dynamo.reset());

it('has neither the time nor an id of its process be behind what it read, and writes that down', async () => {
  const head = inquiryHead('inq_1');
  const aheadMs = Date.now() + 500;
  dynamo.on(GetCommand).resolves({ Item: { ...head, version: 1, clockMs: aheadMs } });
  dynamo.on(PutCommand).resolves({});
  const table = openTable('T');

  await table.get(head);
  await table.write({ put: { ...head, version: 2 }, when: atVersion(1) });

  expect(systemEnvironment.now().getTime()).toBeGreaterThan(aheadMs);
  const id = systemEnvironment.newId('entry');
  expect(decodeTime(id.slice(idPrefixes.entry.length + 1))).toBeGreaterThan(aheadMs);
  const [{ args: [put] = [] } = {}] = dynamo.commandCalls(PutCommand);
  expect(put?.input.Item?.['clockMs']).toBeGreaterThan(aheadMs);
});
