/**
 * Unmistakable personal values through every path of the running system, its errors and faults among
 * them. Afterwards everything that leaves the table is searched for each of them, in every encoding:
 * logs (metrics are lines of them), messages, dead letters, mails to staff, answers that refuse, and
 * every key and address.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InquiryView } from '../../functions/api/views.ts';
import type { Answer, Call, Detour } from '../../local/system.ts';
import { indexKeys } from '../../shared/data/dynamo-table.ts';
import { type Canaries, findCanaries } from '../support/canaries.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { accepted, formType, googleAdsSample, jsonType, notified, show } from './samples.ts';

/** What somebody is known by, and what they wrote; each long enough not to be met by chance. */
const canaries = {
  firstName: 'Zéphyrine',
  lastName: 'O’Quixwhistle',
  patient: 'Bartholomäus Vexlington',
  email: 'zephyr.quixwhistle@kanarienvogel.example',
  bouncing: 'bounce+gimpelfink@simulator.amazonses.com',
  complaining: 'complaint+zaunammer@simulator.amazonses.com',
  phone: '(650) 555-0142',
  message: 'Gurkenwasserflecken <überall> & "juckend"',
  insurance: 'Plumbago Mutual #8812',
  postalCode: 'QX9-77ZB4-W',
  preferredTime: 'after platypus class',
  service: 'Narwalwunschbehandlung',
  place: 'Nebelkrähenwinkel',
  campaign: 'kakapo-kampagne-mai',
  term: 'wombat wart removal',
  content: 'quokkabanner',
  clickId: 'EAIaIQobChMIaxolotl0Klick',
  answer: 'Schnabeltierantwort',
  newName: 'Perpetua Drosselbart',
  newInsurance: 'Zaunkönig Krankenkasse',
  note: 'Notiz vom Nachtfalter',
  subject: 'Betreff Brückenechse',
  taskTitle: 'Rückruf wegen Ringelnatter',
  mergeReason: 'gleiche Handschrift Feldhamster',
  consentSource: 'Zettel von Tante Haubentaucher',
  // Not in one word: what looks like the name of a field is named in an answer.
  wrong: 'fehler feuersalamander',
  secondNumber: '(212) 555-0177',
} satisfies Canaries;
const anId = 'inq_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const aContact = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV';

const functions = ['capture', 'score', 'route', 'notify', 'remind', 'report', 'people', 'api', 'unsubscribe'];
const staff = { role: 'manager' } as const;
const tenDaysMs = 10 * 86_400_000;

let folder: string;
let home: string;
let practice: string;
let harness: Harness;
let evidence: Evidence;
let sqs: SQSClient;

/** Everything that a function sent or was told, and everything that a caller was told. */
const calls: Call[] = [];
const refusals: string[] = [];
const reported: string[] = [];
/** Functions whose calls fail, with the service's message quoting what was sent, as some of AWS's do. */
let failing: (call: Call) => boolean = () => false;
let failures = 0;

