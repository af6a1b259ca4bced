/** What the clients of the functions do with a service that does not answer. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { hasteningCalls, mailCalls, serviceCalls } from '../../shared/runtime/calls.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
const get = new GetItemCommand({ TableName: 'T', Key: { pk: { S: 'P' }, sk: { S: 's' } } });

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A service that takes each request and does `then` about it. */
async function serving(then: (request: { answer: (part: string) => void }) => void) {
  let requests = 0;
  server = createServer((_, response) => {
    requests += 1;
    then({ answer: (part) => response.writeHead(200, { 'content-length': 100 }).write(part) });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, requests: () => requests };
}

/** The same limits, sooner over. */
const hurried = {
  ...serviceCalls,
  requestHandler: { ...serviceCalls.requestHandler, requestTimeout: 50, socketTimeout: 50 },
};

describe('a call', () => {
  it('to a service that does not answer is tried again, and then fails', async () => {
    const { endpoint, requests } = await serving(() => undefined);
    const client = new DynamoDBClient({ ...local, ...hurried, endpoint });

    await expect(client.send(get)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(requests()).toBe(serviceCalls.maxAttempts);
  });

  it('whose answer stops half-way fails, too', async () => {
    const { endpoint } = await serving(({ answer }) => answer('{"Item"'));
    const client = new DynamoDBClient({ ...local, ...hurried, endpoint });

    await expect(client.send(get)).rejects.toThrow();
  });
});

describe('the limits', () => {
  it.each([
    ['of the table, queues and secrets', serviceCalls, 10],
    ['of what the sweep makes up for', hasteningCalls, 10],
    ['of mail', mailCalls, 30],
  ])(
    '%s let a function of %#, with the waits between attempts, come to an end in time',
    (_, calls, seconds) => {
      const { maxAttempts, requestHandler } = calls;
      // The SDK waits a second at the most before the second attempt of a throttled call, then two.
      const waitsMs = 1_000 * (2 ** (maxAttempts - 1) - 1);

      expect(maxAttempts * requestHandler.requestTimeout + waitsMs).toBeLessThan(seconds * 1_000);
    },
  );

  it('are those of every client that a function makes', () => {
    const made = readdirSync('functions')
      .map((name) => readFileSync(`functions/${name}/handler.ts`, 'utf8'))
      .concat(readFileSync('shared/runtime/table.ts', 'utf8'))
      .flatMap((source) => [...source.matchAll(/(?:new \w+Client|createDocumentClient)\(([^)]*)\)/g)])
      .map(([, options]) => options);

    expect(made.length).toBeGreaterThan(10);
    expect(new Set(made)).toEqual(new Set(['serviceCalls', 'hasteningCalls', 'mailCalls']));
  });
});
