/** Messages to people on DynamoDB's own engine, with two writers at every condition. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type FeedbackDependencies, takeFeedback } from '../../functions/feedback/take-feedback.ts';
import { sendToPerson } from '../../functions/notify/person-mails.ts';
import { noteFormConsent } from '../../shared/data/consents.ts';
import { takeBack } from '../../shared/data/opt-out.ts';
import type { Table } from '../../shared/data/table.ts';
import { enrolled, stepTaken, stopped } from '../../shared/domain/messages/nurture.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, digest, minutes, smallPractice } from '../support/fixtures.ts';

const practice: Practice = {
  ...smallPractice,
  messages: {
    ...smallPractice.messages,
    sendPerSecond: 1_000,
    acknowledgement: { open: 'acknowledgement-open', closed: 'after-hours' },
  },
};
const agreed = { fields: { name: 'Maria Lopez', email: 'maria@example.com', consentEmail: true } } as const;
const mailboxDigest = digest('email', 'maria@example.com');

let table: Table;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(async () => {
  ({ table } = await freshTable());
  pipeline = createPipeline(table, practice);
});

const both = <T>(work: () => Promise<T>): Promise<[T, T]> => Promise.all([work(), work()]);
/** Captured and scored, its messages still in the queue. */
async function scored(change = {}): Promise<string> {
  const id = await pipeline.captured({ ...agreed, ...change });
  for (const { inquiryId } of pipeline.queues.score.take()) await pipeline.score(inquiryId);
  return id;
}
const answer = (inquiryId: string) =>
  sendToPerson(pipeline.dependencies, { kind: 'acknowledgement', inquiryId });

describe('two at the same message', () => {
  it('send it once', async () => {
    for (let i = 0; i < 4; i++) {
      const id = await scored({ name: `P${i} Lopez`, email: `p${i}@example.com` });
      pipeline.personMailer.sent.length = 0;

      const told = await both(() => answer(id));

      expect(told.filter((each) => each === 'message_sent')).toHaveLength(1);
      expect(pipeline.personMailer.sent).toHaveLength(1);
      expect(await pipeline.messages.find(id, 'acknowledgement')).toMatchObject({ state: 'sent' });
    }
  });

  it('to one mailbox are both counted', async () => {
    const ids = [await scored(), await scored({ name: 'Jose Lopez' })];

    await Promise.all(ids.map(answer));

    expect(pipeline.personMailer.sent).toHaveLength(2);
    expect((await pipeline.mailboxes.find(mailboxDigest)).sentThatDay).toBe(2);
  });
});

describe('whoever opts out while a message is about to be sent', () => {
  it('gets it only where it was claimed before, and is opted out either way', async () => {
    for (let i = 0; i < 6; i++) {
      const [name, email] = [`Q${i} Lopez`, `q${i}@example.com`];
      const id = await scored({ name, email });
      const { contactId } = await pipeline.head(id);
      pipeline.personMailer.sent.length = 0;
      pipeline.environment.advance(1_000);

      const [told] = await Promise.all([
        answer(id),
        takeBack(pipeline.dependencies, contactId, 'inquiry', 'unsubscribe link'),
      ]);

      const consents = await pipeline.consents.of([contactId]);
      expect(consents.filter(({ given }) => given)).toEqual([]);
      expect(pipeline.personMailer.sent).toHaveLength(told === 'message_sent' ? 1 : 0);
      pipeline.environment.advance(minutes(1));
      expect(await answer(await scored({ name, email, fields: { name, email } }))).toBe('message_refused');
    }
  });

  it('twice at once is told so once, and the mailbox keeps both their word', async () => {
    const { contactId } = await pipeline.head(await scored());
    pipeline.environment.advance(1_000);

    const done = await both(() => takeBack(pipeline.dependencies, contactId, 'offers', 'unsubscribe link'));

    expect(done).toContain('taken_back');
    expect(Object.keys((await pipeline.mailboxes.find(mailboxDigest)).optedOut).sort()).toEqual([
      'offers',
      'partners',
    ]);
  });

  it('several times at once is told once, of somebody without a mailbox, too', async () => {
    const fields = { name: 'Maria Lopez', consentEmail: true };
    const { contactId } = await pipeline.head(await scored({ email: undefined, fields }));
    pipeline.environment.advance(1_000);

    // All have read before the first writes, and they write one after the other.
    const presses = 3;
    const waiting: (() => void)[] = [];
    let written: Promise<unknown> = Promise.resolve();
    const transact: Table['transact'] = async (writes) => {
      if (waiting.length < presses)
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === presses) for (const go of waiting) go();
        });
      const done = written.then(() => table.transact(writes));
      written = done;
      return await done;
    };
    const dependencies = { ...pipeline.dependencies, table: { ...table, transact } };

    await Promise.all(
      Array.from({ length: presses }, () => takeBack(dependencies, contactId, 'inquiry', 'unsubscribe link')),
    );

    const told = await pipeline.timelines.all([contactId]);
    expect(told.filter(({ details }) => details['source'] === 'unsubscribe link')).toHaveLength(1);
  });
});

