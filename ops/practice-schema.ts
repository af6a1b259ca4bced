/** The practice file's schema for editors, made from the very schema that checks a file. */
import * as z from 'zod';
import { fieldNames } from '../shared/domain/rules/fields.ts';
import { practiceSchema } from '../shared/domain/schema/practice.ts';

/** A JSON Schema (draft 2020-12), as far as this file looks into it. */
export interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

const preamble: Record<string, JsonSchema> = {
  $schema: { type: 'string', description: 'Where an editor finds this schema, in a JSON file.' },
  baseVersion: {
    type: 'integer',
    minimum: 0,
    description:
      "The configuration's version that the file was made from, as `export` writes it: apply refuses what was changed by other means since then.",
  },
};

/** What an editor completes and checks a practice file by. */
export function practiceJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(practiceSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { field, operator } = (jsonSchema.properties ?? {}) as Record<string, JsonSchema>;
      if (field && operator) field['enum'] = fieldNames;
      const names = (jsonSchema.propertyNames as JsonSchema | undefined)?.['enum'];
      if (!Array.isArray(names)) return;
      // Editors complete properties, and few of them names of properties.
      const value = jsonSchema.additionalProperties as JsonSchema;
      delete jsonSchema.propertyNames;
      jsonSchema.properties = Object.fromEntries(names.map((name: string) => [name, value]));
      jsonSchema.additionalProperties = false;
    },
  }) as JsonSchema;
  const { $schema, type, properties, ...rest } = schema;
  return {
    $schema,
    title: 'A practice, as Firstcall is told about it',
    type,
    properties: { ...preamble, ...properties },
    ...rest,
  };
}

/** The schema as the text of its file. */
export const practiceSchemaText = (): string =>
  // The one thing that refers to itself, and the generator gives it no name.
  `${JSON.stringify(practiceJsonSchema(), null, 2).replaceAll('__schema0', 'condition')}\n`;
