/** Commands that are told wrong: one line, before anything is read or written. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportFile, plan } from '../../ops/commands/configuration.ts';
import { messages } from '../../ops/commands/messages.ts';
import { replay } from '../../ops/commands/replay.ts';
import { rules } from '../../ops/commands/rules.ts';
import { verify } from '../../ops/commands/verify.ts';
import { layOut, Refusal } from '../../ops/terminal.ts';

const dermatology = ['--practice', 'practices/dermatology.yaml'];

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'firstcall-'));
  writeFileSync(join(home, 'there.yaml'), 'rules: 5\n');
  // Nothing runs there, whatever runs on this machine.
  vi.stubEnv('FIRSTCALL_HOME', home);
  vi.stubEnv('TABLE_NAME', '');
  vi.stubEnv('INIT_CWD', undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

describe('a command', () => {
  it.each<[(args: string[]) => unknown, string[], string]>([
    [messages, ['nothing', ...dermatology], 'There is no template nothing.'],
    [messages, ['after-hours', ...dermatology, '--inquiry', 'inq_1'], 'Give either --practice, or --inquiry'],
    [rules, [], 'Say what to do with rules: rules templates, template, add, try,'],
    [rules, ['fly'], 'There is no command rules fly: rules templates,'],
    [rules, ['template'], 'Name a template; there are referral-first,'],
    [rules, ['template', 'nothing'], 'There is no template nothing; there are referral-first,'],
    [rules, ['template', 'spanish-pool', ...dermatology], '--set pool: needs a value'],
    [
      rules,
      ['template', 'spanish-pool', '--set', 'pool=moon', ...dermatology],
      '--set pool: no pool has the id moon',
    ],
    [
      rules,
      ['template', 'spanish-pool', '--set', 'pool', ...dermatology],
      '--set takes slot=value, not pool',
    ],
    [
      rules,
      ['template', 'after-hours-reply', '--set', 'pol=x', ...dermatology],
      '--set pol: after-hours-reply has no slot',
    ],
    [rules, ['template', 'spanish-pool', 'medical', ...dermatology], 'What is medical?'],
    [rules, ['add', 'missed-call-first', ...dermatology], 'Give the file that it goes to: --to <rules-file>'],
    [rules, ['add', 'missed-call-first', '--to', 'there.yaml', ...dermatology], 'rules: that are no list'],
    [rules, ['try'], 'Give both'],
    [rules, ['draft'], 'Give one file'],
    [rules, ['publish', 'a', 'b'], 'Give one file, or none'],
    [rules, ['show', 'x'], 'Give one version'],
    [rules, ['rollback'], 'Give one version'],
    [rules, ['history'], 'Firstcall is not running here. Start Firstcall first: npm start'],
    [replay, [], 'Give the rules'],
    [replay, ['--rules', 'x', '--last', '0'], '--last takes a number from 1 to 10000, not 0.'],
    [verify, ['--sample', 'all'], '--sample takes a number from 1 to 10000, not all.'],
    [plan, [], 'Give one file: npm run practice -- plan <file>'],
    [plan, ['nowhere.yaml'], 'Cannot read nowhere.yaml (ENOENT).'],
    [exportFile, ['a', 'b'], 'Give one file'],
  ])('says in one line what is wrong: %o %j', async (command, args, message) => {
    vi.stubEnv('INIT_CWD', args.includes('there.yaml') ? home : undefined);
    const given = args.map((arg) => (arg === 'practices/dermatology.yaml' ? join(process.cwd(), arg) : arg));

    const refusal = await Promise.resolve()
      .then(() => command(given))
      .catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).message).toContain(message);
    expect((refusal as Refusal).message).not.toContain('\n');
  });
});

describe('a table', () => {
  it('is aligned, and wraps its last column within 100 characters', () => {
    const rows = [
      ['a', 'short'],
      ['bbb', 'word '.repeat(40).trim()],
    ];
    const lines = layOut(['id', 'what'], rows).split('\n');

    expect(lines.slice(0, 2)).toEqual(['id   what', 'a    short']);
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    for (const line of lines.slice(3)) expect(line).toMatch(/^ {5}word/);
    expect(lines.slice(2).join(' ').match(/word/g)).toHaveLength(40);
  });

  it('cuts a column that would leave no room for the others', () => {
    const [, line] = layOut(['id', 'what'], [['x'.repeat(60), 'y']]).split('\n');

    expect(line).toBe(`${'x'.repeat(32)}…  y`);
  });

  it('wraps a word that is longer than a line', () => {
    const lines = layOut(['id', 'what'], [['a', 'z'.repeat(250)]]).split('\n');

    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.join('').match(/z/g)).toHaveLength(250);
  });
});

describe('a template', () => {
  it('is shown as text and as a page, in the language that is asked for', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await messages(['not-reached-1', ...dermatology, '--language', 'es']);
    await messages(['not-reached-1', ...dermatology, '--html']);
    const [[text], [page]] = log.mock.calls as [[string], [string]];
    log.mockRestore();

    expect(text).toContain('Hola, Maria:');
    expect(text).toContain('https://example.com/v1/unsubscribe/');
    expect(page).toContain('<html lang="en">');
    expect(page).toContain('<p>Hello Maria,</p>');
  });
});
