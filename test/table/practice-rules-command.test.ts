/** `npm run practice -- rules …`, `replay`, `tiers`, `verify` and `export`, on the real engine. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../ops/commands/run.ts';
import { Refusal } from '../../ops/terminal.ts';
import { applyConfiguration } from '../../shared/data/apply-configuration.ts';
import { readConfiguration } from '../../shared/data/configuration.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { createRulesStore } from '../../shared/data/rules.ts';
import { queryAll } from '../../shared/data/table.ts';
import { rulesSchema } from '../../shared/domain/schema/rule.ts';
import { type FreshTable, freshTable } from '../support/dynamodb.ts';
import { createPipeline, friday, smallPractice } from '../support/fixtures.ts';

let fresh: FreshTable;
let home: string;
beforeEach(async () => {
  fresh = await freshTable();
  home = await mkdtemp(join(tmpdir(), 'firstcall-'));
  vi.stubEnv('FIRSTCALL_HOME', home);
  vi.stubEnv('INIT_CWD', home);
  vi.stubEnv('TABLE_NAME', '');
  await writeFile(
    join(home, 'runtime.json'),
    JSON.stringify({ tableName: fresh.tableName, endpoints: { dynamodb: fresh.endpoint } }),
  );
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

/** Runs a command from a folder of its own; its output's lines are at most 100 characters. */
async function practice(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  vi.spyOn(console, 'log').mockImplementation((line) => {
    out += `${line}\n`;
  });
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const codeBefore = process.exitCode;
  let err = '';
  await runCommand(args)
    .catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      err = `${error.message}\n`;
    })
    .finally(() => vi.restoreAllMocks());
  const code = err === '' ? Number(process.exitCode ?? 0) : 1;
  process.exitCode = codeBefore;
  expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  return { code, out, err };
}
const apply = (rules: unknown[] = []) =>
  applyConfiguration({
    table: fresh.table,
    practice: { ...smallPractice, rules: rulesSchema.parse(rules) },
    author: 'ada',
    now: () => friday,
  });
const rules = async () => (await readConfiguration(fresh.table))?.practice.rules.map(({ id }) => id);
const file = (name: string): Promise<string> => readFile(join(home, name), 'utf8');

const existing = { id: 'existing', name: 'Existing', actions: [{ do: 'tag', tag: 'seen' }] };

