import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMailRelay } from '../../local/engines/mail-relay.ts';
import { eventsOf } from '../../local/events/mail-events.ts';

const sentTo = (to: string, more = {}) => ({ messageId: 'm-1', destination: { to: [to] }, ...more });
const plan = { opensOf: ['patients'] };

describe('what SES tells of a mail', () => {
  const tags = { inquiry: ['inq_1'], message: ['nurture'] };

  it('is an opening where its configuration set watches for one, with the tags that it was sent with', () => {
    const [event] = eventsOf(
      sentTo('Maria <success+opened@simulator.amazonses.com>', { configurationSet: 'patients', tags }),
      plan,
    );
    expect(event).toMatchObject({ eventType: 'Open', mail: { tags } });
  });

  it('is nothing where it does not, or where it only arrives', () => {
    const to = 'success+opened@simulator.amazonses.com';
    expect(eventsOf(sentTo(to, { configurationSet: 'staff', tags }), plan)).toEqual([]);
    expect(eventsOf(sentTo(to), plan)).toEqual([]);
    expect(
      eventsOf(sentTo('success@simulator.amazonses.com', { configurationSet: 'patients' }), plan),
    ).toEqual([]);
  });

  it('is a bounce by whichever set it went', () => {
    expect(eventsOf(sentTo('bounce@simulator.amazonses.com'), plan)).toMatchObject([{ eventType: 'Bounce' }]);
  });
});

describe('the relay before the mail engine', () => {
  // In place of the engine: it keeps a mail, and nothing of what else it is told.
  const engine = createServer((request, response) => {
    if (request.method === 'POST') response.end('<MessageId>m-1</MessageId>');
    else if (request.url?.startsWith('/store'))
      response.end('{"emails":[{"messageId":"m-1"},{"messageId":"m-2"}]}');
    else response.writeHead(404).end('nothing here');
  });
  let relay: Awaited<ReturnType<typeof startMailRelay>>;
  let origin = '';
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  beforeAll(async () => {
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    relay = await startMailRelay(0, `http://127.0.0.1:${portOf(engine)}`);
    origin = `http://127.0.0.1:${portOf(relay)}`;
  });
  afterAll(() => {
    relay.close();
    engine.close();
  });

  it('keeps what the engine forgets, and passes everything else on', async () => {
    const sent = await fetch(origin, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'SendRawEmail',
        ConfigurationSetName: 'patients',
        'Tags.member.1.Name': 'inquiry',
        'Tags.member.1.Value': 'inq_1',
      }),
    });
    expect(await sent.text()).toContain('m-1');
    expect(await (await fetch(`${origin}/store?since=0`)).json()).toEqual({
      emails: [
        { messageId: 'm-1', configurationSet: 'patients', tags: { inquiry: ['inq_1'] } },
        { messageId: 'm-2' },
      ],
    });
    expect((await fetch(`${origin}/elsewhere`)).status).toBe(404);
  });
});
