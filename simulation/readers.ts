/** Whoever gets e-mails from the practice: some mailboxes are gone, and some people want no more of them. */
import { minuteMs } from './minutes.ts';
import type { Observer } from './observer.ts';
import type { Person } from './people.ts';
import type { SentMail, World } from './world.ts';

export interface Readers {
  onMail(sent: SentMail): void;
  /** Somebody ticked that they may be e-mailed. */
  agrees(email: string | undefined): void;
}

/** SES tells of a bounce so long after. */
const bounceMs = 5_000;

export function startReaders(world: World, people: readonly Person[], observer: Observer): Readers {
  const { agenda } = world;
  const random = world.random.fork('readers');
  const habits = new Map(people.flatMap(({ email, habit }) => (email ? [[email, habit] as const] : [])));
  const optedOut = new Set<string>();

  async function bounce(email: string, { inquiry, contact, message }: Tags): Promise<void> {
    await world.feedback({
      eventType: 'Bounce',
      mail: { tags: { inquiry: [inquiry], contact: [contact], message: [message] } },
      bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: email }] },
    });
    observer.suppress(email);
  }

  async function optOut(email: string, url: string): Promise<void> {
    await world.unsubscribe('GET', url);
    const answer = await world.unsubscribe('POST', url);
    if (answer.statusCode !== 200) return;
    optedOut.add(email);
    observer.suppress(email);
  }

  return {
    onMail({ to: [email], toPerson }) {
      if (email === undefined || !toPerson) return;
      const { tags, unsubscribeUrl } = toPerson;
      if (habits.get(email) === 'bounces') {
        agenda.at(agenda.nowMs() + bounceMs, () => bounce(email, tags));
      } else if (habits.get(email) === 'unsubscribes' && !optedOut.has(email)) {
        agenda.at(agenda.nowMs() + random.between(5, 90) * minuteMs, () => optOut(email, unsubscribeUrl));
      }
    },
    agrees(email) {
      if (email !== undefined && optedOut.delete(email)) observer.allow(email);
    },
  };
}

type Tags = NonNullable<SentMail['toPerson']>['tags'];
