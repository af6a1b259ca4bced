import type { APIGatewayProxyResult } from 'aws-lambda';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { countChanges } from '../../functions/report/count-change.ts';
import type { Row } from '../../shared/data/table.ts';
import { verifyContact } from '../../shared/data/verify.ts';
import {
  type Appointment,
  type AppointmentChange,
  changeAppointment,
  newAppointment,
  outcomes,
  type Visits,
  visitsAfter,
} from '../../shared/domain/appointment.ts';
import { hours } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

let { table, pipeline, failures, call, audits } = createStaff();
beforeEach(() => {
  ({ table, pipeline, failures, call, audits } = createStaff());
});

const json = { 'content-type': 'application/json' };
const at = '2026-11-25T18:00:00.000Z';
const arrived = () => pipeline.mailed({ language: undefined });
const make = (body: object) =>
  call('POST /v1/appointments', { claims: callers.coordinator, body: JSON.stringify(body), headers: json });
const patch = (one: Record<string, unknown>, change: object) =>
  call('PATCH /v1/contacts/{id}/appointments/{appointmentId}', {
    claims: callers.coordinator,
    pathParameters: { id: String(one['contactId']), appointmentId: String(one['id']) },
    body: JSON.stringify(change),
    headers: { ...json, 'if-match': `"${one['version']}"` },
  });
const isAsTold = async (contactId: unknown) =>
  expect((await verifyContact(table, String(contactId)))?.differences).toEqual([]);
const lifecycleOf = async (contactId: unknown) =>
  (await pipeline.dependencies.contacts.find(String(contactId)))?.lifecycle;

