import { randomUUID } from 'node:crypto';
import type { MailEventPlan } from '../template/plan.ts';
import { type EventSource, startLoop } from './pausable.ts';

/** How often the inbox is looked at. */
const pauseMs = 400;

interface Stored {
  readonly messageId: string;
  readonly destination: { readonly to: readonly string[] };
}

/** Addresses of SES's mailbox simulator, and what SES tells of a mail to each. */
const simulated: Readonly<Record<string, (recipient: string) => object>> = {
  bounce: (emailAddress) => ({
    eventType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: [{ emailAddress, action: 'failed', status: '5.1.1' }],
    },
  }),
  complaint: (emailAddress) => ({
    eventType: 'Complaint',
    complaint: { complainedRecipients: [{ emailAddress }], complaintFeedbackType: 'abuse' },
  }),
};
const simulator = /(?:^|<)((bounce|complaint)(?:\+[^@<>]*)?@simulator\.amazonses\.com)>?$/i;

/** What SES tells of one mail; nothing of one that arrives. */
export function eventsOf({ messageId, destination }: Stored): object[] {
  return destination.to.flatMap((to) => {
    const [, address, kind = ''] = simulator.exec(to.trim()) ?? [];
    const event = address && simulated[kind.toLowerCase()]?.(address);
    // The local engine keeps no tags of mails.
    return event ? [{ ...event, mail: { messageId, destination: [address], tags: {} } }] : [];
  });
}

/** The event by which SNS hands a message to a function. */
const snsEvent = (topicArn: string, message: object): object => ({
  Records: [
    {
      EventSource: 'aws:sns',
      EventVersion: '1.0',
      Sns: {
        Type: 'Notification',
        MessageId: randomUUID(),
        TopicArn: topicArn,
        Timestamp: new Date().toISOString(),
        Message: JSON.stringify(message),
      },
    },
  ],
});

/**
 * Tells a function what becomes of mails, as SES's mailbox simulator has it: mail to
 * bounce@simulator.amazonses.com bounces, mail to complaint@simulator.amazonses.com is complained of.
 */
export function startMailEvents(options: {
  readonly plan: MailEventPlan;
  readonly inboxUrl: string;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  onError(what: string, error: unknown): void;
}): EventSource {
  const { plan, inboxUrl, invoke, onError } = options;
  const told = new Set<string>();
  let since = Math.floor(Date.now() / 1000) - 1;
  return startLoop(
    async ({ sleep }) => {
      const askedAt = Math.floor(Date.now() / 1000);
      const response = await fetch(`${inboxUrl}/store?since=${since}`);
      const { emails } = (await response.json()) as { emails: Stored[] };
      for (const mail of emails.filter(({ messageId }) => !told.has(messageId))) {
        told.add(mail.messageId);
        for (const event of eventsOf(mail)) {
          await invoke(plan.functionName, snsEvent(plan.topicArn, event)).catch((error: unknown) =>
            onError(`${plan.functionName}: an event of a mail failed`, error),
          );
        }
      }
      // Its times are whole seconds: the last one is looked at again.
      since = askedAt - 1;
      await sleep(pauseMs);
    },
    { onError: (error) => onError('the inbox could not be looked at', error), settle: async () => {} },
  );
}
