/** Drafts, publications and rollbacks of rules, and what a practice file may not undo. */
import { beforeEach, describe, expect, it } from 'vitest';
import { applyConfiguration, planConfiguration } from '../../shared/data/apply-configuration.ts';
import { ConfigurationMissing, readConfiguration } from '../../shared/data/configuration.ts';
import { configuration, draftRules, publishedRules } from '../../shared/data/keys.ts';
import { createRulesStore, type RulesStore } from '../../shared/data/rules.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { rulesSchema } from '../../shared/domain/schema/rule.ts';
import { freshTable } from '../support/dynamodb.ts';
import { friday, smallPractice } from '../support/fixtures.ts';

/** One rule that sends a service to a pool. */
const rulesTo = (pool: string): Rule[] =>
  rulesSchema.parse([
    {
      id: 'acne-elsewhere',
      name: `Acne goes to ${pool}`,
      when: { field: 'service', operator: 'is', value: 'acne' },
      actions: [{ do: 'send_to_pool', pool }],
    },
  ]);
const toIntake = rulesTo('intake');
const toSkin = rulesTo('skin');
const toNobody = rulesTo('nobody');

let table: Table;
let store: RulesStore;
beforeEach(async () => {
  ({ table } = await freshTable());
  store = createRulesStore(table);
});

const by = (author: string) => ({ author, via: 'command' as const });
const apply = (practice: Practice, options: { baseVersion?: number; force?: boolean } = {}) =>
  applyConfiguration({ table, practice, author: 'ada', now: () => friday, ...options });
const inForce = async () => (await readConfiguration(table))?.practice;
const named = (name: string): Practice => ({ ...smallPractice, name });

