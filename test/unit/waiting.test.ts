/** What waits for somebody: nobody who can take it is overlooked, however they come to be able to, and nobody is asked for nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handleMessage } from '../../functions/route/handle-message.ts';
import { inquirySk } from '../../shared/data/keys.ts';
import type { Member, Practice } from '../../shared/domain/practice.ts';
import { weekdays } from '../../shared/domain/weekdays.ts';
import { absenceOf, dateOfMember } from '../../simulation/duty.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createWorld } from '../../simulation/world.ts';
import {
  coordinators,
  createPipeline,
  enable,
  friday,
  hours,
  minutes,
  smallPractice,
} from '../support/fixtures.ts';
import { callers, createStaff } from '../support/staff.ts';

const minuteMs = minutes(1);
type Pipeline = ReturnType<typeof createPipeline>;
type Table = ReturnType<typeof createMemoryTable>;

const spanish = { name: 'X', phone: '+16505550100', language: 'es', message: 'hola' };
/** Copies of an inquiry, as many and in the order of their numbers, that wait beside it. */
async function multiply(table: Table, id: string, n: number): Promise<string[]> {
  const others = Array.from({ length: n }, (_, i) => `inq_9${String(i).padStart(25, '0')}`);
  for (const row of table.rows().filter(({ pk }) => pk === `INQ#${id}`)) {
    for (const other of others)
      await table.write({ put: JSON.parse(JSON.stringify(row).replaceAll(id, other)) });
  }
  const pool = { pk: 'ROUTING', sk: 'POOL#skin' };
  await table.write({ update: pool, add: { waiting: n, news: 1 }, set: { lookedWith: undefined } });
  return others;
}

describe('a queue of more than one run', () => {
  /** Runs until nothing is asked for any more; how many there were. */
  async function run({ dependencies, queues }: Pipeline): Promise<string[]> {
    const outcomes: string[] = [];
    queues.route.sent.push({ kind: 'pool', poolId: 'skin' });
    for (let next = queues.route.sent.shift(); next; next = queues.route.sent.shift())
      outcomes.push(await handleMessage(dependencies, next));
    return outcomes;
  }

  it('is handed out to its end, in runs that each go on where the one before ended', async () => {
    const { pipeline, table } = createStaff();
    pipeline.change(enable(false, ...coordinators));
    const id = await pipeline.captured();
    await pipeline.drain();
    const ids = [id, ...(await multiply(table, id, 2_100))];
    pipeline.change(enable(true, ...coordinators));

    expect(await run(pipeline)).toEqual(['route_to_be_continued', 'route_to_be_continued', 'pool_drained']);

    const heads = await Promise.all(ids.map(pipeline.head));
    expect(heads.filter(({ progress }) => progress !== 'routed')).toEqual([]);
    expect((await pipeline.routingStates.read()).rotation('skin').waiting).toBe(0);
  }, 60_000);

  it('of which nobody can take anything is gone through once, and what lies at its end is found', async () => {
    const { pipeline, table } = createStaff();
    pipeline.change((practice) => {
      for (const member of practice.members) member.languages = ['en'];
    });
    const id = await pipeline.captured({ language: 'es', fields: spanish });
    await pipeline.drain();
    await multiply(table, id, 1_100);
    // Last of all, by its deadline: nobody of the pool can take it yet.
    pipeline.change(enable(false, ...coordinators));
    const last = await pipeline.captured({
      name: 'Last',
      language: 'en',
      fields: { ...spanish, language: 'en' },
    });
    pipeline.environment.advance(1);
    await pipeline.drain();
    await table.write({
      update: { pk: `INQ#${last}`, sk: inquirySk.head },
      set: { queueSk: `2099-01-01#${last}`, respondBy: '2099-01-01T00:00:00.000Z' },
    });
    pipeline.change(enable(true, 'dev'));

    expect(await run(pipeline)).toEqual(['route_to_be_continued', 'pool_drained']);
    expect(await pipeline.head(last)).toMatchObject({ assignedTo: 'dev' });

    // Nobody is asked for nothing, and what comes new is given at once.
    expect(await run(pipeline)).toHaveLength(2);
    expect(await pipeline.sweep()).toMatchObject({ pools: 0 });
    let queries = 0;
    const query = table.query;
    table.query = (wanted) => {
      if (wanted.index === 'queue') queries++;
      return query(wanted);
    };
    const newer = await pipeline.captured({
      name: 'New',
      fields: { ...spanish, language: 'en' },
      language: 'en',
    });
    await pipeline.drain();
    expect(await pipeline.head(newer)).toMatchObject({ assignedTo: 'dev' });
    expect(queries).toBe(0);
  }, 60_000);
});

