import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** The embedded queues and mail. */
export interface MessagingEngine {
  /** Undefined where it was not asked for. */
  readonly queuesPort: number | undefined;
  readonly mailPort: number | undefined;
  /** Processor time of its thread so far, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts fauxqs and aws-ses-v2-local, as asked, on free loopback ports. */
export async function startMessaging(wanted: {
  queues: boolean;
  mail: boolean;
  /** Where the inbox listens if that port is free; 0 for any. */
  mailPort: number;
}): Promise<MessagingEngine> {
  const thread = new Worker(new URL('./messaging-thread.ts', import.meta.url), {
    workerData: wanted,
    execArgv: [],
  });
  const [{ queuesPort, mailPort }] = await once(thread, 'message');
  return {
    queuesPort,
    mailPort,
    cpuMs: async () => {
      const { user, system } = await thread.cpuUsage();
      return (user + system) / 1000;
    },
    stop: async () => {
      await thread.terminate();
    },
  };
}
