/** What was stored before a field was there reads as if the field had been left out of the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { applyConfiguration } from '../../shared/data/apply-configuration.ts';
import { readConfiguration } from '../../shared/data/configuration.ts';
import { configurationPk } from '../../shared/data/keys.ts';
import { queryAll } from '../../shared/data/table.ts';
import { type Entity, fromEntities, listKinds, toEntities } from '../../shared/domain/entities.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceParts } from '../../shared/domain/schema/practice.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { friday } from '../support/fixtures.ts';

const files = readdirSync('practices').filter((name) => name.endsWith('.yaml'));
const practices = new Map(
  files.map((file) => [
    file,
    readPracticeFile(readFileSync(`practices/${file}`, 'utf8')).practice as Practice,
  ]),
);
const practiceOf = (file: string): Practice => practices.get(file) as Practice;

/** A schema that fills in as much and refuses less: without some fields, a practice may not be valid. */
function lenientOf(schema: z.ZodType): z.ZodType {
  const inner = (part: unknown): z.ZodType => lenientOf(part as z.ZodType);
  if (schema instanceof z.ZodDefault) return inner(schema.unwrap()).default(schema.def.defaultValue);
  if (schema instanceof z.ZodOptional) return inner(schema.unwrap()).optional();
  if (schema instanceof z.ZodLazy) return z.lazy(() => inner(schema.unwrap()));
  if (schema instanceof z.ZodArray) return z.array(inner(schema.element));
  if (schema instanceof z.ZodObject)
    return z.strictObject(
      Object.fromEntries(Object.entries(schema.shape).map(([name, field]) => [name, inner(field)])),
    );
  return schema;
}
const lenient = lenientOf(z.strictObject(practiceParts));

/** Names of fields; `*` is every entry of a list or a record. */
type Path = readonly string[];

const leaves = new Set(['string', 'number', 'boolean', 'enum', 'literal']);

/** Every field that has a default, as a path from the schema. */
function defaultsIn(schema: z.ZodType, path: Path = [], within: readonly z.ZodType[] = []): Path[] {
  if (within.includes(schema)) return [];
  const into = (inner: unknown, at = path) => defaultsIn(inner as z.ZodType, at, [...within, schema]);
  if (schema instanceof z.ZodDefault) return [path, ...into(schema.unwrap())];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodLazy) return into(schema.unwrap());
  if (schema instanceof z.ZodArray) return into(schema.element, [...path, '*']);
  if (schema instanceof z.ZodRecord) return into(schema.valueType, [...path, '*']);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => into(option));
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, inner]) => into(inner, [...path, name]));
  if (!leaves.has(schema.type)) throw new Error(`${path.join('.')}: what is within a ${schema.type}?`);
  return [];
}

/** Takes a field away wherever it is; how often it was there. */
function remove(from: unknown, [name, ...rest]: Path): number {
  if (typeof from !== 'object' || from === null || name === undefined) return 0;
  if (name === '*') return Object.values(from).reduce<number>((sum, one) => sum + remove(one, rest), 0);
  const record = from as Record<string, unknown>;
  if (rest.length > 0) return remove(record[name], rest);
  return name in record && delete record[name] ? 1 : 0;
}

const isList = (kind: string): boolean => (listKinds as readonly string[]).includes(kind);

/** What an entity tells of its practice. */
function partOf({ kind, data }: Pick<Entity, 'kind' | 'data'>): Record<string, unknown> {
  if (kind === 'practice' || kind === 'rules') return data as Record<string, unknown>;
  return { [kind]: isList(kind) ? [data] : data };
}

/** Takes fields away from an entity; false where nothing is left that would be stored. */
function strip(entity: Pick<Entity, 'kind' | 'data'>, paths: readonly Path[]): boolean {
  const part = partOf(entity);
  for (const path of paths) remove(part, path);
  return Object.keys(part).length > 0;
}

const defaults = defaultsIn(z.strictObject(practiceParts));
const named = defaults.map((path) => [path.join('.'), path] as const);
const isWithin = (path: Path, other: Path): boolean =>
  path.length > other.length && other.every((name, i) => path[i] === name);
const outermost = defaults.filter((path) => !defaults.some((other) => isWithin(path, other)));
/** Those that have no others within. */
const innermost = defaults.filter((path) => !defaults.some((other) => isWithin(other, path)));

/** The practice of stored entities without some fields, and what the schema makes of a file without them. */
function readWithout(practice: Practice, paths: readonly Path[]) {
  const entities = toEntities(structuredClone(practice))
    .filter((entity) => strip(entity, paths))
    .map((entity) => ({ ...entity, version: 1 }));
  const { rulesVersion: _, ...found } = fromEntities(entities);
  const file = structuredClone(practice);
  const removed = paths.map((path) => remove(file, path));
  return { found, expected: lenient.parse(file), removed };
}

describe('what was stored before a field was there', () => {
  it.each(named)('has the default of %s', (_, path) => {
    const removed = files.map((file) => {
      const without = readWithout(practiceOf(file), [path]);
      expect(without.found).toEqual(without.expected);
      return without.removed[0] ?? 0;
    });

    // Where this fails, no practice file has the part that the field belongs to: give one of them some.
    expect(Math.max(...removed)).toBeGreaterThan(0);
  });

  it.each(files)('reads as the schema would: %s', (file) => {
    for (const paths of [outermost, innermost]) {
      const { found, expected } = readWithout(practiceOf(file), paths);
      expect(found).toEqual(expected);
    }
  });

  it.each(files)('is read so from the table: %s', async (file) => {
    const practice = practiceOf(file);
    const table = createMemoryTable();
    await applyConfiguration({ table, practice, author: 'ada', now: () => friday });
    for (const row of await queryAll(table, { pk: configurationPk })) {
      if (row['kind'] === undefined) continue;
      const entity = structuredClone(row) as unknown as Entity;
      await table.write(
        strip(entity, innermost)
          ? { put: { ...row, data: entity.data } }
          : { remove: { pk: row.pk, sk: row.sk } },
      );
    }

    const { rulesVersion: _, ...found } = (await readConfiguration(table))?.practice ?? ({} as Practice);
    expect(found).toEqual(readWithout(practice, innermost).expected);
  });
});
