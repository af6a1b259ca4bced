import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LocalProblem, messageOf } from './problem.ts';

/** The project's folder. */
export const projectRoot = resolve(import.meta.dirname, '..');

/** Where everything that survives a restart is kept. */
export interface Home {
  readonly directory: string;
  readonly assembly: string;
  readonly database: string;
  readonly logs: string;
  readonly positions: string;
  readonly secrets: string;
  readonly issuer: string;
  readonly runtime: string;
  readonly lock: string;
}

/** The state folder: `.firstcall/`, or where `FIRSTCALL_HOME` points. */
export function homeAt(directory = process.env.FIRSTCALL_HOME ?? join(projectRoot, '.firstcall')): Home {
  const at = (name: string): string => join(resolve(directory), name);
  return {
    directory: resolve(directory),
    assembly: at('cdk.out'),
    database: at('dynamodb'),
    logs: at('logs'),
    positions: at('positions'),
    secrets: at('secrets.json'),
    issuer: at('issuer.json'),
    runtime: at('runtime.json'),
    lock: at('lock.json'),
  };
}

/**
 * Makes the state folders, only readable for their owner.
 *
 * @throws LocalProblem if they cannot be written
 */
export function prepareHome(home: Home): void {
  try {
    for (const directory of [home.directory, home.database, home.logs, home.positions]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      accessSync(directory, constants.W_OK);
    }
    // Root may write where the mode forbids it; a read-only file system shows only on writing.
    const probe = join(home.directory, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new LocalProblem(
      `Cannot write to ${home.directory} (${codeOf(error)}): make it writable, or point FIRSTCALL_HOME to a folder that is.`,
    );
  }
}

/** Removes what earlier runs left, for a start from nothing. */
export function clearHome(home: Home): void {
  for (const path of [home.database, home.positions, home.secrets, home.logs, home.runtime]) {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Writes a file that only its owner may read. */
export function writePrivate(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** Reads a JSON file; undefined where there is none, or a broken one. */
export function readOptional<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);

/** What a running system tells other commands: where it is and what it is called. */
export interface Runtime {
  readonly pid: number;
  readonly origin: string;
  readonly inboxUrl: string;
  readonly tableName: string;
  readonly queueUrls: Record<string, string>;
  readonly endpoints: Endpoints;
  readonly region: string;
}

/** Base addresses of the engines, as the SDK's `AWS_ENDPOINT_URL_…` variables take them. */
export interface Endpoints {
  readonly dynamodb: string;
  readonly sqs: string;
  readonly ses: string;
  readonly secretsManager: string;
}
