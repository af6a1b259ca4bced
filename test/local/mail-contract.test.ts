/**
 * A mail in the simulation is noted as it was given. So it must arrive at the local engine: to whom, with
 * which subject and text, once for each time that it was sent, and to nobody where it was refused.
 */
import { SESClient } from '@aws-sdk/client-ses';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSesMailer } from '../../functions/notify/ses-mailer.ts';
import { type MessagingEngine, startMessaging } from '../../local/engines/messaging.ts';

interface Stored {
  readonly destination: { readonly to: readonly string[] };
  readonly subject: string;
  readonly body: { readonly text?: string };
}

let engine: MessagingEngine;
let client: SESClient;
const endpoint = () => `http://127.0.0.1:${engine.mailPort}`;
const stored = async (): Promise<Stored[]> =>
  ((await (await fetch(`${endpoint()}/store`)).json()) as { readonly emails: Stored[] }).emails;

beforeAll(async () => {
  engine = await startMessaging({ queues: false, mail: true, mailPort: 0 });
  client = new SESClient({
    endpoint: endpoint(),
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client?.destroy();
  await engine?.stop();
});

it('arrives as it was given, as often as it was sent', async () => {
  const mailer = createSesMailer(client, { address: 'firstcall@bayview.example', configurationSet: 'staff' });
  const mail = {
    subject: 'New inquiry: tier A, call by Fri 20 Nov, 10:00 AM PST',
    text: `Call back.\n\nhttps://console.example/v1/inquiries/inq_1 ${'a long line '.repeat(20)}\né\n`,
  };

  await mailer.send(['ana@bayview.example'], mail);
  await mailer.send(['ana@bayview.example'], mail);
  await mailer.send(['ben@bayview.example'], { ...mail, subject: 'Reminder: é' });

  const seen = (await stored()).map(({ destination, subject, body }) => ({
    to: destination.to,
    subject,
    text: body.text?.trim(),
  }));
  const arrived = (to: string, subject: string) => ({ to: [to], subject, text: mail.text.trim() });
  expect(seen).toEqual([
    arrived('ana@bayview.example', mail.subject),
    arrived('ana@bayview.example', mail.subject),
    arrived('ben@bayview.example', 'Reminder: é'),
  ]);
});
