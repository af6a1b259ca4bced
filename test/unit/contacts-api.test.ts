import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { followChange } from '../../functions/people/follow-change.ts';
import { contactProfile } from '../../shared/data/keys.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import type { EventOptions } from '../../simulation/events.ts';
import { hours, minutes } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call, audits } = createStaff();
beforeEach(() => {
  ({ table, pipeline, failures, call, audits } = createStaff());
});

const json = { 'content-type': 'application/json' };
const unknownContact = `con_${'Z'.repeat(26)}`;
const send = (route: string, body: unknown, options: EventOptions = {}) =>
  call(route, {
    claims: callers.coordinator,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...options,
    headers: { ...json, ...options.headers },
  });
const at = (id: string): EventOptions => ({ pathParameters: { id } });
const show = (id: string) => call('GET /v1/contacts/{id}', { claims: callers.coordinator, ...at(id) });
const shown = async (id: string) => bodyOf(await show(id));
const search = (point: unknown) => send('POST /v1/contacts/search', point);
/** A change of the version that was seen: a number is that of the contact itself. */
const patch = (id: string, change: unknown, seen?: number | string) =>
  send('PATCH /v1/contacts/{id}', change, {
    ...at(id),
    headers: seen === undefined ? {} : { 'if-match': typeof seen === 'string' ? seen : `"${id}:${seen}"` },
  });
/** A change of whoever is there now. */
const patchNow = async (id: string, change: unknown) =>
  patch(id, change, String((await show(id)).headers?.['etag']));
const merge = (id: string, contactId: string) => send('POST /v1/contacts/{id}/merge', { contactId }, at(id));
const unmerge = (id: string, contactId: string) =>
  send('POST /v1/contacts/{id}/unmerge', { contactId }, at(id));
const relate = (id: string, body: unknown) => send('POST /v1/contacts/{id}/relations', body, at(id));
const timeline = async (id: string) =>
  bodyOf(await call('GET /v1/contacts/{id}/timeline', { claims: callers.coordinator, ...at(id) })) as {
    contactId: string;
    items: { kind: string; actor: string; contactId: string; inquiryId?: string; details: object }[];
  };
const code = (answer: APIGatewayProxyResult) => [answer.statusCode, bodyOf(answer)['code']];

/** Somebody who wrote, by the person's contact. */
async function person(name: string | undefined, points: { email?: string; phone?: string }): Promise<string> {
  const fields = Object.fromEntries(
    Object.entries({ name, ...points }).filter(([, value]) => value),
  ) as Record<string, string>;
  const id = await pipeline.mailed({ name, email: points.email, phone: points.phone, fields });
  pipeline.environment.advance(minutes(1));
  return (await pipeline.head(id)).contactId;
}
const family = '+16505550188';
const maria = () => person('Maria Lopez', { phone: family, email: 'maria@example.com' });
const leo = () => person('Leo Lopez', { phone: family });
/** Has the matching looked at everything, as the stream does. */
const follow = async () => {
  for (const row of table.rows()) await followChange({ ...pipeline, onBroken: () => {} }, row);
};

