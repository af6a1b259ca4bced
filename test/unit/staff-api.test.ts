import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { headRow } from '../../shared/data/inquiries.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { type Stage, stages } from '../../shared/domain/stages.ts';
import { routes } from '../../shared/http/routes.ts';
import type { EventOptions } from '../../simulation/events.ts';
import { enable, hours, minutes } from '../support/fixtures.ts';
import { bodyOf, callers, claimsOf, consoleOrigin, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call, audits } = createStaff();
beforeEach(() => {
  ({ table, pipeline, failures, call, audits } = createStaff());
});
const ana = callers.coordinator;
const get = (route: string, options: EventOptions = {}) => call(`GET ${route}`, { claims: ana, ...options });
const show = (id: string, claims = ana) => get('/v1/inquiries/{id}', { pathParameters: { id }, claims });
const patch = (id: string, change: unknown, version?: number | string) =>
  call('PATCH /v1/inquiries/{id}', {
    claims: ana,
    pathParameters: { id },
    body: typeof change === 'string' ? change : JSON.stringify(change),
    headers: {
      'content-type': 'application/json',
      ...(version !== undefined && { 'If-Match': typeof version === 'number' ? `"${version}"` : version }),
    },
  });
const staffRoutes = routes.filter(({ access }) => access === 'staff');
const unknownId = `inq_${'Z'.repeat(26)}`;

describe('a caller', () => {
  const refused: readonly (readonly [string, Record<string, string> | undefined, number])[] = [
    ['without claims', undefined, 401],
    ['with an id token', { ...ana, token_use: 'id' }, 401],
    ['of another client', { ...ana, client_id: 'another' }, 401],
    ['without a client', { username: 'ana', token_use: 'access' }, 401],
    ['that is no member', claimsOf('mallory', 'admin'), 403],
    ['without a group', { ...ana, 'cognito:groups': '' }, 403],
    ['of a group that is none of ours', claimsOf('ana', 'us-east-1_pool_coordinators'), 403],
  ];

  it.each(refused)('%s is refused on every route, and that is written down', async (_, claims, status) => {
    for (const { method, path } of staffRoutes) {
      const answer = await call(`${method} ${path}`, {
        claims,
        pathParameters: { id: unknownId, otherId: unknownId, taskId: unknownId, appointmentId: unknownId },
      });

      expect(answer.statusCode).toBe(status);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
      });
      expect(bodyOf(answer)).toMatchObject({ status, title: expect.any(String) });
    }
    expect(audits()).toHaveLength(staffRoutes.length);
    expect(audits().every((entry) => entry.includes(' denied '))).toBe(true);
  });

  it('is refused with whom they asked for, and nothing else that they wrote', async () => {
    const contactId = `con_${'Z'.repeat(26)}`;
    const asked = [
      ['GET /v1/inquiries/{id}', { id: unknownId }],
      ['POST /v1/contacts/{id}/matches/{otherId}', { id: contactId, otherId: 'maria@example.com' }],
    ] as const;
    for (const [route, pathParameters] of asked)
      await call(route, { claims: callers.marketer, pathParameters });

    expect(audits().sort()).toEqual([
      `max denied GET /v1/inquiries/{id} ${unknownId} forbidden`,
      `max denied POST /v1/contacts/{id}/matches/{otherId} ${contactId} forbidden`,
    ]);
  });

  it('who was disabled is refused, with a token that is still good', async () => {
    expect((await get('/v1/queue')).statusCode).toBe(200);

    pipeline.change(enable(false, 'ana'));

    expect((await get('/v1/queue')).statusCode).toBe(403);
  });

  it.each(Object.entries(callers))('with the role %s sees what the role may', async (role, claims) => {
    for (const { method, path } of staffRoutes) {
      const answer = await call(`${method} ${path}`, {
        claims,
        pathParameters: { id: unknownId, otherId: unknownId, taskId: unknownId, appointmentId: unknownId },
        ...(path.endsWith('summary') && { query: { from: '2026-11-20', to: '2026-11-20' } }),
      });

      const allowed = path.endsWith('/lift-suppression')
        ? ['manager', 'admin'].includes(role)
        : role !== 'marketer' || ['/v1/reports/summary', '/v1/templates'].includes(path);
      expect([path, answer.statusCode === 403]).toEqual([path, !allowed]);
    }
  });

  it('may have several groups, in either spelling of the list', async () => {
    for (const groups of ['[marketer coordinator]', 'marketer,coordinator', '[marketer, coordinator]']) {
      expect((await get('/v1/queue', { claims: { ...ana, 'cognito:groups': groups } })).statusCode).toBe(200);
    }
  });
});

