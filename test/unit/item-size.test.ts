/**
 * A head is written five times on its way to the mail; each write costs a unit
 * for every 1,024 bytes begun. The sizes are counted by DynamoDB's published rules.
 */
import { readFileSync } from 'node:fs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { itemBytes, type WireItem } from '../../bench/capacity.ts';
import { readSubmission } from '../../functions/capture/web-form.ts';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { createHybridClock, keepingTime } from '../../shared/data/hybrid-clock.ts';
import type { Row } from '../../shared/data/table.ts';
import { campaignCode } from '../../shared/domain/attribution.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { parseForm } from '../../shared/http/body.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, webFormSample } from '../support/fixtures.ts';

const demo = readPracticeFile(readFileSync('practices/demo.yaml', 'utf8')).practice as Practice;

/** As the document client writes it. */
const bytesOf = (row: Row | undefined): number =>
  itemBytes(marshall(row ?? {}, { removeUndefinedValues: true }) as WireItem);

describe('on the way of the sample through the demo practice', () => {
  const heads: Record<string, Row> = {};
  let rows: Row[];
  let profile: Row | undefined;

  beforeAll(async () => {
    const table = createMemoryTable();
    const clock = createHybridClock(() => Date.now());
    const pipeline = createPipeline(keepingTime(table, clock), demo);
    const { incoming } = readSubmission(demo, parseForm(webFormSample), {
      origin: undefined,
      referrer: undefined,
      idempotencyKey: undefined,
      originListed: true,
      suspected: false,
    });
    // A rotation in full swing has the longest reasons.
    for (let i = 0; i < 3; i++)
      await pipeline.mailed({ ...incoming, name: `P${i}`, email: `p${i}@example.com` });
    const id = await pipeline.captured(incoming);
    const note = async (name: string) => {
      heads[name] = table.rows().find(({ pk, sk }) => pk === `INQ#${id}` && sk === 'HEAD') as Row;
    };
    await note('captured');
    await pipeline.score(id);
    await pipeline.route(id);
    await note('routed');
    await pipeline.notify(id);
    await note('notified');
    profile = table.rows().find(({ sk, name }) => sk === 'PROFILE' && name === incoming.name);
    rows = table.rows().filter(({ pk }) => pk === `INQ#${id}`);
  });

  it.each(['captured', 'routed', 'notified'])(
    'the head, %s, would with the longest campaign, too',
    (state) => {
      const head = { ...heads[state], campaign: campaignCode('a campaign of many words '.repeat(20)) };
      expect(bytesOf(head as Row)).toBeLessThanOrEqual(1_024);
    },
  );

  it.each(['captured', 'routed', 'notified'])('the head, %s, stays within a write unit', (state) => {
    expect(bytesOf(heads[state])).toBeLessThan(1_024);
  });

  it('the profile of its person stays within a write unit, with everything a first inquiry says', () => {
    expect(bytesOf(profile)).toBeLessThanOrEqual(1_024);
    expect(profile).toMatchObject({ version: 1, locations: [expect.any(String)] });
  });

  it.each(['BODY', 'SCORE#0001'])('the %s stays within a write unit', (sk) => {
    const row = rows.find((other) => other.sk === sk);

    expect(bytesOf(row)).toBeLessThanOrEqual(1_024);
    expect(row).toBeDefined();
  });
});
