/** Sends messages to people by SES: only what is `Sendable`, composed here and nowhere else. */
import { type SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import type { Sendable } from '../../shared/domain/messages/lawful.ts';
import type { ConsentPurpose } from '../../shared/domain/messages/template.ts';

/** What a bounce, a complaint or an opening is known by again: ids, nothing about the person. */
export interface MessageTags {
  readonly inquiry: string;
  /** The contact whose message it is. */
  readonly contact: string;
  /** Names it among the messages of its inquiry. */
  readonly message: string;
}

export interface PersonMailer {
  send(sendable: Sendable, tags: MessageTags): Promise<void>;
}

/** Values of SES tags hold letters, digits, `_` and `-`. */
const tagValue = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, '-');

// Loaded with the first message: most of what the function sends goes to staff.
const loadComposer = async () => (await import('nodemailer/lib/mail-composer')).default;
const loadCompose = async () => (await import('../../shared/domain/messages/compose.ts')).compose;

export function createSesPersonMailer(
  client: SESClient,
  sender: {
    readonly address: string;
    readonly configurationSet: string;
    /** The one by which SES tells of openings: of nothing but what may be tracked. */
    readonly trackedConfigurationSet: string;
  },
  unsubscribeUrls: () => Promise<(contactId: string, purpose: ConsentPurpose) => string>,
): PersonMailer {
  return {
    async send(sendable, tags) {
      const [MailComposer, compose, unsubscribeUrlOf] = await Promise.all([
        loadComposer(),
        loadCompose(),
        unsubscribeUrls(),
      ]);
      const { to, replyTo, subject, text, html, unsubscribeUrl } = compose(sendable, unsubscribeUrlOf);
      const { message } = sendable;
      const data = await new MailComposer({
        from: { name: message.values.practiceName, address: sender.address },
        to: { name: '', address: to },
        ...(replyTo !== undefined && { replyTo: { name: '', address: replyTo } }),
        subject,
        text,
        html,
        headers: {
          'Auto-Submitted': message.class === 'transactional' ? 'auto-replied' : 'auto-generated',
          // RFC 8058: mail programs offer one click, which posts and asks for no sign-in.
          'List-Unsubscribe': `<${unsubscribeUrl}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
      })
        .compile()
        .build();
      await client.send(
        new SendRawEmailCommand({
          Source: sender.address,
          Destinations: [to],
          ConfigurationSetName: message.tracked ? sender.trackedConfigurationSet : sender.configurationSet,
          RawMessage: { Data: data },
          Tags: Object.entries(tags).map(([Name, value]) => ({ Name, Value: tagValue(value) })),
        }),
      );
    },
  };
}