describe('a request that is unusual', () => {
  const odd: readonly (readonly [string, string, EventOptions, number])[] = [
    ['with a body where none belongs', '/v1/health', { body: 'x' }, 200],
    ['with letters beyond Latin-1 in a header', '/v1/queue', { headers: { 'user-agent': 'Łódź' } }, 200],
    ["below another's path, by a domain of the practice", '/v1/queue', { path: '/firstcall/v1/queue' }, 200],
    ...['%E0%A4%A', '%20', ' ', '', '#', '//'].map(
      (id) =>
        [
          `with the id "${id}"`,
          '/v1/inquiries/{id}',
          { path: `/v1/inquiries/${id}`, pathParameters: { id } },
          404,
        ] as const,
    ),
  ];

  it.each(odd)('%s is no fault of ours', async (_, route, options, status) => {
    const answer = await get(route, options);

    expect(answer.statusCode).toBe(status);
    expect(failures).toEqual([]);
  });
});

describe('every answer', () => {
  it('is kept by nobody, and open to the console alone', async () => {
    const id = await pipeline.mailed();
    const answers = [
      await show(id),
      await show(unknownId),
      await get('/v1/inquiries'),
      await get('/v1/inquiries', { query: { limit: '0' } }),
      await get('/v1/queue'),
      await get('/v1/contacts/{id}/timeline', {
        pathParameters: { id: (await pipeline.head(id)).contactId },
      }),
      await get('/v1/reports/summary', { query: { from: '2026-11-20', to: '2026-11-20' } }),
      await patch(id, { stage: 'contacted' }, 4),
      await patch(id, { stage: 'nowhere' }, 4),
      await call('GET /v1/health'),
      await call('GET /v1/nothing'),
    ];

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([
      200, 404, 200, 422, 200, 200, 200, 200, 422, 200, 404,
    ]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'access-control-allow-origin': consoleOrigin,
      });
    }
    expect(failures).toEqual([]);
  });

  it('after a fault of ours tells nothing of it', async () => {
    const id = await pipeline.mailed();
    table.query = async () => {
      throw new Error('maria@example.com');
    };

    const answer = await show(id);

    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/maria|\.ts/);
    expect(failures).toHaveLength(1);
  });

  it('of personal data is not given where it cannot be written down', async () => {
    const id = await pipeline.mailed();
    const { write } = table;
    table.write = async (change) => {
      if ('put' in change && change.put.pk.startsWith('AUDIT#')) throw new Error('no audit');
      return write(change);
    };

    const answer = await show(id);

    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/maria/i);
  });

  it('to a preflight is for anybody, without a token', async () => {
    for (const path of new Set(staffRoutes.map((route) => route.path))) {
      const answer = await call(`OPTIONS ${path}`, {
        pathParameters: { id: unknownId, otherId: unknownId, taskId: unknownId, appointmentId: unknownId },
      });

      expect(answer.statusCode).toBe(204);
      expect(answer.headers).toMatchObject({ 'access-control-allow-origin': consoleOrigin });
    }
  });
});