describe('rules', () => {
  it('go from a template over one inquiry and many into force, and back', async () => {
    await apply([existing]);
    const pipeline = createPipeline(fresh.table);
    const spanish = await pipeline.mailed({
      fields: { name: 'Maria Lopez', phone: '(650) 555-0188', language: 'es' },
    });
    const english = await pipeline.mailed({
      name: 'Ann Lee',
      email: 'ann@example.com',
      phone: '+16505550199',
      fields: { name: 'Ann Lee', phone: '(650) 555-0199', language: 'en' },
    });
    const before = await queryAll(fresh.table, { pk: `INQ#${spanish}`, consistent: true });

    const added = await practice('rules', 'add', 'spanish-pool', '--set', 'pool=intake', '--to', 'my.yaml');
    expect(added.out).toContain('Began my.yaml with the 1 rule in force.');
    expect(await file('my.yaml')).toContain('- id: existing');

    const held = await practice('rules', 'try', '--rules', 'my.yaml', '--inquiry', spanish);
    expect(held.out).toMatch(/spanish-pool +holds +to the pool intake/);
    expect(held.out).toContain('pool intake (rule spanish-pool)');
    const not = await practice('rules', 'try', '--rules', 'my.yaml', '--inquiry', english);
    expect(not.out).toMatch(/spanish-pool +no +language in es: it is en/);

    const replayed = await practice('replay', '--rules', 'my.yaml', '--last', '500');
    expect(replayed.out).toContain(spanish);
    expect(replayed.out).not.toContain(english);
    expect(replayed.out).toContain('pool skin to intake');
    expect(replayed.out).toContain('1 of 2 inquiries would change; nothing was written.');
    expect(await queryAll(fresh.table, { pk: `INQ#${spanish}`, consistent: true })).toEqual(before);
    expect(await rules()).toEqual(['existing']);

    const published = await practice(
      'rules',
      'publish',
      'my.yaml',
      '--author',
      'mia',
      '--note',
      'Spanish first',
    );
    expect(published).toMatchObject({ code: 0, err: '' });
    expect(published.out).toContain('  + spanish-pool  Spanish speakers to their pool\n');
    expect(published.out).toContain('version 2 of the rules');
    // What is as it was is not named.
    expect(published.out).not.toContain('  ~ ');
    expect(await rules()).toEqual(['existing', 'spanish-pool']);

    expect((await practice('rules', 'history')).out).toMatch(/^2 \* .* mia +command +2 +Spanish first$/m);
    expect((await practice('rules', 'show', '1')).out).toContain('- id: existing');
    expect((await practice('rules', 'rollback', '1')).out).toContain('  - spanish-pool');
    expect(await rules()).toEqual(['existing']);
  });

  it('in force replayed change nothing, though the person is known by more since', async () => {
    const toOwner = { id: 'owner', name: 'To their owner', actions: [{ do: 'send_to_owner' }] };
    const newcomers = {
      id: 'newcomers',
      name: 'Nobody knows them',
      when: { field: 'lifecycle', operator: 'is', value: 'lead' },
      actions: [{ do: 'raise_tier' }],
    };
    const silent = { ...existing, id: 'silent', on: ['silence'], silentHours: 8 };
    await apply([toOwner, newcomers, silent]);
    const pipeline = createPipeline(fresh.table);
    pipeline.change((practice) => {
      practice.rules = rulesSchema.parse([toOwner, newcomers, silent]);
    });
    const id = await pipeline.mailed();
    const { contactId, assignedTo } = await pipeline.head(id);
    const contact = await pipeline.contacts.find(contactId);
    if (!contact) throw new Error('no contact');
    const owner = assignedTo === 'ana' ? 'ben' : 'ana';
    await fresh.table.transact(pipeline.contacts.change(contact, { lifecycle: 'patient', owner }, friday));
    const again = await pipeline.mailed();
    const found = await pipeline.contacts.find(contactId);
    if (!found) throw new Error('no contact');
    const other = owner === 'ana' ? 'ben' : 'ana';
    await fresh.table.transact(pipeline.contacts.change(found, { owner: other }, friday));
    expect(await pipeline.head(again)).toMatchObject({ contactId, assignedTo: owner });
    const inForce = await practice('rules', 'show', '1');
    await writeFile(join(home, 'my.yaml'), `rules:\n${inForce.out}`);

    const { out } = await practice('replay', '--rules', 'my.yaml');

    expect(out).toContain('0 of 2 inquiries would change; nothing was written.');
    expect(out).toContain(
      '1 rule is looked at after arrival: replayed there are moves elsewhere, but none at silence.',
    );
    await writeFile(join(home, 'empty.yaml'), 'rules: []\n');
    // Without the rule it would have gone by turns.
    expect((await practice('replay', '--rules', 'empty.yaml')).out).toMatch(
      new RegExp(`^${again} .* member ${owner} to next of`, 'm'),
    );
  });

  it('wait as a draft until they are published', async () => {
    await apply();
    await practice('rules', 'add', 'missed-call-first', '--to', 'my.yaml');

    expect((await practice('rules', 'draft', 'my.yaml')).out).toContain('Saved a draft of 1 rule');
    expect(await rules()).toEqual([]);
    expect((await practice('rules', 'show', 'draft')).out).toContain('- id: missed-call-first');
    expect((await practice('rules', 'publish')).code).toBe(0);
    expect(await rules()).toEqual(['missed-call-first']);
    expect(await practice('rules', 'publish')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no draft.'),
    });
  });

  it('in a draft of somebody else are replaced only by force, and those in force close it', async () => {
    await apply([existing]);
    await practice('rules', 'add', 'missed-call-first', '--to', 'my.yaml');
    await practice('rules', 'draft', 'my.yaml', '--author', 'mia');

    expect(await practice('rules', 'draft', 'my.yaml', '--author', 'ada')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is a draft by mia'),
    });
    const replaced = await practice('rules', 'draft', 'my.yaml', '--author', 'ada', '--force');
    expect(replaced.out).toContain('It replaces the draft of 2 rules by mia.');

    await practice('rules', 'publish', 'my.yaml', '--author', 'ada');
    expect((await practice('rules', 'publish')).out).toContain('Nothing to publish');
    expect((await practice('rules', 'publish')).err).toContain('There is no draft.');
  });

  it('published by two at once tell the slower one', async () => {
    await apply([existing]);
    await practice('rules', 'add', 'missed-call-first', '--to', 'a.yaml');
    await practice('rules', 'add', 'after-hours-reply', '--to', 'b.yaml');
    const store = createRulesStore(fresh.table);
    const mark = { author: 'mia', via: 'command' as const };
    const read = (await readConfiguration(fresh.table))?.practice.rulesVersion;
    await practice('rules', 'publish', 'a.yaml');

    const late = await store.publish(rulesSchema.parse([]), mark, friday, read);

    expect(late).toEqual({ outcome: 'overtaken' });
    expect(await rules()).toEqual(['existing', 'missed-call-first']);
    expect((await practice('rules', 'publish', 'b.yaml', '--force')).code).toBe(0);
  });

  it('and the rest of a file from a version to come are refused', async () => {
    await apply([existing]);
    await practice('export', 'practice.yaml');
    const text = await file('practice.yaml');
    await writeFile(join(home, 'practice.yaml'), text.replace('baseVersion: 1', 'baseVersion: 9999'));

    for (const command of ['plan', 'apply'])
      expect(await practice(command, 'practice.yaml')).toEqual({
        code: 1,
        out: '',
        err: 'The file was made from version 9999; version 1 is in force: export again.\n',
      });
  });

  it('are in the way of a file that does not know them', async () => {
    await apply([existing]);
    expect((await practice('export', 'practice.yaml')).code).toBe(0);
    await practice('rules', 'add', 'missed-call-first', '--to', 'my.yaml');
    await practice('rules', 'publish', 'my.yaml', '--author', 'mia');

    const planned = await practice('plan', 'practice.yaml');
    expect(planned.out).toMatch(/! rules +by mia +by a command +\S+ +version 2/);
    const refused = await practice('apply', 'practice.yaml');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/! rules +by mia[\s\S]*--force/);
    expect(await rules()).toHaveLength(2);

    expect(await practice('apply', 'practice.yaml', '--force')).toMatchObject({ code: 0 });
    expect(await rules()).toEqual(['existing']);
    expect(await practice('export', 'practice.yaml')).toMatchObject({
      code: 1,
      err: expect.stringContaining('practice.yaml is there already'),
    });
  });

  it('that there are not are told', async () => {
    await apply();
    await writeFile(join(home, 'my.yaml'), 'rules: []\n');

    for (const [args, err] of [
      [['rules', 'show', '9'], 'There is no version 9. See: rules history\n'],
      [['rules', 'rollback', '9'], 'There is no version 9. See: npm run practice -- rules history\n'],
      [['rules', 'try', '--rules', 'my.yaml', '--inquiry', 'inq_1'], 'There is no inquiry inq_1.\n'],
    ] as const) {
      expect(await practice(...args)).toEqual({ code: 1, out: '', err });
    }
  });

  it('need a practice', async () => {
    expect(await practice('rules', 'history')).toEqual({
      code: 1,
      out: '',
      err: 'No practice is configured yet: run "npm run practice -- apply <file>".\n',
    });
  });
});

