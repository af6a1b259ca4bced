import { SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSesMailer } from '../../functions/notify/ses-mailer.ts';

const client = new SESClient({ region: 'us-east-1' });
const ses = mockClient(client);
const mailer = createSesMailer(client, { address: 'firstcall@bayview.example', configurationSet: 'staff' });

beforeEach(() => ses.reset());

/** The one message that was sent: its envelope, its headers, its text. */
function sent() {
  const [call] = ses.commandCalls(SendRawEmailCommand);
  if (call === undefined) throw new Error('nothing was sent');
  const { RawMessage, ...envelope } = call.args[0].input;
  const [head = '', ...body] = Buffer.from(RawMessage?.Data ?? Uint8Array.of())
    .toString('utf8')
    .split('\r\n\r\n');
  return {
    envelope,
    headers: head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n'),
    body: body.join('\r\n\r\n'),
  };
}

describe('a mail', () => {
  it('goes from the configured address, with the configuration set, to those who are told', async () => {
    await mailer.send(['ana@bayview.example', 'ben@bayview.example'], { subject: 'Tier A', text: 'Call.\n' });

    const { envelope, headers, body } = sent();
    expect(envelope).toEqual({
      Source: 'firstcall@bayview.example',
      Destinations: ['ana@bayview.example', 'ben@bayview.example'],
      ConfigurationSetName: 'staff',
    });
    expect(headers).toContain('From: Firstcall <firstcall@bayview.example>');
    expect(headers).toContain('To: ana@bayview.example, ben@bayview.example');
    expect(headers).toContain('Subject: Tier A');
    expect(headers).toContain('Auto-Submitted: auto-generated');
    expect(body).toContain('Call.');
  });

  it('lets no text become a header', async () => {
    await mailer.send(['ana@bayview.example'], {
      subject: 'Tier A\r\nBcc: all@evil.example\r\n\r\nBody',
      text: 'x',
    });

    const { envelope, headers } = sent();
    expect(envelope.Destinations).toEqual(['ana@bayview.example']);
    expect(headers.filter((header) => /^(?:bcc|cc)/i.test(header))).toEqual([]);
    expect(headers.filter((header) => /^subject:/i.test(header))).toHaveLength(1);
  });
});