describe('a search', () => {
  it('finds everybody behind a number, however it was typed, those last active first', async () => {
    const [first, second] = [await maria(), await leo()];

    const answer = await search({ phone: '(650) 555-0188' });

    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toEqual({
      items: [
        {
          id: second,
          name: 'Leo Lopez',
          phone: family,
          lifecycle: 'lead',
          lastActivityAt: expect.any(String),
        },
        {
          id: first,
          name: 'Maria Lopez',
          phone: family,
          email: 'maria@example.com',
          lifecycle: 'lead',
          lastActivityAt: expect.any(String),
        },
      ],
    });
    expect(audits()).toEqual([`ana list contacts ${second} ${first}`]);
    expect(bodyOf(await search({ email: 'MARIA@example.com ' }))['items']).toMatchObject([{ id: first }]);
    expect(bodyOf(await search({ phone: '(650) 555-0100' }))).toEqual({ items: [] });
  });

  it('gives people who were merged once', async () => {
    const [first, second] = [await maria(), await leo()];
    await merge(first, second);

    expect(bodyOf(await search({ phone: family }))['items']).toMatchObject([{ id: first }]);
  });

  it.each([
    {},
    { phone: '12' },
    { phone: 'call me' },
    { email: 'maria' },
    { phone: family, email: 'maria@example.com' },
    { phone: 6505550188 },
    { name: 'Maria' },
    { phone: family, limit: 5 },
    { phone: '(650)\u0000 555-0188' },
    { phone: '(650)\n555-0188' },
    { email: 'maria\u0007@example.com' },
    [],
  ])('for %j is refused', async (point) => {
    expect((await search(point)).statusCode).toBe(422);
    expect(failures).toEqual([]);
  });

  it('says nothing of what was sent where it refuses', async () => {
    const answer = await search({ phone: 'secret words', email: undefined });

    expect(answer.body).not.toContain('secret');
  });
});