describe('the three practices', () => {
  it.each(['dermatology', 'dental', 'physical-therapy'])(
    '%s is applied in one command, and exported as it was',
    async (name) => {
      const source = resolve('practices', `${name}.yaml`);

      expect((await practice('apply', source)).out).toMatch(
        /Applied \d+ changes as .*: configuration version 1\./,
      );
      expect((await practice('export', 'mine.yaml')).out).toBe('Wrote mine.yaml.\n');
      expect(await file('mine.yaml')).toMatch(
        /^# yaml-language-server: \$schema=.*practice\.schema\.json\n\nbaseVersion: 1\n/,
      );
      expect((await practice('plan', 'mine.yaml')).out).toBe(
        'Nothing to change: the practice is as the file says.\n',
      );
    },
  );
});

describe('tiers and verify', () => {
  it('suggest cut-offs beside those in force, and find what differs from its timeline', async () => {
    await apply();
    const pipeline = createPipeline(fresh.table);
    // Scored now, as far as the command can tell: it looks at the last 90 days.
    pipeline.environment.set(new Date());
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      const sourceId = i % 3 === 0 ? 'search-ad' : 'website';
      const [name, email] = [`P ${i}`, `p${i}@example.com`];
      const fields = { name, email, language: 'es', service: 'acne' };
      ids.push(await pipeline.mailed({ name, email, phone: undefined, sourceId, fields }));
    }

    const { out } = await practice('tiers');
    expect(out).toContain('30 scores of the last 90 days.');
    expect(out).toMatch(/^in force \(2026-1\) +70 +40/m);
    expect(out).toMatch(/^suggested +\d+ +\d+ +\d+ % +\d+ % +\d+ %$/m);

    const sound = await practice('verify', '--sample', '5');
    expect(sound).toMatchObject({ code: 0, err: '' });
    expect(sound.out).toMatch(/5 timelines rebuilt, .*: all as stored\./);

    for (const id of ids) await fresh.table.write({ update: inquiryHead(id), set: { stage: 'contacted' } });
    const unsound = await practice('verify', '--sample', '5');
    expect(unsound.code).toBe(1);
    expect(unsound.out).toMatch(/inq_\w+ +stage +stored "contacted", by the timeline "new"/);
  });
});
