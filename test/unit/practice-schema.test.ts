import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { type JsonSchema, practiceJsonSchema, practiceSchemaText } from '../../ops/practice-schema.ts';
import { channels } from '../../shared/domain/channels.ts';
import { actionSchema } from '../../shared/domain/schema/action.ts';
import { stages } from '../../shared/domain/stages.ts';
import { weekdays } from '../../shared/domain/weekdays.ts';

const schema = JSON.parse(practiceSchemaText()) as JsonSchema;
const validate = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
const files = readdirSync('practices').filter((name) => name.endsWith('.yaml'));
const read = (name: string): string => readFileSync(`practices/${name}`, 'utf8');

/** Every named field in a schema, as `path: schema`. */
function fieldsIn(part: unknown, path = ''): [path: string, schema: JsonSchema][] {
  if (typeof part !== 'object' || part === null) return [];
  if (Array.isArray(part)) return part.flatMap((inner, i) => fieldsIn(inner, `${path}[${i}]`));
  return Object.entries(part).flatMap(([key, inner]) => {
    if (key === 'default') return [];
    const own =
      key === 'properties'
        ? Object.entries(inner as Record<string, JsonSchema>).map(([name, field]): [string, JsonSchema] => [
            `${path}.${name}`,
            field,
          ])
        : [];
    return [...own, ...fieldsIn(inner, key === 'properties' ? path : `${path}.${key}`)];
  });
}

describe('the JSON Schema of a practice file', () => {
  it('ships as it is made', () => {
    // Where this fails: npm run -s practice -- schema > practices/practice.schema.json
    expect(readFileSync('practices/practice.schema.json', 'utf8')).toBe(practiceSchemaText());
  });

  it('explains every field, but those that say all by their name', () => {
    const fields = fieldsIn(schema);
    const saysItself = new RegExp(`\\.(?:${[...weekdays, ...channels, ...stages, 'not'].join('|')})$`);
    const silent = fields
      .filter(([path, field]) => field['description'] === undefined && !saysItself.test(path))
      .map(([path]) => path);

    expect(fields.length).toBeGreaterThan(100);
    expect(silent).toEqual([]);
  });

  it('offers the fields that a condition may name, and every action', () => {
    const text = practiceSchemaText();

    expect(text).toContain('"serviceValueCents"');
    for (const option of actionSchema.unwrap().options)
      expect(text).toContain(`"const": "${option.shape.do.value}"`);
    expect(text).not.toContain('__schema');
  });

  it.each(files)('accepts %s, and names itself at its top', (name) => {
    expect(validate(parse(read(name))), JSON.stringify(validate.errors)).toBe(true);
    expect(read(name).split('\n')[0]).toBe('# yaml-language-server: $schema=practice.schema.json');
    expect(readPracticeFile(read(name)).problems).toBeUndefined();
  });

  it.each<[string, (file: Record<string, unknown>) => void]>([
    ['a key that there is not', (file) => Object.assign(file, { phoneCounty: 'US' })],
    ['a part left out', (file) => void delete file['services']],
    ['a base version that is none', (file) => Object.assign(file, { baseVersion: -1 })],
    ['an action that there is not', (file) => Object.assign(file, { rules: [rule({ do: 'fly' })] })],
    [
      'a field that there is not',
      (file) =>
        Object.assign(file, {
          rules: [{ ...rule({ do: 'stop' }), when: { field: 'star', operator: 'is' } }],
        }),
    ],
  ])('refuses %s', (_, spoil) => {
    const file = parse(read('demo.yaml')) as Record<string, unknown>;
    expect(validate(file)).toBe(true);
    spoil(file);

    expect(validate(file)).toBe(false);
  });

  it('allows whatever the practice itself is read from', () => {
    const file = parse(read('dental.yaml')) as Record<string, unknown>;
    const optional = Object.keys(practiceJsonSchema().properties ?? {}).filter(
      (key) => !practiceJsonSchema().required?.includes(key),
    );
    fc.assert(
      fc.property(fc.subarray(optional), (left) => {
        const some = Object.fromEntries(Object.entries(file).filter(([key]) => !left.includes(key)));

        // Rules and cut-offs refer to one another only through ids, none of which these parts define.
        expect(validate(some)).toBe(readPracticeFile(JSON.stringify(some)).problems === undefined);
      }),
      { numRuns: 40 },
    );
  });
});

const rule = (action: object) => ({ id: 'a-rule', name: 'A rule', actions: [action] });