describe('a contact', () => {
  it('is shown whole, and looking is written down', async () => {
    const id = await maria();

    const answer = await show(id);

    expect(bodyOf(answer)).toEqual({
      id,
      version: 1,
      name: 'Maria Lopez',
      points: [
        { kind: 'email', value: 'maria@example.com' },
        { kind: 'phone', value: family },
      ],
      lifecycle: 'lead',
      tags: [],
      languages: ['es'],
      insurances: [],
      locations: [],
      createdAt: expect.any(String),
      alsoKnownAs: [],
      relations: [],
      matches: [],
    });
    expect(answer.headers).toMatchObject({ etag: `"${id}:1"` });
    expect(audits()).toEqual([`ana read contact ${id}`]);
  });

  it.each([unknownContact, 'con_1', 'con_1#PROFILE', '..', `inq_${'Z'.repeat(26)}`])(
    'with the id %j is not found, whatever is asked of it',
    async (id) => {
      const other = { contactId: unknownContact };
      for (const answer of [
        await show(id),
        await patch(id, { tags: [] }, 1),
        await merge(id, unknownContact),
        await unmerge(id, unknownContact),
        await relate(id, { ...other, relation: 'guardian_of' }),
        await relate(id, { ...other, remove: true }),
        await send('POST /v1/contacts/{id}/entries', { kind: 'note', text: 'x' }, at(id)),
        await send(
          'POST /v1/contacts/{id}/matches/{otherId}',
          { decision: 'different' },
          { pathParameters: { id, otherId: unknownContact } },
        ),
      ]) {
        expect(answer.statusCode === 404 || code(answer).includes('merge_not_allowed')).toBe(true);
      }
      expect(failures).toEqual([]);
    },
  );

  it('is a minor, or of age, as staff say, until they cannot be one any more', async () => {
    const id = await maria();

    const minor = bodyOf(await patchNow(id, { minor: true }));
    expect(minor).toMatchObject({ minorUntil: '2044-11-20T16:01:00.000Z' });
    expect(bodyOf(await patchNow(id, { minor: true }))).toMatchObject({ version: minor['version'] });
    expect(bodyOf(await patchNow(id, { minor: false }))).not.toHaveProperty('minorUntil');
    expect((await timeline(id)).items.filter(({ kind }) => kind === 'contact_changed')).toHaveLength(2);
    const { differences } = (await verifyContact(table, id)) ?? {};
    expect(differences?.filter(({ field }) => field !== 'languages')).toEqual([]);
  });

  it('is in the time zone that staff say, or in none that is known', async () => {
    const id = await maria();

    const there = bodyOf(await patchNow(id, { timeZone: 'Pacific/Honolulu' }));
    expect(there).toMatchObject({ timeZone: 'Pacific/Honolulu' });
    expect(bodyOf(await patchNow(id, { timeZone: 'Pacific/Honolulu' }))).toMatchObject({
      version: there['version'],
    });
    expect((await patchNow(id, { timeZone: 'Hawaii' })).statusCode).toBe(422);
    expect(bodyOf(await patchNow(id, { timeZone: null }))).not.toHaveProperty('timeZone');
    const { differences } = (await verifyContact(table, id)) ?? {};
    expect(differences?.filter(({ field }) => field !== 'languages')).toEqual([]);
  });

  it('of several contacts is of age once staff say so, whichever of them was a minor', async () => {
    const [first, second] = [await maria(), await leo()];
    await patchNow(second, { minor: true });
    await merge(first, second);
    expect(await shown(first)).toHaveProperty('minorUntil');

    expect(bodyOf(await patchNow(first, { minor: false }))).not.toHaveProperty('minorUntil');
    await unmerge(first, second);
    expect(await shown(second)).not.toHaveProperty('minorUntil');
  });

  it('is changed at the version that was seen, with an entry of what it was and is', async () => {
    const id = await maria();
    const change = {
      name: 'María López',
      lifecycle: 'patient',
      tags: ['vip', 'vip'],
      languages: ['es', 'en-US'],
      insurances: ['Blue Shield'],
      locations: ['main-street'],
      owner: 'ben',
    };

    const answer = await patch(id, change, 1);

    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toMatchObject({ ...change, tags: ['vip'], version: 2 });
    expect(answer.headers).toMatchObject({ etag: `"${id}:2"` });
    const [entry] = (await timeline(id)).items;
    expect(entry).toMatchObject({
      kind: 'contact_changed',
      actor: 'ana',
      details: {
        changes: {
          name: { from: 'Maria Lopez', to: 'María López' },
          lifecycle: { from: 'lead', to: 'patient' },
          owner: { to: 'ben' },
        },
      },
    });
    expect(bodyOf(await patch(id, { owner: null }, 2))).not.toHaveProperty('owner');
    expect(audits()).toContain(`ana change contact ${id}`);
  });

  it('that is changed to what it is already stays as it is', async () => {
    const id = await maria();

    expect(bodyOf(await patch(id, { name: 'Maria Lopez', tags: [] }, 1))).toMatchObject({ version: 1 });
    expect((await timeline(id)).items.map(({ kind }) => kind)).not.toContain('contact_changed');
  });

  it('is changed by one of many at once, and never without a version', async () => {
    const id = await maria();
    expect((await patch(id, { tags: ['a'] })).statusCode).toBe(428);
    expect((await patch(id, { tags: ['a'] }, 7)).statusCode).toBe(412);

    const answers = await Promise.all(['a', 'b', 'c'].map((tag) => patch(id, { tags: [tag] }, 1)));

    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 412, 412]);
  });

  it('of another version than was seen is not changed, whoever speaks for them by now', async () => {
    const [first, second] = [await maria(), await leo()];
    const seen = String((await show(second)).headers?.['etag']);
    expect(seen).toBe(`"${second}:1"`);
    await patch(second, { tags: ['a'] }, seen);
    const later = String((await show(second)).headers?.['etag']);
    await merge(first, second);
    expect((await shown(first))['version']).toBe(2);

    for (const stale of [seen, later, '"2"', '2', '*', `"${first}:1"`, `"${first}:2"`])
      expect([stale, code(await patch(second, { name: 'Leon' }, stale))]).toEqual([
        stale,
        [412, 'precondition_failed'],
      ]);
    expect((await patchNow(second, { name: 'Maria L.' })).statusCode).toBe(200);
    expect(await pipeline.contacts.find(first)).toMatchObject({ name: 'Maria L.' });
  });

  it('is changed though the first try met another change under way', async () => {
    const id = await maria();
    table.conflicts = 2;

    expect((await patchNow(id, { tags: ['a'] })).statusCode).toBe(200);
    expect(await shown(id)).toMatchObject({ tags: ['a'], version: 2 });
  });

  it('is recognised by the name that staff corrected, and still by the one they gave', async () => {
    const [id, other] = [await maria(), await leo()];
    expect((await patchNow(id, { name: 'María José López' })).statusCode).toBe(200);

    expect(await person('Maria Jose Lopez', { phone: family })).toBe(id);
    expect(await person('Maria Jose Lopez', { email: 'maria@example.com' })).toBe(id);
    expect(await maria()).toBe(id);

    // Somebody else has the name already on the number: that stays so, and the correction stands.
    expect((await patchNow(id, { name: 'Leo Lopez' })).statusCode).toBe(200);
    expect(await leo()).toBe(other);
    expect(await person('Leo Lopez', { email: 'maria@example.com' })).toBe(id);
  });

  it.each([
    ['nothing', {}],
    ['a name that says nothing', { name: '¿?' }],
    ['an id', { id: unknownContact }],
    ['a stage', { stage: 'booked' }],
    ['an empty name', { name: ' ' }],
    ['a name of two lines', { name: 'Maria\nBcc: x' }],
    ['a lifecycle that is none', { lifecycle: 'gone' }],
    ['a tag that is none', { tags: ['VIP guest'] }],
    ['a language that is none', { languages: ['Spanish please'] }],
    ['a location that is none of ours', { locations: ['elsewhere'] }],
    ['an owner who is none of us', { owner: 'mallory' }],
    ['too many tags', { tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }],
    ['a version', { version: 5 }],
  ])('is not changed to %s', async (_, change) => {
    const id = await maria();

    expect((await patch(id, change, 1)).statusCode).toBe(422);
    expect((await shown(id))['version']).toBe(1);
  });

  it('takes JSON only', async () => {
    const id = await maria();
    const wrong: [string, Record<string, string>, number][] = [
      ['tags=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
      ['{}', { 'content-encoding': 'gzip' }, 415],
      ['{"tags":[],"tags":[]}', {}, 400],
      ['{"__proto__":{}}', {}, 400],
      ['', {}, 400],
      [`{"name":"${'x'.repeat(33_000)}"}`, {}, 413],
    ];
    for (const [body, headers, status] of wrong) {
      const answer = await send('PATCH /v1/contacts/{id}', body, {
        ...at(id),
        headers: { 'if-match': `"${id}:1"`, ...headers },
      });
      expect([body.slice(0, 20), answer.statusCode]).toEqual([body.slice(0, 20), status]);
    }
  });
});

