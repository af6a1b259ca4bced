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
 * Opens the floor in the system's own table: DynamoDB Local takes another time for
 * another table. Two keys are changed without changing their length, so that
 * neither the sweep nor the reader of the stream takes its rows for inquiries.
 *
 * @param transaction - what capture sent for a new person
 */
export function openFloor(system: LocalSystem, transaction: unknown): Floor {
  const client = new DynamoDBClient({
    endpoint: system.endpoints.dynamodb,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  // The SDK gives each request a token of its own, as it did to capture's.
  const { ClientRequestToken: _token, ...request } = transaction as TransactWriteItemsCommandInput;
  const template = JSON.stringify(request)
    .replace(/"DUE#\d"/g, '"DUE#-"')
    .replaceAll('"HEAD"', '"HEA-"');
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
