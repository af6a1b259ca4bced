/**
 * Stands before the local mail engine, which keeps a mail and forgets what else SES
 * is told of it: its tags and its configuration set. The list of mails has them from here.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What SES is told of a mail beside the mail. */
export interface Envelope {
  readonly configurationSet?: string;
  /** Lists of values by name, as SES gives them back in events. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
}

/** The envelope in the form that asks for a sending; undefined where it asks for something else. */
export function envelopeOf(body: string): Envelope | undefined {
  const form = new URLSearchParams(body);
  if (form.get('Action') !== 'SendRawEmail') return undefined;
  const configurationSet = form.get('ConfigurationSetName');
  const tags: Record<string, string[]> = {};
  for (let n = 1; form.has(`Tags.member.${n}.Name`); n++) {
    tags[form.get(`Tags.member.${n}.Name`) ?? ''] = [form.get(`Tags.member.${n}.Value`) ?? ''];
  }
  return { ...(configurationSet !== null && { configurationSet }), tags };
}

/** Starts it on a port of this machine, before the engine at `engineOrigin`. */
export async function startMailRelay(port: number, engineOrigin: string): Promise<Server> {
  const envelopes = new Map<string, Envelope>();

  async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { host: _own, connection: _hop, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(`${engineOrigin}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(body.length > 0 && { body }),
    });
    let content: Uint8Array | string = new Uint8Array(await answer.arrayBuffer());
    const text = () => Buffer.from(content).toString('utf8');
    if (request.method === 'POST' && answer.ok) {
      const envelope = envelopeOf(body.toString('utf8'));
      const [, messageId] = (envelope && /<MessageId>([^<]+)</.exec(text())) ?? [];
      if (envelope && messageId !== undefined) envelopes.set(messageId, envelope);
    } else if (request.url?.startsWith('/store') && answer.ok) {
      const stored = JSON.parse(text()) as { emails: { messageId: string }[] };
      const emails = stored.emails.map((mail) => ({ ...mail, ...envelopes.get(mail.messageId) }));
      content = JSON.stringify({ ...stored, emails });
    }
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'text/plain',
    });
    response.end(content);
  }

  const server = createServer((request, response) => {
    relay(request, response).catch(() => response.writeHead(502).end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
