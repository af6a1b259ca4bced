/** The way of an inquiry on DynamoDB's own engine, with two writers at every condition. */
import { beforeEach, describe, expect, it } from 'vitest';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import { listInquiries } from '../../functions/api/list-inquiries.ts';
import { readTimeline } from '../../functions/api/read-timeline.ts';
import { sendTogether } from '../../functions/notify/send-mail.ts';
import { countChanges } from '../../functions/report/count-change.ts';
import { RotationBusy } from '../../functions/route/dependencies.ts';
import { contactPk, inquiryHead, memberLoad } from '../../shared/data/keys.ts';
import { queryAll, type Row, type Table } from '../../shared/data/table.ts';
import { freshTable } from '../support/dynamodb.ts';
import {
  coordinators,
  createPipeline,
  digest,
  enable,
  hours,
  type incoming,
  minutes,
  smallPractice,
} from '../support/fixtures.ts';

let table: Table;
let pipeline: ReturnType<typeof createPipeline>;
beforeEach(async () => {
  ({ table } = await freshTable());
  pipeline = createPipeline(table);
});

/** Two writers in the same moment. */
const both = <T>(work: () => Promise<T>): Promise<[T, T]> => Promise.all([work(), work()]);
const headOf = async (id: string): Promise<Row> =>
  (await table.get(inquiryHead(id), { consistent: true })) as Row;
const dueOf = async (id: string) => String((await headOf(id))['dueSk']);
const pending = async (change: Parameters<typeof incoming>[0] = {}): Promise<string> => {
  const id = await pipeline.captured(change);
  await pipeline.score(id);
  await pipeline.route(id);
  return id;
};

it('an inquiry goes from its post to its mail', async () => {
  const id = await pipeline.captured();
  expect(await dueOf(id)).toBe(`2026-11-20T16:01:00.000Z#${id}`);

  await pipeline.drain();

  const record = await pipeline.inquiries.find(id);
  expect(record?.head).toMatchObject({
    version: 4,
    progress: 'notified',
    assignedTo: 'ana',
    mailState: 'sent',
  });
  expect(record?.head.receipt?.candidates).toHaveLength(5);
  expect(record?.score?.total).toBe(54);
  expect(await dueOf(id)).toBe(`2026-11-20T17:30:00.000Z#${id}`);
  expect(pipeline.mailer.sent.map(({ to }) => to)).toEqual([['ana@bayview.example']]);
});

const by = (memberId: string) => ({ memberId, practice: smallPractice });