const quoting = ({ service, request }: Call): Answer => {
  const message = `1 validation error detected: Value '${JSON.stringify(request)}' failed to satisfy: ${Object.values(canaries).join(', ')}`;
  if (service !== 'ses') {
    const type = { dynamodb: 'com.amazonaws.dynamodb.v20120810#', sqs: 'com.amazonaws.sqs#' }[
      service as string
    ];
    return {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ __type: `${type ?? ''}ValidationException`, message }),
    };
  }
  const escaped = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return {
    status: 400,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>MessageRejected</Code><Message>${escaped}</Message></Error></ErrorResponse>`,
  };
};

const detour: Detour = async (call, forward) => {
  calls.push(call);
  if (!failing(call)) return await forward();
  failures++;
  return quoting(call);
};

/** Lets the calls of some functions fail while something is done. */
async function whileFailing(which: (call: Call) => boolean, work: () => Promise<void>): Promise<void> {
  failing = which;
  failures = 0;
  try {
    await work();
    expect(failures).toBeGreaterThan(0);
  } finally {
    failing = () => false;
  }
}

/** Keeps what a refusal says, and gives its status. */
async function refused(request: Promise<Response>): Promise<number> {
  const answer = await request;
  refusals.push(`${await answer.text()} ${JSON.stringify([...answer.headers])}`);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  return answer.status;
}

const person = {
  name: `${canaries.firstName} ${canaries.lastName}`,
  email: canaries.email,
  phone: canaries.phone,
  consentEmail: 'yes',
};
const wholeForm = {
  ...person,
  patientName: canaries.patient,
  age: '9',
  service: canaries.service,
  message: canaries.message,
  insurance: canaries.insurance,
  postalCode: canaries.postalCode,
  preferredTime: canaries.preferredTime,
  location: canaries.place,
  utm_source: 'google',
  utm_campaign: canaries.campaign,
  utm_term: canaries.term,
  utm_content: canaries.content,
  gclid: canaries.clickId,
};
const post = async (fields: object, headers: Record<string, string> = {}): Promise<string> =>
  (await accepted(await harness.post('/v1/inquiries', fields, { headers }))).id;
const lead = (changes: object): string => JSON.stringify({ ...JSON.parse(googleAdsSample), ...changes });
const column = (column_id: string, string_value: string) => ({ column_id, string_value });
const snsEvent = (message: string): object => ({ Records: [{ Sns: { Message: message } }] });
const record = (body: object): object => ({
  Records: [{ messageId: 'again', body: JSON.stringify(body), attributes: {} }],
});

async function start(options: { readonly clockAheadMs?: number; readonly fresh: boolean }): Promise<void> {
  harness = await startHarness({
    home,
    practice: options.fresh ? practice : null,
    detour,
    clockAheadMs: options.clockAheadMs ?? 0,
    report: (line) => reported.push(line),
    keepHome: true,
  });
  evidence = evidenceOf(harness);
  sqs = new SQSClient({
    endpoint: harness.system.endpoints.sqs,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-canaries-'));
  home = join(folder, 'home');
  practice = join(folder, 'practice.yaml');
  const demo = readFileSync(join(import.meta.dirname, '../../practices/demo.yaml'), 'utf8');
  // A rule that reads what was written, and asks staff to look at it.
  const rule = `
  - id: canary-seen
    name: Somebody wrote of spots
    when: { field: message, operator: has_words, value: [gurkenwasserflecken] }
    actions:
      - { do: notify, whom: managers }
      - { do: make_task, title: Ask about the spots, dueInMinutes: 1 }
`;
  writeFileSync(practice, `${demo.trimEnd()}\n${rule}`);
  await start({ fresh: true });
});
afterAll(async () => {
  evidence?.close();
  sqs?.destroy();
  await harness?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The inquiry with everything in it, and whose it is. */
let whole: InquiryView;
/** One of somebody else. */
let other: string;

describe('values go through every path', () => {
  it('by the form, with all its fields, to the mails', async () => {
    const body = new URLSearchParams(wholeForm).toString();
    const headers = {
      ...formType,
      referer: `https://www.google.com/search?q=${encodeURIComponent(canaries.term)}`,
    };
    const { id } = await accepted(await harness.post('/v1/inquiries', body, { headers }));
    whole = await notified(harness, id);
    // A red flag, what is suspected, a lead, mailboxes that bounce, the same person under another name.
    await post({ ...wholeForm, message: `${canaries.message} and chest pain` });
    await post({ ...wholeForm, website: canaries.message });
    const columns = [
      column('FULL_NAME', person.name),
      column('PHONE_NUMBER', canaries.phone),
      column('POSTAL_CODE', canaries.postalCode),
      { column_id: canaries.answer, column_name: canaries.answer, string_value: canaries.answer },
    ];
    const body2 = lead({ lead_id: 'canary-1', user_column_data: columns, gcl_id: canaries.clickId });
    await accepted(await harness.post('/v1/webhooks/google-ads', body2, { headers: jsonType }));
    for (const email of [canaries.bouncing, canaries.complaining]) await post({ ...person, email });
    other = await post({ ...person, name: canaries.newName, email: undefined, phone: canaries.secondNumber });
    await post({ ...person, name: canaries.newName, email: undefined });
    await waitFor('idle queues', async () => (await evidence.queued()) === 0);
    await waitFor('the bounces', () => /mailbox_suppressed.*mailbox_suppressed/s.test(evidence.logs()));
  });

  it('as bad input', async () => {
    const json = (body: string | object, headers = {}) =>
      refused(harness.post('/v1/inquiries', body, { headers: { ...jsonType, ...headers } }));
    expect(await json(`{"name":"${canaries.wrong}`)).toBe(400);
    expect(await json(`{"email":"${canaries.email}","email":"${canaries.wrong}"}`)).toBe(400);
    expect(await json({ ...person, [canaries.wrong]: canaries.wrong })).toBe(422);
    expect(await json({ ...person, email: canaries.wrong, phone: canaries.wrong })).toBe(422);
    expect(await json({ ...person, name: [canaries.wrong], age: canaries.wrong })).toBe(422);
    expect(await json({ ...person, consentEmail: canaries.wrong, channel: canaries.wrong })).toBe(422);
    expect(await json({ ...person, message: `${canaries.wrong} `.repeat(1_500) })).toBeGreaterThan(400);
    expect(await json(person, { 'content-type': `text/${canaries.wrong}` })).toBe(415);
    expect(await json(person, { 'content-encoding': canaries.wrong })).toBe(415);
    expect(await json(person, { 'idempotency-key': `${canaries.email}`.repeat(9) })).toBe(422);
    await post({ ...person, message: 'first' }, { 'idempotency-key': canaries.email });
    expect(await json({ ...person, message: 'second' }, { 'idempotency-key': canaries.email })).toBe(409);
    const leads = (changes: object) =>
      refused(harness.post('/v1/webhooks/google-ads', lead(changes), { headers: jsonType }));
    expect(await leads({ google_key: canaries.wrong })).toBe(401);
    expect(await leads({ user_column_data: canaries.wrong })).toBe(422);
    const query = encodeURIComponent(canaries.email);
    await refused(harness.get(`/v1/${query}?email=${query}`));
    await refused(harness.get(`/v1/unsubscribe/${query}`));
    await refused(harness.post(`/v1/unsubscribe/con_${query}.${query}`, 'all=yes', { headers: formType }));
  });

  it('by staff, what they write and what they get wrong', async () => {
    const { id, contact } = whole;
    const people = `/v1/contacts/${contact.id}`;
    const get = async (path: string) => {
      const answer = await harness.get(path, staff);
      expect([path, answer.status]).toEqual([path, 200]);
      return answer;
    };
    const entry = async (body: object) =>
      expect((await harness.post(`${people}/entries`, body, staff)).status).toBe(201);
    await entry({ kind: 'note', text: canaries.note });
    await entry({
      kind: 'email',
      direction: 'received',
      subject: canaries.subject,
      text: canaries.note,
      inquiryId: id,
    });
    await entry({ kind: 'consent', channel: 'email', given: true, source: canaries.consentSource });
    await entry({ kind: 'call', disposition: 'voicemail', note: canaries.note, inquiryId: id });
    const etag = (await get(people)).headers.get('etag') ?? '';
    const patch = { name: canaries.newName, insurances: [canaries.newInsurance] };
    const changed = await harness.patch(people, patch, { ...staff, headers: { 'if-match': etag } });
    expect(changed.status).toBe(200);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const task = { inquiryId: id, title: canaries.taskTitle, dueAt: soon };
    expect((await harness.post('/v1/tasks', task, staff)).status).toBe(201);
    for (const search of [{ phone: canaries.phone }, { email: canaries.email }]) {
      expect((await harness.post('/v1/contacts/search', search, staff)).status).toBe(200);
    }
    const merge = { contactId: (await show(harness, other)).contact.id, reason: canaries.mergeReason };
    expect((await harness.post(`${people}/merge`, merge, staff)).status).toBe(200);
    for (const list of ['timeline', 'consents', 'tasks', 'appointments']) await get(`${people}/${list}`);
    await get(`/v1/inquiries/${id}/messages`);

    const value = encodeURIComponent(canaries.wrong);
    const wrongGets = [
      `/v1/inquiries?stage=${value}`,
      `/v1/inquiries?${value}=${value}`,
      `/v1/inquiries?cursor=${value}`,
      `/v1/inquiries/${value}`,
      `/v1/contacts/${encodeURIComponent(canaries.email)}`,
      `/v1/pools/${value}/queue`,
      `/v1/reports/summary?from=${value}&to=${value}`,
      `/v1/tasks?owner=${value}`,
      `/v1/appointments?location=${value}`,
    ];
    for (const path of wrongGets) await refused(harness.get(path, staff));
    const wrongPosts: [string, object | string][] = [
      ['/v1/contacts/search', { phone: canaries.wrong }],
      ['/v1/contacts/search', { email: canaries.wrong, [canaries.wrong]: 1 }],
      ['/v1/contacts/search', `{"email":"${canaries.email}`],
      [`${people}/entries`, { kind: canaries.wrong, text: canaries.note }],
      [`${people}/entries`, { kind: 'note', text: canaries.note, [canaries.wrong]: canaries.wrong }],
      [`${people}/entries`, { kind: 'call', disposition: canaries.wrong, note: canaries.note }],
      [`/v1/contacts/${aContact}/entries`, { kind: 'note', text: canaries.note }],
      [`${people}/merge`, { contactId: canaries.wrong, reason: canaries.mergeReason }],
      [`${people}/relations`, { contactId: aContact, relation: canaries.wrong }],
      ['/v1/tasks', { ...task, owner: canaries.wrong }],
      ['/v1/tasks', { ...task, dueAt: canaries.wrong }],
      ['/v1/appointments', { contactId: contact.id, at: canaries.wrong, location: canaries.wrong }],
    ];
    for (const [path, body] of wrongPosts)
      await refused(harness.post(path, body, { ...staff, headers: jsonType }));
    expect(await refused(harness.patch(people, patch, staff))).toBe(428);
    const stale = { ...staff, headers: { 'if-match': '"1"' } };
    expect(await refused(harness.patch(people, { name: canaries.newName }, stale))).toBe(412);
    await refused(harness.patch(`/v1/inquiries/${id}`, { stage: canaries.wrong }, stale));
    await refused(harness.patch(`/v1/inquiries/${anId}`, { stage: 'contacted' }, stale));
    expect(await refused(harness.get(people, { role: 'marketer' }))).toBe(403);
    expect(await refused(harness.get(people, { token: canaries.wrong }))).toBe(401);
    const foreign = await harness.sign({ username: canaries.email, 'cognito:groups': ['manager'] });
    expect(await refused(harness.get(people, { token: foreign }))).toBe(403);
  });

  it('while every service refuses, quoting what it was sent', async () => {
    const { id, contact } = whole;
    const people = `/v1/contacts/${contact.id}`;
    const of =
      (name: string, ...services: Call['service'][]) =>
      (call: Call): boolean =>
        call.functionName === name && services.includes(call.service);

    await whileFailing(of('capture', 'dynamodb'), async () => {
      expect(await refused(harness.post('/v1/inquiries', { ...wholeForm, message: 'again' }))).toBe(500);
      expect(
        await refused(
          harness.post('/v1/webhooks/google-ads', lead({ lead_id: 'canary-2' }), { headers: jsonType }),
        ),
      ).toBe(500);
    });
    // Stored, and not enqueued.
    await whileFailing(of('capture', 'sqs'), async () => {
      await post({ ...wholeForm, message: `${canaries.message} once more` });
    });
    await whileFailing(of('api', 'dynamodb'), async () => {
      expect(await refused(harness.get(people, staff))).toBe(500);
      expect(
        await refused(harness.post(`${people}/entries`, { kind: 'note', text: canaries.note }, staff)),
      ).toBe(500);
      expect(await refused(harness.post('/v1/contacts/search', { email: canaries.email }, staff))).toBe(500);
    });
    const links = await mailedLinks();
    await whileFailing(of('unsubscribe', 'dynamodb'), async () => {
      await refused(fetch(links[0] ?? '', { method: 'POST', headers: formType, body: 'all=yes' }));
    });
    await whileFailing(of('remind', 'dynamodb', 'sqs'), async () => {
      await harness.system.invoke('remind', {}).catch(() => undefined);
    });
    const bounce = {
      eventType: 'Bounce',
      bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: canaries.email }] },
      mail: { tags: {} },
    };
    await whileFailing(of('feedback', 'dynamodb'), async () => {
      await expect(harness.system.invoke('feedback', snsEvent(JSON.stringify(bounce)))).rejects.toThrow(
        'invocation failed',
      );
    });
    for (const broken of [
      `{"eventType":"${canaries.email}`,
      JSON.stringify({ ...bounce, bounce: canaries.email }),
    ]) {
      await expect(harness.system.invoke('feedback', snsEvent(broken))).rejects.toThrow('invocation failed');
    }
    const change = (sk: string, image: object): object => ({
      Records: [
        {
          eventID: 'again',
          eventName: 'INSERT',
          dynamodb: { SequenceNumber: '1', Keys: { pk: { S: 'CON#x' }, sk: { S: sk } }, NewImage: image },
        },
      ],
    });
    const image = {
      pk: { S: 'CON#x' },
      sk: { S: 'PROFILE' },
      name: { S: person.name },
      points: { S: canaries.email },
    };
    for (const name of ['people', 'report']) {
      await harness.system
        .invoke(name, change(name === 'people' ? 'PROFILE' : 'HEAD', image))
        .catch(() => undefined);
    }
    // Messages that nobody of ours sends.
    for (const name of ['score', 'route', 'notify']) {
      await harness.system.invoke(name, record({ kind: canaries.wrong, inquiryId: canaries.email }));
    }
    expect(id).toBeDefined();
  });

  it('to the dead letters', async () => {
    const queues = Object.entries(harness.system.queueUrls).filter(([name]) => !isDeadLetters(name));
    for (const [, QueueUrl] of queues) {
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '1' } }));
    }
    const isStep = ({ functionName, service }: Call): boolean =>
      ['score', 'route', 'notify'].includes(functionName) && service !== 'secretsmanager';
    await whileFailing(isStep, async () => {
      const id = await post({ ...wholeForm, message: `${canaries.message} at last` });
      const send = async (queue: string, message: object) => {
        const QueueUrl = queues.find(([name]) => name.includes(queue))?.[1];
        await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
      };
      await send('RouteQueue', { inquiryId: whole.id, version: whole.version });
      await send('MailQueue', { kind: 'acknowledgement', inquiryId: id });
      const lettersOf = async () => new Set((await deadLetters()).map(([name]) => name));
      await waitFor('dead letters of each', async () => (await lettersOf()).size >= 3, 30_000);
    });
  });

  it('to everything that is due ten days later', async () => {
    await harness.system.kill();
    evidence.close();
    sqs.destroy();
    await start({ fresh: false, clockAheadMs: tenDaysMs });
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      await harness.system.invoke('remind', {});
      await waitFor('idle queues', async () => (await evidence.queued()) === 0, 30_000);
    }
    const subjects = (await harness.inbox()).map(({ subject }) => subject);
    expect(new Set(subjects).size).toBeGreaterThan(4);
  });
});

