/** What triage, rules and red flags change, on DynamoDB's own engine, with two writers at every condition. */
import { beforeEach, describe, expect, it } from 'vitest';
import { sendMail } from '../../functions/notify/send-mail.ts';
import { contactPk, inquiryHead, inquiryPk } from '../../shared/data/keys.ts';
import { queryAll, type Row, type Table } from '../../shared/data/table.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, digest, hours } from '../support/fixtures.ts';

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

describe('two writers of what triage changes', () => {
  const rule = (id: string, change: object) => ruleSchema.parse({ id, name: id, ...change });
  const phoneless = { phone: undefined, fields: { name: 'Maria Lopez', email: 'maria@example.com' } };
  const addPhone = async (id: string): Promise<void> => {
    const { contactId } = await pipeline.head(id);
    const value = '+16505550199';
    const point = { kind: 'phone' as const, value, digest: digest('phone', value) };
    await table.write(pipeline.contacts.addPoint(contactId, point, pipeline.environment.now()));
  };
  const rowsOf = (id: string) => queryAll(table, { pk: inquiryPk(id), consistent: true });
  const scoresOf = async (id: string) => (await rowsOf(id)).filter(({ sk }) => sk.startsWith('SCORE#'));
  /** A change of stage that is tried until it is done, as staff would. */
  const setStage = async (id: string, to: 'contacted' | 'closed'): Promise<void> => {
    for (;;) {
      const head = await pipeline.head(id);
      const now = pipeline.environment.now();
      const listening = listeningFor(pipeline.state.practice, head, now, 'stage_change');
      const change = changeStage(head, to, to === 'closed' ? 'spam' : undefined, now, listening);
      if (change.outcome !== 'changed') throw new Error(`not to ${to}`);
      if ((await table.write(pipeline.inquiries.save(change.next))).committed) return;
    }
  };

  it('a new score and a stage keep both, and the clock of nobody who was called moves', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        pipeline.mailed({ ...phoneless, name: `P${i}`, email: `p${i}@example.com` }),
      ),
    );
    await Promise.all(ids.map(addPhone));

    const outcomes = await Promise.all(
      ids.map(async (id) => (await Promise.all([pipeline.score(id), setStage(id, 'contacted')]))[0]),
    );

    expect(new Set(outcomes)).toEqual(new Set(['rescored']));
    for (const id of ids) {
      const head = await headOf(id);
      expect(await scoresOf(id)).toHaveLength(2);
      expect(head).toMatchObject({ stage: 'contacted', score: 52, boardPk: 'STAGE#contacted' });
      expect(head['timers']).not.toHaveProperty('respond');
    }
  });

  it('of one new score store it once, and never one of an inquiry that was closed meanwhile', async () => {
    const [id, closed] = [
      await pipeline.mailed(phoneless),
      await pipeline.mailed({ ...phoneless, name: 'Pedro', email: 'pedro@example.com' }),
    ];
    await Promise.all([addPhone(id), addPhone(closed)]);

    expect((await both(() => pipeline.score(id))).toSorted()).toEqual(['rescored', 'score_not_due']);
    await setStage(closed, 'closed');
    expect(await both(() => pipeline.score(closed))).toEqual(['score_not_due', 'score_not_due']);

    expect([(await scoresOf(id)).length, (await scoresOf(closed)).length]).toEqual([2, 1]);
    expect((await pipeline.inquiries.find(id))?.score?.total).toBe(52);
  });

  it('of the rules of one trigger apply them once, with one entry', async () => {
    pipeline.change((practice) => {
      practice.rules = [
        rule('moved', {
          on: ['stage_change'],
          actions: [{ do: 'lower_tier' }, { do: 'tag', tag: 'moved' }, { do: 'set_stage', stage: 'closed' }],
        }),
      ];
    });
    const id = await pipeline.mailed();
    await setStage(id, 'contacted');

    expect((await both(() => pipeline.score(id))).toSorted()).toEqual(['rules_applied', 'score_not_due']);

    const head = await pipeline.head(id);
    expect(head).toMatchObject({ stage: 'closed', tier: 'C' });
    const rows = await queryAll(table, { pk: contactPk(head.contactId), consistent: true });
    expect(rows.filter(({ kind }) => kind === 'rules_applied')).toHaveLength(1);
    expect(rows.find(({ sk }) => sk === 'PROFILE')).toMatchObject({ tags: ['moved'] });
    expect((await pipeline.routingStates.read()).load('ana').open).toBe(0);
  });

  it('of spam set it aside once', async () => {
    pipeline.change((practice) => {
      practice.rules = [rule('junk', { actions: [{ do: 'mark_spam' }] })];
    });
    const id = await pipeline.captured();

    const outcomes = await both(() => pipeline.score(id));

    expect(outcomes.filter((outcome) => outcome === 'scored_as_spam')).toHaveLength(1);
    expect(await headOf(id)).toMatchObject({ progress: 'quarantined', version: 2 });
  });

  it('of an inquiry sent to one member by name count it once', async () => {
    pipeline.change((practice) => {
      practice.rules = [rule('to-elena', { actions: [{ do: 'send_to_member', member: 'elena' }] })];
    });
    const id = await pipeline.captured();
    await pipeline.score(id);

    expect((await both(() => pipeline.route(id))).toSorted()).toEqual(['route_not_due', 'routed']);
    const states = await pipeline.routingStates.read();
    expect([states.load('elena').open, states.rotation('skin').version]).toEqual([1, 0]);
  });

  it('of one alert claim it once, from the sweep as from the queue', async () => {
    const id = await pipeline.captured({ quarantine: ['honeypot'] });
    const { contactId } = await pipeline.head(id);
    const raise = pipeline.inquiries.raiseAlert(id, contactId, ['breathing'], pipeline.environment.now());
    expect(await both(() => table.write(raise))).toContainEqual(
      expect.objectContaining({ committed: false }),
    );

    const swept = await both(() => pipeline.sweep());
    expect(swept.map(({ alerts }) => alerts).toSorted()).toEqual([0, 1]);
    const send = () => sendMail(pipeline.dependencies, { kind: 'alert', inquiryId: id });
    expect((await both(send)).toSorted()).toEqual(['mail_not_due', 'mailed']);

    expect(pipeline.mailer.sent).toHaveLength(1);
    expect((await rowsOf(id)).find(({ sk }) => sk === 'ALERT')).toMatchObject({ state: 'sent' });
    pipeline.environment.advance(hours(1));
    expect(await pipeline.sweep()).toMatchObject({ alerts: 0 });
  });
});