const quarters = fc.uniqueArray(fc.integer({ min: 0, max: 96 }), { minLength: 2, maxLength: 4 });
const clock = (quarter: number): string =>
  `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`;
const blocks = quarters.map((all) => {
  const [a = 0, b = 1, ...rest] = all.toSorted((x, y) => x - y);
  const second = rest.length === 2 ? [{ open: clock(rest[0] ?? 0), close: clock(rest[1] ?? 1) }] : [];
  return [{ open: clock(a), close: clock(b) }, ...second];
});
const zone = fc.constantFrom(
  'America/Chicago',
  'America/Los_Angeles',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Asia/Kolkata',
);
/** Among them the nights on which one or the other of the zones sets its clocks. */
const beginning = fc
  .tuple(
    fc.constantFrom(
      '2026-03-07',
      '2026-03-08',
      '2026-04-04',
      '2026-04-24',
      '2026-10-03',
      '2026-10-29',
      '2026-10-31',
    ),
    fc.integer({ min: 0, max: 23 }),
  )
  .map(([date, hour]) => new Date(`${date}T${String(hour).padStart(2, '0')}:07:31.000Z`));

it('is handed out by the first sweep after a shift begins, a leave ends or a new day comes, whatever the clocks do', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        start: beginning,
        timeZone: zone,
        shifts: fc.record(Object.fromEntries(weekdays.map((day) => [day, blocks])), {
          requiredKeys: ['sunday', 'tuesday'],
        }),
        leave: fc.option(fc.integer({ min: 1, max: 1_800 })),
        isFull: fc.boolean(),
      }),
      async ({ start, timeZone, shifts, leave, isFull }) => {
        const table = createMemoryTable();
        const pipeline = createPipeline(table);
        pipeline.environment.set(start);
        const away = (ms: number) => dateTimeIn(timeZone, new Date(start.getTime() + ms));
        pipeline.change((practice) => {
          for (const member of practice.members) member.enabled = member.id === 'ana';
          for (const member of practice.members) {
            if (member.id !== 'ana') continue;
            Object.assign(member, { timeZone, shifts, caps: { perDay: 1 } });
            if (leave !== null) member.leave = [{ from: away(-minutes(5)), to: away(minutes(leave)) }];
          }
        });
        const ana = pipeline.state.practice.members.find(({ id }) => id === 'ana') as Member;
        const dateAt = (at: Date) => dateOfMember(ana, pipeline.state.practice, at);
        // As many as she may get today she has.
        if (isFull)
          await table.write({
            put: {
              pk: 'ROUTING',
              sk: 'MEMBER#ana',
              version: 1,
              day: dateAt(start),
              today: 1,
              open: 0,
              uncalled: 0,
            },
          });
        const canTake = (at: Date): boolean =>
          absenceOf(ana, pipeline.state.practice, at) === undefined &&
          !(isFull && dateAt(at) === dateAt(start));
        const id = await pipeline.captured();
        await pipeline.drain();
        if (canTake(start)) {
          expect((await pipeline.head(id)).assignedTo).toBe('ana');
          return;
        }

        let at = Math.ceil(start.getTime() / minuteMs) * minuteMs;
        for (; !canTake(new Date(at)); at += minuteMs) {
          if ((at / minuteMs) % 97 !== 0) continue;
          pipeline.environment.set(new Date(at));
          await pipeline.sweep();
          await pipeline.drain();
          expect((await pipeline.head(id)).progress).toBe('waiting');
        }
        pipeline.environment.set(new Date(at));
        await pipeline.sweep();
        await pipeline.drain();
        expect((await pipeline.head(id)).assignedTo).toBe('ana');
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

/** As a wall clock of a zone shows it, as leave is written. */
function dateTimeIn(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  }).format(at);
  return parts.replace(' ', 'T');
}

