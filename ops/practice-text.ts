/** Writes a practice, or rules, as the text of a file: in the file's order, without what goes without saying. */
import { isDeepStrictEqual } from 'node:util';
import { Document, isCollection, isMap, isPair, isScalar, type Node, visit } from 'yaml';
import * as z from 'zod';
import { channels } from '../shared/domain/channels.ts';
import type { Practice } from '../shared/domain/practice.ts';
import type { Rule } from '../shared/domain/rules/rule.ts';
import { practiceParts, practiceSchema } from '../shared/domain/schema/practice.ts';
import { rulesSchema } from '../shared/domain/schema/rule.ts';
import { weekdays } from '../shared/domain/weekdays.ts';

/** The line by which editors find the schema of a practice file. */
export const schemaComment = (schemaPath: string): string => `yaml-language-server: $schema=${schemaPath}`;

/** Collections this wide at the most are written on one line, in characters. */
const flowWidth = 88;

/** Readers of older YAML would take a bare 17:00 for a number. */
const clockTime = /^\d{2}:\d{2}$/;

type Path = readonly (string | number)[];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place of a key in a value, the innermost first. */
function keysIn(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => keysIn(item, [...path, i]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...keysIn(inner, [...path, key]), [...path, key]]);
}

/** Leaves out every key without which the schema reads the same. */
function withoutDefaults(schema: z.ZodType, full: unknown): unknown {
  const value = structuredClone(full);
  for (const path of keysIn(full)) {
    const parent = path
      .slice(0, -1)
      .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], value);
    const key = path.at(-1) as string;
    const record = parent as Record<string, unknown>;
    const { [key]: left, ...rest } = record;
    delete record[key];
    const again = schema.safeParse(value);
    if (again.success && isDeepStrictEqual(again.data, full)) continue;
    // Put back where it stood.
    for (const other of Object.keys(record)) delete record[other];
    Object.assign(record, inOrder(full, path.slice(0, -1), { ...rest, [key]: left }));
  }
  return value;
}

/** A record's keys in the order in which they stood in the whole. */
function inOrder(full: unknown, path: Path, record: Record<string, unknown>): Record<string, unknown> {
  const original = path.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], full);
  const order = Object.keys(original as Record<string, unknown>);
  return Object.fromEntries(order.filter((key) => key in record).map((key) => [key, record[key]]));
}

/** Records by weekday and by channel come back from the table in no order; those have one. */
function sortKeys<Value>(record: Partial<Record<string, Value>>, order: readonly string[]) {
  return Object.fromEntries(order.filter((key) => key in record).map((key) => [key, record[key]]));
}

/** Short leaves on one line, as people write them. */
function compact(document: Document): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && clockTime.test(node.value)) node.type = 'QUOTE_SINGLE';
    },
    Collection(_, node) {
      const isLeaf = node.items.every((item) => {
        const value = isPair(item) ? item.value : item;
        return isScalar(value) || (isCollection(value) && value.flow);
      });
      const width = JSON.stringify(node.toJSON()).replaceAll('"', '').length;
      if (isLeaf && width <= flowWidth) node.flow = true;
    },
  });
}

/** The innermost are made compact first, so that what holds only such becomes so, too. */
function text(document: Document): string {
  compact(document);
  compact(document);
  return document.toString({ lineWidth: 100, flowCollectionPadding: true, indentSeq: true });
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/**
 * A practice as the text of a file that, applied, changes nothing.
 *
 * @param options.baseVersion - the configuration's version that it was read at
 * @param options.schemaPath - where an editor finds the schema, seen from the file
 */
export function writePracticeFile(
  { rulesVersion: _, ...practice }: Practice,
  options: { readonly baseVersion: number; readonly schemaPath: string },
): string {
  const ordered = practiceSchema.parse({
    ...practice,
    locations: practice.locations.map((location) => ({
      ...location,
      hours: sortKeys(location.hours, weekdays),
    })),
    scoring: {
      ...practice.scoring,
      channelMinutes: sortKeys(practice.scoring.channelMinutes, channels),
    },
  });
  const parts = Object.entries(ordered).flatMap(([key, value]) => {
    const schema = practiceParts[key as keyof typeof practiceParts] as z.ZodType;
    const isDefault = key !== 'scoring' && isDeepStrictEqual(schema.safeParse(undefined).data, value);
    return isDefault ? [] : [[key, sparse(schema, plain(value))] as const];
  });
  const document = new Document({ baseVersion: options.baseVersion, ...Object.fromEntries(parts) });
  document.commentBefore = ` ${schemaComment(options.schemaPath)}`;
  const [, ...rest] = isMap(document.contents) ? document.contents.items : [];
  for (const { key } of rest) if (isScalar(key)) key.spaceBefore = true;
  return text(document);
}

/** Lists entry by entry, so that the work stays small however many there are. */
function sparse(schema: z.ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => (withoutDefaults(z.tuple([innerOf(schema)]), [item]) as [unknown])[0]);
  }
  return schema === (practiceParts.scoring as z.ZodType) ? value : withoutDefaults(schema, value);
}

const innerOf = (schema: z.ZodType): z.ZodType => {
  const list = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  return (list as z.ZodArray<z.ZodType>).element;
};

/** Rules as a list in YAML. */
export function writeRules(rules: readonly Rule[]): string {
  // Stored rules come back with their fields in no order; the schema's is the one to read.
  const document = new Document(sparse(rulesSchema, plain(rulesSchema.parse(rules))));
  if (isCollection(document.contents)) {
    for (const item of document.contents.items.slice(1)) (item as Node).spaceBefore = true;
  }
  return text(document);
}

/** A text with every line moved to the right. */
export const indented = (text: string, by: number): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');

/** Rules as the text of a rules file. */
export const writeRulesFile = (rules: readonly Rule[]): string =>
  `rules:\n${indented(writeRules(rules), 2)}\n`;