describe('a merge', () => {
  it('makes two histories one, whichever of the two is asked for', async () => {
    const [first, second] = [await maria(), await person('M. Lopez', { email: 'm@example.com' })];

    const answer = await merge(first, second);

    expect(bodyOf(answer)).toMatchObject({
      id: first,
      alsoKnownAs: [
        {
          id: second,
          mergedInto: first,
          name: 'M. Lopez',
          points: [{ kind: 'email', value: 'm@example.com' }],
        },
      ],
    });
    expect(await shown(second)).toMatchObject({ id: first });
    const one = await timeline(first);
    const other = await timeline(second);
    expect(other).toEqual(one);
    expect(one.contactId).toBe(first);
    expect(one.items.filter(({ kind }) => kind === 'captured').map(({ contactId }) => contactId)).toEqual([
      second,
      first,
    ]);
    expect(one.items.filter(({ kind }) => kind === 'merged')).toHaveLength(2);
    expect(audits()).toContain(`ana change contact ${first} ${second}`);
  });

  it('hides nothing that is known of either', async () => {
    const [first, second] = [await maria(), await leo()];
    await patchNow(first, { tags: ['a'], languages: ['es'], locations: ['main-street'] });
    const theirs = {
      lifecycle: 'patient',
      tags: ['b'],
      languages: ['en'],
      insurances: ['Aetna'],
      owner: 'ben',
    };
    await patchNow(second, theirs);

    const both = {
      id: first,
      name: 'Maria Lopez',
      lifecycle: 'patient',
      tags: ['a', 'b'],
      languages: ['es', 'en'],
      insurances: ['Aetna'],
      locations: ['main-street'],
      owner: 'ben',
    };
    expect(bodyOf(await merge(first, second))).toMatchObject(both);
    expect(await shown(second)).toMatchObject(both);
    expect(bodyOf(await search({ phone: family }))['items']).toMatchObject([
      { id: first, lifecycle: 'patient' },
    ]);
  });

  it('is changed as one person, and what is left of each is theirs', async () => {
    const [first, second] = [await maria(), await leo()];
    await patchNow(first, { tags: ['a', 'both'] });
    await patchNow(second, { lifecycle: 'returning', tags: ['b', 'both', 'c'], owner: 'ben' });
    await merge(first, second);

    const wanted = { lifecycle: 'consult', tags: ['c', 'new'], owner: null };
    const answer = bodyOf(await patchNow(second, wanted));

    expect(answer).toMatchObject({ id: first, lifecycle: 'consult', tags: ['new', 'c'] });
    expect(answer).not.toHaveProperty('owner');
    expect(bodyOf(await patchNow(first, { lifecycle: 'patient', owner: 'ana' }))).toMatchObject({
      lifecycle: 'patient',
      owner: 'ana',
    });
    await unmerge(first, second);
    expect(await shown(first)).toMatchObject({ lifecycle: 'patient', tags: ['new'], owner: 'ana' });
    expect(await shown(second)).toMatchObject({ lifecycle: 'consult', tags: ['c'] });
    for (const id of [first, second]) {
      const { differences = [] } = (await verifyContact(table, id)) ?? {};
      // The sample's fields say no language, though its channel did.
      expect(differences.filter(({ field }) => field !== 'languages')).toEqual([]);
    }
  });

  it('whose alias is there before its contact says so is shown without it', async () => {
    const [first, second] = [await maria(), await leo()];
    await merge(first, second);
    await table.write({ update: contactProfile(second), set: { mergedInto: undefined } });

    expect(await shown(first)).toMatchObject({ id: first, alsoKnownAs: [] });
    expect(failures).toEqual([]);
  });

  it('and its answer are read as they are committed', async () => {
    const [first, second] = [await maria(), await leo()];
    const { query } = table;
    const late: string[] = [];
    table.query = (asked) => {
      if (!asked.index && !asked.consistent && [first, second].some((id) => asked.pk.endsWith(id)))
        late.push(asked.pk);
      return query(asked);
    };

    await merge(first, second);
    await send('POST /v1/contacts/{id}/entries', { kind: 'note', text: 'x' }, at(second));
    const answer = await patch(first, { tags: ['a'] }, `"${first}:2.2"`);
    await unmerge(first, second);
    await relate(first, { contactId: second, relation: 'guardian_of' });
    await relate(second, { contactId: first, remove: true });

    expect(answer.statusCode).toBe(200);
    expect(late).toEqual([]);
  });

  it('is undone in full, and what happened in between is kept where it belongs', async () => {
    const [first, second] = [await maria(), await leo()];
    const before = [await shown(first), await shown(second)];
    await merge(first, second);
    pipeline.environment.advance(minutes(1));
    await send('POST /v1/contacts/{id}/entries', { kind: 'note', text: 'while they were one' }, at(second));
    const again = await leo();
    expect(again).toBe(second);

    expect((await unmerge(first, second)).statusCode).toBe(200);

    const unversioned = (view: object) => ({ ...view, version: 0 });
    expect([await shown(first), await shown(second)].map(unversioned)).toEqual(before.map(unversioned));
    const kinds = async (id: string) =>
      (await timeline(id)).items
        .map(({ kind }) => kind)
        .filter((kind) => !['scored', 'routed', 'mailed'].includes(kind));
    expect(await kinds(first)).toEqual(['unmerged', 'merged', 'captured']);
    expect(await kinds(second)).toEqual(['unmerged', 'note', 'captured', 'merged', 'captured']);
  });

  it('of what cannot be merged is refused, and says why', async () => {
    const [a, b, c] = [await maria(), await leo(), await person('Ann', { email: 'ann@example.com' })];

    expect(code(await merge(a, a))).toEqual([409, 'merge_not_allowed']);
    expect(code(await merge(a, unknownContact))).toEqual([404, 'not_found']);
    expect(code(await unmerge(a, b))).toEqual([409, 'merge_not_allowed']);
    await merge(a, b);
    expect(code(await merge(c, b))).toEqual([409, 'merge_not_allowed']);
    expect(code(await merge(b, c))).toEqual([409, 'merge_not_allowed']);
    expect(code(await unmerge(c, b))).toEqual([409, 'merge_not_allowed']);
    expect((await send('POST /v1/contacts/{id}/merge', { contactId: 'con_1' }, at(a))).statusCode).toBe(422);
    expect((await send('POST /v1/contacts/{id}/merge', {}, at(a))).statusCode).toBe(422);
  });

  it('of two into each other at once happens once', async () => {
    const [a, b] = [await maria(), await leo()];

    const answers = await Promise.all([merge(a, b), merge(b, a), merge(a, b)]);

    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409, 409]);
  });

  it('joins what was joined before, and each part comes apart again', async () => {
    const [a, b, c] = [await maria(), await leo(), await person('Ann', { email: 'ann@example.com' })];
    await merge(b, c);
    await merge(a, b);

    expect(await shown(c)).toMatchObject({
      id: a,
      alsoKnownAs: [
        { id: b, mergedInto: a },
        { id: c, mergedInto: b },
      ],
    });
    expect((await unmerge(b, c)).statusCode).toBe(200);
    expect(await shown(c)).toMatchObject({ id: c, alsoKnownAs: [] });
  });
});