describe('one inquiry', () => {
  it('is shown whole, with its score and its receipt, and looking is written down', async () => {
    const id = await pipeline.mailed();

    const answer = await show(id);

    const body = bodyOf(answer);
    expect(body).toMatchObject({
      id,
      stage: 'new',
      progress: 'notified',
      receivedAt: '2026-11-20T16:00:00.000Z',
      respondBy: '2026-11-20T18:00:00.000Z',
      contact: { name: 'Maria Lopez', email: 'maria@example.com', phone: '+16505550188' },
      source: 'website',
      service: 'acne',
      score: { total: 54, tier: 'B', modelVersion: '2026-1' },
      assignment: { memberId: 'ana', receipt: { pool: 'skin', strategy: 'weighted_round_robin' } },
    });
    const { parts } = body['score'] as { parts: { points: number }[] };
    expect(parts.reduce((sum, { points }) => sum + points, 0)).toBe(54);
    expect(body).not.toHaveProperty('timers');
    expect(answer.headers).toMatchObject({ etag: '"4"' });
    expect(audits()).toEqual([`ana read inquiry ${id} ${(await pipeline.head(id)).contactId}`]);
  });

  it('tells how far it has come', async () => {
    const id = await pipeline.captured();
    const progress = async () => bodyOf(await show(id))['progress'];

    expect(await progress()).toBe('captured');
    await pipeline.score(id);
    expect(await progress()).toBe('scored');
    await pipeline.route(id);
    expect(await progress()).toBe('routed');
    await pipeline.notify(id);
    expect(await progress()).toBe('notified');
    const set = await pipeline.captured({ quarantine: ['honeypot'] });
    expect(bodyOf(await show(set))).toMatchObject({ progress: 'quarantined', quarantine: ['honeypot'] });
  });

  it.each([
    unknownId,
    'inq_1',
    'inq_1#HEAD',
    `${unknownId}#`,
    `${unknownId}\n`,
    '..',
    `con_${'Z'.repeat(26)}`,
  ])('with the id %j is not found', async (id) => {
    expect((await show(id)).statusCode).toBe(404);
    expect((await patch(id, { stage: 'contacted' }, 1)).statusCode).toBe(404);
    expect((await get('/v1/contacts/{id}/timeline', { pathParameters: { id } })).statusCode).toBe(404);
  });
});