describe('two writers', () => {
  it('of one request make one inquiry', async () => {
    const identity = { key: 'form k', content: 'body' };

    const answers = await both(() => pipeline.capture({}, identity));

    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['captured', 'repeated']);
    expect(new Set(answers.map((answer) => 'id' in answer && answer.id)).size).toBe(1);
    expect(await pipeline.capture({}, { ...identity, content: 'other' })).toMatchObject({
      outcome: 'conflict',
    });
  });

  it.each([
    ['with a name', {}],
    ['without one', { name: undefined, email: undefined }],
  ])('of the first inquiries of a person, %s, make one person', async (_, change) => {
    const ids = await both(() => pipeline.captured(change));

    const [a, b] = await Promise.all(ids.map(headOf));
    expect(a?.['contactId']).toBe(b?.['contactId']);
    expect(await queryAll(table, { pk: contactPk(String(a?.['contactId'])), consistent: true })).toHaveLength(
      1,
    );
  });

  it('who name one caller make two people, one of them the caller', async () => {
    const first = await headOf(await pipeline.captured({ name: undefined, email: undefined }));

    const ids = await Promise.all(
      ['Maria', 'Pedro'].map((name) => pipeline.captured({ name, email: undefined })),
    );

    const people = (await Promise.all(ids.map(headOf))).map((head) => head['contactId']);
    expect(new Set(people).size).toBe(2);
    expect(people).toContain(first['contactId']);
    // Two who have names, and the mark that whoever was there without one has one now.
    const behind = await queryAll(table, { pk: `PT#${digest('phone', '+16505550188')}` });
    expect(behind.map((row) => row['named'] === true)).toEqual([true, false, false]);
  });

  it('of one score store it once', async () => {
    const id = await pipeline.captured();

    const outcomes = await both(() => pipeline.score(id));

    // The other one lost the race, or came too late for one.
    expect(outcomes.filter((outcome) => outcome === 'scored')).toHaveLength(1);
    expect((await pipeline.inquiries.find(id))?.score?.total).toBe(54);
    const { contactId } = await pipeline.head(id);
    const other = pipeline.inquiries.saveScore(
      {
        inquiryId: id,
        contactId,
        number: 1,
        score: { total: 0, tier: 'C', modelVersion: 'x', parts: [] },
        decision: { respondWithinMinutes: 1, clock: 'tier C' },
      },
      pipeline.environment.now(),
    );
    expect(await table.write(other)).toMatchObject({ committed: false });
  });

  it('of one routing assign once', async () => {
    const id = await pipeline.captured();
    await pipeline.score(id);

    expect((await both(() => pipeline.route(id))).toSorted()).toEqual(['route_not_due', 'routed']);
    expect(pipeline.queues.mail.sent).toHaveLength(1);
    expect((await pipeline.routingStates.read()).load('ana')).toMatchObject({ open: 1, version: 1 });
  });

  it('on one rotation, for many inquiries, stay fair', async () => {
    const ids = await Promise.all(Array.from({ length: 25 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    await Promise.all(ids.map(pipeline.score));
    const left = [...ids, ...ids];
    const work = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        await pipeline.route(id).catch((error: unknown) => {
          if (!(error instanceof RotationBusy)) throw error;
          left.push(String(id));
        });
      }
    };

    await both(work);

    const assigned = (await Promise.all(ids.map(headOf))).map((head) => head['assignedTo']);
    expect(coordinators.map((member) => assigned.filter((other) => other === member).length)).toEqual([
      5, 5, 5, 5, 5,
    ]);
    const states = await pipeline.routingStates.read();
    expect(coordinators.map((member) => states.load(member).open)).toEqual([5, 5, 5, 5, 5]);
    expect(pipeline.queues.mail.sent).toHaveLength(25);
  });

  it('of a routing and a disabling never give an inquiry to somebody known to be gone', async () => {
    const id = await pipeline.captured();
    await pipeline.score(id);

    await Promise.all([
      table.write({ update: memberLoad('ana'), set: { disabled: true }, add: { version: 1 } }),
      pipeline.route(id),
    ]);

    const head = await headOf(id);
    const load = (await pipeline.routingStates.read()).load('ana');
    // Either the disabling came first and somebody else has it, or it came after and keeps the count.
    expect([head['assignedTo'], load.open, load.disabled]).toEqual(
      head['assignedTo'] === 'ana' ? ['ana', 1, true] : ['ben', 0, true],
    );
  });

  it('of one mail send it once', async () => {
    const id = await pending();

    expect((await both(() => pipeline.notify(id))).toSorted()).toEqual(['mail_not_due', 'mailed']);
    expect(pipeline.mailer.sent).toHaveLength(1);
  });

  it('of one mail whose sender crashed take it over once', async () => {
    const id = await pending();
    await pipeline.inquiries.claimMail(id, pipeline.environment.now(), minutes(1.5));
    expect(await both(() => pipeline.notify(id))).toEqual(['mail_not_due', 'mail_not_due']);
    pipeline.environment.advance(minutes(1.5));

    expect((await both(() => pipeline.notify(id))).toSorted()).toEqual(['mail_not_due', 'mailed']);
  });

  it('of a stage and a mail keep both', async () => {
    const id = await pending();
    pipeline.mailer.onSend = async () => {
      const { version } = await pipeline.head(id);
      await changeInquiry(pipeline, id, version, { stage: 'contacted' }, by('ana'));
    };

    await pipeline.notify(id);

    expect(await headOf(id)).toMatchObject({
      stage: 'contacted',
      progress: 'notified',
      mailState: 'sent',
      boardPk: 'STAGE#contacted',
      dueSk: `2026-11-22T16:00:00.000Z#${id}`,
    });
  });

  it('of one version change it once', async () => {
    const id = await pipeline.mailed();

    const results = await Promise.allSettled([
      changeInquiry(pipeline, id, 4, { stage: 'closed', closeReason: 'spam' }, by('ana')),
      changeInquiry(pipeline, id, 4, { stage: 'booked' }, by('ben')),
    ]);

    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'precondition_failed' },
    });
    expect((await pipeline.routingStates.read()).load('ana').open).toBe(0);
    const head = await headOf(id);
    for (const attribute of ['duePk', 'dueSk', 'queuePk', 'queueSk'])
      expect(head).not.toHaveProperty(attribute);
  });

  it('of one sweep claim each entry once, and bring all that was lost to its mail', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    pipeline.queues.score.take();
    pipeline.environment.advance(minutes(1));

    const swept = await both(() => pipeline.sweep());

    expect(swept[0].score + swept[1].score).toBe(20);
    expect(pipeline.queues.score.sent).toHaveLength(20);
    await pipeline.drain();
    const progresses = (await Promise.all(ids.map(headOf))).map((head) => head['progress']);
    expect(new Set(progresses)).toEqual(new Set(['notified']));
    expect(pipeline.mailer.sent).toHaveLength(20);
  });

  it('of one change count it once', async () => {
    const after = { ...(await headOf(await pipeline.captured())), progress: 'routed' };
    const changes = [{ before: undefined, after }];

    const outcomes = await both(() => countChanges(pipeline.dependencies, changes));

    expect(outcomes.flat().toSorted()).toEqual(['counted', 'counted_before']);
    expect(await pipeline.rollups.days('main-street', '2026-11-20', '2026-11-20')).toEqual([
      { date: '2026-11-20', counts: { inquiries: 1, 'source:website': 1, 'stage:new': 1 } },
    ]);
  });

  it('of batches of mails that overlap send each once', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    for (const id of ids) {
      await pipeline.score(id);
      await pipeline.route(id);
    }
    const batch = ids.map((inquiryId) => ({ kind: 'inquiry' as const, inquiryId, version: 1 }));

    const outcomes = await Promise.all(
      [batch, batch.toReversed(), batch.slice(2)].map((each) => sendTogether(pipeline.dependencies, each)),
    );

    expect(outcomes.flat().filter((outcome) => outcome === 'mailed')).toHaveLength(6);
    expect(new Set(outcomes.flat())).toEqual(new Set(['mailed', 'mail_not_due']));
    expect(pipeline.mailer.sent).toHaveLength(6);
    for (const id of ids) {
      expect(await headOf(id)).toMatchObject({ progress: 'notified', mailState: 'sent' });
    }
  });

  it('of batches that overlap count each change once', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => pipeline.captured({ name: `P${i}` })));
    const arrived = await Promise.all(ids.map(headOf));
    await pipeline.drain();
    const mailed = await Promise.all(ids.map(headOf));
    const changes = [
      ...arrived.map((after) => ({ before: undefined, after })),
      ...mailed.map((after, i) => ({ before: arrived[i], after })),
    ];

    await Promise.all(
      [changes, changes.slice(0, 25), changes.slice(15)].map(async (batch) => {
        // As the stream does: what stayed busy comes again.
        for (let again = true; again; ) {
          const outcomes = await countChanges(pipeline.dependencies, batch);
          again = outcomes.some((outcome) => outcome instanceof Error);
        }
      }),
    );

    expect(await pipeline.rollups.days('main-street', '2026-11-20', '2026-11-20')).toEqual([
      {
        date: '2026-11-20',
        counts: { inquiries: 20, 'source:website': 20, 'stage:new': 20, 'tier:B': 20 },
      },
    ]);
  });
});

