import { randomUUID } from 'node:crypto';
import type { MailEventPlan } from '../template/plan.ts';
import { type EventSource, startLoop } from './pausable.ts';

/** How often the inbox is looked at. */
const pauseMs = 400;

interface Stored {
  readonly messageId: string;
  readonly destination: { readonly to: readonly string[] };
  // Of mails that came through the local relay.
  readonly configurationSet?: string;
  readonly tags?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Addresses of SES's mailbox simulator, and what SES tells of a mail to each. What goes to
 * `success+opened` is opened at once: a label that SES itself delivers to nobody who opens it.
 */
const simulated: Readonly<Record<string, (recipient: string) => object>> = {
  bounce: (emailAddress) => ({
    eventType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: [{ emailAddress, action: 'failed', status: '5.1.1' }],
      timestamp: new Date().toISOString(),
    },
  }),
  complaint: (emailAddress) => ({
    eventType: 'Complaint',
    complaint: {
      complainedRecipients: [{ emailAddress }],
      complaintFeedbackType: 'abuse',
      timestamp: new Date().toISOString(),
    },
  }),
  'success+opened': () => ({
    eventType: 'Open',
    open: { timestamp: new Date().toISOString(), ipAddress: '192.0.2.1', userAgent: 'a mail proxy' },
  }),
};
const simulator = /(?:^|<)((bounce|complaint|success\+opened)(?:\+[^@<>]*)?@simulator\.amazonses\.com)>?$/i;

/** What SES tells of one mail; nothing of one that arrives, and of openings only by the sets that it watches. */
export function eventsOf(
  { messageId, destination, configurationSet = '', tags = {} }: Stored,
  { opensOf }: Pick<MailEventPlan, 'opensOf'>,
): object[] {
  return destination.to.flatMap((to) => {
    const [, address, found = ''] = simulator.exec(to.trim()) ?? [];
    const kind = found.toLowerCase();
    if (kind === 'success+opened' && !opensOf.includes(configurationSet)) return [];
    const event = address && simulated[kind]?.(address);
    return event ? [{ ...event, mail: { messageId, destination: [address], tags } }] : [];
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
 * bounce@simulator.amazonses.com bounces, mail to complaint@simulator.amazonses.com is complained of;
 * mail to success+opened@simulator.amazonses.com is opened, where it may be tracked.
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
        for (const event of eventsOf(mail, plan)) {
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
