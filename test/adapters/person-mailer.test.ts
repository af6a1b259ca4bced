import { SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { createSesPersonMailer } from '../../functions/notify/person-mailer.ts';
import { lawful } from '../../shared/domain/messages/lawful.ts';
import { findTemplate, senderOf } from '../../shared/domain/messages/sender.ts';
import { smallPractice } from '../support/fixtures.ts';

const client = new SESClient({ region: 'us-east-1' });
const ses = mockClient(client);
const mailer = createSesPersonMailer(
  client,
  { address: 'firstcall@bayview.example', configurationSet: 'staff', trackedConfigurationSet: 'patients' },
  async () => (contactId, purpose) => `https://api.example/v1/unsubscribe/${contactId}.${purpose}`,
);

const now = new Date('2026-11-20T18:00:00.000Z');
const practice = {
  ...smallPractice,
  messages: { ...smallPractice.messages, trackOpenings: true, postalAddress: '1 Bayview Ave' },
};

it.each([
  ['what may be tracked', ['inquiry', 'openings'], 'patients'],
  ['everything else', ['inquiry'], 'staff'],
] as const)('%s goes by its configuration set', async (_, agreed, configurationSet) => {
  ses.reset();
  const template = findTemplate(practice, 'not-reached-1');
  if (!template) throw new Error('no template');
  const decision = lawful(template, {
    recipient: {
      contactId: 'con_1',
      email: 'maria@example.com',
      languages: [],
      timeZone: 'America/Los_Angeles',
      isMinor: false,
    },
    consents: agreed.map((purpose) => ({
      purpose,
      given: true,
      at: '2026-11-20T17:00:00.000Z',
      source: 'form',
      version: 1,
    })),
    mailbox: { version: 0, optedOut: {}, sentThatDay: 0 },
    inquiry: { quarantined: false },
    sender: senderOf(practice, 'main-street', now),
    now,
  });
  if (!('sendable' in decision)) throw new Error('refused');

  await mailer.send(decision.sendable, { inquiry: 'inq_1', contact: 'con_1', message: 'nurture' });

  const [call] = ses.commandCalls(SendRawEmailCommand);
  expect(call?.args[0].input).toMatchObject({
    Destinations: ['maria@example.com'],
    ConfigurationSetName: configurationSet,
    Tags: [
      { Name: 'inquiry', Value: 'inq_1' },
      { Name: 'contact', Value: 'con_1' },
      { Name: 'message', Value: 'nurture' },
    ],
  });
});
