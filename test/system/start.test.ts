/** `npm start` as whoever runs it sees it: what it prints, what it leaves, what it needs. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMessaging } from '../../local/engines/messaging.ts';
import type { Runtime } from '../../local/home.ts';
import { startDynamoDb } from '../support/dynamodb.ts';
import { ensureAssembly, type InboxMail, waitFor } from './harness.ts';
import { formType, webFormSample } from './samples.ts';

const root = resolve(import.meta.dirname, '../..');

let folder: string;
let home: string;
let running: Run[] = [];

/** An `npm start` under way. */
interface Run {
  readonly child: ChildProcess;
  readonly home: string;
  printed(): string;
  readonly ended: Promise<number | null>;
}

/** The environment of a terminal: nothing of the test runner's, nor of the npm that started it. */
function terminal(changes: Record<string, string | undefined>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|VITEST|NODE_|INIT_CWD|TEST|AWS_|TZ$|FIRSTCALL_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), PORT: '0', ...changes };
}

/** Starts in a process group of its own, as a shell does, so that Ctrl-C can be sent to all of it. */
function start(changes: Record<string, string | undefined> = {}, ...args: string[]): Run {
  const env = terminal({ FIRSTCALL_HOME: home, ...changes });
  // From another folder of the project than its own: npm finds the way.
  const child = spawn('npm', ['start', ...args], { cwd: join(root, 'docs'), env, detached: true });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
    });
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const run = { child, home: env['FIRSTCALL_HOME'] ?? home, printed: () => printed, ended };
  running.push(run);
  return run;
}

const ready = (run: Run): Promise<Runtime> =>
  waitFor(
    'npm start to be ready',
    async () => {
      if (run.child.exitCode !== null) throw new Error(`npm start ended:\n${run.printed()}`);
      if (!run.printed().includes('Ctrl-C stops')) return undefined;
      return JSON.parse(readFileSync(join(run.home, 'runtime.json'), 'utf8')) as Runtime;
    },
    90_000,
  );