describe('a suggested match', () => {
  const matches = async (query: Record<string, string> = {}) =>
    bodyOf(await call('GET /v1/matches', { claims: callers.coordinator, query })) as {
      items: { contacts: { id: string; name?: string }[]; reasons: string[]; kind: string }[];
      cursor?: string;
    };
  const decide = (id: string, otherId: string, body: unknown = { decision: 'different' }) =>
    send('POST /v1/contacts/{id}/matches/{otherId}', body, { pathParameters: { id, otherId } });

  it('is listed with both people and its reasons, and shown with each of them', async () => {
    const [first, second] = [await maria(), await leo()];
    await follow();

    const { items } = await matches();

    expect(items).toMatchObject([{ kind: 'may_be_family', reasons: expect.arrayContaining(['same_phone']) }]);
    expect(items[0]?.contacts.map(({ name }) => name).toSorted()).toEqual(['Leo Lopez', 'Maria Lopez']);
    expect(await shown(first)).toMatchObject({ matches: [{ contact: { id: second, name: 'Leo Lopez' } }] });
    expect(await shown(second)).toMatchObject({ matches: [{ contact: { id: first } }] });
  });

  it('that is decided as different does not come back', async () => {
    const [first, second] = [await maria(), await leo()];
    await follow();

    expect((await decide(first, second)).statusCode).toBe(200);

    expect((await matches()).items).toEqual([]);
    await leo();
    await follow();
    expect((await matches()).items).toEqual([]);
    expect((await timeline(second)).items).toContainEqual(
      expect.objectContaining({
        kind: 'match_decided',
        actor: 'ana',
        details: { contactId: first, decision: 'different' },
      }),
    );
    expect(code(await decide(second, first))).toEqual([409, 'conflict']);
    expect(code(await decide(first, unknownContact))).toEqual([404, 'not_found']);
    expect((await decide(first, second, { decision: 'same' })).statusCode).toBe(422);
  });

  it('with somebody who was merged since is decided between those who speak for them', async () => {
    const [first, second] = [await maria(), await leo()];
    await follow();
    const third = await person('L. Lopez', { email: 'leo@example.com' });
    await merge(third, second);
    expect(await shown(first)).toMatchObject({ matches: [{ contact: { id: third } }] });

    expect((await decide(first, third)).statusCode).toBe(200);

    expect((await matches()).items).toEqual([]);
    expect(await shown(first)).toMatchObject({ matches: [] });
  });

  it('of two who are one person by now is decided by that', async () => {
    const [first, second] = [await maria(), await leo()];
    const third = await person('L. Lopez', { phone: family });
    await follow();
    await merge(second, third);
    await merge(first, second);

    expect(code(await decide(first, third))).toEqual([409, 'conflict']);
    expect(code(await decide(second, third))).toEqual([409, 'conflict']);
    expect(failures).toEqual([]);
  });

  it('names in the audit everybody who is shown', async () => {
    const [first, second] = [await maria(), await leo()];
    await follow();

    const { items } = await matches();
    const ids = items.flatMap(({ contacts }) => contacts.map(({ id }) => id));
    await show(first);

    expect(audits()).toEqual([`ana list matches ${ids.join(' ')}`, `ana read contact ${first} ${second}`]);
  });

  it('is decided by a merge, and open again once that is undone', async () => {
    const [first, second] = [await maria(), await leo()];
    await follow();

    await merge(first, second);
    expect((await matches()).items).toEqual([]);
    expect(await shown(first)).toMatchObject({ matches: [] });

    await unmerge(first, second);
    expect((await matches()).items).toHaveLength(1);
  });

  it('is listed page by page, newest first', async () => {
    for (const name of ['Maria Lopez', 'Leo Lopez', 'Ana Lopez']) await person(name, { phone: family });
    await follow();
    const all: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await matches({ limit: '1', ...(cursor && { cursor }) });
      all.push(...page.items.map(({ contacts }) => contacts.map(({ id }) => id)));
      ({ cursor } = page);
    } while (cursor !== undefined);

    expect(all).toHaveLength(3);
    const answer = await call('GET /v1/matches', {
      claims: callers.coordinator,
      query: { cursor: 'made up' },
    });
    expect(answer.statusCode).toBe(422);
  });
});