it('is handed out within 5 s of a change of the configuration, through the stream and the queues', async () => {
  const world = await createWorld({
    seed: 5,
    practice: structuredClone(smallPractice),
    from: friday,
  });
  const set = (enabled: boolean) => world.change('mia', enable(enabled, ...coordinators));
  await set(false);
  await world.runUntil(new Date(friday.getTime() + minuteMs));
  const count = 150;
  for (let i = 0; i < count; i++) {
    const fields = {
      name: `Person ${i}`,
      email: `p${i}@example.com`,
      service: 'acne',
      message: 'hello',
      idempotencyKey: `form-${i}`,
    };
    world.agenda.at(world.agenda.nowMs() + i * 20, async () => {
      await world.fromOutside('POST /v1/inquiries', {
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
        body: new URLSearchParams(fields).toString(),
      });
    });
  }
  await world.runUntil(new Date(friday.getTime() + minutes(4)));
  const waiting = () =>
    world.table.rows().filter(({ sk, progress }) => sk === inquirySk.head && progress === 'waiting').length;
  expect(waiting()).toBe(count);

  await set(true);
  await world.runUntil(new Date(world.agenda.nowMs() + 5_000));

  expect(waiting()).toBe(0);
  expect(world.troubles).toEqual([]);
}, 120_000);

/** Everything that staff, people, rules and the ladder do to inquiries, and the configuration to members. */
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('arrive' as const), language: fc.constantFrom('en', 'en', 'es') }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...([
          'close',
          'close',
          'voicemail',
          'not_interested',
          'hand',
          'return',
          'call',
          'snooze',
          'reopen',
        ] as const),
      ),
      which: fc.nat(20),
      to: fc.constantFrom('ana', 'ben'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 200 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['disable', 'enable', 'teach'] as const)),
      who: fc.constantFrom('ana', 'ben'),
    }),
  },
);

type Happening = {
  readonly one: typeof operation extends fc.Arbitrary<infer Value> ? Value : never;
  readonly isLost: boolean;
  readonly isSwept: boolean;
};
const so = { isLost: false, isSwept: false };
/** Histories after which somebody waited in vain. */
const onceInVain: Happening[][] = [
  // Who is reassigned from in a sweep has room after that sweep has looked.
  [
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'pass', minutes: 1 } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'pass', minutes: 28 }, isSwept: true },
    { ...so, one: { do: 'pass', minutes: 89 }, isSwept: true },
    { ...so, one: { do: 'arrive', language: 'es' }, isSwept: true },
  ],
  // Somebody was on the phone about it while others of the queue were looked at.
  [
    { ...so, one: { do: 'arrive', language: 'es' } },
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'arrive', language: 'es' } },
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'close', which: 7, to: 'ana' } },
    { ...so, one: { do: 'disable', who: 'ben' } },
    { ...so, one: { do: 'arrive', language: 'en' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'close', which: 3, to: 'ana' } },
    { ...so, one: { do: 'close', which: 3, to: 'ana' }, isLost: true },
    { ...so, one: { do: 'call', which: 17, to: 'ana' }, isSwept: true },
    { ...so, one: { do: 'pass', minutes: 118 } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'close', which: 0, to: 'ana' } },
    { ...so, one: { do: 'close', which: 6, to: 'ana' }, isSwept: true },
  ],
];

