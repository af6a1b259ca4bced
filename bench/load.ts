/** Load: posts of the web form over kept-alive connections, and a number of things at a time. */
import { Agent, request } from 'node:http';
import { formType } from './sample.ts';

export interface Poster {
  /** Posts a form; gives the milliseconds until its 202 had arrived. */
  post(body: string): Promise<number>;
  close(): void;
}

export function createPoster(origin: string, connections: number): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { port } = new URL(origin);
  const headers = { 'content-type': formType };
  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        const started = performance.now();
        const sent = request(
          { agent, host: '127.0.0.1', port, method: 'POST', path: '/v1/inquiries', headers },
          (answer) => {
            answer.resume();
            answer.once('end', () => {
              if (answer.statusCode === 202) resolve(performance.now() - started);
              else reject(new Error(`a post was answered by ${answer.statusCode}, not 202`));
            });
          },
        );
        sent.once('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

export interface Slice {
  readonly done: number;
  readonly seconds: number;
  readonly perSecond: number;
}

const sliceOf = (done: number, startedMs: number): Slice => {
  const seconds = (performance.now() - startedMs) / 1000;
  return { done, seconds, perSecond: done / seconds };
};

/** Does something over and over for so many milliseconds, so many at a time. */
export async function during(ms: number, concurrency: number, work: () => Promise<unknown>): Promise<Slice> {
  const started = performance.now();
  let done = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - started < ms) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return sliceOf(done, started);
}

/** Does something so many times, so many at a time, and then waits for what follows from it. */
export async function times(
  count: number,
  concurrency: number,
  work: () => Promise<unknown>,
  followUp: () => Promise<unknown>,
): Promise<Slice> {
  const started = performance.now();
  let left = count;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  await followUp();
  return sliceOf(count, started);
}