it('what waits for somebody is in its pool, on the clock, and goes to who comes first', async () => {
  pipeline.change(enable(false, ...coordinators));
  const id = await pipeline.mailed();
  expect(await headOf(id)).toMatchObject({ progress: 'waiting', queuePk: 'POOL#skin' });

  pipeline.change(enable(true, 'elena'));
  pipeline.environment.advance(minutes(1));
  await pipeline.sweep();
  await pipeline.drain();

  expect(await headOf(id)).toMatchObject({ progress: 'notified', queuePk: 'MEMBER#elena' });
});

it('what cannot be read is put off, and the sweep goes on', async () => {
  const broken = await pipeline.captured();
  const fine = await pipeline.captured({ name: 'Pedro' });
  pipeline.queues.score.take();
  await table.write({ update: inquiryHead(broken), set: { stage: 'nonsense' } });
  pipeline.environment.advance(minutes(1));

  expect(await pipeline.sweep()).toMatchObject({ score: 1, broken: 1 });

  expect(pipeline.queues.score.sent.map(({ inquiryId }) => inquiryId)).toEqual([fine]);
  expect(await dueOf(broken)).toMatch(/^2026-11-20T17:01/);
});

it('lists page through without loss, and a timeline has all that happened', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 11; i++) {
    ids.push(await pipeline.mailed({ name: `P${i}`, email: `p${i}@example.com` }));
    pipeline.environment.advance(hours(1));
  }
  await changeInquiry(pipeline, String(ids[4]), 4, { stage: 'contacted' }, by('ana'));

  for (const filter of [{}, { stage: 'new' as const }, { assignee: 'ana' }]) {
    const listed: string[] = [];
    let after: Record<string, unknown> | undefined;
    do {
      const page = await listInquiries(pipeline, filter, 3, after);
      listed.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    const wanted = {
      '{}': ids.toReversed(),
      '{"stage":"new"}': ids.filter((id) => id !== ids[4]).toReversed(),
      '{"assignee":"ana"}': ids.filter((_, i) => i % 5 === 0),
    }[JSON.stringify(filter)];
    expect(listed).toEqual(wanted);
  }

  const { contactId } = await pipeline.head(String(ids[4]));
  const { items } = await readTimeline(pipeline, contactId, 25, undefined);
  expect(items.map(({ kind }) => kind).toSorted()).toEqual([
    'captured',
    'mailed',
    'routed',
    'scored',
    'stage_changed',
  ]);
});