describe('a relation', () => {
  it('is shown with both, each with what they are to the other, and can be ended', async () => {
    const [mother, son] = [await maria(), await leo()];

    expect((await relate(mother, { contactId: son, relation: 'guardian_of' })).statusCode).toBe(200);

    expect(await shown(mother)).toMatchObject({
      relations: [{ relation: 'guardian_of', contact: { id: son, name: 'Leo Lopez' } }],
    });
    expect(await shown(son)).toMatchObject({ relations: [{ relation: 'ward_of', contact: { id: mother } }] });
    expect(code(await relate(son, { contactId: mother, relation: 'ward_of' }))).toEqual([409, 'conflict']);

    expect((await relate(son, { contactId: mother, remove: true })).statusCode).toBe(200);
    expect(await shown(mother)).toMatchObject({ relations: [] });
    expect(code(await relate(son, { contactId: mother, remove: true }))).toEqual([404, 'not_found']);
    expect(
      (await timeline(son)).items
        .map(({ kind }) => kind)
        .slice(0, 2)
        .toSorted(),
    ).toEqual(['related', 'unrelated']);
  });

  it('stays with a person who is merged, and can be ended there', async () => {
    const [mother, son] = [await maria(), await leo()];
    const again = await person('Maria L.', { email: 'ml@example.com' });
    await relate(mother, { contactId: son, relation: 'guardian_of' });
    await merge(again, mother);

    expect(await shown(again)).toMatchObject({
      relations: [{ relation: 'guardian_of', contact: { id: son } }],
    });
    expect(await shown(son)).toMatchObject({ relations: [{ relation: 'ward_of', contact: { id: again } }] });

    expect((await relate(again, { contactId: son, remove: true })).statusCode).toBe(200);
    expect(await shown(son)).toMatchObject({ relations: [] });
  });

  it('of two who are one person by now is neither noted nor ended', async () => {
    const [mother, son] = [await maria(), await leo()];
    await relate(mother, { contactId: son, relation: 'guardian_of' });
    await merge(mother, son);

    expect(code(await relate(mother, { contactId: son, remove: true }))).toEqual([409, 'conflict']);
    expect(code(await relate(son, { contactId: mother, relation: 'ward_of' }))).toEqual([409, 'conflict']);
    await unmerge(mother, son);
    expect((await relate(mother, { contactId: son, remove: true })).statusCode).toBe(200);
  });

  it('is ended between each of many contacts of two people', async () => {
    const [ours, theirs] = [
      ['Maria', 'Mia', 'Marta', 'Mona', 'Milla', 'Mary'],
      ['Leo', 'Luis', 'Lars', 'Liam', 'Lou'],
    ];
    const come = (names: readonly string[]) =>
      Promise.all(names.map((name) => person(name, { email: `${name}@example.com` })));
    const [mothers, sons] = [await come(ours), await come(theirs)];
    for (const mother of mothers)
      for (const son of sons) await table.transact(pipeline.contacts.relate(mother, son));
    for (const [first = '', ...others] of [mothers, sons])
      for (const other of others) await merge(first, other);
    const [mother = '', son = ''] = [mothers[0], sons[0]];

    expect((await relate(mother, { contactId: son, remove: true })).statusCode).toBe(200);

    expect(await shown(mother)).toMatchObject({ relations: [] });
    expect((await timeline(mother)).items.filter(({ kind }) => kind === 'unrelated').length).toBeGreaterThan(
      0,
    );
  });

  it.each([
    [{ relation: 'guardian_of' }],
    [{ contactId: unknownContact }],
    [{ contactId: unknownContact, relation: 'friend_of' }],
    [{ contactId: unknownContact, relation: 'ward_of', remove: true }],
    [{ contactId: unknownContact, remove: false }],
  ])('of %j is refused', async (body) => {
    expect((await relate(await maria(), body)).statusCode).toBe(422);
  });

  it('of one person to themselves is refused', async () => {
    const id = await maria();

    expect(code(await relate(id, { contactId: id, relation: 'guardian_of' }))).toEqual([409, 'conflict']);
  });
});

