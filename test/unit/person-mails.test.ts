import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FeedbackDependencies,
  readSesEvent,
  takeFeedback,
} from '../../functions/feedback/take-feedback.ts';
import { sendToPerson } from '../../functions/notify/person-mails.ts';
import { followChange, type PeopleDependencies } from '../../functions/people/follow-change.ts';
import { createUnsubscribeApi } from '../../functions/unsubscribe/api.ts';
import { type Contact, mostFamilyMembers } from '../../shared/data/contacts.ts';
import { minorFrom } from '../../shared/domain/age.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { proxyEvent } from '../../simulation/events.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, digest, hours, minutes, smallPractice } from '../support/fixtures.ts';

const answering: Practice = {
  ...smallPractice,
  messages: {
    ...smallPractice.messages,
    postalAddress: '1 Bayview Ave, Mountain View, CA 94040',
    phone: '(650) 555-0100',
    sendPerSecond: 100,
    acknowledgement: { open: 'acknowledgement-open', closed: 'after-hours' },
  },
};
const agreed = {
  fields: { name: 'Maria Lopez', email: 'maria@example.com', consentEmail: true, language: 'es' },
} as const;

function start(practice: Practice = answering) {
  const pipeline = createPipeline(createMemoryTable(), practice);
  const { dependencies } = pipeline;
  const unsubscribe = createUnsubscribeApi({ ...dependencies, onTakenBack: () => {} });
  return {
    ...pipeline,
    click: (url: string, method = 'POST', body = 'List-Unsubscribe=One-Click') =>
      unsubscribe(
        proxyEvent(`${method} /v1/unsubscribe/{token}`, {
          pathParameters: { token: url.slice(url.lastIndexOf('/') + 1) },
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          ...(method === 'POST' && { body }),
        }),
      ),
    bounced: (emailAddress: string, tags = {}) =>
      takeFeedback(dependencies as FeedbackDependencies, {
        eventType: 'Bounce',
        mail: { tags },
        bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress }] },
      }),
    opened: (tags: object, timestamp: string, destination = ['maria@example.com']) =>
      takeFeedback(dependencies as FeedbackDependencies, {
        eventType: 'Open',
        mail: { tags, destination },
        open: { timestamp },
      }),
  };
}

