/**
 * `npm run practice -- <check|plan|apply> <file>`: the practice's configuration
 * from a file, validated, compared with what is in force, and applied.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import {
  applyConfiguration,
  type ConfigurationChange,
  planConfiguration,
  readConfiguration,
} from '../shared/data/configuration.ts';
import { createDocumentClient, createDynamoTable } from '../shared/data/dynamo-table.ts';
import type { Table } from '../shared/data/table.ts';
import type { Practice } from '../shared/domain/practice.ts';
import { readPracticeFile } from './practice-file.ts';

const usage = `Usage: npm run practice -- <command> <file> [--author <name>]

  check <file>   says whether the file is valid, and what is wrong where
  plan  <file>   shows what applying it would change
  apply <file>   applies it

The table is the one of the system that runs here (npm start), or the one that
TABLE_NAME names, in the AWS account and region of the environment.`;

/** What a running system writes down for commands like this one. */
const runtimeSchema = z.object({ tableName: z.string(), endpoints: z.object({ dynamodb: z.string() }) });

/** A mistake of whoever runs the command, told in one line without a stack. */
class Refusal extends Error {}

function readPractice(file: string): Practice {
  // npm runs scripts in the project's folder; the path is meant from where the person stands.
  const path = resolve(process.env['INIT_CWD'] ?? '.', file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(`Cannot read ${file} (${codeOf(error)}).`);
  }
  const { practice, problems } = readPracticeFile(text);
  if (practice) return practice;
  const lines = problems.map(({ line, column, path: at, reason }) =>
    [`${file}:${line}:${column}`, at, reason].filter((part) => part !== '').join('  '),
  );
  throw new Refusal([...lines, `${count(problems.length, 'mistake')}; nothing was changed.`].join('\n'));
}

/** The table's name and the way to it: from the environment, else of the system running here. */
function findTable(): { tableName: string; config: DynamoDBClientConfig } {
  // The SDK finds everything else in the environment by itself, AWS_ENDPOINT_URL_DYNAMODB included.
  if (process.env['TABLE_NAME']) return { tableName: process.env['TABLE_NAME'], config: {} };

  const home = process.env['FIRSTCALL_HOME'] ?? join(import.meta.dirname, '..', '.firstcall');
  try {
    const runtime = JSON.parse(readFileSync(join(home, 'runtime.json'), 'utf8'));
    const { tableName, endpoints } = runtimeSchema.parse(runtime);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    return { tableName, config: { endpoint: endpoints.dynamodb, region: 'us-east-1', credentials } };
  } catch {
    throw new Refusal('Firstcall is not running here. Start Firstcall first: npm start');
  }
}

const signs = { add: '+', change: '~', remove: '-' } as const;

function describe(changes: readonly ConfigurationChange[]): string {
  if (changes.length === 0) return 'Nothing to change: the practice is as the file says.';
  const lines = changes.map(
    ({ kind, id, change }) => `  ${signs[change]} ${kind === id ? kind : `${kind} ${id}`}`,
  );
  const sums = (['add', 'change', 'remove'] as const).map(
    (change) => `${changes.filter((one) => one.change === change).length} to ${change}`,
  );
  return [...lines, `${sums.join(', ')}.`].join('\n');
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

async function apply(table: Table, practice: Practice, author: string): Promise<void> {
  const applied = await applyConfiguration({ table, practice, author, now: () => new Date() });
  if (applied.outcome === 'overtaken') {
    throw new Refusal(
      'Somebody else applied a practice at the same moment, and theirs stands. Look at the plan again.',
    );
  }
  if (applied.outcome === 'applied') {
    const number = applied.changes.length;
    console.log(`Applied ${count(number, 'change')} as ${author}: configuration version ${applied.version}.`);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { author: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const [command, file, ...rest] = positionals;
  if (values.help) return console.log(usage);
  if (!file || rest.length > 0 || !['check', 'plan', 'apply'].includes(command ?? ''))
    throw new Refusal(usage);

  const practice = readPractice(file);
  if (command === 'check') return console.log(`${file} is valid: ${practice.name}.`);

  const { tableName, config } = findTable();
  const table = createDynamoTable({ client: createDocumentClient({ ...config, maxAttempts: 2 }), tableName });
  try {
    const current = await readConfiguration(table);
    console.log(describe(planConfiguration(current?.practice, practice)));
    if (command === 'apply') await apply(table, practice, values.author ?? userInfo().username);
  } catch (error) {
    throw explain(error, tableName);
  }
}

const unreachable = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'TimeoutError'];

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.name;
};

/** Turns what commonly goes wrong on the way to the table into what to do about it. */
function explain(error: unknown, tableName: string): unknown {
  const code = codeOf(error);
  if (unreachable.includes(code)) {
    return new Refusal(`The table cannot be reached (${code}). Start Firstcall first: npm start`);
  }
  if (code === 'ResourceNotFoundException') {
    return new Refusal(
      `There is no table ${tableName} here. Start Firstcall first (npm start), or check TABLE_NAME.`,
    );
  }
  if (code === 'CredentialsProviderError' || code === 'AccessDeniedException') {
    return new Refusal(
      `AWS gives no access to the table ${tableName} (${code}): check the credentials in use.`,
    );
  }
  return error;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const ours = error instanceof Refusal || codeOf(error).startsWith('ERR_PARSE_ARGS');
  console.error(ours ? (error as Error).message : error);
  process.exitCode = 1;
}
