/** Files that commands write: a practice, rules, and a rule at the end of somebody's file. */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendRule } from '../../ops/append-rule.ts';
import { readPracticeFile, readRulesFile } from '../../ops/practice-file.ts';
import { writePracticeFile, writeRules, writeRulesFile } from '../../ops/practice-text.ts';
import { applyConfiguration, planConfiguration } from '../../shared/data/apply-configuration.ts';
import { readConfiguration } from '../../shared/data/configuration.ts';
import { channels } from '../../shared/domain/channels.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { fillTemplate, ruleTemplates } from '../../shared/domain/rules/templates.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import { weekdays } from '../../shared/domain/weekdays.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { friday } from '../support/fixtures.ts';

const files = readdirSync('practices').filter((name) => name.endsWith('.yaml'));
const text = (name: string): string => readFileSync(`practices/${name}`, 'utf8');
const read = (name: string): Practice => readPracticeFile(text(name)).practice as Practice;
const dental = read('dental.yaml');
const written = (practice: Practice): string =>
  writePracticeFile(practice, { baseVersion: 7, schemaPath: 'practice.schema.json' });

/** Texts that YAML has to take care of. */
const wording = fc.oneof(
  fc.constantFrom(
    'yes',
    'null',
    '17:00',
    '1e3',
    '# not a comment',
    'a: b',
    '- dash',
    "it's",
    '"',
    'ñandú',
    '{x}',
  ),
  fc
    .string({ minLength: 1, maxLength: 40 })
    .filter((s) => s.trim() !== '' && !/[\u{D800}-\u{DFFF}]/u.test(s)),
);
const block = fc.constantFrom({ open: '07:00', close: '12:00' }, { open: '08:30', close: '24:00' });

/** Practices that differ in every kind of part. */
const practices = fc
  .record({
    from: fc.constantFrom(...files.map(read)),
    name: wording,
    emergencyLine: wording,
    names: fc.array(wording, { minLength: 1, maxLength: 5 }),
    hours: fc.uniqueArray(fc.tuple(fc.constantFrom(...weekdays), block), {
      minLength: 1,
      selector: ([day]) => day,
    }),
    // Within four weeks of the shortest hours.
    minutes: fc.uniqueArray(fc.tuple(fc.constantFrom(...channels), fc.integer({ min: 1, max: 4 * 300 })), {
      selector: ([channel]) => channel,
    }),
    enabled: fc.boolean(),
    weight: fc.integer({ min: 1, max: 100 }),
    rules: fc.subarray(ruleTemplates.map(({ id }) => id)),
    reply: fc.option(wording, { nil: undefined }),
  })
  .map((change): Practice => {
    const practice = structuredClone(change.from);
    practice.name = change.name;
    practice.emergencyLine = change.emergencyLine;
    practice.locations.forEach((location, i) => {
      // Two locations of one name are refused.
      location.name = `${change.names[i % change.names.length] ?? ''} ${location.id}`;
      location.hours = Object.fromEntries(change.hours.map(([day, hours]) => [day, [hours]]));
    });
    practice.scoring.channelMinutes = Object.fromEntries(change.minutes);
    for (const member of practice.members) member.enabled = change.enabled;
    for (const pool of practice.pools) for (const member of pool.members) member.weight = change.weight;
    if (change.reply !== undefined) practice.redFlags.reply = change.reply;
    practice.rules = change.rules.flatMap((id) => {
      const template = ruleTemplates.find((each) => each.id === id);
      const [pool] = practice.pools;
      const slots = template?.slots.some(({ name }) => name === 'pool') && pool ? { pool: pool.id } : {};
      return template ? (fillTemplate(template, slots, practice).rule ?? []) : [];
    });
    return practiceSchema.parse(practice);
  });

