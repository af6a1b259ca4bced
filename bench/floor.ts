/**
 * The floor: capture's own transaction for a new person, sent by nothing but the
 * SDK. No intake that stores as much can be faster on the same engine.
 */
import { randomBytes } from 'node:crypto';
import {
  DynamoDBClient,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { prepareTable } from '../local/engines/tables.ts';
import type { LocalSystem } from '../local/system.ts';

/** Crockford's base 32, as ids use it. */
const idLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ids = /\b(?:inq|con)_[0-9A-Z]{26}/g;
const digests = /\b1\.[\w-]{22}/g;

const newId = (prefix: string): string =>
  `${prefix}_${[...randomBytes(26)].map((byte) => idLetters[byte % idLetters.length]).join('')}`;

/** Makes another person's transaction of one: other ids and digests, of the same length. */
function anotherPerson(text: string): TransactWriteItemsCommandInput {
  const fresh = new Map<string, string>();
  const replace = (token: string, make: () => string): string => {
    const known = fresh.get(token) ?? make();
    fresh.set(token, known);
    return known;
  };
  return JSON.parse(
    text
      .replace(ids, (id) => replace(id, () => newId(id.slice(0, 3))))
      .replace(digests, (digest) => replace(digest, () => `1.${randomBytes(16).toString('base64url')}`)),
  ) as TransactWriteItemsCommandInput;
}

export interface Floor {
  /** Readies the transactions of so many people, which then cost the slice no time. */
  ready(count: number): void;
  /** Sends the next one; makes it first where none is ready. */
  send(): Promise<void>;
  close(): void;
}

/**
 * Opens the floor: a second table of the same shape in the same engine, so that
 * neither the stream's reader nor the sweep has anything to do with its rows.
 *
 * @param transaction - what capture sent for a new person
 */
export async function openFloor(system: LocalSystem, transaction: unknown): Promise<Floor> {
  const plan = system.plan.tables.find(({ tableName }) => tableName === system.tableName);
  if (!plan) throw new Error('the system has no table');
  const tableName = `${system.tableName}-floor`;
  await prepareTable(system.endpoints.dynamodb, { ...plan, tableName });
  const client = new DynamoDBClient({
    endpoint: system.endpoints.dynamodb,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  // The SDK gives each request a token of its own, as it did to capture's.
  const { ClientRequestToken: _token, ...request } = transaction as TransactWriteItemsCommandInput;
  const template = JSON.stringify(request).replaceAll(
    JSON.stringify(system.tableName),
    JSON.stringify(tableName),
  );
  const readied: TransactWriteItemsCommandInput[] = [];
  return {
    ready(count) {
      while (readied.length < count) readied.push(anotherPerson(template));
    },
    async send() {
      await client.send(new TransactWriteItemsCommand(readied.pop() ?? anotherPerson(template)));
    },
    close: () => client.destroy(),
  };
}
