/**
 * Bad input through the running API, by the numbers of the project's list: each
 * case asserts its answer, that nothing was stored, queued or sent, and that
 * nothing of the input was echoed or logged. Every input carries the canary.
 */
import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../shared/data/table.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { accepted, formType, googleAdsSample, jsonType, listAll, notified, show } from './samples.ts';

const canary = 'Xylocanthus';
const inquiries = '/v1/inquiries';
const leads = '/v1/webhooks/google-ads';
const anId = 'inq_01ARZ3NDEKTSV4RRFFQ69G5FAV';

let folder: string;
let harness: Harness;
let evidence: Evidence;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-practice-'));
  const practice = join(folder, 'practice.yaml');
  const demo = readFileSync(join(import.meta.dirname, '../../practices/demo.yaml'), 'utf8');
  writeFileSync(practice, demo.replace('email: ben@bayview.example,', '$& enabled: false,'));
  harness = await startHarness({ inMemory: true, practice });
  // What is put on a queue stays there to be seen.
  await harness.system.pausePollers();
  evidence = evidenceOf(harness);
});
afterAll(async () => {
  evidence?.close();
  await harness?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a request must leave as it was. */
async function traces(): Promise<{ rows: Row[]; queued: number; mails: number }> {
  return {
    rows: await evidence.rowsWithoutAudit(),
    queued: await evidence.queued(),
    mails: (await harness.inbox()).length,
  };
}

const holdsCanary = (text: string): boolean => {
  const canaries = [canary, Buffer.from(canary).toString('hex')];
  return canaries.some((one) => text.toLowerCase().includes(one.toLowerCase()));
};

/** Checks an answer that is a refusal, and that it was nothing but one. */
async function expectRefused(
  request: () => Promise<Response>,
  status: number,
  problem: Record<string, unknown>,
): Promise<void> {
  const before = await traces();
  const answer = await request();
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  // A firewall gives its answers in one of three types, and a problem's is not among them.
  const types = ['application/problem+json', ...(status === 413 ? ['application/json'] : [])];
  expect(types).toContain(answer.headers.get('content-type'));
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(JSON.parse(text)).toMatchObject({ status, title: expect.any(String), ...problem });
  // Neither what was sent nor where the code is.
  expect(text).not.toMatch(/\.m?[jt]s:\d+|node_modules|\n {4}at /);
  expect(holdsCanary(text + JSON.stringify([...answer.headers]))).toBe(false);
  expect(await traces()).toEqual(before);
  expect(holdsCanary(evidence.logs())).toBe(false);
}

const json = (body: object | string): [string, string | Uint8Array, Record<string, string>] => [
  inquiries,
  typeof body === 'string' ? body : JSON.stringify(body),
  jsonType,
];
const form = (body: string): [string, string | Uint8Array, Record<string, string>] => [
  inquiries,
  body,
  formType,
];
const lead = (changes: object | string): [string, string | Uint8Array, Record<string, string>] => [
  leads,
  typeof changes === 'string' ? changes : JSON.stringify({ ...JSON.parse(googleAdsSample), ...changes }),
  jsonType,
];
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

const malformed = (detail: string | RegExp) => ({
  code: 'malformed_body',
  detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
});
const unsupported = { code: 'unsupported_media_type', detail: expect.stringContaining('Send ') };
const tooLarge = { detail: expect.stringMatching(/too large|at most/i) };
const wrong = (field: string, reason: string | RegExp) => ({
  code: 'invalid_fields',
  errors: expect.arrayContaining([
    { field, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) },
  ]),
});

const person = { name: canary, email: `${canary}@example.com` };
const personForm = `name=${canary}&email=${canary}%40example.com`;
const notText = 'must be text';

type Refusal = readonly [
  what: string,
  post: [path: string, body: string | Uint8Array, headers: Record<string, string>],
  status: number,
  problem: Record<string, unknown>,
];

const refusals: Readonly<Record<string, readonly Refusal[]>> = {
  '1 empty': [
    ['JSON', json(''), 400, malformed('The body is empty.')],
    ['form', form(''), 400, malformed('The body is empty.')],
    ['webhook', [leads, '', jsonType], 400, malformed('The body is empty.')],
    ['a form of nothing but empty fields', form('name=&email=&phone='), 422, wrong('email', /^give /)],
    ['an empty object', json('{}'), 422, wrong('phone', /^give a phone number or an e-mail/)],
  ],
  '2 invalid JSON': [
    ['cut off', json(`{"name":"${canary}"`), 400, malformed(/not valid JSON/)],
    ['something after it', json(`{"name":"${canary}"} x`), 400, malformed(/not valid JSON/)],
    ['single quotes', json(`{'name':'${canary}'}`), 400, malformed(/not valid JSON/)],
    ['a comment', json(`{/* ${canary} */"email":"a@example.com"}`), 400, malformed(/not valid JSON/)],
    ['a comma too many', json(`{"name":"${canary}",}`), 400, malformed(/not valid JSON/)],
    ['NaN', json(`{"name":"${canary}","phone":NaN}`), 400, malformed(/not valid JSON/)],
    ['webhook', lead(`{"lead_id":"${canary}"`), 400, malformed(/not valid JSON/)],
  ],
  '3 duplicate keys': [
    [
      'JSON',
      json(`{"email":"a@example.com","email":"${canary}@example.com"}`),
      400,
      { ...malformed(/twice/), errors: [{ field: 'email', reason: 'is there twice' }] },
    ],
    [
      'JSON, one of them escaped',
      json(`{"email":"a@example.com","em\\u0061il":"${canary}@example.com"}`),
      400,
      { errors: [{ field: 'email', reason: 'is there twice' }] },
    ],
    ['deep inside', lead(`{"a":[{"b":1,"b":"${canary}"}]}`), 400, { errors: [{ field: 'b' }] }],
    ['form', form(`${personForm}&email=b%40example.com`), 400, { errors: [{ field: 'email' }] }],
  ],
  '4 __proto__': [
    ...['__proto__', 'constructor', 'prototype'].map(
      (name): Refusal => [
        name,
        json(`{"email":"${canary}@example.com","${name}":{"isAdmin":true}}`),
        400,
        { errors: [{ field: name, reason: 'is not allowed as a name' }] },
      ],
    ),
    [
      'escaped',
      json(`{"email":"${canary}@example.com","\\u005f_proto__":{"website":"x"}}`),
      400,
      malformed(/not allowed/),
    ],
    ['form', form(`${personForm}&__proto__=x`), 422, wrong('__proto__', 'is not a field of this form')],
    ['webhook', lead(`{"lead_id":"${canary}","__proto__":{"google_key":1}}`), 400, malformed(/not allowed/)],
  ],
  '5 extra fields': [
    ...['status', 'assignee', 'score', 'stage', 'id', 'tier', 'quarantine'].flatMap((name): Refusal[] => [
      [
        `${name} in JSON`,
        json({ ...person, [name]: canary }),
        422,
        wrong(name, 'is not a field of this form'),
      ],
      [
        `${name} in a form`,
        form(`${personForm}&${name}=${canary}`),
        422,
        wrong(name, 'is not a field of this form'),
      ],
    ]),
    [
      'a name that is none',
      json({ ...person, [`<b>${canary}</b>`]: 1 }),
      422,
      wrong('(unnamed field)', 'is not a field of this form'),
    ],
  ],
  '6 wrong types': [
    ...[1, true, null, [canary], { $ne: canary }].flatMap((value): Refusal[] =>
      ['name', 'email', 'message', 'location', 'gclid', 'language'].map((name) => [
        `${name}: ${JSON.stringify(value)}`,
        json({ ...person, [name]: value }),
        422,
        wrong(name, notText),
      ]),
    ),
    [
      'a consent that is neither',
      json({ ...person, consentEmail: canary }),
      422,
      wrong('consentEmail', /yes or no/),
    ],
    ['an array', json(`["${canary}"]`), 422, wrong('(body)', 'must be an object of fields')],
    ['a text', json(`"${canary}"`), 422, wrong('(body)', 'must be an object of fields')],
    ['null', json('null'), 422, wrong('(body)', 'must be an object of fields')],
    ['a lead without an id', lead({ lead_id: undefined, form_id: canary }), 422, wrong('lead_id', notText)],
    [
      'a lead of a list',
      lead({ user_column_data: canary }),
      422,
      wrong('user_column_data', 'must be a list'),
    ],
    [
      'an answer that is no text',
      lead({ user_column_data: [{ column_id: 'EMAIL', string_value: { a: canary } }] }),
      422,
      wrong('user_column_data.0.string_value', notText),
    ],
  ],
  '7 a field over its limit': [
    ...Object.entries({ name: 200, service: 200, message: 5_000 }).map(
      ([name, limit]): Refusal => [
        name,
        json({ ...person, [name]: canary + 'x'.repeat(limit + 1 - canary.length) }),
        422,
        wrong(name, `is longer than ${limit} characters`),
      ],
    ),
    ['form', form(`${personForm}&insurance=${'x'.repeat(201)}`), 422, wrong('insurance', /longer than 200/)],
    [
      'the key in the header',
      [inquiries, JSON.stringify(person), { ...jsonType, 'idempotency-key': canary.repeat(20) }],
      422,
      wrong('Idempotency-Key', /at most 200/),
    ],
    [
      'the key in the form',
      form(`${personForm}&idempotencyKey=${canary.repeat(20)}`),
      422,
      wrong('idempotencyKey', /200/),
    ],
    ['a lead', lead({ lead_id: canary.repeat(50) }), 422, wrong('lead_id', 'is too long')],
  ],
  '8 a body over 32 KB': [
    ['JSON', json({ ...person, message: 'x'.repeat(32_768) }), 413, tooLarge],
    ['of blanks', json(JSON.stringify(person).padEnd(32_769)), 413, tooLarge],
    ['form', form(`${personForm}&message=${'x'.repeat(32_768)}`), 413, tooLarge],
    ['webhook', lead({ extra: canary.repeat(4_000) }), 413, tooLarge],
    ['11 MB', json(canary.repeat(1_000_000)), 413, tooLarge],
  ],
  '9 depth': [
    ['arrays', json(`${'['.repeat(10_000)}"${canary}"${']'.repeat(10_000)}`), 400, malformed(/16 deep/)],
    ['open arrays', json(`${'['.repeat(10_000)}"${canary}"`), 400, malformed(/16 deep/)],
    ['objects', json(`${'{"a":'.repeat(5_000)}"${canary}"${'}'.repeat(5_000)}`), 400, malformed(/16 deep/)],
    ['webhook', lead(`{"a":${'['.repeat(10_000)}"${canary}"`), 400, malformed(/16 deep/)],
  ],
  '10 NUL, invalid UTF-8, lone surrogate': [
    [
      'NUL',
      json(`{"email":"a@example.com","name":"${canary}\\u0000"}`),
      422,
      wrong('name', /control character/),
    ],
    ['NUL in a form', form(`${personForm}&message=a%00b`), 422, wrong('message', /control character/)],
    ['a raw NUL', json(bytes(`{"name":"${canary}`, [0], '"}').toString()), 400, malformed(/not valid JSON/)],
    [
      'UTF-8',
      [inquiries, bytes(`{"name":"${canary}`, [0xc3, 0x28], '"}'), jsonType],
      400,
      malformed(/UTF-8/),
    ],
    ['UTF-8 in a form', form(`${personForm}&message=%ff%fe`), 400, malformed(/UTF-8/)],
    ['raw UTF-8 in a form', [inquiries, bytes(personForm, [0xff]), formType], 400, malformed(/UTF-8/)],
    ['a lone surrogate', json(`{"name":"${canary}\\ud800"}`), 422, wrong('name', /not valid Unicode/)],
    ['webhook', [leads, bytes(`{"lead_id":"${canary}`, [0xff], '"}'), jsonType], 400, malformed(/UTF-8/)],
  ],
  '12 wrong content type': [
    ...['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'application/json+x', '*/*'].map(
      (type): Refusal => [
        type,
        [inquiries, JSON.stringify(person), { 'content-type': type }],
        415,
        unsupported,
      ],
    ),
    ['none', [inquiries, bytes(JSON.stringify(person)), {}], 415, unsupported],
    ['a form to the webhook', [leads, googleAdsSample, formType], 415, unsupported],
  ],
  '13 gzip or base64 bomb': [
    ...['gzip', 'br', 'deflate'].map(
      (encoding): Refusal => [
        encoding,
        [inquiries, gzipSync(canary.repeat(1_000_000)), { ...jsonType, 'content-encoding': encoding }],
        415,
        unsupported,
      ],
    ),
    [
      'gzip that does not say so',
      [inquiries, gzipSync(JSON.stringify(person)), jsonType],
      400,
      malformed(/UTF-8/),
    ],
    [
      'base64',
      json(Buffer.from(JSON.stringify(person)).toString('base64')),
      400,
      malformed(/not valid JSON/),
    ],
    [
      'webhook',
      [leads, gzipSync(googleAdsSample), { ...jsonType, 'content-encoding': 'gzip' }],
      415,
      unsupported,
    ],
  ],
  '14 bad e-mail or phone': [
    ...[
      'x',
      'x@',
      '@example.com',
      'x@y',
      'a b@example.com',
      'a@b@example.com',
      'a@example..com',
      'a@[127.0.0.1]',
    ].map(
      (email): Refusal => [
        email,
        json({ name: canary, email: email.replace('x', canary) }),
        422,
        wrong('email', /^must be an e-mail address/),
      ],
    ),
    ...['call me', '12', '+1', '0'.repeat(30), '(650) 555-0188 0188 0188'].map(
      (phone): Refusal => [
        phone,
        form(`name=${canary}&phone=${encodeURIComponent(phone)}`),
        422,
        wrong('phone', /^must be a phone number/),
      ],
    ),
    ['a language', json({ ...person, language: `${canary} please` }), 422, wrong('language', /language tag/)],
  ],
  '17 CRLF': [
    ...['name', 'email', 'service', 'preferredTime', 'campaign'].flatMap((name): Refusal[] => [
      [
        `${name} in JSON`,
        json({ email: 'a@example.com', [name]: `${canary}@example.com\r\nBcc: all@example.com` }),
        422,
        wrong(name, 'must be on one line'),
      ],
      [
        `${name} in a form`,
        form(`phone=6505550100&${name}=${canary}%0d%0aSubject:%20x`),
        422,
        wrong(name, 'must be on one line'),
      ],
    ]),
  ],
  '18 newline and ANSI': [
    [
      'a value',
      json({ ...person, service: `\u001b[31m${canary}` }),
      422,
      wrong('service', /control character/),
    ],
    [
      'a name of a field',
      json({ ...person, [`${canary}\n\u001b[2K{"level":"INFO"}`]: 1 }),
      422,
      wrong('(unnamed field)', 'is not a field of this form'),
    ],
    ['a lead', lead({ google_key: `${canary}\n\u001b[31mroot` }), 401, { code: 'unauthorized' }],
  ],
  '30 missing or bad signature': [
    ...[undefined, '', canary, 'local-google-ke', 'local-google-key ', 0, null, ['local-google-key'], {}].map(
      (key): Refusal => [
        JSON.stringify(key) ?? 'none',
        lead({ google_key: key, lead_id: canary }),
        401,
        { code: 'unauthorized', errors: [{ field: 'google_key', reason: expect.any(String) }] },
      ],
    ),
  ],
};

describe('a post that is refused', () => {
  for (const [number, cases] of Object.entries(refusals)) {
    it.each(cases)(`${number}: %s`, async (_, [path, body, headers], status, problem) => {
      await expectRefused(() => harness.post(path, body, { headers }), status, problem);
    });
  }
});

describe('a browser that is refused', () => {
  const browser = { ...formType, accept: 'text/html,application/xhtml+xml' };
  const attack = `"><img src=x onerror=alert(1)>'${canary}`;
  const field = encodeURIComponent(attack);

  it.each([
    ['a bad phone number', `phone=x&name=${field}`, 422, 'name', '<a href="#phone">Phone number</a>'],
    ['a bad e-mail', `email=x&message=${field}`, 422, 'message', '<a href="#email">E-mail address</a>'],
    ['neither', `service=${field}&phone=`, 422, 'service', '<a href="#phone">'],
    ['an unknown field', `email=a%40example.com&insurance=${field}&score=100`, 422, 'insurance', 'score'],
    ['a campaign from the link', `phone=x&utm_campaign=${field}`, 422, 'utm_campaign', '<a href="#phone">'],
  ])('%s: sees what they typed, escaped, and what is wrong', async (_, body, status, name, said) => {
    const before = await traces();
    const answer = await harness.post(inquiries, body, { headers: browser });
    const html = await answer.text();
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-/),
    });
    expect(html).toContain(`name="${name}"`);
    expect(html).toContain(`&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;${canary}`);
    expect(html).not.toContain('<img');
    expect(html).toContain(said);
    expect(await traces()).toEqual(before);
    expect(holdsCanary(evidence.logs())).toBe(false);
    // The next person's page is empty.
    expect(holdsCanary(await (await harness.get('/')).text())).toBe(false);
  });

  it.each([
    ['a field twice', `${personForm}&name=b`, 400],
    ['invalid UTF-8', `${personForm}&message=%ff`, 400],
    ['nothing', '', 400],
    ['a compressed body', gzipSync(personForm), 415],
  ])('%s: gets an empty form, since nothing can be read', async (_, body, status) => {
    const before = await traces();
    const headers = { ...browser, ...(status === 415 && { 'content-encoding': 'gzip' }) };
    const answer = await harness.post(inquiries, body, { headers });
    const html = await answer.text();
    expect(answer.status, html).toBe(status);
    expect(html).toContain('role="alert"');
    expect(html).not.toMatch(/\.m?[jt]s:\d+/);
    expect(holdsCanary(html)).toBe(false);
    expect(await traces()).toEqual(before);
  });
});

describe('staff requests that are refused', () => {
  const notFound = { code: 'not_found' };
  const get = (path: string) => () => harness.get(path, { role: 'coordinator' });

  const ids = [
    `${canary}%23HEAD`,
    `${anId}%23HEAD`,
    `${anId}%23${canary}`,
    `INQ%23${anId}`,
    'CONFIG',
    `..%2f..%2f${canary}`,
    `%00${canary}`,
    `%1b%5b31m%0a${canary}`,
    `${anId.toLowerCase()}`,
    `con_${anId.slice(4)}`,
  ];
  it.each(ids)('21: %s is not the id of an inquiry', async (id) => {
    await expectRefused(get(`/v1/inquiries/${id}`), 404, notFound);
    const patch = () =>
      harness.patch(
        `/v1/inquiries/${id}`,
        { stage: 'booked' },
        { role: 'manager', headers: { 'if-match': '"1"' } },
      );
    await expectRefused(patch, 404, notFound);
  });
  it.each(ids.slice(0, -1))('21: %s is not the id of a contact', async (id) => {
    await expectRefused(get(`/v1/contacts/${id}/timeline`), 404, notFound);
  });

  const cursorOf = (list: string, after: object): string =>
    Buffer.from(JSON.stringify({ list, after })).toString('base64url');
  it.each([
    ['assignee', `assignee=ana%23${canary}`],
    ['assignee', `assignee=${canary}`],
    ['stage', `stage=${canary}`],
    ['tier', `tier=A%23${canary}`],
    ['limit', `limit=${canary}`],
    ['limit', 'limit=0'],
    ['limit', 'limit=51'],
    ['limit', 'limit=1e1000'],
    ['cursor', `cursor=${canary}`],
    ['cursor', `cursor=${cursorOf('inquiries  ', { boardSk: 1 })}`],
    ['cursor', `cursor=${cursorOf('inquiries  ', { pk: canary, sk: canary })}`],
    ['cursor', `stage=new&cursor=${cursorOf('inquiries new ', { pk: 'CONFIG', sk: 'VERSION' })}`],
    [
      'cursor',
      `stage=new&cursor=${cursorOf('inquiries new ', { pk: 'a', sk: 'b', boardPk: 'STAGE#closed', boardSk: canary })}`,
    ],
    ['email', `email=${canary}%40example.com`],
    ['name', `name=${canary}`],
    ['__proto__', `__proto__=${canary}`],
  ])('21 and 40: a list by %s=… (%s)', async (field, query) => {
    await expectRefused(get(`/v1/inquiries?${query}`), 422, wrong(field, /./));
  });

  it.each([
    ['from', 'from=2026-02-30&to=2026-03-01'],
    ['to', 'from=2026-02-01&to=yesterday'],
    ['to', 'from=2026-02-02&to=2026-02-01'],
    ['from', 'from=2020-01-01&to=2026-01-01'],
    ['location', `from=2026-02-01&to=2026-02-02&location=${canary}`],
  ])('14: a report whose %s is wrong (%s)', async (field, query) => {
    await expectRefused(get(`/v1/reports/summary?${query}`), 422, wrong(field, /./));
  });

  it.each([
    ['no JSON', `{"stage":"${canary}"`, 400, malformed(/not valid JSON/)],
    ['no stage', { stage: canary }, 422, wrong('stage', /^must be one of new/)],
    ['no reason', { stage: 'closed' }, 422, wrong('closeReason', /needed/)],
    [
      'a field of the record',
      { stage: 'booked', assignedTo: canary },
      422,
      wrong('assignedTo', /not a field/),
    ],
    ['a prototype', `{"stage":"booked","__proto__":{"a":"${canary}"}}`, 400, malformed(/not allowed/)],
    ['no such inquiry', { stage: 'booked' }, 404, { code: 'not_found' }],
  ])('a change with %s', async (_, body, status, problem) => {
    const headers = { ...jsonType, 'if-match': '"1"' };
    const patch = () => harness.patch(`/v1/inquiries/${anId}`, body, { role: 'coordinator', headers });
    await expectRefused(patch, status, problem);
  });
});

describe('tokens that are refused', () => {
  const usual = { sub: 'ana', username: 'ana', 'cognito:groups': ['coordinator'] };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const parts = async (): Promise<string[]> => (await harness.token('coordinator')).split('.');
  const hour = 3600;
  const now = (): number => Math.floor(Date.now() / 1000);

  const tokens: readonly (readonly [what: string, token: () => Promise<string>, status?: number])[] = [
    ['35: no token at all', async () => ''],
    ['35: something else', async () => canary],
    [
      '35: alg=none',
      async () => {
        const [, claims] = await parts();
        return `${encode({ alg: 'none', typ: 'JWT' })}.${claims}.`;
      },
    ],
    [
      '35: alg=none, the old signature kept',
      async () => {
        const [, claims, signature] = await parts();
        return `${encode({ alg: 'none', typ: 'JWT' })}.${claims}.${signature}`;
      },
    ],
    [
      '35: signed with the public key as a secret',
      async () => {
        const { publicKey } = JSON.parse(readFileSync(join(harness.home, 'issuer.json'), 'utf8'));
        const pem = createPublicKey({ key: publicKey, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
        const { issuer, clientId } = harness.system.issuer ?? {};
        return await new SignJWT({
          ...usual,
          client_id: clientId,
          token_use: 'access',
          scope: 'firstcall/staff',
        })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer(issuer ?? '')
          .setExpirationTime('1h')
          .sign(Buffer.from(pem));
      },
    ],
    [
      '35: other claims under the signature',
      async () => {
        const [header, claims = '', signature] = await parts();
        const own = JSON.parse(Buffer.from(claims, 'base64url').toString());
        return `${header}.${encode({ ...own, 'cognito:groups': ['admin'], note: canary })}.${signature}`;
      },
    ],
    [
      '35: another signature',
      async () => [...(await parts()).slice(0, 2), randomBytes(256).toString('base64url')].join('.'),
    ],
    ['35: wrong issuer', () => harness.sign({ ...usual, iss: `https://${canary}.example` })],
    ['35: wrong audience', () => harness.sign({ ...usual, client_id: canary })],
    [
      '35: an id token',
      () => harness.sign({ ...usual, token_use: 'id', aud: harness.system.issuer?.clientId }),
    ],
    ['35: without the scope', () => harness.sign({ ...usual, scope: canary }), 403],
    ['36: expired', () => harness.sign({ ...usual, iat: now() - 2 * hour, exp: now() - hour, note: canary })],
    ['36: without an expiry', () => harness.sign({ ...usual, exp: undefined, note: canary })],
    ['36: a disabled member', () => harness.token('coordinator', 'ben'), 403],
    ['36: somebody unknown', () => harness.token('admin', canary.toLowerCase()), 403],
    ['36: no role', () => harness.sign({ ...usual, 'cognito:groups': undefined }), 403],
  ];

  const cases = tokens.map(([what, token, status = 401]) => ({ what, token, status }));
  it.each(cases)('$what', async ({ token, status }) => {
    const value = await token();
    const headers = { authorization: value === '' ? '' : `Bearer ${value}` };
    for (const path of ['/v1/inquiries', '/v1/queue', `/v1/inquiries/${anId}`]) {
      await expectRefused(() => harness.get(path, { headers }), status, { detail: expect.any(String) });
    }
    const patch = () => harness.patch(`/v1/inquiries/${anId}`, { stage: 'booked' }, { headers });
    await expectRefused(patch, status, { detail: expect.any(String) });
  });

  it('36: a denial of somebody who is known is written down', async () => {
    const denials = (await evidence.rows()).filter(
      (row) => row.pk.startsWith('AUDIT#') && row['actor'] === 'ben',
    );
    expect(denials).toHaveLength(4);
    expect(denials[0]).toMatchObject({ action: 'denied', reason: 'forbidden', from: '127.0.0.1' });
  });
});

describe('40: where personal data must not be', () => {
  it('is not taken from an address into the form', async () => {
    const query = new URLSearchParams({
      name: canary,
      email: `${canary}@example.com`,
      phone: canary,
      message: canary,
      insurance: canary,
    });
    const answer = await harness.get(`/?${query}`);
    expect(answer.status).toBe(200);
    expect(holdsCanary(await answer.text())).toBe(false);
    expect(holdsCanary(evidence.logs())).toBe(false);
  });

  it('is not in the address that a browser is sent on to', async () => {
    const headers = { ...formType, accept: 'text/html' };
    const answer = await harness.post(inquiries, 'website=x&email=redirected%40example.com', { headers });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '../thank-you']);
  });

  it.each([
    ['/', undefined],
    ['/thank-you', undefined],
    ['/v1/health', undefined],
    ['/v1/nothing', undefined],
    ['/v1/queue', undefined],
    ['/v1/queue', 'coordinator'],
    ['/v1/inquiries', 'coordinator'],
    ['/v1/inquiries', 'marketer'],
    ['/v1/reports/summary?from=2026-01-01&to=2026-01-02', 'marketer'],
  ] as const)('is kept by no cache: %s as %s', async (path, role) => {
    const answer = await harness.get(path, role ? { role } : {});
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).not.toMatch(/\.m?[jt]s:\d+|\n {4}at /);
  });
});

describe('the exceptions', () => {
  it('11: bidirectional controls and invisible characters are stripped, joiners stay', async () => {
    const post = {
      name: '\u202eMar\u200bía\u2066 \u200eL\ufeffópez\u2069',
      email: 'bidi@example.com',
      message: '👩\u200d⚕️ می\u200cخواهم \u202edrow',
    };
    const { id } = await accepted(await harness.post(inquiries, post));
    expect(await show(harness, id)).toMatchObject({
      contact: { name: 'María López' },
      message: '👩\u200d⚕️ می\u200cخواهم drow',
    });
  });

  it('14: a lead with a bad e-mail and phone is taken, the points marked', async () => {
    const columns = { EMAIL: 'not an address', PHONE_NUMBER: 'call me', FULL_NAME: 'Ivy Invalid' };
    const [, body] = lead({
      lead_id: 'invalid points',
      lead_submit_time: 'not a date',
      user_column_data: Object.entries(columns).map(([column_id, string_value]) => ({
        column_id,
        string_value,
      })),
    });
    const answer = await harness.post(leads, body, { headers: jsonType });
    expect(answer.status).toBe(200);
    const { id } = await accepted(answer);
    const row = (await evidence.rows()).find(({ pk, sk }) => pk === `INQ#${id}` && sk === 'BODY');
    expect(row).toMatchObject({ invalidPoints: ['email', 'phone'], fields: { email: 'not an address' } });
    const { contact } = await show(harness, id);
    expect(contact).toEqual({ id: contact.id, name: 'Ivy Invalid' });
  });

  it('23: what fills the honeypot is quarantined, and told nothing of it', async () => {
    const queued = await evidence.queued();
    const { id } = await accepted(
      await harness.post(inquiries, {
        name: 'Bot',
        email: 'bot@example.com',
        website: 'http://spam.example',
      }),
    );
    expect(await show(harness, id)).toMatchObject({ progress: 'quarantined', quarantine: ['honeypot'] });
    expect(await evidence.queued()).toBe(queued);
  });

  it('26 and 27: a key makes a repetition the first answer, and another body a conflict', async () => {
    const post = { name: 'Kay Key', email: 'kay@example.com' };
    const headers = { 'idempotency-key': `key-${canary}` };
    const first = await accepted(await harness.post(inquiries, post, { headers }));
    const before = await traces();
    const again = await harness.post(inquiries, { ...post }, { headers });
    expect([again.status, await again.json()]).toEqual([202, first]);
    expect(await traces()).toEqual(before);

    const other = () => harness.post(inquiries, { ...post, message: canary }, { headers });
    await expectRefused(other, 409, { code: 'idempotency_conflict' });
    const page = await harness.post(inquiries, `email=kay%40example.com&message=${canary}`, {
      headers: { ...headers, ...formType, accept: 'text/html' },
    });
    expect(page.status).toBe(409);
    expect(await page.text()).toContain(canary);
    expect(await traces()).toEqual(before);
  });

  it('26: many at the same moment are one record', async () => {
    const post = { name: 'Rae Race', phone: '+16505550199' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => accepted(await harness.post(inquiries, post))),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const heads = (await listAll(harness, {})).filter(({ id }) => id === answers[0]?.id);
    expect(heads).toHaveLength(1);
  });

  it('33: a lead sent again, re-serialised or changed, is answered as before and not applied', async () => {
    const sent = JSON.parse(googleAdsSample);
    const first = await accepted(await harness.post(leads, googleAdsSample, { headers: jsonType }));
    const before = await traces();
    const reversed = Object.fromEntries(Object.entries(sent).reverse());
    const changed = { ...sent, user_column_data: [{ column_id: 'FULL_NAME', string_value: canary }] };
    for (const body of [JSON.stringify(sent), JSON.stringify(reversed, null, 4), JSON.stringify(changed)]) {
      const answer = await harness.post(leads, body, { headers: jsonType });
      expect([answer.status, await answer.json()]).toEqual([200, first]);
      expect(await traces()).toEqual(before);
    }
  });

  it('17: line breaks in a lead become blanks, and reach no header of a mail', async () => {
    const [, body] = lead({
      lead_id: 'line breaks',
      user_column_data: [
        { column_id: 'FULL_NAME', string_value: 'Lin\r\nBcc: all@example.com' },
        { column_id: 'PHONE_NUMBER', string_value: '+1 650 555 0133' },
      ],
    });
    const { id } = await accepted(await harness.post(leads, body, { headers: jsonType }));
    expect((await show(harness, id)).contact.name).toBe('Lin Bcc: all@example.com');

    harness.system.resumePollers();
    await notified(harness, id);
    await waitFor('idle queues', async () => (await evidence.queued()) === 0);
    for (const mail of await harness.inbox()) {
      expect(mail.destination.bcc).toEqual([]);
      expect(mail.destination.to).toEqual([expect.stringMatching(/^\w+@bayview\.example$/)]);
      expect(mail.subject).toMatch(/^New inquiry: tier [ABC], call by [\w ,:]+$/);
      expect(JSON.stringify(mail)).not.toMatch(/example\.com|Lin|Bot|López|Kay/);
    }
    // Everything but the quarantined was mailed, and all of it once.
    const all = await listAll(harness, {});
    expect(all.filter(({ progress }) => progress === 'quarantined')).toHaveLength(2);
    expect(await harness.inbox()).toHaveLength(all.length - 2);
  });
});

describe('the log', () => {
  it('18: is one JSON object a line, without control characters, and holds no canary', async () => {
    const logs = evidence.logs();
    expect(logs.length).toBeGreaterThan(0);
    expect(holdsCanary(logs)).toBe(false);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(logs).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
    for (const name of ['capture', 'api', 'score', 'route', 'notify']) {
      const text = readFileSync(join(harness.home, 'logs', `${name}.log`), 'utf8');
      for (const line of text.split('\n').filter(Boolean)) expect(() => JSON.parse(line), line).not.toThrow();
    }
  });
});