it('nobody waits for more than a minute while somebody has room, whatever happened, with messages lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ one: operation, isLost: fc.boolean(), isSwept: fc.boolean() }), {
        minLength: 10,
        maxLength: 50,
      }),
      async (operations) => {
        const practice: Practice = structuredClone(smallPractice);
        for (const member of practice.members) {
          if (!member.id.startsWith('m')) Object.assign(member, { caps: { open: 1 }, languages: ['en'] });
          if (member.id === 'ben') member.languages = ['en', 'es'];
          member.enabled = ['ana', 'ben', 'mia'].includes(member.id);
        }
        practice.rules = [
          {
            id: 'gone',
            name: 'Gone',
            enabled: true,
            on: ['disposition'],
            when: { field: 'disposition', operator: 'is', value: 'voicemail' },
            actions: [{ do: 'set_stage', stage: 'closed', closeReason: 'no_response' }],
          },
        ] as Practice['rules'];
        const staff = createStaff(practice);
        const { pipeline, call } = staff;
        const ids: string[] = [];
        const json = { 'content-type': 'application/json' };
        const change = async (id: string, wanted: object): Promise<void> => {
          const { version } = await pipeline.head(id);
          await call('PATCH /v1/inquiries/{id}', {
            pathParameters: { id },
            claims: callers.manager,
            body: JSON.stringify(wanted),
            headers: { ...json, 'if-match': `"${version}"` },
          });
        };
        const record = async (id: string, disposition: string): Promise<void> => {
          const { contactId } = await pipeline.head(id);
          await call('POST /v1/contacts/{id}/entries', {
            pathParameters: { id: contactId },
            claims: callers.manager,
            headers: json,
            body: JSON.stringify({ kind: 'call', disposition, inquiryId: id }),
          });
        };
        async function act(one: (typeof operations)[number]['one']): Promise<void> {
          if (one.do === 'arrive') {
            const n = ids.length;
            const language = one.language;
            ids.push(
              await pipeline.captured({
                name: `P${n}`,
                email: `p${n}@example.com`,
                language,
                fields: { name: `P${n}`, message: 'hi', language },
              }),
            );
          } else if ('minutes' in one) pipeline.environment.advance(minutes(one.minutes));
          else if ('who' in one) {
            const { who } = one;
            pipeline.change((all) => {
              for (const member of all.members) {
                if (member.id !== who) continue;
                if (one.do === 'teach') member.languages = ['en', 'es'];
                else member.enabled = one.do === 'enable';
              }
            });
            pipeline.queues.route.sent.push({ kind: 'configuration_changed', version: 2 });
          } else {
            const heads = await Promise.all(ids.map(pipeline.head));
            // What somebody has is what somebody closes, most of the time.
            const had = heads.filter(
              ({ stage, assignedTo }) => stage !== 'closed' && assignedTo !== undefined,
            );
            const from = had.length > 0 && one.do !== 'reopen' && one.which > 2 ? had : heads;
            const id = from[one.which % Math.max(1, from.length)]?.id;
            if (id === undefined) return;
            if (one.do === 'close') await change(id, { stage: 'closed', closeReason: 'duplicate' });
            else if (one.do === 'reopen') await change(id, { stage: 'contacted' });
            else if (one.do === 'hand') await change(id, { assignTo: one.to });
            else if (one.do === 'return') await change(id, { returnToPool: 'skin' });
            else if (one.do === 'call') await change(id, { calling: true });
            else if (one.do === 'snooze') await change(id, { snoozeUntil: soon() });
            else await record(id, one.do);
          }
        }
        const soon = () => new Date(pipeline.environment.now().getTime() + hours(3)).toISOString();

        for (const { one, isLost, isSwept } of operations) {
          await act(one);
          // A message about room for more may never come. What the configuration changed is told until it is heard.
          if (isLost && !('who' in one))
            for (let i = pipeline.queues.route.sent.length - 1; i >= 0; i--)
              if ('poolId' in (pipeline.queues.route.sent[i] ?? {})) pipeline.queues.route.sent.splice(i, 1);
          await pipeline.drain();
          if (!isSwept) continue;
          pipeline.environment.advance(minuteMs);
          await pipeline.sweep();
          await pipeline.drain();
          await nobodyWaitsInVain(pipeline, ids);
        }
        expect(staff.failures).toEqual([]);
      },
    ),
    { numRuns: 40, examples: onceInVain.map((operations) => [operations]) },
  );
}, 120_000);

/** By what each inquiry itself says, not by what is counted of them. */
async function nobodyWaitsInVain(pipeline: Pipeline, ids: readonly string[]): Promise<void> {
  const { practice } = pipeline.state;
  const now = pipeline.environment.now();
  const heads = await Promise.all(ids.map(pipeline.head));
  const records = await pipeline.inquiries.findMany(ids, { body: true });
  const languageOf = new Map(records.map(({ head, body }) => [head.id, body?.fields['language']]));
  for (const head of heads) {
    if (head.progress !== 'waiting' || ['closed', 'booked'].includes(head.stage)) continue;
    if (head.calling && head.calling.until > now.toISOString()) continue;
    const states = await pipeline.routingStates.read();
    const able = practice.members.filter((member) => {
      const open = heads.filter(
        ({ assignedTo, stage }) => assignedTo === member.id && !['closed', 'booked'].includes(stage),
      );
      const { day, today } = states.load(member.id);
      const date = dateOfMember(member, practice, now);
      return (
        practice.pools.find(({ id }) => id === head.poolId)?.members.some(({ id }) => id === member.id) &&
        member.enabled &&
        open.length < (member.caps?.open ?? 99) &&
        (day !== date || today < (member.caps?.perDay ?? 99)) &&
        (member.languages?.includes(String(languageOf.get(head.id))) ?? true)
      );
    });
    expect([head.id, able.map(({ id }) => id)]).toEqual([head.id, []]);
  }
}
