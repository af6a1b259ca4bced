import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoints } from '../home.ts';

/** One call of a function to an AWS API, as it was sent. */
export interface Call {
  readonly functionName: string;
  readonly service: 'dynamodb' | 'sqs' | 'ses' | 'secretsmanager';
  /** `TransactWriteItems`, `SendMessage`, `SendRawEmail`, … */
  readonly operation: string;
  /** The request: parsed JSON, or the form's fields. */
  readonly request: unknown;
  /** Names the call through all attempts that the SDK makes of it. */
  readonly callId: string;
  /** From 1. */
  readonly attempt: number;
}

/** A call with what the engine answered. */
export interface CountedCall extends Omit<Call, 'callId' | 'attempt'> {
  readonly status: number;
  /** The answer: parsed JSON, or its text. */
  readonly response: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Stands between the functions and the engines: sees each call, hands it on as often as it likes, as it
 * is or with another request, and gives the answer; undefined cuts the connection instead.
 */
export type Detour = (
  call: Call,
  forward: (request?: object) => Promise<Answer>,
) => Promise<Answer | undefined>;

/** A function's own way to the engines. */
export interface DetourProxy {
  readonly origin: string;
  stop(): void;
}

/** The detour that changes nothing and tells of each call. */
export const counting =
  (onCall: (call: CountedCall) => void): Detour =>
  async (call, forward) => {
    const answer = await forward();
    onCall({ ...call, status: answer.status, response: parse(answer.body) });
    return answer;
  };

/** Starts the proxy of one function: one port for all services, told apart by what the SDK sends. */
export async function startDetourProxy(
  functionName: string,
  endpoints: Endpoints,
  detour: Detour,
): Promise<DetourProxy> {
  const agent = new Agent({ keepAlive: true });
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const header = (name: string): string => String(request.headers[name] ?? '');
    const { service, operation, parsed } = identify(header('x-amz-target'), body);
    const base = new URL(
      {
        dynamodb: endpoints.dynamodb,
        sqs: endpoints.sqs,
        ses: endpoints.ses,
        secretsmanager: endpoints.secretsManager,
      }[service],
    );
    const forward = (changed?: object): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const sent = Buffer.from(changed ? JSON.stringify(changed) : body);
        const upstream = httpRequest(
          {
            agent,
            host: base.hostname,
            port: base.port,
            method: request.method,
            path: request.url,
            headers: { ...request.headers, host: base.host, 'content-length': sent.length },
          },
          async (answer) => {
            const parts: Buffer[] = [];
            for await (const part of answer) parts.push(part as Buffer);
            resolve({
              status: answer.statusCode ?? 502,
              headers: answer.headers,
              body: Buffer.concat(parts).toString('utf8'),
            });
          },
        );
        upstream.on('error', reject);
        upstream.end(sent);
      });
    const call: Call = {
      functionName,
      service,
      operation,
      request: parsed,
      callId: header('amz-sdk-invocation-id'),
      attempt: Number(/attempt=(\d+)/.exec(header('amz-sdk-request'))?.[1] ?? 1),
    };
    try {
      const answer = await detour(call, forward);
      if (!answer) {
        response.destroy();
        return;
      }
      const { 'transfer-encoding': _chunked, ...headers } = answer.headers;
      const text = Buffer.from(answer.body);
      response.writeHead(answer.status, { ...headers, 'content-length': text.length }).end(text);
    } catch {
      // The engine is gone.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

function identify(
  target: string,
  body: string,
): Pick<Call, 'service' | 'operation'> & { readonly parsed: unknown } {
  const [prefix = '', operation = ''] = target.split('.');
  if (prefix.startsWith('DynamoDB')) return { service: 'dynamodb', operation, parsed: parse(body) };
  if (prefix === 'AmazonSQS') return { service: 'sqs', operation, parsed: parse(body) };
  if (prefix === 'secretsmanager') return { service: 'secretsmanager', operation, parsed: parse(body) };
  const form = Object.fromEntries(new URLSearchParams(body));
  return { service: 'ses', operation: form.Action ?? 'unknown', parsed: form };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