describe('a change', () => {
  it('sets the stage at the version that was seen, writes it down, and gives the next version', async () => {
    const id = await pipeline.mailed();
    pipeline.environment.advance(minutes(3));

    const answer = await patch(id, { stage: 'contacted' }, 4);

    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toMatchObject({ id, stage: 'contacted', version: 5 });
    expect(answer.headers).toMatchObject({ etag: '"5"' });
    expect(audits()).toEqual([`ana change inquiry ${id}`]);
  });

  it.each([undefined, '', '*', 'W/"4"', '"4", "5"', 'four'])(
    'with If-Match %j is refused',
    async (version) => {
      const id = await pipeline.mailed();

      expect((await patch(id, { stage: 'contacted' }, version)).statusCode).toBe(428);
      expect((await pipeline.head(id)).stage).toBe('new');
    },
  );

  it('at another version is refused, and of many at once one is made', async () => {
    const id = await pipeline.mailed();

    expect((await patch(id, { stage: 'contacted' }, 3)).statusCode).toBe(412);
    const answers = await Promise.all(
      (['contacted', 'consult', 'booked'] as const).map((stage) => patch(id, { stage }, 4)),
    );

    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 412, 412]);
    expect((await pipeline.head(id)).version).toBe(5);
    expect(table.rows().filter(({ sk }) => sk.startsWith('ENTRY#'))).toHaveLength(1);
  });

  it('that the stage does not allow is refused, and says what would be', async () => {
    const id = await pipeline.mailed();
    await patch(id, { stage: 'booked' }, 4);

    const answer = await patch(id, { stage: 'contacted' }, 5);

    expect(answer.statusCode).toBe(409);
    expect(bodyOf(answer)).toMatchObject({
      code: 'transition_not_allowed',
      errors: [{ field: 'stage', reason: 'must be one of consult, closed' }],
    });
  });

  it("moves the assignee's open work with it", async () => {
    const id = await pipeline.mailed();
    const open = async () => (await pipeline.routingStates.read()).load('ana').open;

    expect(await open()).toBe(1);
    await patch(id, { stage: 'contacted' }, 4);
    expect(await open()).toBe(1);
    await patch(id, { stage: 'closed', closeReason: 'no_response' }, 5);
    expect(await open()).toBe(0);
    await patch(id, { stage: 'contacted' }, 6);
    expect(await open()).toBe(1);
  });

  it('out of quarantine sends the inquiry on its way', async () => {
    const id = await pipeline.captured({ quarantine: ['honeypot'] });

    expect((await patch(id, { release: true }, 1)).statusCode).toBe(200);
    await pipeline.sweep();
    await pipeline.drain();

    expect((await pipeline.head(id)).progress).toBe('notified');
    expect((await patch(id, { release: true }, (await pipeline.head(id)).version)).statusCode).toBe(409);
  });

  it.each([
    ['nothing', {}],
    ['two things', { stage: 'contacted', release: true }],
    ['a stage that is none', { stage: 'won' }],
    ['closing without a reason', { stage: 'closed' }],
    ['a reason without closing', { stage: 'booked', closeReason: 'spam' }],
    ['an assignee', { stage: 'booked', assignee: 'ana' }],
    ['release false', { release: false }],
    ['a list', []],
  ])('of %s is refused', async (_, change) => {
    const id = await pipeline.mailed();

    expect((await patch(id, change, 4)).statusCode).toBe(422);
    expect((await pipeline.head(id)).version).toBe(4);
  });

  it.each([
    ['', 400],
    ['{', 400],
    ['{"stage":"booked","stage":"closed"}', 400],
    ['x'.repeat(33_000), 413],
  ])('with the body %.20j is answered %i', async (body, status) => {
    expect((await patch(await pipeline.mailed(), body, 4)).statusCode).toBe(status);
  });

  it('of another type than JSON is refused', async () => {
    const id = await pipeline.mailed();

    const answer = await call('PATCH /v1/inquiries/{id}', {
      claims: ana,
      pathParameters: { id },
      body: 'stage=booked',
    });

    expect(answer.statusCode).toBe(415);
  });
});

