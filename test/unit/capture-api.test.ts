import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCaptureApi } from '../../functions/capture/api.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { type EventOptions, proxyEvent } from '../../simulation/events.ts';
import { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
import {
  createPipeline,
  digest,
  googleAdsSample,
  smallPractice,
  webFormSample,
} from '../support/fixtures.ts';

const practice = practiceSchema.parse({
  ...smallPractice,
  locations: [...smallPractice.locations, { ...smallPractice.locations[0], id: 'mountain-view', name: 'MV' }],
  services: [...smallPractice.services, { id: 'dermatology-acne', name: 'Acne care', valueCents: 45_000 }],
  sources: [
    {
      id: 'search-ad',
      name: 'Search ad',
      quality: 24,
      match: { clickIds: ['gclid'], utm: [{ source: 'google', medium: 'cpc' }] },
    },
    {
      id: 'directory',
      name: 'Directory',
      quality: 18,
      match: { referrers: ['zocdoc.com', 'bayview.example'] },
    },
    { id: 'website', name: 'Own website', quality: 28 },
  ],
});
const key = 'local-google-key';

let table: MemoryTable;
let pipeline: ReturnType<typeof createPipeline>;
let failures: unknown[];
let pageLinks: { text: string; href: string }[];
let call: (route: string, options?: EventOptions) => Promise<APIGatewayProxyResult>;
beforeEach(() => {
  table = createMemoryTable();
  pipeline = createPipeline(table, practice);
  failures = [];
  pageLinks = [];
  const { inquiries, contacts, scoreQueue, environment, onEnqueueFailure } = pipeline;
  const api = createCaptureApi({
    allowedOrigins: ['https://bayview.example'],
    pageLinks,
    practice: async () => pipeline.state.practice,
    digest: async () => digest,
    googleAdsKey: async () => key,
    capture: { table, inquiries, contacts, scoreQueue, environment, onEnqueueFailure },
    onRefused: () => {},
    onFailed: (_, error) => void failures.push(error),
  });
  call = (route, options) => api(proxyEvent(route, options));
});

const formType = { 'Content-Type': 'application/x-www-form-urlencoded' };
const jsonType = { 'content-type': 'application/json' };
const asPage = { accept: 'text/html,application/xhtml+xml;q=0.9' };
const post = (body: string | Uint8Array, headers: Record<string, string> = formType) =>
  call('POST /v1/inquiries', { body, headers });
const postJson = (fields: unknown, headers: Record<string, string> = {}) =>
  post(JSON.stringify(fields), { ...jsonType, ...headers });
const lead = (change: Record<string, unknown> = {}, headers: Record<string, string> = jsonType) =>
  call('POST /v1/webhooks/google-ads', {
    body: JSON.stringify({ ...(JSON.parse(googleAdsSample) as object), ...change }),
    headers,
  });
const bodyOf = (answer: APIGatewayProxyResult) => JSON.parse(answer.body) as Record<string, unknown>;
const stored = async (answer: APIGatewayProxyResult) => pipeline.inquiries.find(String(bodyOf(answer)['id']));
const heads = () => table.rows().filter(({ sk }) => sk === 'HEAD');
const maria = { name: 'Maria Lopez', phone: '(650) 555-0188' };

describe('a post of the web form', () => {
  it('of the sample is accepted, attributed and kept as it was sent', async () => {
    const answer = await post(webFormSample);

    expect(answer.statusCode).toBe(202);
    expect(Object.keys(bodyOf(answer))).toEqual(['id', 'receivedAt']);
    const record = await stored(answer);
    expect(record?.head).toMatchObject({
      channel: 'web_form',
      locationId: 'mountain-view',
      serviceId: 'dermatology-acne',
      sourceId: 'search-ad',
      campaign: 'acne-spring',
      progress: 'captured',
    });
    expect(record?.body).toMatchObject({
      attributedBy: 'click_id',
      fields: { name: 'María López', phone: '(650) 555-0188', language: 'es', consentEmail: true },
    });
    expect(record?.body?.fields).not.toHaveProperty('website');
    expect(await pipeline.contacts.find(record?.head.contactId ?? '')).toMatchObject({
      name: 'María López',
      email: 'maria.lopez@example.com',
      phone: '+16505550188',
    });
  });

  it('as JSON is accepted alike', async () => {
    expect((await postJson(maria)).statusCode).toBe(202);
  });

  it('twice is one inquiry, with the same answer', async () => {
    const first = await post(webFormSample);
    const second = await post(webFormSample);

    expect(second).toEqual(first);
    expect(heads()).toHaveLength(1);
  });

  it('with a key is told by its key: the same body again, another body not', async () => {
    const withKey = { 'Idempotency-Key': 'k-1' };
    const first = await postJson(maria, withKey);

    expect(await postJson(maria, withKey)).toEqual(first);
    expect(bodyOf(await postJson({ ...maria, idempotencyKey: 'k-1' }))).toEqual(bodyOf(first));
    const other = await postJson({ ...maria, name: 'Pedro' }, withKey);
    expect(other.statusCode).toBe(409);
    expect(bodyOf(other)).toMatchObject({ code: 'idempotency_conflict' });
    expect((await postJson(maria, { 'Idempotency-Key': 'k-2' })).body).not.toBe(first.body);
    expect(heads()).toHaveLength(2);
  });

  it('with a key that cannot be one is refused', async () => {
    for (const bad of ['x'.repeat(201), 'k\u00e9y']) {
      expect((await postJson(maria, { 'Idempotency-Key': bad })).statusCode).toBe(422);
    }
    expect(table.rows()).toEqual([]);
  });

  it('names each field that is wrong and repeats none of it', async () => {
    const answer = await postJson({ name: 'a\nb', email: 'secret@', phone: '12' });
    const points = await postJson({ email: 'secret@', phone: '12secret' });

    expect(bodyOf(answer)).toMatchObject({ status: 422, errors: [{ field: 'name' }] });
    expect(bodyOf(points)).toMatchObject({ status: 422, errors: [{ field: 'email' }, { field: 'phone' }] });
    expect(answer.body + points.body).not.toContain('secret');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
    expect(table.rows()).toEqual([]);
  });

  it('without any point to answer to is refused', async () => {
    expect(bodyOf(await postJson({ name: 'Maria', email: ' ' }))).toMatchObject({
      status: 422,
      errors: [{ field: 'phone' }, { field: 'email' }],
    });
  });

  it.each([
    ['empty', 400, '', jsonType],
    ['no JSON', 400, '{', jsonType],
    ['not UTF-8', 400, Uint8Array.of(0x7b, 0xff), jsonType],
    ['over 32 KB', 413, 'x'.repeat(32_769), jsonType],
    ['multipart', 415, 'x', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['of no type', 415, '{}', {}],
    ['gzipped', 415, '{}', { ...jsonType, 'content-encoding': 'gzip' }],
    ['with fields that are not ours', 422, '{"phone":"6505550188","status":"booked","score":99}', jsonType],
  ] as const)('that is %s is answered %i, and stored nowhere', async (_, status, body, headers) => {
    const answer = await post(body, headers);

    expect(answer.statusCode).toBe(status);
    expect(bodyOf(answer)).toMatchObject({ status });
    expect(table.rows()).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('when the table is busy is told to try again', async () => {
    table.conflicts = 100;

    const answer = await postJson(maria);

    expect(answer.statusCode).toBe(503);
    expect(answer.headers).toMatchObject({ 'retry-after': '1' });
  });

  it('that meets a fault of ours is told nothing of it', async () => {
    table.transact = async () => {
      throw new Error('maria@example.com');
    };

    const answer = await postJson(maria);

    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('maria');
    expect(failures).toHaveLength(1);
  });
});

describe('what a post says beside who and how', () => {
  it.each([
    ['age', 'old', 'must be a whole number of years, 0 to 120'],
    ['age', 121, 'must be a whole number of years, 0 to 120'],
    ['age', '7.5', 'must be a whole number of years, 0 to 120'],
    ['age', -1, 'must be a whole number of years, 0 to 120'],
    ['age', true, 'must be a number'],
    ['channel', 'fax', /^must be one of web_form, chat, /],
    ['channel', 7, 'must be text'],
    ['patientName', 'a\nb', 'must be on one line'],
    ['patientName', 'x'.repeat(201), 'is longer than 200 characters'],
    ['postalCode', 'x'.repeat(201), 'is longer than 200 characters'],
  ])('is refused where %s is %s', async (field, value, reason) => {
    const answer = await postJson({ ...maria, [field]: value });

    expect(bodyOf(answer)).toMatchObject({
      status: 422,
      errors: [{ field, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) }],
    });
    expect(table.rows()).toEqual([]);
  });

  it('is kept as text, and an empty field is as one left out', async () => {
    const given = { age: 7, postalCode: ' 94043 ', patientName: 'Leo Lopez', channel: '' };
    const kept = await stored(await postJson({ ...maria, ...given }));
    const left = await stored(await postJson({ ...maria, age: '', postalCode: ' ', patientName: '' }));

    expect(kept?.body?.fields).toEqual({ ...maria, age: '7', postalCode: '94043', patientName: 'Leo Lopez' });
    expect(kept?.body?.writerId).toMatch(/^con_/);
    expect(left?.body?.fields).toEqual(maria);
    expect(left?.body).not.toHaveProperty('writerId');
    expect((await stored(await postJson({ ...maria, age: '007' })))?.body?.fields['age']).toBe('7');
  });

  it.each([
    ['names none', {}, undefined, 'web_form'],
    ['names one and may not', {}, 'referral', 'web_form'],
    ['names one and may', { maySetChannel: true }, 'referral', 'referral'],
    ['may name one and does not', { maySetChannel: true, channel: 'phone_call' }, undefined, 'phone_call'],
    ['has one of its own', { channel: 'walk_in' }, 'referral', 'walk_in'],
  ] as const)('comes by the channel of its form, which %s', async (_, form, channel, expected) => {
    pipeline.change(({ forms }) => Object.assign(forms[0] ?? {}, form));

    const record = await stored(await postJson({ ...maria, ...(channel && { channel }) }));

    expect(record?.head.channel).toBe(expected);
    expect(record?.body?.channel).toBe(expected);
  });
});

describe('words of an emergency', () => {
  const emergency = { ...maria, message: 'I have CHEST PAIN since noon' };
  const alerts = () => table.rows().filter(({ sk }) => sk === 'ALERT');
  const english = 'If this is an emergency, call 911 now. Do not wait for our answer.';
  const spanish = 'Si es una emergencia, llame al 911 ahora mismo. No espere nuestra respuesta.';
  const inBoth = `${english} ${spanish}`;

  it.each([
    ['es', spanish],
    ['es-MX', spanish],
    ['en', english],
    ['fr', english],
  ])('are answered in the language of whoever wrote: %s', async (language, line) => {
    expect(bodyOf(await postJson({ ...emergency, language }))['notice']).toBe(line);
  });

  it('are answered with what to do, the first time and again, and block nothing', async () => {
    const answer = await postJson(emergency);

    expect(answer.statusCode).toBe(202);
    expect(bodyOf(answer)['notice']).toBe(inBoth);
    expect(await postJson(emergency)).toEqual(answer);
    expect((await stored(answer))?.body?.redFlags).toEqual(['chest-pain']);
    expect(alerts()).toHaveLength(1);
  });

  it.each(['message', 'service', 'preferredTime', 'insurance', 'name', 'patientName'])(
    'are found in the field %s',
    async (field) => {
      const answer = await postJson({ ...maria, [field]: 'I cant breathe' });

      expect(bodyOf(answer)).toHaveProperty('notice');
      expect((await stored(answer))?.body?.redFlags).toEqual(['breathing']);
    },
  );

  it("are answered in the practice's own words where it has some", async () => {
    pipeline.change((own) => {
      own.redFlags = { ...own.redFlags, reply: 'Please call 911, or 988 to talk to somebody.' };
    });

    expect(bodyOf(await postJson(emergency))['notice']).toMatch(/988/);
  });

  it('raise an alert from whoever is quarantined, too', async () => {
    await postJson({ ...emergency, website: 'http://spam.example' });

    expect(alerts()).toHaveLength(1);
  });

  it.each([
    ['without a contact point', 422, { message: 'I cant breathe' }],
    ['with a field that is not known', 422, { ...maria, comments: 'chest pains' }],
    ['with a text that is too long', 422, { ...maria, message: `chest pain ${'x'.repeat(9_000)}` }],
    ['under a key that came before', 409, { ...maria, message: 'chest pain', idempotencyKey: 'k-1' }],
  ])('are answered with what to do even in a post that is refused: %s', async (_, status, fields) => {
    await postJson({ name: 'Pedro', phone: '6505550188', idempotencyKey: 'k-1' });
    const before = table.rows();

    const answer = await postJson(fields);

    expect(answer.statusCode).toBe(status);
    expect(bodyOf(answer)).toMatchObject({
      status,
      notice: inBoth,
    });
    expect(answer.body).not.toMatch(/breathe|chest|maria|0188/i);
    expect(table.rows()).toEqual(before);
    expect(bodyOf(await postJson({ ...fields, message: 'A rash', comments: '' }))).not.toHaveProperty(
      'notice',
    );
  });

  it('are answered with what to do on the page of a form that is refused', async () => {
    pipeline.change((own) => {
      own.redFlags = { ...own.redFlags, reply: 'Call 911, or 988 to talk.' };
    });

    const page = async (message: string) =>
      (await post(new URLSearchParams({ message }).toString(), { ...formType, ...asPage })).body;

    expect(await page('I cant breathe')).toContain(
      '<p class="emergency" role="note">Call 911, or 988 to talk.',
    );
    expect(await page('A rash')).not.toContain('988');
  });

  it('are told to a browser as to everybody: on the page, not in its address', async () => {
    const typed = new URLSearchParams(emergency).toString();
    const { headers } = await post(typed, { ...formType, ...asPage });
    const page = await call('GET /thank-you');

    expect(headers?.['location']).toBe('../thank-you');
    expect(page.body).toMatch(
      /<h1>Thank you<\/h1>\s*<p class="emergency" role="note"><span lang="en">If this is an emergency.*<span lang="es">Si es una emergencia/,
    );
    expect(alerts()).toHaveLength(1);
  });

  it("are answered to everybody in the practice's own words on the page of thanks", async () => {
    pipeline.change((own) => {
      own.redFlags = { ...own.redFlags, reply: 'Call 911, or 988 to talk.' };
    });

    expect((await call('GET /thank-you')).body).toContain(
      '<p class="emergency" role="note">Call 911, or 988 to talk.</p>',
    );
  });

  it('are found in the answers of a lead', async () => {
    const columns = [
      { column_id: 'PHONE_NUMBER', string_value: '6505550123' },
      { column_id: 'how_are_you', column_name: 'How are you?', string_value: "I can't breathe" },
    ];
    const answer = await lead({ user_column_data: columns });

    expect(Object.keys(bodyOf(answer))).toEqual(['id', 'receivedAt']);
    expect((await stored(answer))?.body?.redFlags).toEqual(['breathing']);
  });

  it('are not seen in others', async () => {
    const answer = await postJson({ ...maria, message: 'A strokes of luck, no chestpain' });

    expect(bodyOf(answer)).not.toHaveProperty('notice');
    expect(alerts()).toEqual([]);
  });
});

describe('quarantine', () => {
  it.each([
    ['a filled honeypot', { website: 'http://spam.example' }, {}, ['honeypot']],
    ["the firewall's mark", {}, { 'x-amzn-waf-firstcall-suspected': 'true' }, ['firewall']],
    ['an unlisted origin', {}, { origin: 'https://evil.example' }, ['origin']],
    ['a null origin', {}, { origin: 'null' }, ['origin']],
    ['another port of a listed origin', {}, { origin: 'https://bayview.example:8443' }, ['origin']],
    ['two of them', { website: 'x' }, { origin: 'null' }, ['honeypot', 'origin']],
    ['a listed origin', {}, { origin: 'https://bayview.example' }, undefined],
    ["this page's own origin", {}, { origin: 'https://api.example', Host: 'api.example' }, undefined],
    ['no origin', {}, {}, undefined],
  ])('%s', async (_, fields, headers, quarantine) => {
    const answer = await postJson({ ...maria, ...fields }, headers as Record<string, string>);

    expect(answer.statusCode).toBe(202);
    expect(Object.keys(bodyOf(answer))).toEqual(['id', 'receivedAt']);
    expect((await stored(answer))?.head.quarantine).toEqual(quarantine);
    expect(pipeline.queues.score.sent).toHaveLength(quarantine ? 0 : 1);
  });

  it('does not open the answer to another origin', async () => {
    const open = (origin: string) => postJson(maria, { origin });

    expect((await open('https://bayview.example')).headers).toMatchObject({
      'access-control-allow-origin': 'https://bayview.example',
      vary: 'origin',
    });
    expect((await open('https://evil.example')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('preflights only listed origins', async () => {
    const preflight = (origin: string) => call('OPTIONS /v1/inquiries', { headers: { origin } });

    expect(await preflight('https://bayview.example')).toMatchObject({
      statusCode: 204,
      headers: { 'access-control-allow-origin': 'https://bayview.example' },
    });
    expect((await preflight('https://evil.example')).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
  });
});

describe('the hosted form', () => {
  const hidden = (page: string, name: string): string =>
    new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(page)?.[1] ?? '';

  it('shows the emergency line, a hidden key, the honeypot, and nothing from elsewhere', async () => {
    const page = await call('GET /');

    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('call 911 now');
    expect(hidden(page.body, 'idempotencyKey')).toMatch(/^ent_/);
    expect(page.body).toContain('name="website"');
    expect(page.body).toMatch(/<label for="patientName">Patient&#39;s name, if this is for somebody else</);
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(page.headers?.['content-security-policy']).toContain("default-src 'none'");
  });

  it('links to the service and, where it is told of them, to other places', async () => {
    const footer = async () => /<footer>.*<\/footer>/.exec((await call('GET /')).body)?.[0];
    expect(await footer()).toBe('<footer><a href="./v1/health">Service status</a></footer>');

    pageLinks.push({ text: 'Inbox', href: 'http://localhost:4001/?a&b' });
    expect(await footer()).toContain(' · <a href="http://localhost:4001/?a&amp;b">Inbox</a></footer>');
  });

  it('takes from a link where somebody came from, never who they are', async () => {
    const { body } = await call('GET /', {
      query: {
        utm_source: 'news"><script>',
        gclid: 'Cj0',
        service: 'acne',
        name: 'Maria',
        email: 'm@example.com',
      },
    });

    expect(hidden(body, 'gclid')).toBe('Cj0');
    expect(hidden(body, 'utm_source')).toBe('news&quot;&gt;&lt;script&gt;');
    expect(body).toMatch(/value="acne" selected/);
    expect(body).not.toMatch(/Maria|m@example\.com|<script/);
  });

  describe('knows where somebody came from', () => {
    const host = 'inquiries.bayview.example';
    const own = { host, origin: `https://${host}`, referer: `https://${host}/` };
    /** Opens the form as a browser does from a link, sends it as it is, and gives what is stored. */
    async function sentFrom(referer: string | undefined, query: Record<string, string> = {}) {
      const { body } = await call('GET /', { headers: { host, ...(referer && { referer }) }, query });
      const fields = [...body.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
      const typed = new URLSearchParams([
        ...fields.map(([, name = '', value = '']): [string, string] => [name, value]),
        ['phone', maria.phone],
      ]);
      return stored(await post(typed.toString(), { ...formType, ...own }));
    }

    it.each([
      ['the site with the link', 'https://www.zocdoc.com/doctor/7?q=rash', {}, 'directory', 'www.zocdoc.com'],
      [
        'a click id before that site',
        'https://www.zocdoc.com/',
        { gclid: 'x' },
        'search-ad',
        'www.zocdoc.com',
      ],
      ['no site', undefined, {}, 'website', undefined],
      ['a site that nobody lists', 'https://search.example/', {}, 'website', 'search.example'],
      ['never its own page', own.referer, {}, 'website', undefined],
      ['what is no address', 'x y', {}, 'website', undefined],
    ])('%s', async (_, referer, query, sourceId, referrer) => {
      const record = await sentFrom(referer, query);

      expect(record?.head).toMatchObject({ sourceId });
      expect(record?.head.quarantine).toBeUndefined();
      expect(record?.body?.fields['referrer']).toBe(referrer);
    });

    it('not from what a link says of it', async () => {
      const record = await sentFrom(undefined, { referrer: 'zocdoc.com' });
      expect(record?.body?.fields).not.toHaveProperty('referrer');
    });

    it('still, once a mistake in it was corrected', async () => {
      const wrong = new URLSearchParams({ referrer: 'www.zocdoc.com', phone: '12' });
      const { statusCode, body } = await post(wrong.toString(), { ...formType, ...asPage, ...own });

      expect(statusCode).toBe(422);
      expect(hidden(body, 'referrer')).toBe('www.zocdoc.com');
    });
  });

  it('of another site that says where its visitor came from is believed before its own page', async () => {
    const referrer = 'https://www.zocdoc.com/doctor/7?patient=Maria%20Lopez#reviews';
    const said = await stored(
      await postJson({ ...maria, referrer }, { referer: 'https://bayview.example/contact' }),
    );
    const silent = await stored(
      await postJson({ ...maria, name: 'Ana' }, { referer: 'https://m.zocdoc.com/' }),
    );

    expect(said?.body).toMatchObject({ attributedBy: 'referrer', fields: { referrer: 'www.zocdoc.com' } });
    expect(JSON.stringify(said)).not.toContain('reviews');
    expect(silent?.head.sourceId).toBe('directory');
    expect(silent?.body?.fields['referrer']).toBe('m.zocdoc.com');
  });

  it('sent by a browser leads to the thank-you page', async () => {
    expect(await post(webFormSample, { ...formType, ...asPage })).toMatchObject({
      statusCode: 303,
      headers: { location: '../thank-you', 'cache-control': 'no-store' },
      body: '',
    });
    expect((await call('GET /thank-you')).body).toContain('has reached Bayview');
  });

  it('with a mistake in it comes back as a page that keeps what was typed, under a new key', async () => {
    const typed = new URLSearchParams({
      name: '<b>Maria & "Co"</b>',
      email: 'maria@',
      message: '</textarea><script>',
      consentEmail: 'yes',
      idempotencyKey: 'k-1',
    });

    const { statusCode, body, headers } = await post(typed.toString(), { ...formType, ...asPage });

    expect(statusCode).toBe(422);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(body).toContain('value="&lt;b&gt;Maria &amp; &quot;Co&quot;&lt;/b&gt;"');
    expect(body).toContain('&lt;/textarea&gt;&lt;script&gt;');
    expect(body).not.toContain('<script');
    expect(body).toMatch(/id="email"[^>]*aria-invalid="true"/);
    expect(body).toMatch(/name="consentEmail"[^>]*checked/);
    expect(hidden(body, 'idempotencyKey')).toMatch(/^ent_/);
    expect(table.rows()).toEqual([]);
  });

  it('asks whether it may be seen what is opened, only where the practice looks', async () => {
    const box = /type="checkbox" name="consentOpenings" value="yes">/;
    expect((await call('GET /')).body).not.toMatch(box);

    pipeline.change(({ messages }) => {
      messages.trackOpenings = true;
    });

    expect((await call('GET /')).body).toMatch(box);
    expect((await post('phone=6505550188&consentOpenings=yes', { ...formType, ...asPage })).statusCode).toBe(
      303,
    );
    const body = table.rows().find(({ sk }) => sk === 'BODY');
    expect(body?.['fields']).toMatchObject({ consentOpenings: true });
  });

  it.each([
    [409, 'name=Pedro&phone=6505550188&idempotencyKey=k-1', 'earlier message'],
    [400, 'name=a&name=b', 'could not be sent'],
    [413, `message=${'x'.repeat(33_000)}`, 'could not be sent'],
  ])('that cannot be taken (%i) comes back as a page, too', async (status, body, words) => {
    await post('name=Maria&phone=6505550188&idempotencyKey=k-1', { ...formType, ...asPage });

    const answer = await post(body, { ...formType, ...asPage });

    expect(answer.statusCode).toBe(status);
    expect(answer.body).toContain(words);
    expect(heads()).toHaveLength(1);
  });
});

describe('a Google Ads lead', () => {
  it('of somebody who was known says so', async () => {
    await lead();

    const again = await stored(await lead({ lead_id: 'another' }));

    expect(again?.body?.returning).toBe(true);
  });

  it('of the sample is taken: person, service by its wording, source, answers', async () => {
    const answer = await lead();

    expect(answer.statusCode).toBe(200);
    expect(Object.keys(bodyOf(answer))).toEqual(['id', 'receivedAt']);
    const record = await stored(answer);
    expect(record?.head).toMatchObject({
      channel: 'ad_form',
      serviceId: 'implant',
      sourceId: 'search-ad',
      campaign: '30000000000',
      progress: 'captured',
    });
    expect(record?.body?.answers).toEqual([{ question: 'Postal Code', answer: '94043' }]);
    expect(record?.body?.fields).toMatchObject({ postalCode: '94043' });
    expect(JSON.stringify(table.rows())).not.toContain(key);
    expect(await pipeline.contacts.find(record?.head.contactId ?? '')).toMatchObject({
      name: 'Dana Whitfield',
      email: 'dana.whitfield@example.com',
      phone: '+16505550123',
    });
  });

  it.each([
    ['wrong', 'another-key'],
    ['missing', undefined],
    ['empty', ''],
    ['a number', 7],
  ])('whose key is %s is refused, whatever else is wrong with it', async (_, google_key) => {
    const answer = await lead({ google_key, lead_id: 7 });

    expect(answer.statusCode).toBe(401);
    expect(bodyOf(answer)).toMatchObject({ code: 'unauthorized', errors: [{ field: 'google_key' }] });
    expect(table.rows()).toEqual([]);
  });

  it('sent again is answered as the first time, changed or not, and not applied', async () => {
    const first = await lead();
    const rows = table.rows();

    expect(await lead()).toEqual(first);
    expect(await lead({ user_column_data: [], campaign_id: 1 })).toEqual(first);
    expect(table.rows()).toEqual(rows);
  });

  it('for a test is quarantined', async () => {
    expect((await stored(await lead({ is_test: true })))?.head.quarantine).toEqual(['test_lead']);
    expect(pipeline.queues.score.sent).toEqual([]);
  });

  it('with points that cannot be any is kept, and they are marked', async () => {
    const record = await stored(
      await lead({
        user_column_data: [
          { column_id: 'EMAIL', string_value: 'nowhere' },
          { column_id: 'PHONE_NUMBER', string_value: '12' },
          { column_id: 'FIRST_NAME', string_value: 'Dana' },
          { column_id: 'LAST_NAME', string_value: 'Whitfield' },
        ],
      }),
    );

    expect(record?.body).toMatchObject({
      fields: { name: 'Dana Whitfield', email: 'nowhere', phone: '12' },
      invalidPoints: ['email', 'phone'],
    });
  });

  it("finds the service in the answer to a practice's own question", async () => {
    const record = await stored(
      await lead({
        user_column_data: [
          { column_id: 'PHONE_NUMBER', string_value: '6505550123' },
          { column_id: 'what_do_you_need', column_name: 'What do you need?', string_value: 'Breakouts' },
          { column_id: 'when', column_name: 'When?', string_value: 'soon\r\nor later' },
        ],
        unknown_field: { from: 'the future' },
      }),
    );

    expect(record?.head.serviceId).toBe('acne');
    expect(record?.body?.answers).toEqual([{ question: 'When?', answer: 'soon or later' }]);
  });

  it.each([
    ['without an id', { lead_id: undefined }],
    ['without answers', { user_column_data: undefined }],
    ['with answers of another type', { user_column_data: 'x' }],
  ])('%s is refused', async (_, change) => {
    expect((await lead(change)).statusCode).toBe(422);
    expect(table.rows()).toEqual([]);
  });

  it('of another type than JSON is refused', async () => {
    expect((await lead({}, { 'content-type': 'text/plain' })).statusCode).toBe(415);
  });
});

it('a route that is not ours is not found', async () => {
  expect(await call('DELETE /v1/inquiries')).toMatchObject({
    statusCode: 404,
    headers: { 'cache-control': 'no-store' },
  });
});