describe('an acknowledgement', () => {
  it('answers at once whoever wrote and agreed, in their language, with a way out', async () => {
    const { mailed, personMailer, messages } = start();

    const id = await mailed(agreed);

    expect(personMailer.sent).toHaveLength(1);
    const [mail] = personMailer.sent;
    expect(mail).toMatchObject({ to: 'maria@example.com', subject: 'Bayview: recibimos su mensaje' });
    // It is an hour before opening.
    expect(mail?.text).toContain('En este momento estamos cerrados');
    expect(mail?.text).toContain('Hola, Maria:');
    expect(mail?.text).toContain(mail?.unsubscribeUrl ?? '-');
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ state: 'sent', language: 'es' });
  });

  it('says other things while the location is open', async () => {
    const { mailed, personMailer, environment } = start();
    environment.advance(hours(2));

    await mailed(agreed);

    expect(personMailer.sent[0]?.text).not.toContain('cerrados');
  });

  it.each([
    ['nobody configured one', smallPractice, agreed],
    ['they did not agree', answering, {}],
    ['it is set aside', answering, { ...agreed, quarantine: ['honeypot' as const] }],
    ['somebody else wrote it down', answering, { ...agreed, channel: 'phone_call' as const }],
    ['they left no address', answering, { ...agreed, email: undefined }],
  ])('goes to nobody where %s', async (_, practice, change) => {
    const { mailed, personMailer } = start(practice);

    await mailed(change);

    expect(personMailer.sent).toEqual([]);
  });

  it('is not asked for where a newcomer agreed to nothing', async () => {
    const { captured, score, queues, messages } = start();
    const unticked = { fields: { ...agreed.fields, consentEmail: false } };
    const id = await captured(unticked);

    for (const { inquiryId } of queues.score.take()) await score(inquiryId);

    expect(queues.mail.take()).toEqual([]);
    expect(await messages.find(id, 'acknowledgement')).toBeUndefined();
  });

  it('is looked up where a rule began something for them, and only then', async () => {
    const rule = (value: string) =>
      ({
        id: 'nurture',
        name: 'Nurture',
        enabled: true,
        on: ['arrival'],
        when: { field: 'channel', operator: 'is', value },
        actions: [{ do: 'start_nurture', sequence: 'not-reached' }],
      }) as unknown as Practice['rules'][number];
    const unticked = { fields: { ...agreed.fields, consentEmail: false } };
    for (const [channel, sequences] of [
      ['web_form', 1],
      ['walk_in', 0],
    ] as const) {
      const { mailed, messages } = start({ ...answering, rules: [rule(channel)] });

      const id = await mailed(unticked);

      expect(await messages.enrolmentsOf(id)).toHaveLength(sequences);
      expect(await messages.ofInquiry(id)).toHaveLength(sequences);
    }
  });

  it('is looked up where somebody who is known, or who wrote for another, agreed to nothing now', async () => {
    const { captured, mailed, messages } = start();
    const unticked = { fields: { ...agreed.fields, consentEmail: false } };
    await captured(unticked);

    const again = await mailed(unticked);
    const another = await mailed({ ...unticked, patientName: 'Leo Lopez' });

    expect(await messages.find(again, 'acknowledgement')).toMatchObject({ refused: 'no_consent' });
    expect(await messages.find(another, 'acknowledgement')).toMatchObject({ refused: 'no_consent' });
  });

  it('of a minor who agreed to nothing has somebody find a guardian all the same', async () => {
    const { mailed, head, tasks } = start();

    const id = await mailed({ fields: { ...agreed.fields, consentEmail: false, age: '9' } });

    expect(await tasks.ofContact((await head(id)).contactId)).toHaveLength(1);
  });

  it('notes what they agreed to with it, and where there is none to send, too', async () => {
    for (const practice of [answering, smallPractice]) {
      const { mailed, head, consents } = start(practice);
      const id = await mailed({ fields: { ...agreed.fields, consentOpenings: true } });
      const known = await consents.of([(await head(id)).contactId]);
      expect(known.map(({ purpose, given }) => [purpose, given]).sort()).toEqual([
        ['inquiry', true],
        ['openings', true],
      ]);
    }
  });

  it('takes four reads and two writes', async () => {
    const calls: string[] = [];
    const counted = new Proxy(createMemoryTable(), {
      get: (table, name, receiver) => {
        calls.push(String(name));
        return Reflect.get(table, name, receiver);
      },
    });
    const { captured, score, queues, dependencies } = createPipeline(counted, answering);
    const inquiryId = await captured(agreed);
    await score(inquiryId);
    expect(queues.mail.take()).toEqual([{ kind: 'acknowledgement', inquiryId }]);
    calls.length = 0;

    const told = await sendToPerson(dependencies, { kind: 'acknowledgement', inquiryId });

    expect(told).toBe('message_sent');
    expect(calls).toEqual(['query', 'query', 'query', 'query', 'transact', 'transact']);
  });

  it('is sent once, however often it is asked for', async () => {
    const { mailed, personMailer, dependencies } = start();
    const inquiryId = await mailed(agreed);

    for (let i = 0; i < 3; i++) await sendToPerson(dependencies, { kind: 'acknowledgement', inquiryId });

    expect(personMailer.sent).toHaveLength(1);
  });

  it('is sent again after a crash, once its lease is over', async () => {
    const { captured, score, queues, personMailer, dependencies, environment, drain, sweep } = start();
    await captured(agreed);
    personMailer.onSend = async () => {
      throw new Error('crash');
    };
    for (const { inquiryId } of queues.score.take()) await score(inquiryId);
    for (const message of queues.mail.take()) {
      if (message.kind === 'acknowledgement')
        await expect(sendToPerson(dependencies, message)).rejects.toThrow('crash');
    }
    personMailer.onSend = async () => {};
    await drain();
    expect(personMailer.sent).toEqual([]);

    environment.advance(minutes(3));
    await sweep();
    await drain();

    expect(personMailer.sent).toHaveLength(1);
  });

  it('promises no call about what was closed before it could go out', async () => {
    const { captured, score, queues, personMailer, dependencies, messages, inquiries, table, head } = start();
    const id = await captured(agreed);
    for (const { inquiryId } of queues.score.take()) await score(inquiryId);
    const open = await head(id);
    await table.write(
      inquiries.save({ ...open, version: open.version + 1, stage: 'closed', closeReason: 'spam' }),
    );

    await sendToPerson(dependencies, { kind: 'acknowledgement', inquiryId: id });

    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ refused: 'closed' });
  });

  it('begins with the emergency line, in their language, where words of an emergency were found', async () => {
    const { mailed, personMailer } = start();

    await mailed({ ...agreed, redFlags: ['chest-pain'] });

    expect(personMailer.sent[0]?.text).toMatch(/^Si es una emergencia, llame al 911/);
  });

  it('goes to the guardian who wrote for a minor', async () => {
    const { mailed, personMailer } = start();

    await mailed({ ...agreed, patientName: 'Leo Lopez', fields: { ...agreed.fields, age: '9' } });

    expect(personMailer.sent.map(({ to, text }) => [to, text.includes('Maria')])).toEqual([
      ['maria@example.com', true],
    ]);
  });

  it('goes to no minor; somebody is asked to find a guardian', async () => {
    const { mailed, personMailer, messages, head, tasks } = start();

    const id = await mailed({ ...agreed, fields: { ...agreed.fields, age: '9' } });

    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ refused: 'no_guardian' });
    const [task] = await tasks.ofContact((await head(id)).contactId);
    expect(task).toMatchObject({ title: expect.stringContaining('guardian'), inquiryId: id });
  });

  it.each([
    ['by its band', { ageBand: 'minor' }],
    ['by an age that nobody can read', { age: '9 months', ageBand: 'adult' }],
  ])('goes to no minor who is told %s', async (_, said) => {
    const { mailed, personMailer, messages } = start();

    const id = await mailed({ ...agreed, fields: { ...agreed.fields, ...said } });

    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ refused: 'no_guardian' });
  });

  it('goes to the guardian who wrote for a minor of whom only the band is known', async () => {
    const { mailed, personMailer } = start();

    await mailed({ ...agreed, patientName: 'Leo Lopez', fields: { ...agreed.fields, ageBand: 'minor' } });

    expect(personMailer.sent.map(({ message }) => message.values.firstName)).toEqual(['Maria']);
  });

  it('goes to no minor whose age was said in an earlier inquiry alone, but to their guardian', async () => {
    const { mailed, personMailer, messages, environment, head } = start();
    const leo = { ...agreed, name: 'Leo Lopez', email: 'leo@example.com' };
    const ofLeo = { ...agreed.fields, name: 'Leo Lopez', email: 'leo@example.com' };
    const first = await mailed({ ...leo, fields: { ...ofLeo, age: '9' } });
    environment.advance(hours(24));

    const second = await mailed({ ...leo, fields: ofLeo });

    expect((await head(second)).contactId).toBe((await head(first)).contactId);
    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(second, 'acknowledgement')).toMatchObject({ refused: 'no_guardian' });

    // His mother writes for him: from then on it is she who is written to, whoever writes.
    environment.advance(hours(24));
    const maria = { ...agreed, patientName: 'Leo Lopez', email: 'leo@example.com', phone: '+16505550177' };
    await mailed({ ...maria, fields: { ...agreed.fields, email: 'leo@example.com' } });
    expect(personMailer.sent.map(({ message }) => message.values.firstName)).toEqual(['Maria']);

    // Once he is of age he is written to himself.
    environment.advance(hours(24 * 366 * 9));
    const later = await mailed({ ...leo, fields: ofLeo });
    expect(await messages.find(later, 'acknowledgement')).toMatchObject({ state: 'sent' });
    expect(personMailer.sent.at(-1)?.message.values.firstName).toBe('Leo');
  });

  it('goes to no minor whose age was said only in a later inquiry of somebody known', async () => {
    const { mailed, personMailer, messages, environment, dependencies, table, head } = start();
    const leo = { ...agreed, name: 'Leo Lopez' };
    await mailed({ ...leo, fields: { name: 'Leo Lopez' } });
    environment.advance(hours(24));
    const second = await mailed({ ...leo, fields: { ...agreed.fields, ageBand: 'minor' } });
    const { rows } = await table.query({ pk: `INQ#${second}`, from: 'BODY', to: 'BODY' });
    const [body] = rows;
    if (!body) throw new Error('no body');
    for (let times = 0; times < 2; times++)
      await followChange({ ...dependencies, onBroken: () => {} } as PeopleDependencies, body);
    environment.advance(hours(24));

    const third = await mailed({ ...leo, fields: agreed.fields });

    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(third, 'acknowledgement')).toMatchObject({ refused: 'no_guardian' });
    const { contactId } = await head(third);
    const told = await dependencies.timelines.all([contactId]);
    expect(told.filter(({ kind }) => kind === 'contact_changed')).toHaveLength(1);
  });

  it('goes to no minor of whom staff said so before it went out, whatever the inquiry says', async () => {
    const { captured, score, queues, personMailer, dependencies, messages, environment, head } = start();
    const id = await captured({ ...agreed, fields: { ...agreed.fields, age: '40' } });
    for (const { inquiryId } of queues.score.take()) await score(inquiryId);
    environment.advance(minutes(1));
    const { contacts, table } = dependencies;
    const contact = await contacts.find((await head(id)).contactId);
    if (!contact) throw new Error('no contact');
    const now = environment.now();
    await table.transact(contacts.change(contact, { age: minorFrom(now.toISOString(), 9) }, now));

    await sendToPerson(dependencies, { kind: 'acknowledgement', inquiryId: id });

    expect(personMailer.sent).toEqual([]);
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ refused: 'no_guardian' });
  });

  it('goes to the mailbox that they wrote with, whichever they had before', async () => {
    const { mailed, personMailer, click, mailboxes } = start();
    await mailed(agreed);

    const email = 'maria.new@example.com';
    await mailed({ ...agreed, email, fields: { ...agreed.fields, email: 'Maria.New@example.com' } });

    expect(personMailer.sent.map(({ to }) => to)).toEqual(['maria@example.com', email]);
    await click(personMailer.sent[1]?.unsubscribeUrl ?? '');
    expect((await mailboxes.find(digest('email', email))).optedOut).toHaveProperty('inquiry');
  });

  it('floods nobody: the mailbox of somebody else gets five in a day at the most', async () => {
    const { mailed, personMailer } = start();

    for (let i = 0; i < 8; i++) await mailed({ ...agreed, name: `Name${'abcdefgh'[i]} Other` });

    expect(personMailer.sent).toHaveLength(5);
  });
});