describe('a list', () => {
  /** Every page of a list, by following its cursors. */
  async function pages(
    request: typeof get,
    route: string,
    query: Record<string, string>,
  ): Promise<string[][]> {
    const all: string[][] = [];
    let cursor: string | undefined;
    do {
      const answer = await request(route, { query: { ...query, ...(cursor && { cursor }) } });
      expect(answer.statusCode).toBe(200);
      const body = bodyOf(answer) as { items: { id: string }[]; cursor?: string };
      all.push(body.items.map(({ id }) => id));
      ({ cursor } = body);
    } while (cursor !== undefined && all.length < 200);
    return all;
  }

  const spec = fc.record({
    stage: fc.constantFrom<Stage>('new', 'new', 'new', ...stages),
    assignee: fc.constantFrom('ana', 'ben'),
    tier: fc.constantFrom('A', 'B', 'C'),
    minute: fc.integer({ min: 0, max: 20 }),
  });

  it('is written down with everybody who is on it', async () => {
    const id = await pipeline.mailed();
    const { contactId, assignedTo } = await pipeline.head(id);
    const claims = claimsOf(assignedTo ?? '', 'coordinator');
    await get('/v1/inquiries', { claims });
    await get('/v1/queue', { claims });
    await get('/v1/inquiries', { claims, query: { stage: 'closed' } });

    expect(audits()).toEqual([
      `${assignedTo} list inquiries ${contactId}`,
      `${assignedTo} list queue ${contactId}`,
      `${assignedTo} list inquiries`,
    ]);
  });

  it('gives every inquiry once, in order, whatever the size of its pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(spec, { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.option(fc.constantFrom(...stages), { nil: undefined, freq: 1 }),
        fc.option(fc.constantFrom('ana', 'ben'), { nil: undefined, freq: 1 }),
        fc.option(fc.constantFrom('A', 'B', 'C'), { nil: undefined, freq: 1 }),
        async (specs, limit, stage, assignee, tier) => {
          const own = createStaff();
          const base = await own.pipeline.head(await own.pipeline.mailed());
          await own.table.write({ remove: inquiryHead(base.id) });
          const all = specs.map(({ minute, assignee, ...rest }, i) => ({
            ...base,
            ...rest,
            tier: rest.tier as 'A',
            id: `inq_${String(i).padStart(26, '0')}`,
            assignedTo: assignee,
            receivedAt: new Date(Date.parse(base.receivedAt) + minutes(minute)).toISOString(),
            respondBy: new Date(
              Date.parse(base.receivedAt) + hours(2) + minutes((minute * 7) % 20),
            ).toISOString(),
          }));
          for (const head of all) await own.table.write({ put: headRow(head) });
          const query = {
            limit: String(limit),
            ...(stage && { stage }),
            ...(assignee && { assignee }),
            ...(tier && { tier }),
          };

          const listed = await pages(
            (route, options) => own.call(`GET ${route}`, { claims: ana, ...options }),
            '/v1/inquiries',
            query,
          );

          const isOpen = (head: (typeof all)[number]) => head.stage !== 'booked' && head.stage !== 'closed';
          const byQueue =
            assignee !== undefined && (stage === undefined || isOpen({ ...base, stage } as never));
          const key = (head: (typeof all)[number]) =>
            `${byQueue ? head.respondBy : head.receivedAt}#${head.id}`;
          const expected = all
            .filter((head) => stage === undefined || head.stage === stage)
            .filter((head) => assignee === undefined || head.assignedTo === assignee)
            .filter((head) => tier === undefined || head.tier === tier)
            // A member's list without a stage is their open work.
            .filter((head) => !byQueue || isOpen(head))
            .toSorted((a, b) => (key(a) < key(b) ? -1 : 1) * (byQueue ? 1 : -1))
            .map(({ id }) => id);
          expect(listed.flat()).toEqual(expected);
          expect(listed.every((page) => page.length <= limit)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('names nobody', async () => {
    await pipeline.mailed();

    const answer = await get('/v1/inquiries');

    expect(bodyOf(answer)['items']).toMatchObject([{ stage: 'new', assignee: 'ana', tier: 'B' }]);
    expect(answer.body).not.toMatch(/maria|650|receipt/i);
  });

  it("of the queue is the caller's open work, most urgent first", async () => {
    const open = async (serviceId: string, name: string) => pipeline.mailed({ serviceId, name });
    pipeline.change(enable(false, 'ben', 'carla', 'dev', 'elena'));
    const later = await open('acne', 'A');
    pipeline.change((practice) => {
      practice.scoring.tiers = { A: 50, B: 40 };
    });
    const urgent = await open('acne', 'B');
    const closed = await open('acne', 'C');
    await patch(closed, { stage: 'closed', closeReason: 'spam' }, 4);

    const ids = await pages(get, '/v1/queue', { limit: '1' });
    expect(ids.flat()).toEqual([urgent, later]);
    const others = await pages(
      (route, options) => get(route, { ...options, claims: callers.manager }),
      '/v1/queue',
      {},
    );
    expect(others.flat()).toEqual([]);
  });

  it.each([
    { limit: '0' },
    { limit: '51' },
    { limit: '1.5' },
    { limit: 'many' },
    { stage: 'won' },
    { tier: 'D' },
    { assignee: 'ana#' },
    { page: '2' },
    { cursor: 'nonsense' },
    { cursor: Buffer.from('{"list":"inquiries  ","after":{}}').toString('base64url') },
    { cursor: Buffer.from('{"list":"inquiries  ","after":{"boardSk":1}}').toString('base64url') },
  ])('asked for with %j is refused', async (query) => {
    expect((await get('/v1/inquiries', { query: query as Record<string, string> })).statusCode).toBe(422);
    expect(failures).toEqual([]);
  });

  it('takes no cursor of another list', async () => {
    for (const name of ['A', 'B']) await pipeline.mailed({ name });
    const { cursor } = bodyOf(await get('/v1/inquiries', { query: { limit: '1' } })) as { cursor: string };

    const other = await get('/v1/inquiries', { query: { limit: '1', stage: 'new', cursor } });

    expect(other.statusCode).toBe(422);
    expect(bodyOf(other)).toMatchObject({ errors: [{ field: 'cursor' }] });
  });
});

describe("a person's timeline", () => {
  it('has all that happened, newest first, page by page', async () => {
    const id = await pipeline.captured();
    const happened: (() => Promise<unknown>)[] = [
      () => pipeline.score(id),
      () => pipeline.route(id),
      () => pipeline.notify(id),
      () => patch(id, { stage: 'contacted' }, 4),
      () => patch(id, { stage: 'booked' }, 5),
    ];
    for (const step of happened) {
      pipeline.environment.advance(minutes(1));
      await step();
    }
    const { contactId } = await pipeline.head(id);
    const timeline = async (query: Record<string, string>) =>
      bodyOf(await get('/v1/contacts/{id}/timeline', { pathParameters: { id: contactId }, query })) as {
        items: { kind: string; actor: string }[];
        cursor?: string;
      };

    const whole = await timeline({});
    expect(whole.items.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([
      'contact_changed ana',
      'stage_changed ana',
      'stage_changed ana',
      'mailed firstcall',
      'routed firstcall',
      'scored firstcall',
      'captured contact',
    ]);
    const paged: string[] = [];
    for (let cursor: string | undefined, page = 0; page < 10; page++) {
      const { items, cursor: next } = await timeline({ limit: '2', ...(cursor && { cursor }) });
      paged.push(...items.map(({ kind }) => kind));
      if (next === undefined) break;
      cursor = next;
    }
    expect(paged).toEqual(whole.items.map(({ kind }) => kind));
    expect(audits().filter((entry) => entry.startsWith('ana read timeline')).length).toBeGreaterThan(1);
  });

  it('of nobody is not found', async () => {
    const id = `con_${'Z'.repeat(26)}`;

    expect((await get('/v1/contacts/{id}/timeline', { pathParameters: { id } })).statusCode).toBe(404);
  });
});

describe('a summary', () => {
  it('adds up the days asked for, by location and together', async () => {
    const count = (date: string, counts: Record<string, number>) =>
      pipeline.rollups.count(
        [{ inquiryId: 'inq', version: Number(date.slice(8)), locationId: 'main-street', date, counts }],
        pipeline.environment.now(),
      );
    await count('2026-11-19', { inquiries: 9 });
    await count('2026-11-20', { inquiries: 1, 'stage:new': 1 });
    await count('2026-11-21', { inquiries: 2, 'stage:new': 2 });

    const body = bodyOf(
      await get('/v1/reports/summary', {
        query: { from: '2026-11-20', to: '2026-11-21' },
        claims: callers.marketer,
      }),
    );

    expect(body).toMatchObject({
      from: '2026-11-20',
      to: '2026-11-21',
      inquiries: 3,
      byStage: { new: 3 },
      locations: [{ id: 'main-street', inquiries: 3 }],
    });
  });

  it.each([
    {},
    { from: '2026-11-20' },
    { from: '2026-11-20', to: '2026-11-19' },
    { from: '2026-02-30', to: '2026-03-01' },
    { from: '2025-01-01', to: '2026-11-20' },
    { from: '2026-11-20', to: '2026-11-20#' },
  ])('of %j is refused', async (query) => {
    const answer = await get('/v1/reports/summary', { query: query as Record<string, string> });

    expect(answer.statusCode).toBe(422);
  });
});