describe('an appointment', () => {
  it('that is made books its inquiry and makes a patient, expected to bring what its service does', async () => {
    const id = await arrived();

    const answer = await make({ inquiryId: id, at });

    expect(answer.statusCode).toBe(201);
    const made = bodyOf(answer);
    expect(made).toEqual({
      id: expect.stringMatching(/^apt_/),
      version: 1,
      contactId: (await pipeline.head(id)).contactId,
      inquiryId: id,
      location: 'main-street',
      service: 'acne',
      at,
      status: 'made',
      expectedCents: 45_000,
      madeBy: 'ana',
      madeAt: '2026-11-20T16:00:00.000Z',
    });
    expect(await pipeline.head(id)).toMatchObject({
      stage: 'booked',
      visits: { made: 1, kept: 0, noShows: 0, cents: 0 },
    });
    expect(await lifecycleOf(made['contactId'])).toBe('patient');
    expect(audits()).toContain(`ana change appointment of ${id}`);
    await isAsTold(made['contactId']);
  });

  it('is made once under a key, and with other content under it not at all', async () => {
    const inquiryId = await arrived();
    const once = (body: object) =>
      call('POST /v1/appointments', {
        claims: callers.coordinator,
        body: JSON.stringify(body),
        headers: { ...json, 'idempotency-key': 'visit 1' },
      });

    const answers = await Promise.all([1, 2].map(() => once({ inquiryId, at })));

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect((await pipeline.head(inquiryId)).visits).toMatchObject({ made: 1 });
    expect((await once({ inquiryId, at, expectedCents: 1 })).statusCode).toBe(409);
    await isAsTold(bodyOf(answers[0] as APIGatewayProxyResult)['contactId']);
  });

  it('that was kept has what it brought, and that can be corrected', async () => {
    const id = await arrived();
    const made = bodyOf(await make({ inquiryId: id, at }));
    const kept = bodyOf(await patch(made, { outcome: 'kept', valueCents: 52_000 }));
    const valued = bodyOf(await patch(kept, { valueCents: 48_500 }));

    expect(kept).toMatchObject({ status: 'kept', valueCents: 52_000, version: 2 });
    expect(valued).toMatchObject({ status: 'kept', valueCents: 48_500, version: 3 });
    expect(await pipeline.head(id)).toMatchObject({
      stage: 'booked',
      visits: { made: 1, kept: 1, noShows: 0, cents: 48_500 },
    });
    await isAsTold(made['contactId']);
  });

  it('whose outcome was a mistake is corrected by an entry that names it; stage, reports and money follow', async () => {
    const id = await arrived();
    const made = bodyOf(await make({ inquiryId: id, at }));
    const missed = bodyOf(await patch(made, { outcome: 'no_show' }));
    expect((await pipeline.head(id)).stage).toBe('contacted');
    const kept = bodyOf(await patch(missed, { correct: 'kept', valueCents: 52_000 }));

    expect(kept).toMatchObject({ status: 'kept', valueCents: 52_000 });
    expect(await pipeline.head(id)).toMatchObject({
      stage: 'booked',
      visits: { made: 1, kept: 1, noShows: 0, cents: 52_000 },
    });
    const cancelled = bodyOf(await patch(kept, { correct: 'cancelled' }));
    expect(cancelled).not.toHaveProperty('valueCents');
    const head = await pipeline.head(id);
    expect(head.stage).toBe('contacted');
    expect(head.visits).toBeUndefined();
    const again = bodyOf(await patch(cancelled, { correct: 'made' }));
    expect(again).toMatchObject({ status: 'made' });
    expect((await pipeline.head(id)).stage).toBe('booked');

    const entries = (await pipeline.dependencies.timelines.entriesOf(String(made['contactId']))).filter(
      ({ kind }) => kind === 'appointment',
    );
    expect(entries.map(({ details }) => details['change'])).toEqual([
      'made',
      'no_show',
      'corrected',
      'corrected',
      'corrected',
    ]);
    expect(entries.slice(2).map(({ details }) => details['corrects'])).toEqual(
      entries.slice(1, 4).map(({ entryId }) => entryId),
    );
    await isAsTold(made['contactId']);
  });

  it.each([
    [{ correct: 'kept' }, 409],
    [{ correct: 'attended' }, 422],
    [{ correct: 'kept', outcome: 'kept' }, 422],
    [{ correct: 'no_show', valueCents: 1 }, 422],
  ])('that is to come cannot be corrected: %j', async (change, status) => {
    const made = bodyOf(await make({ inquiryId: await arrived(), at }));
    expect((await patch(made, change)).statusCode).toBe(status);
  });

  it('leaves an inquiry closed that was closed meanwhile, when it turns out to have been kept', async () => {
    const id = await arrived();
    const missed = bodyOf(await patch(bodyOf(await make({ inquiryId: id, at })), { outcome: 'no_show' }));
    const head = await pipeline.head(id);
    const closed = { stage: 'closed', closeReason: 'not_interested' } as const;
    await table.write(pipeline.inquiries.save({ ...head, ...closed, version: head.version + 1 }));

    await patch(missed, { correct: 'kept', valueCents: 10_000 });

    expect(await pipeline.head(id)).toMatchObject({ ...closed, visits: { kept: 1, cents: 10_000 } });
  });

  it.each([
    ['no_show', { made: 1, kept: 0, noShows: 1, cents: 0 }],
    ['cancelled', undefined],
  ])('that ended as %s has somebody call again', async (outcome, visits) => {
    const id = await arrived();
    const { assignedTo } = await pipeline.head(id);
    const made = bodyOf(await make({ inquiryId: id, at }));
    const open = async () => (await pipeline.routingStates.read()).load(String(assignedTo)).open;
    expect(await open()).toBe(0);
    pipeline.environment.set('2026-11-25T18:30:00.000Z');

    expect((await patch(made, { outcome })).statusCode).toBe(200);

    const head = await pipeline.head(id);
    expect(head).toMatchObject({ stage: 'contacted', assignedTo });
    expect(head.visits).toEqual(visits);
    // Wednesday 10:30 in the morning: the same day in the afternoon.
    expect(head.timers.followUp).toBe('2026-11-25T22:00:00.000Z');
    expect(await open()).toBe(1);
    await isAsTold(made['contactId']);
    expect(failures).toEqual([]);
  });

  it('that nobody came to leaves an inquiry booked that has another', async () => {
    const id = await arrived();
    const first = bodyOf(await make({ inquiryId: id, at }));
    await make({ inquiryId: id, at: '2026-12-02T18:00:00Z' });

    await patch(first, { outcome: 'no_show' });

    expect(await pipeline.head(id)).toMatchObject({
      stage: 'booked',
      visits: { made: 2, kept: 0, noShows: 1, cents: 0 },
    });
    await isAsTold(first['contactId']);
  });

  it('is moved while it is to come, and stands in the list of its location at its time', async () => {
    const made = bodyOf(await make({ inquiryId: await arrived(), at }));
    const moved = bodyOf(await patch(made, { at: '2026-11-26T18:00:00Z' }));
    const listOf = async (query: Record<string, string>) =>
      bodyOf(await call('GET /v1/appointments', { claims: callers.coordinator, query }))['items'];

    expect(moved).toMatchObject({ status: 'made', at: '2026-11-26T18:00:00.000Z' });
    expect(await listOf({})).toEqual([moved]);
    expect(await listOf({ until: '2026-11-26T17:00:00Z' })).toEqual([]);
    await patch(moved, { outcome: 'cancelled' });
    expect(await listOf({})).toEqual([]);
    await isAsTold(made['contactId']);
  });

  it('stands in pages, also where the first of them is past by the second', async () => {
    const { contactId } = await pipeline.head(await arrived());
    for (const when of ['2026-11-20T16:05:00Z', '2026-11-20T18:00:00Z']) await make({ contactId, at: when });
    const page = async (query: Record<string, string>) =>
      call('GET /v1/appointments', { claims: callers.coordinator, query: { limit: '1', ...query } });
    const cursor = String(bodyOf(await page({}))['cursor']);
    pipeline.environment.advance(hours(1));

    const second = await page({ cursor });

    expect(bodyOf(second)['items']).toMatchObject([{ at: '2026-11-20T18:00:00.000Z' }]);
    // Of another stretch of time it is no cursor.
    expect((await page({ cursor, until: '2026-11-20T16:00:00Z' })).statusCode).toBe(422);
    // Nor is one that was made to begin outside of its own: DynamoDB would take that for a fault.
    const { list, after } = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const made = JSON.stringify({ list, after: { ...after, queueSk: '2101-01-01T00:00:00.000Z' } });
    expect((await page({ cursor: Buffer.from(made).toString('base64url') })).statusCode).toBe(422);
    expect(failures).toEqual([]);
  });

  it('without an inquiry makes a patient of who kept it', async () => {
    const { contactId } = await pipeline.head(await arrived());
    const made = bodyOf(await make({ contactId, at, service: 'implant' }));
    expect(made).toMatchObject({ expectedCents: 450_000 });
    expect(await lifecycleOf(contactId)).toBe('lead');

    await patch(made, { outcome: 'kept', valueCents: 1 });

    expect(await lifecycleOf(contactId)).toBe('patient');
    await isAsTold(contactId);
  });

  it('that is settled, stale, of a closed inquiry or unknown is refused', async () => {
    const id = await arrived();
    const made = bodyOf(await make({ inquiryId: id, at }));
    const kept = bodyOf(await patch(made, { outcome: 'kept' }));

    expect((await patch(made, { at })).statusCode).toBe(412);
    expect((await patch(kept, { outcome: 'no_show' })).statusCode).toBe(409);
    expect((await patch(kept, { at })).statusCode).toBe(409);
    expect((await patch({ ...kept, id: `apt_${'Z'.repeat(26)}` }, { at })).statusCode).toBe(404);
    const closed = await arrived();
    await call('PATCH /v1/inquiries/{id}', {
      claims: callers.coordinator,
      pathParameters: { id: closed },
      body: JSON.stringify({ stage: 'closed', closeReason: 'not_interested' }),
      headers: { ...json, 'if-match': `"${(await pipeline.head(closed)).version}"` },
    });
    expect((await make({ inquiryId: closed, at })).statusCode).toBe(409);
    expect((await make({ inquiryId: `inq_${'Z'.repeat(26)}`, at })).statusCode).toBe(404);
  });

  it.each([
    [{ outcome: 'no_show', valueCents: 1 }, 'valueCents'],
    [{ outcome: 'kept', valueCents: 1.5 }, 'valueCents'],
    [{ outcome: 'kept', valueCents: -1 }, 'valueCents'],
    [{ outcome: 'came' }, 'outcome'],
    [{ at, outcome: 'kept' }, 'at'],
    [{ location: 'main-street' }, 'location'],
    [{}, 'outcome'],
  ])('cannot be changed by %j', async (change, field) => {
    const made = bodyOf(await make({ inquiryId: await arrived(), at }));

    const answer = await patch(made, change);

    expect(answer.statusCode).toBe(422);
    expect(bodyOf(answer)['errors']).toMatchObject([{ field }]);
  });
});