describe('a practice, written as a file', () => {
  it.each(files)('reads as %s did', (name) => {
    const { practice, baseVersion, problems } = readPracticeFile(written(read(name)));

    expect(problems).toBeUndefined();
    expect(practice).toEqual(read(name));
    expect(baseVersion).toBe(7);
  });

  it('reads as it was, whatever is in it, and is written the same again', () => {
    fc.assert(
      fc.property(practices, (practice) => {
        const file = written(practice);
        const again = readPracticeFile(file);

        // Rules that contradict one another are a mistake of the file, told as before.
        if (again.problems) {
          expect(readPracticeFile(JSON.stringify(practice)).problems?.map(({ path }) => path)).toEqual(
            again.problems.map(({ path }) => path),
          );
          return;
        }
        expect(again.practice).toEqual(practice);
        expect(written(again.practice)).toBe(file);
      }),
      { numRuns: 20 },
    );
  });

  it('changes nothing once it was applied, and again, and exported and applied', async () => {
    await fc.assert(
      fc.asyncProperty(practices, practices, async (before, practice) => {
        const table = createMemoryTable();
        const apply = (one: Practice, baseVersion = 0) =>
          applyConfiguration({ table, practice: one, author: 'ada', now: () => friday, baseVersion });
        await apply(before);
        await apply(practice);
        const found = await readConfiguration(table);
        if (!found) throw new Error('nothing was applied');
        const { rulesVersion: _, ...stored } = found.practice;

        expect(stored).toEqual(practice);
        expect(await apply(practice)).toMatchObject({ outcome: 'unchanged' });
        const exported = readPracticeFile(
          writePracticeFile(found.practice, { baseVersion: found.version, schemaPath: 'x.json' }),
        );
        if (!exported.practice) return;
        expect(await planConfiguration(table, exported.practice, exported.baseVersion)).toEqual({
          version: found.version,
          changes: [],
          conflicts: [],
        });
      }),
      { numRuns: 15 },
    );
  });

  it('names its schema and its base version at the top, and leaves out what goes without saying', () => {
    const file = written(dental);

    expect(file.split('\n').slice(0, 3)).toEqual([
      '# yaml-language-server: $schema=practice.schema.json',
      '',
      'baseVersion: 7',
    ]);
    expect(file).not.toContain('maySetSource: false');
    expect(file).not.toContain('weight: 1\n');
    expect(file).toContain("monday: [ { open: '07:00', close: '19:00' } ]");
    expect(file).not.toContain('rulesVersion');
  });

  it('keeps weekdays and channels in their order, as the table does not', () => {
    const shuffled = structuredClone(dental);
    for (const location of shuffled.locations)
      location.hours = Object.fromEntries(Object.entries(location.hours).toReversed());

    expect(written(shuffled)).toBe(written(dental));
  });
});

describe('a rules file', () => {
  it('reads as the rules were, as a list and under rules:', () => {
    expect(readRulesFile(writeRules(dental.rules), dental)).toEqual({ rules: dental.rules });
    expect(readRulesFile(writeRulesFile(dental.rules), dental)).toEqual({ rules: dental.rules });
    expect(readRulesFile(text('dental.yaml'), dental)).toEqual({ rules: dental.rules });
  });

  it.each([
    ['- id: a\n  name: A\n  actions: [{ do: fly }]\n', '3:19 [0].actions[0].do must be one of set_tier,'],
    [
      'rules:\n  - id: a\n    name: A\n    actions: [{ do: send_to_pool, pool: nowhere }]\n',
      '4:41 rules[0].actions[0].pool',
    ],
    [
      '- id: a\n  name: A\n  when: { all: [{ field: language, oprator: is, value: es }] }\n  actions: [{ do: stop }]\n',
      '3:17 [0].when.all[0].operator must be one of',
    ],
    [
      '- id: a\n  name: A\n  when: { field: tier, operator: is }\n  actions: [{ do: stop }]\n',
      '3:3 [0].when.value',
    ],
    ['- id: a\n  name: A\n  when: yes please\n  actions: [{ do: stop }]\n', '3:9 [0].when expected object'],
    ['name: no rules here\n', '1:1 rules is missing'],
  ])('tells what is wrong at its place: %j', (file, expected) => {
    const [problem] = readRulesFile(file, dental).problems ?? [];

    expect(`${problem?.line}:${problem?.column} ${problem?.path} ${problem?.reason}`).toContain(expected);
  });
});

