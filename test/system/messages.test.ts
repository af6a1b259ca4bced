/** Messages to people, through the running system: answered, taken back, bounced. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CountedCall } from '../../local/system.ts';
import { type Harness, type InboxMail, startHarness, waitFor } from './harness.ts';

/** The demo practice, which also sees what is opened, and begins a sequence for whoever comes by one campaign. */
function watchingPractice(): string {
  // Hours that are half a day away, in whichever zone.
  const quiet = (hour: number) => `${String((new Date().getUTCHours() + hour) % 24).padStart(2, '0')}:00`;
  const demo = readFileSync('practices/demo.yaml', 'utf8').replace(
    /quietHours: .*/,
    `quietHours: { from: '${quiet(4)}', to: '${quiet(5)}' }\n  trackOpenings: true`,
  );
  const rule = `
  - id: watched
    name: Watched
    when: { field: campaign, operator: is, value: watched }
    actions:
      - { do: start_nurture, sequence: not-reached }
`;
  const file = join(mkdtempSync(join(tmpdir(), 'firstcall-practice-')), 'practice.yaml');
  writeFileSync(file, `${demo.trimEnd()}\n${rule}`);
  return file;
}

const calls: CountedCall[] = [];
let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    inMemory: true,
    practice: watchingPractice(),
    onCall: (call) => calls.push(call),
  });
});
afterAll(() => harness?.stop());

const staff = { role: 'manager' } as const;

const mailTo = async (address: string): Promise<InboxMail> =>
  await waitFor(`a mail to ${address}`, async () =>
    (await harness.inbox()).find(({ destination }) => destination.to.some((to) => to.includes(address))),
  );

async function post(fields: object): Promise<string> {
  const answer = await harness.post('/v1/inquiries', fields);
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

interface Messages {
  readonly items: { readonly key: string; readonly state: string; readonly refused?: string }[];
}
const messagesOf = async (id: string): Promise<Messages> =>
  (await (await harness.get(`/v1/inquiries/${id}/messages`, staff)).json()) as Messages;
/** The answer to an inquiry, once it is certain what became of it. */
const answerTo = (id: string) =>
  waitFor('the answer to be settled', async () =>
    (await messagesOf(id)).items.find(({ state }) => state === 'sent' || state === 'refused'),
  );

/** The raw mails that were sent, with their headers: the local inbox keeps none. */
const rawMails = (): string[] =>
  calls
    .filter(({ operation }) => operation === 'SendRawEmail')
    .map(({ request }) =>
      Buffer.from((request as Record<string, string>)['RawMessage.Data'] ?? '', 'base64').toString('utf8'),
    );

describe('an acknowledgement', () => {
  it('is in the inbox, names nothing that was asked for, and can be taken back by its header and its link', async () => {
    const who = { name: 'Nora Quist', email: 'nora@example.com', consentEmail: 'yes', service: 'Acne' };
    const id = await post({ ...who, message: 'My psoriasis is back.' });
    const mail = await mailTo('nora@example.com');

    expect(mail.subject).toBe('Bayview Health (demo): we have your message');
    expect(mail.body.text).toContain('Hello Nora,');
    expect(`${mail.subject} ${mail.body.text} ${mail.body.html}`).not.toMatch(/acne|psoriasis|dermatolog/i);
    expect(await answerTo(id)).toMatchObject({ key: 'acknowledgement', state: 'sent' });

    const raw =
      rawMails()
        .find((each) => each.includes('nora@example.com'))
        ?.replace(/\r\n[ \t]+/g, ' ') ?? '';
    expect(raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
    const [, url = ''] = /^List-Unsubscribe: ?<([^>]+)>\r$/m.exec(raw) ?? [];
    expect(url.startsWith(`${harness.origin}/v1/unsubscribe/con_`)).toBe(true);
    expect(mail.body.text).toContain(url);
    expect(decodeURIComponent(url)).not.toMatch(/nora|example\.com/);

    // A program that looks for malware opens the link: nothing changes.
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<form');
    const contactId = /con_[0-9A-Z]{26}/.exec(url)?.[0] ?? '';
    const consents = async () =>
      (await (await harness.get(`/v1/contacts/${contactId}/consents`, staff)).json()) as {
        consents: { purpose: string; given: boolean; source: string; textVersion?: string }[];
      };
    expect((await consents()).consents).toMatchObject([
      { purpose: 'inquiry', given: true, source: 'form', textVersion: 'form-email-1' },
    ]);

    const clicked = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    });
    expect(clicked.status).toBe(200);
    expect((await consents()).consents.every(({ given }) => !given)).toBe(true);

    // Without agreeing again they get no answer.
    const second = await post({ ...who, consentEmail: 'no', message: 'Once more.' });
    expect(await answerTo(second)).toMatchObject({ state: 'refused', refused: 'opted_out' });
  });

  it('goes to nobody who did not agree; of a newcomer it is not even asked for', async () => {
    const otto = { name: 'Otto Graf', email: 'otto@example.com' };
    const first = await post(otto);
    // Who is known may have agreed before: that is looked up.
    const second = await post({ ...otto, message: 'Once more.' });
    expect(await answerTo(second)).toMatchObject({ state: 'refused', refused: 'no_consent' });
    expect((await messagesOf(first)).items).toEqual([]);
  });
});

