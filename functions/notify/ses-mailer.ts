/** Sends mails by SES. The message is composed by a library, so no text can become a header. */
import { type SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import type { Mail } from './mails.ts';

export interface Mailer {
  send(to: readonly string[], mail: Mail): Promise<void>;
}

/** Loaded with the first mail: it takes as long to load as all the rest of the function. */
const loadComposer = async () => (await import('nodemailer/lib/mail-composer')).default;

export function createSesMailer(
  client: SESClient,
  sender: { readonly address: string; readonly configurationSet: string },
): Mailer {
  return {
    async send(to, { subject, text }) {
      const MailComposer = await loadComposer();
      const message = await new MailComposer({
        from: { name: 'Firstcall', address: sender.address },
        to: to.map((address) => ({ name: '', address })),
        subject,
        text,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
        .compile()
        .build();
      await client.send(
        new SendRawEmailCommand({
          Source: sender.address,
          Destinations: [...to],
          ConfigurationSetName: sender.configurationSet,
          RawMessage: { Data: message },
        }),
      );
    },
  };
}