/** The links of mails to people by which they get no more. */
async function mailedLinks(): Promise<string[]> {
  const found = (await harness.inbox()).flatMap(
    ({ body }) => body.text?.match(/http:\/\/\S+\/v1\/unsubscribe\/\S+/g) ?? [],
  );
  expect(found.length).toBeGreaterThan(0);
  return found;
}

const isDeadLetters = (queue: string): boolean => /Dead|Lost|Missed|Uncounted|Unfollowed/.test(queue);

/** Dead letters so far, kept: what is received of them stays hidden for a while. */
const seenDead: [queue: string, body: string][] = [];
async function deadLetters(): Promise<readonly [string, string][]> {
  for (const [name, QueueUrl] of Object.entries(harness.system.queueUrls)) {
    if (!isDeadLetters(name)) continue;
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    seenDead.push(...Messages.map((message): [string, string] => [name, JSON.stringify(message)]));
  }
  return seenDead;
}

const mails = (): { readonly raw: string; readonly isToStaff: boolean }[] =>
  calls
    .filter(({ operation }) => operation === 'SendRawEmail')
    .map(({ request }) => {
      const form = request as Record<string, string>;
      const to = Object.entries(form).filter(([name]) => name.startsWith('Destinations.'));
      return {
        raw: Buffer.from(form['RawMessage.Data'] ?? '', 'base64').toString('utf8'),
        isToStaff: to.every(([, address]) => address.endsWith('@bayview.example')),
      };
    });

