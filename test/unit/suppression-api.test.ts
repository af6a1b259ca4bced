/** Suppressions that staff lift. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type FeedbackDependencies, takeFeedback } from '../../functions/feedback/take-feedback.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { digest, hours, smallPractice } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

const answering: Practice = {
  ...smallPractice,
  messages: {
    ...smallPractice.messages,
    sendPerSecond: 100,
    acknowledgement: { open: 'acknowledgement-open', closed: 'after-hours' },
  },
};
const email = 'maria@example.com';
const agreed = { email, fields: { name: 'Maria Lopez', email, consentEmail: true } };

let { pipeline, call, audits } = createStaff(answering);
let contactId = '';
beforeEach(async () => {
  ({ pipeline, call, audits } = createStaff(answering));
  contactId = (await pipeline.head(await pipeline.mailed(agreed))).contactId;
});

const complained = (address = email) =>
  takeFeedback(pipeline.dependencies as FeedbackDependencies, {
    eventType: 'Complaint',
    mail: { tags: {} },
    complaint: { complainedRecipients: [{ emailAddress: address }] },
  });
const told = (reason: 'bounce' | 'complaint', at: string) =>
  takeFeedback(pipeline.dependencies as FeedbackDependencies, {
    eventType: reason,
    mail: { tags: {} },
    ...(reason === 'bounce'
      ? { bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: email }], timestamp: at } }
      : { complaint: { complainedRecipients: [{ emailAddress: email }], timestamp: at } }),
  });
const lift = (body: object, claims = callers.manager) =>
  call('POST /v1/contacts/{id}/lift-suppression', {
    claims,
    pathParameters: { id: contactId },
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const wanted = { confirm: 'complaint', reason: 'She called and asked for it' };
const suppressed = async (address = email) =>
  (await pipeline.mailboxes.find(digest('email', address))).suppressed;
const entries = async () =>
  (await pipeline.timelines.all([contactId])).filter(({ kind }) => kind === 'suppression_lifted');

describe('a suppressed mailbox', () => {
  it('is written to again once a manager lifts it, saying why, and what for it was', async () => {
    await complained();

    const answer = await lift(wanted);

    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)['mailboxes']).toEqual([{ optedOut: {} }]);
    expect(await entries()).toMatchObject([
      { actor: 'mia', details: { reason: 'complaint', because: 'She called and asked for it' } },
    ]);
    expect(audits()).toContain(`mia change contact ${contactId} suppression She called and asked for it`);
    pipeline.environment.advance(hours(1));
    await pipeline.mailed(agreed);
    expect(pipeline.personMailer.sent).toHaveLength(2);
    // It can complain again.
    await complained();
    expect(await suppressed()).toBeDefined();
  });

  it.each([
    ['it is not what it was for', { ...wanted, confirm: 'bounce' }, callers.manager, 409],
    ['nobody says what it was for', { reason: wanted.reason }, callers.manager, 422],
    ['nobody says why', { confirm: 'complaint' }, callers.manager, 422],
    ['the reason is empty', { ...wanted, reason: ' ' }, callers.manager, 422],
    ['the mailbox is another', { ...wanted, email: 'other@example.com' }, callers.manager, 409],
    ['a coordinator asks', wanted, callers.coordinator, 403],
    ['a marketer asks', wanted, callers.marketer, 403],
  ])('stays so where %s', async (_, body, claims, status) => {
    await complained();

    expect((await lift(body, claims)).statusCode).toBe(status);

    expect(await suppressed()).toBeDefined();
    expect(await entries()).toEqual([]);
  });

  it('is lifted once', async () => {
    await complained();

    expect((await lift(wanted)).statusCode).toBe(200);
    expect((await lift(wanted)).statusCode).toBe(409);
    expect(await entries()).toHaveLength(1);
  });

  it.each(['bounce', 'complaint'] as const)(
    'stays lifted where SES tells again of the %s that it was for, and only of that',
    async (reason) => {
      const at = pipeline.environment.now().toISOString();
      await told(reason, at);
      pipeline.environment.advance(hours(1));
      await lift({ ...wanted, confirm: reason });

      expect(await told(reason, at)).toEqual(['mailbox_suppressed_before']);
      expect(await suppressed()).toBeUndefined();
      expect(await pipeline.tasks.ofContact(contactId)).toHaveLength(1);

      pipeline.environment.advance(hours(1));
      expect(await told(reason, pipeline.environment.now().toISOString())).toEqual(['mailbox_suppressed']);
    },
  );

  it('is one that its reader complained of, though it bounced before: no bounce is lifted in its place', async () => {
    const at = pipeline.environment.now().toISOString();
    await told('bounce', at);
    expect(await told('complaint', at)).toEqual(['mailbox_suppressed']);
    expect(await told('bounce', at)).toEqual(['mailbox_suppressed_before']);

    expect((await lift({ ...wanted, confirm: 'bounce' })).statusCode).toBe(409);
    expect((await lift(wanted)).statusCode).toBe(200);
    expect(await told('bounce', at)).toEqual(['mailbox_suppressed_before']);
    expect(await suppressed()).toBeUndefined();
  });

  it('is suppressed by a complaint of before that nobody knew of when a bounce was lifted', async () => {
    const at = pipeline.environment.now().toISOString();
    await told('bounce', at);
    pipeline.environment.advance(hours(1));
    await lift({ ...wanted, confirm: 'bounce' });

    expect(await told('complaint', at)).toEqual(['mailbox_suppressed']);
  });

  it('is named where several of theirs are', async () => {
    const other = 'm.lopez@example.com';
    await pipeline.mailed({ ...agreed, email: other });
    await complained();
    await complained(other);

    expect((await lift(wanted)).statusCode).toBe(422);
    expect((await lift({ ...wanted, email: 'M.Lopez@Example.com' })).statusCode).toBe(200);

    expect(await suppressed(other)).toBeUndefined();
    expect(await suppressed()).toBeDefined();
  });

  it('gets no more of what its reader took back, though it is lifted', async () => {
    const said = { channel: 'email', given: false, source: 'said so' } as const;
    await call('POST /v1/contacts/{id}/entries', {
      claims: callers.coordinator,
      pathParameters: { id: contactId },
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'consent', ...said }),
    });
    await complained();
    await lift(wanted);

    await pipeline.mailed({ ...agreed, fields: { name: 'Maria Lopez', email } });

    expect(pipeline.personMailer.sent).toHaveLength(1);
  });
});