describe('an unsubscribe link', () => {
  it('changes nothing when it is opened, and all when it is clicked', async () => {
    const { mailed, personMailer, click, consents, head } = start();
    const id = await mailed(agreed);
    const url = personMailer.sent[0]?.unsubscribeUrl ?? '';
    const { contactId } = await head(id);

    const page = await click(url, 'GET');
    expect(page).toMatchObject({ statusCode: 200, headers: { 'cache-control': 'no-store' } });
    expect(page.body).toContain('<form class="card" method="post">');
    expect((await consents.of([contactId])).every(({ given }) => given)).toBe(true);

    expect((await click(url)).statusCode).toBe(200);
    expect((await click(url)).statusCode).toBe(200);
    expect(await consents.of([contactId])).toHaveLength(5);
    expect((await consents.of([contactId])).some(({ given }) => given)).toBe(false);
  });

  it('whose button is pressed twice is told once, and what is clicked later, again', async () => {
    const { mailed, personMailer, click, environment, head, timelines } = start();
    const { contactId } = await head(await mailed(agreed));
    const url = personMailer.sent[0]?.unsubscribeUrl ?? '';
    const told = async () =>
      (await timelines.all([contactId])).filter(({ details }) => details['source'] === 'unsubscribe link')
        .length;

    await click(url);
    environment.advance(999);
    await click(url);
    expect(await told()).toBe(1);

    environment.advance(1);
    await click(url);
    expect(await told()).toBe(2);
  });

  it('that is clicked again is the last word, over a form that came since and is not answered yet', async () => {
    const { mailed, captured, drain, personMailer, click, environment, consents, head } = start();
    await mailed(agreed);
    const url = personMailer.sent[0]?.unsubscribeUrl ?? '';
    await click(url);
    environment.advance(minutes(1));
    const id = await captured(agreed);
    environment.advance(minutes(1));

    await click(url);
    await drain();

    expect(personMailer.sent).toHaveLength(1);
    expect((await consents.of([(await head(id)).contactId])).some(({ given }) => given)).toBe(false);
  });

  it('holds for everybody who reads the mailbox, until one of them agrees again', async () => {
    const { mailed, personMailer, click, environment } = start();
    await mailed(agreed);
    await click(personMailer.sent[0]?.unsubscribeUrl ?? '');

    environment.advance(minutes(1));
    const other = { ...agreed, name: 'Jose Lopez' };
    await mailed({ ...other, fields: { name: 'Jose Lopez', email: 'maria@example.com' } });
    expect(personMailer.sent).toHaveLength(1);

    environment.advance(minutes(1));
    await mailed(other);
    expect(personMailer.sent).toHaveLength(2);
  });

  it('of a mail to somebody who was merged stops their mails, also once the merge is undone', async () => {
    const { mailed, personMailer, click, head, contacts, table, environment, captured, messages } = start();
    const done = { by: 'ana', now: environment.now() };
    const speaker = (await head(await captured({ name: 'Mary Lopes', email: undefined }))).contactId;
    const { contactId } = await head(await captured({ ...agreed, fields: { email: 'maria@example.com' } }));
    const [a, b] = [await contacts.find(speaker), await contacts.find(contactId)];
    await table.transact(contacts.merge(a as Contact, b as Contact, done));
    await mailed(agreed);
    await table.transact(contacts.unmerge(speaker, contactId, done));

    await click(personMailer.sent[0]?.unsubscribeUrl ?? '');

    // They write again, and agree to nothing anew.
    const id = await mailed({ ...agreed, fields: { name: 'Maria Lopez', email: 'maria@example.com' } });
    expect(personMailer.sent).toHaveLength(1);
    expect(await messages.find(id, 'acknowledgement')).toMatchObject({ refused: 'opted_out' });
  });

  describe('of somebody who is as many contacts as one person can be', () => {
    /** Each with a mailbox of their own, and all merged into the first. */
    async function startMany() {
      const started = start();
      const { mailed, head, contacts, table, timelines, environment, personMailer, click } = started;
      const family: string[] = [];
      for (let n = 0; n < mostFamilyMembers; n++) {
        const [name, email] = [`Maria${n} Lopez`, `maria${n}@example.com`];
        const id = await mailed({ ...agreed, name, email, fields: { ...agreed.fields, name, email } });
        family.push((await head(id)).contactId);
        environment.advance(minutes(1));
      }
      const [speaker = '', ...others] = family;
      const done = { by: 'ana', now: environment.now() };
      for (const other of others) {
        const [a, b] = [await contacts.find(speaker), await contacts.find(other)];
        await table.transact(contacts.merge(a as Contact, b as Contact, done));
      }
      const url = personMailer.sent.at(-1)?.unsubscribeUrl ?? '';
      return {
        ...started,
        family,
        press: () => click(url),
        /** How often the timeline of each tells of it. */
        told: () =>
          Promise.all(
            family.map(
              async (id) =>
                (await timelines.all([id])).filter(({ details }) => details['source'] === 'unsubscribe link')
                  .length,
            ),
          ),
      };
    }
    const once = Array(mostFamilyMembers).fill(1);

    it('holds for each of them and each mailbox, and is told once', async () => {
      const { press, told, family, consents, mailboxes } = await startMany();

      expect((await press()).statusCode).toBe(200);

      for (const [n, contactId] of family.entries()) {
        expect((await consents.of([contactId])).some(({ given }) => given)).toBe(false);
        const { optedOut } = await mailboxes.find(digest('email', `maria${n}@example.com`));
        expect(optedOut).toHaveProperty('inquiry');
      }
      expect(await told()).toEqual(once);
    });

    it.each([1, 2])('is told once where transaction %i meets another one', async (nth) => {
      const { press, told, table } = await startMany();
      const { transact } = table;
      let calls = 0;
      table.transact = async (writes) =>
        ++calls === nth ? { committed: false, failed: new Map() } : await transact(writes);

      await press();

      expect(await told()).toEqual(once);
    });

    it('is told once where two press at once, and where one ended in the middle', async () => {
      const { press, told, table } = await startMany();
      const { transact } = table;
      let calls = 0;
      table.transact = async (writes) => {
        if (++calls === 2) throw new Error('gone');
        return await transact(writes);
      };

      await expect(press()).rejects.toThrow('gone');
      await Promise.all([press(), press()]);

      expect(await told()).toEqual(once);
    });

    it('leaves what one of them says meanwhile', async () => {
      const { press, table, family, consents, environment } = await startMany();
      const { transact } = table;
      const last = family.at(-2) ?? '';
      let calls = 0;
      table.transact = async (writes) => {
        if (++calls === 2) {
          environment.advance(1);
          const at = environment.now().toISOString();
          const said = { contactId: last, purpose: 'inquiry', given: true, at, source: 'phone' } as const;
          await table.write(consents.keep(said));
        }
        return await transact(writes);
      };

      await press();

      const given = (await consents.of(family)).filter((consent) => consent.given);
      expect(given).toMatchObject([{ purpose: 'inquiry', source: 'phone' }]);
    });
  });

  it.each(['', 'con_1.inquiry.1.forged', 'x', '....'])(
    'that nobody here made is refused: "%s"',
    async (token) => {
      expect((await start().click(`/${token}`)).statusCode).toBe(404);
    },
  );

  it('cannot be turned on somebody else', async () => {
    const { mailed, personMailer, click } = start();
    await mailed(agreed);
    const url = personMailer.sent[0]?.unsubscribeUrl ?? '';

    expect((await click(url.replace('.inquiry.', '.offers.'))).statusCode).toBe(404);
    expect((await click(url.replace(/con_[0-9A-Z]+/, 'con_00000000000000000000000009'))).statusCode).toBe(
      404,
    );
  });
});