describe('what inquiries brought', () => {
  it('is counted by their source, on the day on which they came, once however often it is told', async () => {
    const id = await arrived();
    const states: Row[] = [];
    const { transact } = table;
    const headNow = () => table.rows().find(({ pk, sk }) => pk === `INQ#${id}` && sk === 'HEAD') as Row;
    states.push(headNow());
    table.transact = async (writes) => {
      const done = await transact(writes);
      if (done.committed) states.push(headNow());
      return done;
    };
    const made = bodyOf(await make({ inquiryId: id, at }));
    pipeline.environment.set('2026-11-25T18:30:00.000Z');
    const kept = bodyOf(await patch(made, { outcome: 'kept', valueCents: 52_000 }));
    await patch(kept, { valueCents: 48_500 });
    const changes = states.slice(1).map((after, i) => ({ before: states[i], after }));
    await countChanges(pipeline.dependencies, changes);
    await countChanges(pipeline.dependencies, changes);

    const summary = bodyOf(
      await call('GET /v1/reports/summary', {
        claims: callers.marketer,
        query: { from: '2026-11-20', to: '2026-11-20' },
      }),
    );

    expect(summary).toMatchObject({
      valueCents: 48_500,
      results: { website: { booked: 1, kept: 1, noShows: 0, valueCents: 48_500 } },
    });
  });
});