describe('a consent', () => {
  const at = '2026-11-20T15:00:00.000Z';

  it('of a form is noted once by two', async () => {
    const { contactId } = await pipeline.head(await scored());
    const writes = () =>
      noteFormConsent(
        pipeline.dependencies,
        { contactId, inquiryId: 'inq_1', at },
        { purpose: 'inquiry', source: 'form' },
      );

    const done = await both(() => table.transact(writes()));

    expect(done.filter(({ committed }) => committed)).toHaveLength(1);
  });

  it('of before does not take the place of a later word', async () => {
    const { contactId } = await pipeline.head(await scored());
    const keep = (given: boolean, when: string) =>
      table.write(pipeline.consents.keep({ contactId, purpose: 'inquiry', given, at: when, source: 'test' }));

    expect((await keep(false, at)).committed).toBe(true);
    expect((await keep(true, '2026-11-19T15:00:00.000Z')).committed).toBe(false);
    // Of one instant, the refusal counts, whichever comes first.
    expect((await keep(true, at)).committed).toBe(false);
    expect((await keep(true, '2026-11-21T15:00:00.000Z')).committed).toBe(true);
    expect((await keep(false, '2026-11-21T15:00:00.000Z')).committed).toBe(true);
  });
});

describe('a bounce that is told twice at once', () => {
  it('suppresses once, with one task', async () => {
    const id = await scored();
    await answer(id);
    const { contactId } = await pipeline.head(id);
    const event = {
      eventType: 'Bounce',
      mail: { tags: { inquiry: [id], message: ['acknowledgement'] } },
      bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: 'maria@example.com' }] },
    };

    const done = await both(() => takeFeedback(pipeline.dependencies as FeedbackDependencies, event));

    expect(done.flat().sort()).toEqual(['mailbox_suppressed', 'mailbox_suppressed_before']);
    expect(await pipeline.tasks.ofContact(contactId)).toHaveLength(1);
    expect(await pipeline.messages.find(id, 'acknowledgement')).toMatchObject({ feedback: 'bounce' });
  });

  it('is not sent to by whoever is just claiming a message', async () => {
    const id = await scored();
    const event = {
      eventType: 'Complaint',
      mail: {},
      complaint: { complainedRecipients: [{ emailAddress: 'maria@example.com' }] },
    };

    const [told] = await Promise.all([
      answer(id),
      takeFeedback(pipeline.dependencies as FeedbackDependencies, event),
    ]);

    expect(pipeline.personMailer.sent).toHaveLength(told === 'message_sent' ? 1 : 0);
    expect((await pipeline.mailboxes.find(mailboxDigest)).suppressed?.reason).toBe('complaint');
    expect(await answer(await scored({ name: 'Jose Lopez' }))).toBe('message_refused');
  });
});

describe('a sequence', () => {
  it('comes once to a person of whom two inquiries are at the same step at once', async () => {
    const messages = { ...practice.messages, postalAddress: '1 Bayview Ave' };
    pipeline.change((own) => Object.assign(own, { messages }));
    const ids = [await scored(), await scored()];
    for (const inquiryId of ids) {
      await answer(inquiryId);
      const { contactId } = await pipeline.head(inquiryId);
      const by = 'rule:x';
      const begun = enrolled(
        { inquiryId, contactId, sequence: 'not-reached', by },
        pipeline.environment.now(),
      );
      if (begun) await table.write(pipeline.messages.enrol(begun));
    }
    pipeline.personMailer.sent.length = 0;
    // Noon in Los Angeles.
    pipeline.environment.set('2026-11-23T20:00:00.000Z');

    const told = await Promise.all(
      ids.map((inquiryId) =>
        sendToPerson(pipeline.dependencies, { kind: 'nurture', inquiryId, sequence: 'not-reached' }),
      ),
    );

    expect(told.toSorted()).toEqual(['message_refused', 'message_sent']);
    expect(pipeline.personMailer.sent).toHaveLength(1);
    for (const id of ids)
      expect(await pipeline.messages.findEnrolment(id, 'not-reached')).toMatchObject({ step: 1 });
  });

  it('begins once, and of two that move it one does', async () => {
    const inquiryId = await scored();
    const { contactId } = await pipeline.head(inquiryId);
    const now = pipeline.environment.now();
    const fresh = enrolled({ inquiryId, contactId, sequence: 'not-reached', by: 'rule:x' }, now);
    if (!fresh) throw new Error('no such sequence');

    const begun = await both(() => table.write(pipeline.messages.enrol(fresh)));
    const moved = await Promise.all([
      table.write(pipeline.messages.saveEnrolment(stepTaken(fresh, now))),
      table.write(pipeline.messages.saveEnrolment(stopped(fresh, 'booked'))),
    ]);

    expect(begun.filter(({ committed }) => committed)).toHaveLength(1);
    expect(moved.filter(({ committed }) => committed)).toHaveLength(1);
  });
});