describe('publishing', () => {
  it('puts rules in force under a number, and keeps them in the history', async () => {
    await apply(smallPractice);

    const published = await store.publish(toIntake, { ...by('mia'), note: 'a trial' }, friday);

    expect(published).toEqual({ outcome: 'published', version: 1, configurationVersion: 2 });
    expect(await inForce()).toMatchObject({ rules: toIntake, rulesVersion: 1 });
    expect(await store.history(10)).toEqual([
      expect.objectContaining({
        version: 1,
        rules: toIntake,
        author: 'mia',
        via: 'command',
        note: 'a trial',
        updatedAt: friday.toISOString(),
      }),
    ]);
    expect(await table.get(configuration.rules)).toMatchObject({
      author: 'mia',
      via: 'command',
      configurationVersion: 2,
    });
  });

  it('again of the same rules changes nothing', async () => {
    await apply(smallPractice);
    await store.publish(toIntake, by('mia'), friday);

    expect(await store.publish(toIntake, by('mia'), friday)).toEqual({ outcome: 'unchanged', version: 1 });
    expect(await store.history(10)).toHaveLength(1);
  });

  it('refuses rules that the practice cannot run, with the path to what is wrong', async () => {
    await apply(smallPractice);

    const published = await store.publish(toNobody, by('mia'), friday);

    expect(published).toMatchObject({
      outcome: 'invalid',
      issues: [{ path: ['rules', 0, 'actions', 0, 'pool'] }],
    });
    expect(await store.history(10)).toEqual([]);
    expect((await inForce())?.rules).toEqual([]);
  });

  it('refuses more than an item can hold', async () => {
    await apply(smallPractice);
    const words = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(490)}`);
    const large = rulesSchema.parse(
      Array.from({ length: 4 }, (_, i) => ({
        id: `large-${i}`,
        name: `Large ${i}`,
        when: { field: 'message', operator: 'has_words', value: words.map((word) => `${i} ${word}`) },
        actions: [{ do: 'tag', tag: `large-${i}` }],
      })),
    );

    expect(await store.publish(large, by('mia'), friday)).toMatchObject({
      outcome: 'invalid',
      issues: [expect.objectContaining({ path: ['rules'] })],
    });
  });

  it('needs a practice', async () => {
    await expect(store.publish(toIntake, by('mia'), friday)).rejects.toThrow(ConfigurationMissing);
  });

  it('by two at once lets one win and tells the other', async () => {
    await apply(smallPractice);
    for (let turn = 1; turn <= 5; turn++) {
      const contenders = ['intake', 'skin'].map((pool) =>
        rulesTo(pool).map((rule) => ({ ...rule, name: `${pool} ${turn}` })),
      );

      const outcomes = await Promise.all(
        contenders.map((rules, i) => store.publish(rules, by(`writer-${i}`), friday)),
      );

      const versions = outcomes.flatMap((done) => (done.outcome === 'published' ? [done.version] : []));
      expect(versions.length).toBeGreaterThan(0);
      // Each number is given once; whoever began after the other had finished has the next.
      expect(new Set(versions).size).toBe(versions.length);
      expect(outcomes.filter(({ outcome }) => outcome === 'overtaken')).toHaveLength(2 - versions.length);
      const newest = Math.max(...versions);
      const winner = outcomes.findIndex((done) => done.outcome === 'published' && done.version === newest);
      expect((await inForce())?.rules).toEqual(contenders[winner]);
      expect((await store.history(100)).map(({ version }) => version)).toEqual(
        Array.from({ length: newest }, (_, i) => newest - i),
      );
    }
  });

  it('is told where it is overtaken between looking and writing', async () => {
    await apply(smallPractice);
    const overtaken = createRulesStore(slowToWrite(() => store.publish(toSkin, by('ben'), friday)));

    expect(await overtaken.publish(toIntake, by('mia'), friday)).toEqual({ outcome: 'overtaken' });
    expect((await inForce())?.rules).toEqual(toSkin);
    expect(await store.history(10)).toHaveLength(1);
  });

  it('is told where the practice that the rules were checked against changes meanwhile', async () => {
    await apply(smallPractice);
    const overtaken = createRulesStore(slowToWrite(() => apply(named('Bayview North'))));

    expect(await overtaken.publish(toIntake, by('mia'), friday)).toEqual({ outcome: 'overtaken' });
    expect(await inForce()).toMatchObject({ name: 'Bayview North', rules: [] });
  });
});

/** The table, where somebody else is faster once. */
function slowToWrite(meanwhile: () => Promise<unknown>): Table {
  let pending: (() => Promise<unknown>) | undefined = meanwhile;
  return {
    ...table,
    async transact(writes) {
      const first = pending;
      pending = undefined;
      await first?.();
      return table.transact(writes);
    },
  };
}

describe('a draft', () => {
  it('stands beside the rules in force until it is published', async () => {
    await apply(smallPractice);
    await store.publish(toSkin, by('mia'), friday);

    expect(await store.saveDraft(toIntake, { author: 'ben', now: friday })).toEqual({
      outcome: 'saved',
      version: 1,
    });
    expect((await inForce())?.rules).toEqual(toSkin);
    expect(await store.draft()).toMatchObject({ rules: toIntake, basedOn: 1, author: 'ben' });

    expect(await store.publishDraft(by('mia'), friday)).toMatchObject({ outcome: 'published', version: 2 });
    expect(await inForce()).toMatchObject({ rules: toIntake, rulesVersion: 2 });
    expect(await store.draft()).toBeUndefined();
    expect(await store.publishDraft(by('mia'), friday)).toEqual({ outcome: 'missing' });
  });

  it('goes on counting after it was published, so that nobody takes the next for the one before', async () => {
    await apply(smallPractice);
    await store.saveDraft(toIntake, { author: 'ben', now: friday });
    await store.publishDraft(by('mia'), friday);

    expect(await store.saveDraft(toSkin, { author: 'ben', now: friday })).toEqual({
      outcome: 'saved',
      version: 3,
    });
    expect(await store.saveDraft(toIntake, { author: 'old', now: friday, over: 1 })).toEqual({
      outcome: 'overtaken',
    });
  });

  it('by two who looked at the same one is kept from one of them', async () => {
    await apply(smallPractice);
    await store.saveDraft(toIntake, { author: 'ben', now: friday });

    const outcomes = await Promise.all(
      ['ana', 'dev'].map((author) => store.saveDraft(rulesTo('skin'), { author, now: friday, over: 1 })),
    );

    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['overtaken', 'saved']);
    expect(await table.get(draftRules)).toMatchObject({ version: 2 });
  });

  it('is checked like what is published', async () => {
    await apply(smallPractice);

    expect(await store.saveDraft(toNobody, { author: 'ben', now: friday })).toMatchObject({
      outcome: 'invalid',
    });
    expect(await store.draft()).toBeUndefined();
  });

  it('is not published over rules that came after it', async () => {
    await apply(smallPractice);
    await store.saveDraft(toIntake, { author: 'ben', now: friday });
    await store.publish(toSkin, by('mia'), friday);

    expect(await store.publishDraft(by('ben'), friday)).toEqual({ outcome: 'overtaken' });
    expect((await inForce())?.rules).toEqual(toSkin);
    expect(await store.draft()).toMatchObject({ rules: toIntake });
  });

  it('that is saved anew while it is published is not lost', async () => {
    await apply(smallPractice);
    await store.saveDraft(toIntake, { author: 'ben', now: friday });
    const slow = createRulesStore(slowToWrite(() => store.saveDraft(toSkin, { author: 'dev', now: friday })));

    expect(await slow.publishDraft(by('mia'), friday)).toEqual({ outcome: 'overtaken' });
    expect(await store.draft()).toMatchObject({ rules: toSkin, author: 'dev' });
    expect(await inForce()).toMatchObject({ rules: [] });
  });

  it('published by two at once is published once', async () => {
    await apply(smallPractice);
    await store.saveDraft(toIntake, { author: 'ben', now: friday });

    const outcomes = await Promise.all(
      ['mia', 'ada'].map((author) => store.publishDraft(by(author), friday)),
    );

    expect(outcomes.filter(({ outcome }) => outcome === 'published')).toHaveLength(1);
    expect(await store.history(10)).toHaveLength(1);
  });
});

describe('a rollback', () => {
  it('puts an old version in force as a new one, and says so', async () => {
    await apply(smallPractice);
    await store.publish(toIntake, by('mia'), friday);
    await store.publish(toSkin, by('mia'), friday);

    expect(await store.rollback(1, by('ben'), friday)).toMatchObject({ outcome: 'published', version: 3 });
    expect(await inForce()).toMatchObject({ rules: toIntake, rulesVersion: 3 });
    expect((await store.history(1))[0]).toMatchObject({
      version: 3,
      author: 'ben',
      note: 'back to version 1',
    });
    expect((await store.find(2))?.rules).toEqual(toSkin);
  });

  it('to what there never was is told', async () => {
    await apply(smallPractice);

    expect(await store.rollback(7, by('ben'), friday)).toEqual({ outcome: 'missing' });
  });

  it('to rules that the practice of today cannot run is refused', async () => {
    await apply(smallPractice);
    await store.publish(toSkin, by('mia'), friday);
    await store.publish(toIntake, by('mia'), friday);
    const withoutSkin = {
      ...smallPractice,
      rules: toIntake,
      pools: smallPractice.pools.filter(({ id }) => id !== 'skin'),
    };
    await apply(withoutSkin, { force: true });

    expect(await store.rollback(1, by('ben'), friday)).toMatchObject({ outcome: 'invalid' });
  });

  it('while somebody publishes lets one win and tells the other', async () => {
    await apply(smallPractice);
    await store.publish(toIntake, by('mia'), friday);
    await store.publish(toSkin, by('mia'), friday);
    const slow = createRulesStore(slowToWrite(() => store.publish([], by('dev'), friday)));

    expect(await slow.rollback(1, by('ben'), friday)).toEqual({ outcome: 'overtaken' });
    expect(await inForce()).toMatchObject({ rules: [], rulesVersion: 3 });
  });
});

describe('a practice file', () => {
  const withRules = (rules: Rule[]): Practice => ({ ...smallPractice, rules });

  it('publishes its rules, too, each change under the next number', async () => {
    await apply(withRules(toIntake));
    await apply(withRules(toSkin));
    await apply(withRules([]));
    await apply(withRules([]));

    expect(await inForce()).toMatchObject({ rules: [], rulesVersion: 3 });
    expect((await store.history(10)).map(({ version, via, rules }) => [version, via, rules])).toEqual([
      [3, 'file', []],
      [2, 'file', toSkin],
      [1, 'file', toIntake],
    ]);
  });

  it('without rules leaves a table without any as it is', async () => {
    await apply(smallPractice);

    expect(await table.get(configuration.rules)).toBeUndefined();
    expect(await table.get(publishedRules(1))).toBeUndefined();
    expect(await inForce()).not.toHaveProperty('rulesVersion');
  });

  it('may be applied again and again, whoever applied in between', async () => {
    await apply(withRules(toIntake));
    await apply(withRules(toSkin));

    expect(await apply(withRules(toIntake))).toMatchObject({ outcome: 'applied' });
    expect(await apply(withRules(toIntake))).toMatchObject({ outcome: 'unchanged' });
  });

  it('does not undo rules that were published since it was made, unless it is forced to', async () => {
    await apply(withRules(toIntake));
    await store.publish(toSkin, by('mia'), friday);
    const next = { ...withRules(toIntake), name: 'Bayview North' };

    const planned = await planConfiguration(table, next, 1);
    const refused = await apply(next, { baseVersion: 1 });

    const conflicts = [
      {
        kind: 'rules',
        id: 'rules',
        via: 'command',
        author: 'mia',
        updatedAt: friday.toISOString(),
        configurationVersion: 2,
      },
    ];
    expect(planned.conflicts).toEqual(conflicts);
    expect(planned.changes).toHaveLength(2);
    expect(refused).toEqual({ outcome: 'conflict', conflicts });
    expect(await inForce()).toMatchObject({ name: 'Bayview', rules: toSkin });

    expect(await apply(next, { baseVersion: 1, force: true })).toMatchObject({ outcome: 'applied' });
    expect(await inForce()).toMatchObject({ name: 'Bayview North', rules: toIntake, rulesVersion: 3 });
    // What it was forced to do is its own from now on.
    expect(await apply(withRules(toIntake), { baseVersion: 1 })).toMatchObject({ outcome: 'applied' });
  });

  it('does not undo a rollback either', async () => {
    await apply(withRules(toIntake));
    await apply(withRules(toSkin));
    await store.rollback(1, by('mia'), friday);

    expect(await apply(withRules(toSkin), { baseVersion: 2 })).toMatchObject({ outcome: 'conflict' });
  });

  it('made since the publication may change it', async () => {
    await apply(withRules(toIntake));
    await store.publish(toSkin, by('mia'), friday);

    expect(await apply(withRules([]), { baseVersion: 2 })).toMatchObject({ outcome: 'applied' });
  });

  it('changes everything else while it leaves published rules as they are', async () => {
    await apply(smallPractice);
    await store.publish(toSkin, by('mia'), friday);

    expect(await apply({ ...withRules(toSkin), name: 'Bayview North' })).toMatchObject({
      outcome: 'applied',
      changes: [{ kind: 'practice', id: 'practice', change: 'change' }],
    });
  });

  it.each([
    ['changed', { ...smallPractice, members: smallPractice.members.map((m) => ({ ...m, name: 'X' })) }],
    ['removed', { ...smallPractice, members: smallPractice.members.filter(({ id }) => id !== 'max') }],
  ])('names a member who was changed through the API and would be %s', async (_, practice) => {
    await apply(smallPractice);
    await table.write({
      update: configuration.entity('members', 'max'),
      set: { via: 'api', author: 'mia', configurationVersion: 2 },
      add: { version: 1 },
    });

    expect(await apply(practice, { baseVersion: 1 })).toMatchObject({
      outcome: 'conflict',
      conflicts: [{ kind: 'members', id: 'max', via: 'api', author: 'mia', configurationVersion: 2 }],
    });
  });

  it('and a publication at once: one wins, or both do one after the other, and neither is torn', async () => {
    await apply(smallPractice);

    const [applied, published] = await Promise.all([
      apply(named('Bayview North')),
      store.publish(toSkin, by('mia'), friday),
    ]);

    const practice = await inForce();
    expect([applied.outcome, published.outcome]).toEqual([
      expect.stringMatching(/^(applied|overtaken|conflict)$/),
      expect.stringMatching(/^(published|overtaken)$/),
    ]);
    expect(applied.outcome === 'applied' || published.outcome === 'published').toBe(true);
    expect(practice?.name).toBe(applied.outcome === 'applied' ? 'Bayview North' : 'Bayview');
    if (published.outcome === 'overtaken') expect(practice?.rules).toEqual([]);
  });
});

describe('what an older version stored', () => {
  it('reads with defaults, and is no change to a file that says the same', async () => {
    await apply(smallPractice);
    // As entities were before there was anything but the file.
    for (const key of [configuration.practice, configuration.scoring]) {
      await table.write({ update: key, set: { via: undefined, configurationVersion: undefined } });
    }
    const { caps: _, completeness: __, channelMinutes: ___, ...data } = smallPractice.scoring;
    await table.write({ update: configuration.scoring, set: { data } });

    expect(await inForce()).toEqual(smallPractice);
    expect(await apply(smallPractice)).toMatchObject({ outcome: 'unchanged' });
    expect(await apply(named('Bayview North'))).toMatchObject({ outcome: 'applied' });
  });
});
