import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LocalProblem } from './problem.ts';

const requiredJava = 17;

/**
 * Checks that a Java new enough for DynamoDB Local is there.
 *
 * @throws LocalProblem saying what to install
 */
export async function checkJava(): Promise<void> {
  const advice = `install a Java runtime, version ${requiredJava} or later, and put it on the PATH (or set AWS_ENDPOINT_URL_DYNAMODB to a DynamoDB that is running already).`;
  const printed = await new Promise<string>((resolve, reject) => {
    execFile('java', ['-version'], (error, stdout, stderr) => {
      if (error) reject(new LocalProblem(`Java was not found: ${advice}`));
      else resolve(stderr + stdout);
    });
  });
  const [, major, minor] = /version "(\d+)(?:\.(\d+))?/.exec(printed) ?? [];
  const version = major === '1' ? Number(minor) : Number(major);
  if (!(version >= requiredJava))
    throw new LocalProblem(`Java ${version || 'of unknown version'} is too old: ${advice}`);
}

/**
 * Checks that a port of the loopback interface can be taken.
 *
 * @throws LocalProblem naming the port
 */
export async function checkPort(port: number): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new LocalProblem('PORT must be a number between 1 and 65535.');
  }
  // Both, since `localhost` may mean either; a machine without IPv6 has only the first.
  for (const host of loopback) await probePort(port, host);
}

/** The addresses of this machine for itself. */
export const loopback = ['127.0.0.1', '::1'] as const;

async function probePort(port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (host === '::1' && error.code !== 'EADDRINUSE') return resolve();
      return reject(
        new LocalProblem(
          error.code === 'EADDRINUSE'
            ? `Port ${port} is in use: stop the program that uses it, or choose another one with PORT=4001 npm start.`
            : `Port ${port} cannot be opened (${error.code}): choose another one with PORT=4001 npm start.`,
        ),
      );
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

/**
 * Between those that services are known by and those that systems hand out by themselves (from 32,768 on
 * Linux, 49,152 elsewhere): what was free stays so until whoever it is for has started.
 */
const portRange = { from: 20_000, to: 32_000 } as const;
const mostTries = 50;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** A port of the loopback interface that nobody uses now: the preferred one, else any. @throws LocalProblem */
export async function freePort(preferred = 0): Promise<number> {
  if (preferred !== 0 && (await isFree(preferred))) return preferred;
  for (let i = 0; i < mostTries; i++) {
    const port = randomInt(portRange.from, portRange.to);
    if (await isFree(port)) return port;
  }
  throw new LocalProblem(
    `No port is free between ${portRange.from} and ${portRange.to}: stop a program that uses many.`,
  );
}
