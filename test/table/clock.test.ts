/** What the clock does, with two writers at once: one of them does it, and says so once. */
import { beforeEach, describe, expect, it } from 'vitest';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, hours, minutes, smallPractice } from '../support/fixtures.ts';

let pipeline: ReturnType<typeof createPipeline>;
let id: string;
beforeEach(async () => {
  const { table } = await freshTable();
  pipeline = createPipeline(table);
  id = await pipeline.mailed();
  pipeline.environment.advance(hours(1));
});

const by = (memberId: string) => ({ memberId, practice: smallPractice });
const kinds = async (): Promise<string[]> =>
  (await pipeline.timelines.all([(await pipeline.head(id)).contactId]))
    .map(({ kind }) => kind)
    .filter((kind) => ['held', 'resumed', 'calling', 'escalated'].includes(kind));
const outcomes = async (work: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(work)).map(({ status }) => status).toSorted();

describe('two writers', () => {
  it('who call about one inquiry: one of them does', async () => {
    const { version } = await pipeline.head(id);

    const calls = ['ana', 'ben'].map((member) =>
      changeInquiry(pipeline, id, version, { calling: true }, by(member)),
    );

    expect(await outcomes(calls)).toEqual(['fulfilled', 'rejected']);
    expect(await kinds()).toEqual(['calling']);
  });

  it('a snooze and a park of one version: one of them holds, with its entry', async () => {
    const { version } = await pipeline.head(id);
    const until = new Date(pipeline.environment.now().getTime() + hours(5)).toISOString();

    const holds = [
      changeInquiry(pipeline, id, version, { snoozeUntil: until }, by('ana')),
      changeInquiry(pipeline, id, version, { park: { reason: 'records', until } }, by('ben')),
    ];

    expect(await outcomes(holds)).toEqual(['fulfilled', 'rejected']);
    expect(await kinds()).toEqual(['held']);
  });

  it('two sweeps at the deadline escalate once', async () => {
    pipeline.environment.advance(hours(1));

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);

    expect(swept.map(({ mail }) => mail).toSorted()).toEqual([0, 1]);
    expect(await kinds()).toEqual(['escalated']);
  });

  it('two sweeps at the end of a snooze, and whoever ends it by hand: it ends once', async () => {
    const { version } = await pipeline.head(id);
    const until = new Date(pipeline.environment.now().getTime() + minutes(5)).toISOString();
    await changeInquiry(pipeline, id, version, { snoozeUntil: until }, by('ana'));
    pipeline.environment.advance(minutes(5));

    await Promise.allSettled([
      pipeline.sweep(),
      pipeline.sweep(),
      changeInquiry(pipeline, id, version + 1, { wake: true }, by('ana')),
    ]);

    expect(await pipeline.head(id)).not.toHaveProperty('hold');
    expect(await kinds()).toEqual(['held', 'resumed']);
  });
});
