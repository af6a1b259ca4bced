import { Agent, createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoints } from '../home.ts';

/** One call of a function to an AWS API. */
export interface CountedCall {
  readonly functionName: string;
  readonly service: 'dynamodb' | 'sqs' | 'ses' | 'secretsmanager';
  /** `TransactWriteItems`, `SendMessage`, `SendRawEmail`, … */
  readonly operation: string;
  /** The request as sent: parsed JSON, or the form's fields. */
  readonly request: unknown;
  readonly status: number;
  /** The answer: parsed JSON, or its text. */
  readonly response: unknown;
}

/** Stands between one function and the engines and tells of each call. */
export interface CountingProxy {
  readonly origin: string;
  stop(): void;
}

/** Starts the proxy of one function: one port for all services, told apart by what the SDK sends. */
export async function startCountingProxy(
  functionName: string,
  endpoints: Endpoints,
  onCall: (call: CountedCall) => void,
): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const target = request.headers['x-amz-target'];
    const { service, operation, parsed } = identify(typeof target === 'string' ? target : '', body);
    const base = new URL(
      {
        dynamodb: endpoints.dynamodb,
        sqs: endpoints.sqs,
        ses: endpoints.ses,
        secretsmanager: endpoints.secretsManager,
      }[service],
    );
    const upstream = httpRequest(
      {
        agent,
        host: base.hostname,
        port: base.port,
        method: request.method,
        path: request.url,
        headers: { ...request.headers, host: base.host },
      },
      async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part as Buffer);
        const text = Buffer.concat(parts);
        const status = answer.statusCode ?? 502;
        onCall({
          functionName,
          service,
          operation,
          request: parsed,
          status,
          response: parse(text.toString('utf8')),
        });
        response.writeHead(status, answer.headers).end(text);
      },
    );
    upstream.on('error', () => response.destroy());
    upstream.end(body);
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
  body: Buffer,
): Pick<CountedCall, 'service' | 'operation'> & { parsed: unknown } {
  const [prefix = '', operation = ''] = target.split('.');
  if (prefix.startsWith('DynamoDB'))
    return { service: 'dynamodb', operation, parsed: parse(body.toString('utf8')) };
  if (prefix === 'AmazonSQS') return { service: 'sqs', operation, parsed: parse(body.toString('utf8')) };
  if (prefix === 'secretsmanager') {
    return { service: 'secretsmanager', operation, parsed: parse(body.toString('utf8')) };
  }
  const form = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  return { service: 'ses', operation: form.Action ?? 'unknown', parsed: form };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