describe("a person's timeline", () => {
  it('takes three reads a page, where nobody was merged', async () => {
    const id = await maria();
    const reads: string[] = [];
    for (const name of ['get', 'batchGet', 'query'] as const) {
      const read = table[name] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(table, {
        [name]: (...args: unknown[]) => {
          reads.push(name);
          return read(...args);
        },
      });
    }

    await timeline(id);

    expect(reads).toEqual(['query', 'query', 'batchGet']);
  });

  it('goes on page by page while others write, and takes no cursor of another', async () => {
    const [id, other] = [await maria(), await leo()];
    for (let i = 0; i < 4; i++) {
      await send('POST /v1/contacts/{id}/entries', { kind: 'note', text: `note ${i}` }, at(id));
      pipeline.environment.advance(hours(1));
    }
    const page = async (contact: string, cursor?: string) =>
      call('GET /v1/contacts/{id}/timeline', {
        claims: callers.coordinator,
        ...at(contact),
        query: { limit: '2', ...(cursor && { cursor }) },
      });
    const first = bodyOf(await page(id)) as { items: { id: string }[]; cursor: string };
    await send('POST /v1/contacts/{id}/entries', { kind: 'note', text: 'late' }, at(id));

    const second = bodyOf(await page(id, first.cursor)) as {
      items: { id: string; details: { text: string } }[];
    };

    expect(second.items.map(({ details }) => details.text)).toEqual(['note 1', 'note 0']);
    expect((await page(other, first.cursor)).statusCode).toBe(422);
    const forged = Buffer.from(
      JSON.stringify({
        list: `timeline ${id}`,
        after: { timelineSk: '~', pk: contactProfile(other).pk, sk: '~' },
      }),
    ).toString('base64url');
    const read = bodyOf(await page(id, forged)) as { items: { contactId: string }[] };
    expect(read.items.every(({ contactId }) => contactId === id)).toBe(true);
  });
});