describe('nothing of them is', () => {
  it('missing from the table, or this would show nothing', async () => {
    const { wrong, ...kept } = canaries;
    const stored = JSON.stringify((await evidence.rows()).map(withoutKeys));
    expect(findCanaries(canaries, stored)).toEqual(Object.keys(kept).sort());
    expect(findCanaries({ wrong }, stored)).toEqual([]);
    const toPeople = mails().filter(({ isToStaff }) => !isToStaff);
    expect(findCanaries(canaries, toPeople.map(({ raw }) => raw).join('\n'))).toContain('firstName');
  });

  it('in a log or a metric', () => {
    const logs = evidence.logs();
    for (const name of functions) expect(logs).toContain(`"service":"${name}"`);
    expect(logs).toContain('"CloudWatchMetrics"');
    expect(findCanaries(canaries, logs)).toEqual([]);
    expect(findCanaries(canaries, reported.join('\n'))).toEqual([]);
  });

  it('in a message or a dead letter', async () => {
    const sent = calls
      .filter(({ service }) => service === 'sqs')
      .map(({ request }) => JSON.stringify(request));
    expect(sent.length).toBeGreaterThan(20);
    expect(findCanaries(canaries, sent.join('\n'))).toEqual([]);
    const dead = await deadLetters();
    expect(new Set(dead.map(([queue]) => queue)).size).toBeGreaterThanOrEqual(3);
    expect(findCanaries(canaries, dead.flat().join('\n'))).toEqual([]);
  });

  it('in a mail to staff', () => {
    const toStaff = mails().filter(({ isToStaff }) => isToStaff);
    expect(toStaff.length).toBeGreaterThan(10);
    expect(findCanaries(canaries, toStaff.map(({ raw }) => raw).join('\n'))).toEqual([]);
  });

  it('in a refusal', () => {
    expect(refusals.length).toBeGreaterThan(40);
    expect(refusals.filter((text) => findCanaries(canaries, text).length > 0)).toEqual([]);
  });

  it('in a key of the table', async () => {
    const keys = (await evidence.rows()).map((row) => keyAttributes.map((name) => row[name]).join(' '));
    expect(findCanaries(canaries, keys.join('\n'))).toEqual([]);
  });

  it('in a link of a mail', () => {
    const links = mails().flatMap(
      ({ raw }) => raw.replace(/=\r?\n/g, '').match(/https?:\/\/[^\s<>"]+/g) ?? [],
    );
    expect(links.length).toBeGreaterThan(10);
    expect(findCanaries(canaries, links.join('\n'))).toEqual([]);
  });
});

const keyAttributes = ['pk', 'sk', ...Object.values(indexKeys).flatMap(({ pk, sk }) => [pk, sk])];
const withoutKeys = (row: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !keyAttributes.includes(name)));
