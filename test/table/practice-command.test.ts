/** `npm run practice`, as a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../shared/data/configuration.ts';
import { configuration } from '../../shared/data/keys.ts';
import { type FreshTable, freshTable } from '../support/dynamodb.ts';

const demo = resolve('practices/demo.yaml');

let fresh: FreshTable;
let home: string;
beforeEach(async () => {
  fresh = await freshTable();
  home = await mkdtemp(join(tmpdir(), 'firstcall-'));
});
afterEach(() => rm(home, { recursive: true }));

const running = (endpoint = fresh.endpoint, tableName = fresh.tableName) =>
  writeFile(join(home, 'runtime.json'), JSON.stringify({ tableName, endpoints: { dynamodb: endpoint } }));

async function practice(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { TABLE_NAME: _, INIT_CWD: __, ...env } = process.env;
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['ops/practice.ts', ...args], {
      env: { ...env, FIRSTCALL_HOME: home },
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('npm run practice', () => {
  it('plans without writing, then applies, then has nothing to do', async () => {
    await running();

    const planned = await practice('plan', demo);
    expect(planned).toMatchObject({ code: 0, err: '' });
    expect(planned.out).toContain('  + services dental-implant\n');
    expect(planned.out).toContain('42 to add, 0 to change, 0 to remove.');
    expect(await readConfiguration(fresh.table)).toBeUndefined();

    const applied = await practice('apply', demo, '--author', 'ada');
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect(applied.out).toContain('Applied 42 changes as ada: configuration version 1.');
    expect(await readConfiguration(fresh.table)).toMatchObject({ version: 1 });
    expect(await fresh.table.get(configuration.practice)).toMatchObject({ author: 'ada' });

    expect((await practice('apply', demo)).out).toBe(
      'Nothing to change: the practice is as the file says.\n',
    );
  });

  it('tells every mistake at its place and writes nothing', async () => {
    await running();
    const file = join(home, 'bad.yaml');
    await writeFile(file, 'name: X\nlocations: 5\n');

    const { code, out, err } = await practice('apply', file);

    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain(`${file}:1:1  services  is missing\n`);
    expect(err).toContain(`${file}:2:12  locations  expected array, received number\n`);
    expect(await readConfiguration(fresh.table)).toBeUndefined();
  });

  it('checks a file without any table', async () => {
    expect(await practice('check', demo)).toEqual({
      code: 0,
      out: `${demo} is valid: Bayview Health (demo).\n`,
      err: '',
    });
  });

  it.each([
    [
      'nothing runs here',
      async () => undefined,
      'Firstcall is not running here. Start Firstcall first: npm start\n',
    ],
    [
      'it has ended',
      () => running('http://127.0.0.1:9'),
      'The table cannot be reached (ECONNREFUSED). Start Firstcall first: npm start\n',
    ],
    [
      'there is another table',
      () => running(fresh.endpoint, 'gone'),
      'There is no table gone here. Start Firstcall first (npm start), or check TABLE_NAME.\n',
    ],
  ])('says in one line what to do where %s', async (_, arrange, err) => {
    await arrange();

    expect(await practice('apply', demo)).toEqual({ code: 1, out: '', err });
  });

  it('says in one line that a file cannot be read', async () => {
    expect(await practice('check', 'nowhere.yaml')).toEqual({
      code: 1,
      out: '',
      err: 'Cannot read nowhere.yaml (ENOENT).\n',
    });
  });
});