describe('a bounce', () => {
  it('suppresses the mailbox for good and asks for another way, once', async () => {
    const { mailed, personMailer, bounced, mailboxes, head, tasks, environment } = start();
    const id = await mailed(agreed);
    const { contactId } = await head(id);
    const tags = { inquiry: [id], contact: [contactId], message: ['acknowledgement'] };

    expect(await bounced('Maria <maria@example.com>', tags)).toEqual(['mailbox_suppressed']);
    expect(await bounced('maria@example.com', tags)).toEqual(['mailbox_suppressed_before']);

    expect((await mailboxes.find(digest('email', 'maria@example.com'))).suppressed?.reason).toBe('bounce');
    expect(await tasks.ofContact(contactId)).toHaveLength(1);
    environment.advance(minutes(1));
    await mailed(agreed);
    expect(personMailer.sent).toHaveLength(1);
  });

  it("of a member's mailbox suppresses nothing, and is told", async () => {
    expect(await start().bounced('ana@bayview.example')).toEqual(['staff_mail_bounced']);
  });

  it('of a message to a member who is a patient, too, suppresses as any', async () => {
    const { mailed, bounced, mailboxes, head } = start();
    const email = 'ana@bayview.example';
    const id = await mailed({ ...agreed, email, fields: { ...agreed.fields, email } });
    const { contactId } = await head(id);

    const tags = { inquiry: [id], contact: [contactId], message: ['acknowledgement'] };
    expect(await bounced(email, tags)).toEqual(['mailbox_suppressed']);

    expect((await mailboxes.find(digest('email', email))).suppressed?.reason).toBe('bounce');
  });

  it('is none where SES only says that it reaches the topic', () => {
    expect(readSesEvent('Successfully validated SNS topic for Amazon SES event publishing.')).toBeUndefined();
    expect(readSesEvent('{"eventType":"Send","mail":{}}')).toMatchObject({ eventType: 'Send' });
  });
});

