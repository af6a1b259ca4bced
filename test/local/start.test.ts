import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const main = resolve(import.meta.dirname, '../../local/main.ts');

/** Starts, expecting it to give up before anything runs. */
async function start(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stderr };
}

describe('npm start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstcall-start-'));
  const FIRSTCALL_HOME = join(directory, 'home');
  afterAll(() => rmSync(directory, { recursive: true }));

  it('says in one line that a port is in use', async () => {
    const server = createServer();
    const port = await new Promise<number>((done) => {
      server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
    });
    const { code, stderr } = await start({ FIRSTCALL_HOME, PORT: String(port) });
    server.close();

    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port} is in use: .*PORT=4001 npm start\\.\\n$`));
  });

  it('says in one line that Java is missing, or too old', async () => {
    const { code, stderr } = await start({ FIRSTCALL_HOME, PORT: '0', PATH: directory });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Java was not found: install a Java runtime, version 17 or later.*\n$/);

    writeFileSync(join(directory, 'java'), '#!/bin/sh\necho \'openjdk version "11.0.2"\' >&2\n', {
      mode: 0o755,
    });
    const old = await start({ FIRSTCALL_HOME, PORT: '0', PATH: `${directory}:${process.env.PATH}` });
    expect(old.code).toBe(1);
    expect(old.stderr).toMatch(/^Java 11 is too old: install.*\n$/);
  });

  it('says in one line that the state folder cannot be written', async () => {
    writeFileSync(join(directory, 'file'), '');
    const { code, stderr } = await start({ FIRSTCALL_HOME: join(directory, 'file', 'home'), PORT: '0' });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^Cannot write to .*: make it writable, or point FIRSTCALL_HOME .*\n$/);
  });

  it('says in one line which options there are', async () => {
    const { code, stderr } = await start({ FIRSTCALL_HOME }, '--verbose');

    expect(code).toBe(1);
    expect(stderr).toBe("Unknown option '--verbose': npm start takes only -- --fresh.\n");
  });
});
