// The queues' and the mail's engines, in a thread of their own: they load in
// parallel with Java and do not delay the gateway.
import type { Server } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { freePort } from '../preflight.ts';
import { startMailRelay } from './mail-relay.ts';

const wanted = workerData as { queues: boolean; mail: boolean; mailPort: number };

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
};

async function startQueues(): Promise<number> {
  // `startFauxqs` always listens on every interface; its app can be told not to.
  const { buildApp } = await import('fauxqs');
  const app = buildApp({ logger: false });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return portOf(app.server);
}

async function startMail(): Promise<number> {
  // A CommonJS module: its exports are the default, and the server its `default`.
  const { default: module } = await import('aws-ses-v2-local');
  const engine = portOf(await module.default({ host: '127.0.0.1', port: await freePort() }));
  const port = await freePort(wanted.mailPort);
  return portOf(await startMailRelay(port, `http://127.0.0.1:${engine}`));
}

const queuesPort = wanted.queues ? await startQueues() : undefined;
const mailPort = wanted.mail ? await startMail() : undefined;
parentPort?.postMessage({ queuesPort, mailPort });