/** Ctrl-C: the terminal signals every process of the group. */
async function ctrlC(run: Run): Promise<void> {
  const pids = processesOf(run);
  process.kill(-(run.child.pid ?? 0), 'SIGINT');
  // npm itself ends by the signal once what it runs has ended.
  expect([0, null]).toContain(await run.ended);
  expect(run.printed()).toMatch(/^· stopping/m);
  await waitFor('all processes to be gone', () => !pids.some(isAlive));
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Every process that a run started, itself among them. */
function processesOf(run: Run): number[] {
  const lock = JSON.parse(readFileSync(join(run.home, 'lock.json'), 'utf8')) as {
    owner: { pid: number };
    children: { pid: number }[];
  };
  return [run.child.pid ?? 0, lock.owner.pid, ...lock.children.map(({ pid }) => pid)];
}

const token = (role: string): string =>
  execFileSync('npm', ['run', '-s', 'token', '--', role], {
    cwd: root,
    env: terminal({ FIRSTCALL_HOME: home }),
    encoding: 'utf8',
  });

const post = async (origin: string): Promise<string> => {
  const answer = await fetch(`${origin}/v1/inquiries`, {
    method: 'POST',
    headers: formType,
    body: webFormSample,
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
};

const mailsAbout = async (inboxUrl: string, id: string): Promise<InboxMail[]> => {
  const { emails } = (await (await fetch(`${inboxUrl}/store`)).json()) as { emails: InboxMail[] };
  return emails.filter(({ body }) => body.text?.includes(id));
};

/** A state folder with the stacks as they are: synthesizing them has tests of its own. */
async function newHome(name: string): Promise<string> {
  const directory = join(folder, name);
  mkdirSync(directory);
  cpSync(await ensureAssembly(), join(directory, 'cdk.out'), { recursive: true });
  return directory;
}

/** A PATH with everything that there is but Java: wherever node, npm and what npm calls were installed. */
function pathWithoutJava(): string {
  const directory = join(folder, 'bin');
  mkdirSync(directory);
  // The project's own node comes with no npm; of a program in several places the first counts, as in any PATH.
  symlinkSync(process.execPath, join(directory, 'node'));
  const places = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((place) => !place.includes('node_modules'));
  for (const place of places.filter((each) => existsSync(each))) {
    for (const name of readdirSync(place)) {
      const isThere = lstatSync(join(directory, name), { throwIfNoEntry: false });
      if (!isThere && name !== 'java') symlinkSync(join(place, name), join(directory, name));
    }
  }
  return directory;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-start-'));
  home = await newHome('home');
});
afterAll(async () => {
  for (const { child } of running) {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  }
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

describe('npm start', () => {
  let origin: string;
  let id: string;

  it('says where everything is, and takes the first inquiry', async () => {
    const run = start();
    const runtime = await ready(run);
    ({ origin } = runtime);
    expect(run.printed()).toContain(`Inquiry form   ${origin}/`);
    expect(run.printed()).toContain(
      `Inbox          ${runtime.inboxUrl}/   (as JSON: ${runtime.inboxUrl}/store)`,
    );

    // The command it prints, as it is.
    const command = /curl -i .*\n.*}'/.exec(run.printed())?.[0] ?? '';
    const answer = execFileSync('sh', ['-c', command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(answer).toMatch(/^HTTP\/1\.1 202 /);

    expect((await fetch(`${origin}/v1/health`)).status).toBe(200);
    id = await post(origin);
    await waitFor('the e-mail', async () => (await mailsAbout(runtime.inboxUrl, id)).length === 1);

    const printed = token('coordinator');
    expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const headers = { authorization: `Bearer ${printed.trim()}` };
    const shown = await fetch(`${origin}/v1/inquiries/${id}`, { headers });
    expect(await shown.json()).toMatchObject({
      id,
      progress: 'notified',
      contact: { phone: '+16505550188' },
    });
    const forbidden = { authorization: `Bearer ${token('marketer').trim()}` };
    expect((await fetch(`${origin}/v1/queue`, { headers: forbidden })).status).toBe(403);
    expect(() => token('nobody')).toThrow(/Usage: npm run token -- <coordinator\|manager\|marketer\|admin>/);
  });

  it('refuses to run twice on the same data', async () => {
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.printed()).toMatch(/^Firstcall is already running in .* stop it first, .*$/m);
  });

  it('ends every process on Ctrl-C', async () => {
    const [run] = running;
    if (!run) throw new Error('nothing runs');
    const pids = processesOf(run);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    expect(pids.every(isAlive)).toBe(true);

    await ctrlC(run);
    expect(readdirSync(home)).not.toContain('lock.json');
    expect(readdirSync(home)).not.toContain('runtime.json');
    await expect(fetch(`${origin}/v1/health`)).rejects.toThrow();
  });

  it('finds its data again, and forgets them when asked to', async () => {
    const again = start();
    let runtime = await ready(again);
    const staff = () => ({ authorization: `Bearer ${token('coordinator').trim()}` });
    expect((await fetch(`${runtime.origin}/v1/inquiries/${id}`, { headers: staff() })).status).toBe(200);
    expect(await post(runtime.origin)).toBe(id);
    const pids = processesOf(again);
    // As a service manager stops it: only npm gets the signal, which passes it on.
    again.child.kill('SIGTERM');
    await again.ended;
    await waitFor('all processes to be gone', () => !pids.some(isAlive));

    const fresh = start({}, '--', '--fresh');
    runtime = await ready(fresh);
    expect((await fetch(`${runtime.origin}/v1/inquiries/${id}`, { headers: staff() })).status).toBe(404);
    expect(await post(runtime.origin)).not.toBe(id);
    await ctrlC(fresh);
  });

  it('uses the endpoints that the environment names, and then needs no Java', async () => {
    const dynamodb = await startDynamoDb();
    const messaging = await startMessaging({ queues: true, mail: true, mailPort: 0 });
    try {
      const endpoints = {
        dynamodb: dynamodb.endpoint,
        sqs: `http://127.0.0.1:${messaging.queuesPort}`,
        ses: `http://127.0.0.1:${messaging.mailPort}`,
      };
      const run = start({
        FIRSTCALL_HOME: await newHome('elsewhere'),
        PATH: pathWithoutJava(),
        AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
        AWS_ENDPOINT_URL_SQS: endpoints.sqs,
        AWS_ENDPOINT_URL_SES: endpoints.ses,
      });
      const runtime = await ready(run);
      expect(runtime.endpoints).toMatchObject(endpoints);
      const own = await post(runtime.origin);
      await waitFor('the e-mail', async () => (await mailsAbout(endpoints.ses, own)).length === 1);
      await ctrlC(run);
      // What it did not start it does not stop.
      expect((await fetch(`${endpoints.ses}/store`)).status).toBe(200);
      expect((await fetch(endpoints.dynamodb)).status).toBe(400);
    } finally {
      await Promise.all([messaging.stop(), dynamodb.stop()]);
    }
  });
});

describe('npm start, where something is missing', () => {
  it('says so in one line, and ends with 1', async () => {
    const server = createServer();
    const port = await new Promise<number>((done) => {
      server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
    });
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o400);

    const attempts: [changes: Record<string, string>, line: RegExp][] = [
      [{ PORT: String(port) }, new RegExp(`^Port ${port} is in use: stop the program that uses it, or `)],
      [{ PATH: join(folder, 'bin') }, /^Java was not found: install a Java runtime, version 17 or later/],
      [
        { FIRSTCALL_HOME: join(file, 'home') },
        /^Cannot write to .*: make it writable, or point FIRSTCALL_HOME /,
      ],
    ];
    for (const [changes, line] of attempts) {
      const run = start(changes);
      expect(await run.ended, run.printed()).toBe(1);
      // Around it npm says only what it runs.
      const said = run
        .printed()
        .split('\n')
        .filter((text) => text !== '' && !/^(?:>|npm )/.test(text));
      expect(said).toEqual([expect.stringMatching(line)]);
    }
    server.close();
  });
});