describe('a message that is opened', () => {
  it.each([
    ['is told once in the timeline of whoever agreed to it', 'yes', 1],
    ['is told nowhere of whoever did not', 'no', 0],
  ])('%s', async (_, consentOpenings, openings) => {
    const id = await post({
      name: `Ola ${consentOpenings}`,
      email: 'success+opened@simulator.amazonses.com',
      consentEmail: 'yes',
      consentOpenings,
      campaign: 'watched',
    });
    await answerTo(id);
    // A day later, that is.
    const step = JSON.stringify({ kind: 'nurture', inquiryId: id, sequence: 'not-reached' });
    await harness.system.invoke('notify', {
      Records: [{ messageId: id, body: step }],
    });
    const sent = (await messagesOf(id)).items.find(({ key }) => key === 'nurture-not-reached-1');
    expect(sent?.state).toBe('sent');

    const told = async () => {
      const seen = await (await harness.get(`/v1/inquiries/${id}`, staff)).json();
      const { id: contactId } = (seen as { contact: { id: string } }).contact;
      const answer = await harness.get(`/v1/contacts/${contactId}/timeline`, staff);
      const { items } = (await answer.json()) as { items: { kind: string; details: object }[] };
      return items.filter(({ kind }) => kind === 'message_opened').map(({ details }) => details);
    };
    if (openings > 0) await waitFor('the opening', async () => (await told()).length > 0);
    expect(await told()).toEqual(
      Array(openings).fill({ key: 'nurture-not-reached-1', template: 'not-reached-1' }),
    );
    const sets = calls
      .filter(({ operation }) => operation === 'SendRawEmail')
      .map(({ request }) => request as Record<string, string>)
      .filter((request) => Object.values(request).includes(id))
      .map((request) => request['ConfigurationSetName']);
    const last = openings > 0 ? 'firstcall-dev-patients' : 'firstcall-dev-staff';
    expect(sets).toEqual(['firstcall-dev-staff', last]);
  });
});

describe('a mailbox that bounces, or whose reader complains', () => {
  it.each(['bounce', 'complaint'])(
    'gets nothing more after a %s, and somebody is asked to call',
    async (kind) => {
      const email = `${kind}@simulator.amazonses.com`;
      const who = { name: `Pia ${kind}`, email, consentEmail: 'yes' };
      const id = await post(who);
      await answerTo(id);

      const contactId = await waitFor('the contact', async () => {
        const answer = await harness.get(`/v1/inquiries/${id}`, staff);
        return ((await answer.json()) as { contact: { id: string } }).contact.id;
      });
      const kinds = async (): Promise<string[]> => {
        const answer = await harness.get(`/v1/contacts/${contactId}/timeline`, staff);
        return ((await answer.json()) as { items: { kind: string }[] }).items.map((item) => item.kind);
      };
      await waitFor('the suppression', async () => (await kinds()).includes('mailbox_suppressed'));
      expect(await kinds()).toEqual(expect.arrayContaining(['consent', 'message', 'task']));

      const second = await post({ ...who, message: 'Once more.' });
      expect(await answerTo(second)).toMatchObject({ state: 'refused', refused: 'suppressed' });
    },
  );
});

it('no address, no name and no word of a person is in a log or a queue', async () => {
  const sent = calls.filter(({ service }) => service === 'sqs').map(({ request }) => JSON.stringify(request));
  expect(sent.join('\n')).not.toMatch(/nora|example\.com|simulator/i);
});