describe('a practice file with rules', () => {
  it('tells a rule that leads nowhere at its line', () => {
    const file = text('dental.yaml').replace('tag: needs-guardian', 'tag: Needs Guardian');
    const line = file.split('\n').findIndex((each) => each.includes('Needs Guardian')) + 1;

    expect(readPracticeFile(file).problems).toMatchObject([
      { line, path: expect.stringMatching(/^rules\[\d\]/) },
    ]);
  });

  it('checks what rules refer to, once everything else is right', () => {
    const file = text('dermatology.yaml').replace('pool: spanish }', 'pool: spansh }');
    const line = file.split('\n').findIndex((each) => each.includes('spansh')) + 1;

    expect(readPracticeFile(file).problems).toMatchObject([
      { line, reason: expect.stringContaining('spansh') },
    ]);
  });

  it('refuses a base version that is none', () => {
    expect(readPracticeFile(`baseVersion: 1.5\n${text('demo.yaml')}`).problems).toMatchObject([
      { line: 1, path: 'baseVersion' },
    ]);
    expect(readPracticeFile(`baseVersion: 12\n${text('demo.yaml')}`)).toMatchObject({ baseVersion: 12 });
  });
});

describe('a rule, appended', () => {
  const rule: Rule = ruleSchema.parse({
    id: 'a-new-rule',
    name: 'A new rule',
    when: { field: 'tier', operator: 'is', value: 'A' },
    actions: [{ do: 'tag', tag: 'first' }],
  });
  const append = (file: string | undefined, one = rule) => {
    const appended = appendRule(file, one);
    if (appended.refused !== undefined) throw new Error(appended.refused);
    return appended;
  };

  it.each([...files])('leaves every line of %s as it is', (name) => {
    const { text: after } = append(text(name));
    const kept = after.split('\n');

    expect(readRulesFile(after, read(name)).rules).toEqual([...read(name).rules, rule]);
    for (const line of text(name).split('\n')) expect(kept).toContain(line);
  });

  it.each([
    ['no file', undefined],
    ['an empty one', '\n'],
    ['one without rules', 'name: x\n# the end\n'],
    ['an empty list', 'rules: []\nname: x\n'],
    ['an empty block', 'rules:\nname: x\n'],
  ])('begins the rules of %s', (_, file) => {
    const { text: after, position } = append(file);

    expect(position).toBe(1);
    expect(readRulesFile(after, dental)).toEqual({ rules: [rule] });
    if (file?.includes('name: x')) expect(after).toContain('name: x\n');
  });

  it.each([
    ['a list at the top', writeRules(dental.rules)],
    ['a list that is not indented', `rules:\n${writeRules(dental.rules)}`],
    ['what is followed by more', `${writeRulesFile(dental.rules)}\n# more\nother: 1\n`],
    ['a last line without its end', writeRulesFile(dental.rules).trimEnd()],
  ])('goes behind the last of %s', (_, file) => {
    expect(readRulesFile(append(file).text, dental)).toEqual({ rules: [...dental.rules, rule] });
  });

  it('is refused where it is there already, or where there is no place for it', () => {
    expect(appendRule(append(text('demo.yaml')).text, rule)).toMatchObject({
      refused: expect.stringContaining('a-new-rule'),
    });
    expect(appendRule('rules: [{ id: a, name: A, actions: [{ do: stop }] }]', rule)).toHaveProperty(
      'refused',
    );
    expect(appendRule('rules: 5', rule)).toHaveProperty('refused');
    expect(appendRule('just text', rule)).toHaveProperty('refused');
    expect(appendRule('a: [', rule)).toHaveProperty('refused');
  });
});
