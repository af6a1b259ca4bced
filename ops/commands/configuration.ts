/** `check`, `plan`, `apply`, `export`, `schema`: the practice file and what is in force. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import {
  applyConfiguration,
  type ConfigurationChange,
  type ConfigurationConflict,
  planConfiguration,
} from '../../shared/data/apply-configuration.ts';
import { ConfigurationMissing, readConfiguration } from '../../shared/data/configuration.ts';
import { openPractice, pathOf } from '../files.ts';
import { practiceSchemaText } from '../practice-schema.ts';
import { writePracticeFile } from '../practice-text.ts';
import { authorOf, codeOf, onTable } from '../system.ts';
import { count, layOut, Refusal } from '../terminal.ts';

const signs = { add: '+', change: '~', remove: '-' } as const;

const nameOf = ({ kind, id }: Pick<ConfigurationChange, 'kind' | 'id'>): string =>
  kind === id ? kind : `${kind} ${id}`;

function describe(changes: readonly ConfigurationChange[]): string {
  if (changes.length === 0) return 'Nothing to change: the practice is as the file says.';
  const lines = changes.map((change) => `  ${signs[change.change]} ${nameOf(change)}`);
  const sums = (['add', 'change', 'remove'] as const).map(
    (change) => `${changes.filter((one) => one.change === change).length} to ${change}`,
  );
  return [...lines, `${sums.join(', ')}.`].join('\n');
}

function describeConflicts(conflicts: readonly ConfigurationConflict[], baseVersion: number): string {
  const rows = conflicts.map((conflict) => [
    `  ! ${nameOf(conflict)}`,
    `by ${conflict.author}`,
    conflict.via === 'api' ? 'in the API' : 'by a command',
    conflict.updatedAt,
    `version ${conflict.configurationVersion}`,
  ]);
  const since = `Changed since version ${baseVersion}, which the file was made from, and not by a file:`;
  return [since, ...layOut(['', '', '', '', ''], rows).split('\n').slice(1)].join('\n');
}

/** @throws Refusal where a file was made from a version that is yet to come: of another table, say */
function refuseFuture(baseVersion: number, version: number): void {
  if (version > 0 && baseVersion > version)
    throw new Refusal(
      `The file was made from version ${baseVersion}; version ${version} is in force: export again.`,
    );
}

/** One file, and nothing more than that. */
function oneFile(positionals: readonly string[], command: string): string {
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0)
    throw new Refusal(`Give one file: npm run practice -- ${command} <file>`);
  return file;
}

export async function check(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const file = oneFile(positionals, 'check');
  console.log(`${file} is valid: ${openPractice(file).practice.name}.`);
}

export async function plan(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const { practice, baseVersion } = openPractice(oneFile(positionals, 'plan'));
  const planned = await onTable((table) => planConfiguration(table, practice, baseVersion));
  const { version, changes, conflicts } = planned;
  refuseFuture(baseVersion, version);
  console.log(describe(changes));
  if (conflicts.length === 0) return;
  console.log(describeConflicts(conflicts, baseVersion));
  console.log('apply refuses these unless it is given --force.');
}

export async function apply(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { author: { type: 'string' }, force: { type: 'boolean', default: false } },
  });
  const { practice, baseVersion } = openPractice(oneFile(positionals, 'apply'));
  const author = authorOf(values.author);
  await onTable(async (table) => {
    const { force } = values;
    refuseFuture(baseVersion, (await planConfiguration(table, practice, baseVersion)).version);
    const now = () => new Date();
    const applied = await applyConfiguration({ table, practice, author, now, baseVersion, force });
    if (applied.outcome === 'conflict') {
      const conflicts = describeConflicts(applied.conflicts, baseVersion);
      throw new Refusal(
        `${conflicts}\nNothing was applied. Take them over from "npm run practice -- export", or apply with --force.`,
      );
    }
    if (applied.outcome === 'overtaken') {
      throw new Refusal(
        'Somebody else applied a practice at the same moment, and theirs stands. Look at the plan again.',
      );
    }
    console.log(describe(applied.outcome === 'applied' ? applied.changes : []));
    if (applied.outcome === 'unchanged') return;
    const done = count(applied.changes.length, 'change');
    console.log(`Applied ${done} as ${author}: configuration version ${applied.version}.`);
  });
}

/** Where the shipped schema lies. */
const schemaFile = join(import.meta.dirname, '..', '..', 'practices', 'practice.schema.json');

export async function exportFile(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  });
  const [file, ...rest] = positionals;
  if (rest.length > 0) throw new Refusal('Give one file: npm run practice -- export [file]');
  const path = file === undefined ? undefined : pathOf(file);
  if (path !== undefined && existsSync(path) && !values.force)
    throw new Refusal(`${file} is there already: give another name, or --force to write over it.`);

  const text = await onTable(async (table) => {
    const found = await readConfiguration(table);
    if (found === undefined) throw new ConfigurationMissing();
    const schemaPath = relative(path === undefined ? pathOf('.') : dirname(path), schemaFile);
    return writePracticeFile(found.practice, { baseVersion: found.version, schemaPath });
  });
  if (path === undefined) return void process.stdout.write(text);
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Refusal(`Cannot write ${file} (${codeOf(error)}).`);
  }
  console.log(`Wrote ${file}.`);
}

export async function schema(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  process.stdout.write(practiceSchemaText());
}