describe('whatever becomes of the appointments of an inquiry', () => {
  const change = fc.oneof(
    fc.constantFrom('2026-12-01T18:00:00.000Z', '2026-12-02T18:00:00.000Z').map((when) => ({ at: when })),
    fc.record({ outcome: fc.constantFrom(...outcomes) }),
    fc.record({ outcome: fc.constant('kept' as const), valueCents: fc.nat(100_000) }),
    fc.record({ valueCents: fc.nat(100_000) }),
    fc.record({ correct: fc.constantFrom('made' as const, ...outcomes) }),
    fc.record({ correct: fc.constant('kept' as const), valueCents: fc.nat(100_000) }),
  ) as fc.Arbitrary<AppointmentChange>;

  it('its visits are those that its appointments tell, and money is only of what was kept', () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 4 }), (each) => {
        let visits: Visits | undefined;
        const left: Appointment[] = each.map((changes, i) => {
          let one = newAppointment(
            {
              id: `apt_${i}`,
              contactId: 'con_1',
              locationId: 'main-street',
              at,
              madeBy: 'ana',
            },
            new Date(at),
          );
          visits = visitsAfter(visits, undefined, one);
          for (const wanted of changes) {
            const next = changeAppointment(one, wanted);
            if (!next) continue;
            visits = visitsAfter(visits, one, next);
            one = next;
          }
          return one;
        });
        const n = (holds: (one: Appointment) => boolean) => left.filter(holds).length;
        const told = {
          made: n(({ status }) => status !== 'cancelled'),
          kept: n(({ status }) => status === 'kept'),
          noShows: n(({ status }) => status === 'no_show'),
          cents: left.reduce((sum, { actualCents = 0 }) => sum + actualCents, 0),
        };
        expect(visits ?? { made: 0, kept: 0, noShows: 0, cents: 0 }).toEqual(told);
        for (const { status, actualCents } of left)
          if (actualCents !== undefined) expect(status).toBe('kept');
      }),
    );
  });
});
