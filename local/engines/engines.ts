import type { AddressInfo } from 'node:net';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Endpoints, Home } from '../home.ts';
import { noteChildren } from '../lock.ts';
import { freePort } from '../preflight.ts';
import { region } from '../template/identity.ts';
import type { Plan } from '../template/plan.ts';
import { type DynamoDbEngine, startDynamoDb } from './dynamodb.ts';
import { startMessaging } from './messaging.ts';
import { prepareQueues } from './queues.ts';
import { prepareSecrets, startSecrets } from './secrets.ts';
import { credentials, type PreparedTable, prepareTable } from './tables.ts';

export interface EngineOptions {
  readonly home: Home;
  /** Keeps the table in memory: quicker, and gone afterwards. */
  readonly inMemory: boolean;
  /** Where the inbox listens if that port is free. */
  readonly mailPort: number;
  /** Values of secrets by their property's name, in place of random ones. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

/** The engines that are up, before anything is created in them. */
export interface StartedEngines {
  /** Creates what the templates hold; resolves when functions may start. */
  prepare(plan: Plan): Promise<PreparedEngines>;
  /** Processor time of the embedded queues and mail, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface PreparedEngines {
  readonly endpoints: Endpoints;
  readonly queueUrls: ReadonlyMap<string, string>;
  readonly sqs: SQSClient;
  /** Ready a little later than the rest: functions may load meanwhile. */
  readonly tables: Promise<PreparedTable[]>;
}

/**
 * Starts the embedded engines. Where one of the SDK's own variables
 * (`AWS_ENDPOINT_URL_DYNAMODB`, `…_SQS`, `…_SES`) is set, what it points to is
 * used instead.
 */
export async function startEngines(options: EngineOptions): Promise<StartedEngines> {
  const external = {
    dynamodb: process.env.AWS_ENDPOINT_URL_DYNAMODB,
    sqs: process.env.AWS_ENDPOINT_URL_SQS,
    ses: process.env.AWS_ENDPOINT_URL_SES,
  };
  const { home } = options;

  const dynamoDbPort = external.dynamodb ? 0 : await freePort();
  const dynamoDb: Promise<DynamoDbEngine | undefined> = external.dynamodb
    ? Promise.resolve(undefined)
    : startDynamoDb({
        port: dynamoDbPort,
        ...(!options.inMemory && { database: home.database }),
        logFile: `${home.logs}/dynamodb.log`,
        onStarted: (pids) => noteChildren(home, pids),
      });
  // Its failure is told where it is awaited, with the tables.
  dynamoDb.catch(() => {});
  const messaging = await startMessaging({
    queues: !external.sqs,
    mail: !external.ses,
    mailPort: options.mailPort,
  });
  const at = (port: number | undefined): string => `http://127.0.0.1:${port}`;
  const sqsEndpoint = external.sqs ?? at(messaging.queuesPort);
  const sqs = new SQSClient({
    endpoint: sqsEndpoint,
    region,
    credentials: credentials(),
  });
  let secrets: Awaited<ReturnType<typeof startSecrets>> | undefined;

  return {
    prepare: async (plan) => {
      secrets = await startSecrets(prepareSecrets(home.secrets, plan.secrets, options.secrets));
      const endpoints: Endpoints = {
        dynamodb: external.dynamodb ?? at(dynamoDbPort),
        sqs: sqsEndpoint,
        ses: external.ses ?? at(messaging.mailPort),
        secretsManager: at((secrets.address() as AddressInfo).port),
      };
      const tables = dynamoDb.then(() =>
        Promise.all(plan.tables.map((table) => prepareTable(endpoints.dynamodb, table))),
      );
      // Told where they are awaited.
      tables.catch(() => {});
      return {
        endpoints,
        sqs,
        queueUrls: await prepareQueues(sqs, sqsEndpoint, plan.queues),
        tables,
      };
    },
    cpuMs: messaging.cpuMs,
    stop: async () => {
      sqs.destroy();
      secrets?.close();
      secrets?.closeAllConnections();
      await Promise.all([messaging.stop(), dynamoDb.then((engine) => engine?.stop())]);
    },
    kill: async () => {
      sqs.destroy();
      secrets?.close();
      secrets?.closeAllConnections();
      const killing = dynamoDb.then((engine) => engine?.kill()).catch(() => {});
      await Promise.all([messaging.stop(), killing]);
    },
  };
}