const withRule: Practice = {
  ...answering,
  rules: [
    {
      id: 'nurture',
      name: 'Nurture',
      enabled: true,
      on: ['arrival'],
      when: { field: 'channel', operator: 'is', value: 'web_form' },
      actions: [{ do: 'start_nurture', sequence: 'not-reached' }],
    },
  ] as Practice['rules'],
};

describe('a sequence', () => {
  it('goes out step by step, by day, with the address of the practice', async () => {
    const { mailed, personMailer, environment, sweep, drain, messages } = start(withRule);
    const id = await mailed(agreed);
    const steps = () => personMailer.sent.filter(({ tags }) => tags.message.startsWith('nurture')).length;

    for (let hour = 1; hour <= 240; hour++) {
      environment.advance(hours(1));
      await sweep();
      await drain();
      if (hour === 20) expect(steps()).toBe(0);
      if (hour === 30) expect(steps()).toBe(1);
    }

    expect(steps()).toBe(2);
    expect(personMailer.sent.at(-1)?.text).toContain('1 Bayview Ave');
    expect(await messages.findEnrolment(id, 'not-reached')).toMatchObject({ state: 'done', step: 2 });
  });

  it('comes once to a person, however many inquiries of theirs are in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        // When they write, in hours; and which of these inquiries is closed, when.
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 3 }),
        fc.option(fc.record({ which: fc.nat(2), hour: fc.integer({ min: 1, max: 140 }) })),
        async (arrivals, closing) => {
          const { captured, personMailer, environment, sweep, drain, head, table, inquiries } =
            start(withRule);
          const ids: string[] = [];
          const first = Math.min(...arrivals);
          let closed = false;
          for (let hour = 0; hour <= 300; hour += 4) {
            const now = arrivals.filter((at) => at - first >= hour && at - first < hour + 4);
            for (const _ of now) ids.push(await captured(agreed));
            const which = closing && ids[closing.which];
            if (which && !closed && hour >= closing.hour) {
              const open = await head(which);
              const end = { stage: 'closed', closeReason: 'duplicate' } as const;
              closed = (await table.write(inquiries.save({ ...open, version: open.version + 1, ...end })))
                .committed;
            }
            await sweep();
            await drain();
            environment.advance(hours(4));
          }
          const got = (template: string) =>
            personMailer.sent.filter(({ message }) => message.templateId === template).length;
          // Another inquiry goes on where one was closed.
          expect([got('not-reached-1'), got('not-reached-2')]).toEqual([1, 1]);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('comes by day where the person is, as far as that is known, else where the location is', async () => {
    const zones = ['Asia/Tokyo', 'Europe/Berlin', 'Pacific/Honolulu'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(...zones), { nil: undefined }),
        fc.option(fc.constantFrom(null, ...zones), { nil: undefined }),
        fc.nat(23),
        async (browser, staff, hour) => {
          const { mailed, personMailer, environment, sweep, drain, head, contacts, table } = start(withRule);
          environment.advance(hours(hour));
          const fields = { ...agreed.fields, ...(browser && { timeZone: browser }) };
          const { contactId } = await head(await mailed({ ...agreed, fields }));
          environment.advance(minutes(1));
          if (staff !== undefined) {
            const now = environment.now();
            const timeZone = { at: now.toISOString(), ...(staff && { zone: staff }) };
            const contact = (await contacts.find(contactId)) as Contact;
            await table.transact(contacts.change(contact, { timeZone }, now));
          }
          const used = (staff === undefined ? browser : staff) ?? 'America/Los_Angeles';
          const sentAt: string[] = [];
          personMailer.onSend = async () => {
            sentAt.push(environment.now().toLocaleTimeString('en-GB', { timeZone: used }));
          };
          for (let half = 1; half <= 2 * 160; half++) {
            environment.advance(minutes(30));
            await sweep();
            await drain();
          }
          expect(sentAt).toHaveLength(2);
          for (const time of sentAt) expect(time >= '08:00' && time < '20:00', time).toBe(true);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('comes anew with an inquiry after it has ended', async () => {
    const { mailed, personMailer, environment, sweep, drain } = start(withRule);
    for (let round = 1; round <= 2; round++) {
      await mailed(agreed);
      for (let hour = 1; hour <= 160; hour++) {
        environment.advance(hours(1));
        await sweep();
        await drain();
      }
      const sent = personMailer.sent.filter(({ tags }) => tags.message.startsWith('nurture'));
      expect(sent).toHaveLength(2 * round);
    }
  });

  it('goes on after a crash with the step that was claimed and never sent', async () => {
    const { mailed, personMailer, environment, sweep, drain, dependencies } = start(withRule);
    const inquiryId = await mailed(agreed);
    environment.advance(hours(25));
    personMailer.onSend = async () => {
      throw new Error('crash');
    };
    await expect(
      sendToPerson(dependencies, { kind: 'nurture', inquiryId, sequence: 'not-reached' }),
    ).rejects.toThrow('crash');
    personMailer.onSend = async () => {};

    for (let minute = 0; minute < 30; minute++) {
      environment.advance(minutes(1));
      await sweep();
      await drain();
    }

    expect(personMailer.sent.map(({ message }) => message.templateId)).toEqual([
      'after-hours',
      'not-reached-1',
    ]);
  });

  it('that ends while a step waits for the morning leaves no message waiting', async () => {
    const { mailed, personMailer, environment, sweep, drain, messages, inquiries, table, head } =
      start(withRule);
    // Friday evening: a day later it is as late.
    environment.set('2026-11-21T05:00:00.000Z');
    const id = await mailed(agreed);
    environment.advance(hours(24) + minutes(1));
    await sweep();
    await drain();
    expect(await messages.find(id, 'nurture-not-reached-1')).toMatchObject({ state: 'pending' });
    const open = await head(id);
    await table.write(
      inquiries.save({ ...open, version: open.version + 1, stage: 'closed', closeReason: 'duplicate' }),
    );

    environment.advance(hours(12));
    await sweep();
    await drain();

    expect(await messages.findEnrolment(id, 'not-reached')).toMatchObject({ stopped: 'closed' });
    expect(await messages.find(id, 'nurture-not-reached-1')).toMatchObject({
      state: 'refused',
      refused: 'sequence_ended',
    });
    expect(personMailer.sent).toHaveLength(1);
  });

  it('ends where they unsubscribe', async () => {
    const { mailed, personMailer, environment, sweep, drain, messages, click } = start(withRule);
    const id = await mailed(agreed);
    await click(personMailer.sent[0]?.unsubscribeUrl ?? '');

    for (let hour = 1; hour <= 48; hour++) {
      environment.advance(hours(1));
      await sweep();
      await drain();
    }

    expect(personMailer.sent).toHaveLength(1);
    expect(await messages.findEnrolment(id, 'not-reached')).toMatchObject({
      state: 'stopped',
      stopped: 'refused',
    });
  });
});

describe('an opened message', () => {
  const watching: Practice = { ...withRule, messages: { ...withRule.messages, trackOpenings: true } };
  const watched = { ...agreed, fields: { ...agreed.fields, consentOpenings: true } };

  /** Somebody with the first step of a sequence in their mailbox. */
  async function nurtured(practice: Practice, change: object) {
    const pipeline = start(practice);
    const { mailed, environment, sweep, drain, head } = pipeline;
    const id = await mailed(change);
    for (let hour = 1; hour <= 30; hour++) {
      environment.advance(hours(1));
      await sweep();
      await drain();
    }
    const { contactId } = await head(id);
    const tags = { inquiry: [id], contact: [contactId], message: ['nurture-not-reached-1'] };
    const kinds = async () => (await pipeline.timelines.all([contactId])).map(({ kind }) => kind);
    const openings = async () => (await kinds()).filter((kind) => kind === 'message_opened').length;
    const sent = pipeline.personMailer.sent.map(({ message }) => [message.templateId, message.tracked]);
    return { ...pipeline, id, contactId, tags, openings, sent };
  }

  it('is seen of whoever agreed, in a practice that looks; never of an answer', async () => {
    const { sent, opened, tags, openings, environment, messages, id, consents, contactId } = await nurtured(
      watching,
      watched,
    );

    expect(sent).toEqual([
      ['after-hours', false],
      ['not-reached-1', true],
    ]);
    expect(await consents.of([contactId])).toContainEqual(
      expect.objectContaining({ purpose: 'openings', given: true, textVersion: 'form-openings-1' }),
    );
    expect(await opened(tags, environment.now().toISOString())).toEqual(['opening_noted']);
    expect(await openings()).toBe(1);
    expect((await messages.find(id, 'nurture-not-reached-1'))?.openedAt).toBeDefined();
    const answer = { ...tags, message: ['acknowledgement'] };
    expect(await opened(answer, environment.now().toISOString())).toEqual(['opening_not_looked_at']);
  });

  it.each([
    ['the practice does not look', withRule, watched],
    ['they did not agree to it', watching, agreed],
  ])('is not seen where %s', async (_, practice, change) => {
    const { sent, opened, tags, openings, environment } = await nurtured(practice, change);

    expect(sent.map(([, tracked]) => tracked)).toEqual([false, false]);
    expect(await opened(tags, environment.now().toISOString())).toEqual(['opening_not_looked_at']);
    expect(await openings()).toBe(0);
  });

  it('is seen no more once they take it back, by the link under it; the mails go on', async () => {
    const { personMailer, click, opened, tags, openings, environment, sweep, drain } = await nurtured(
      watching,
      watched,
    );
    const [url = ''] = /\S+\.openings\.\S+/.exec(personMailer.sent.at(-1)?.text ?? '') ?? [];
    expect((await click(url, 'GET')).body).toContain('whether you open our e-mails');
    expect((await click(url)).statusCode).toBe(200);

    expect(await opened(tags, environment.now().toISOString())).toEqual(['opening_not_looked_at']);
    expect(await openings()).toBe(0);
    for (let hour = 1; hour <= 120; hour++) {
      environment.advance(hours(1));
      await sweep();
      await drain();
    }
    const [, , second] = personMailer.sent;
    expect(second?.message).toMatchObject({ templateId: 'not-reached-2', tracked: false });
  });

  it('is seen no more once the practice looks no more', async () => {
    const { change, opened, tags, openings, environment } = await nurtured(watching, watched);
    change((practice) => {
      practice.messages.trackOpenings = false;
    });

    expect(await opened(tags, environment.now().toISOString())).toEqual(['opening_not_looked_at']);
    expect(await openings()).toBe(0);
  });

  it('is one entry and nothing else, however often and by whomever it is opened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -48, max: 48 }), { maxLength: 6 }), async (offsets) => {
        const { opened, tags, openings, environment, table, id, queues, timelines, contactId } =
          await nurtured(watching, watched);
        const before = (await table.query({ pk: `INQ#${id}` })).rows;
        for (const offset of offsets) {
          const at = new Date(environment.now().getTime() + hours(offset)).toISOString();
          await opened(tags, at);
        }
        expect(await openings()).toBe(Math.min(offsets.length, 1));
        const after = (await table.query({ pk: `INQ#${id}` })).rows;
        const others = (rows: typeof after) =>
          rows.filter(({ sk }) => sk !== '~MESSAGE#nurture-not-reached-1');
        expect(others(after)).toEqual(others(before));
        for (const { sent } of Object.values(queues)) expect(sent).toEqual([]);
        expect(await timelines.answeredSince([contactId], '2000')).toBe(false);
        const entry = (await timelines.all([contactId])).find(({ kind }) => kind === 'message_opened');
        if (entry) expect(entry.at <= environment.now().toISOString()).toBe(true);
      }),
      { numRuns: 8 },
    );
  });
});
