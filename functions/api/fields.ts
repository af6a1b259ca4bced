/** Fields of requests about people, checked one by one. */
import * as z from 'zod';
import type { Practice } from '../../shared/domain/practice.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { limits, line, paragraph } from '../../shared/domain/text-fields.ts';
import { type FieldError, Problem } from '../../shared/http/problem.ts';

/** A text that must be there: what is empty once it is cleaned is not. */
export const required = (schema: z.ZodType<string | undefined>) =>
  schema.transform((text, context) => {
    if (text !== undefined) return text;
    context.addIssue({ code: 'custom', message: 'must not be empty' });
    return z.NEVER;
  });

export const requiredLine = required(line(limits.short));
export const optionalLine = line(limits.short);
export const requiredName = required(line(limits.name));
export const requiredText = required(paragraph(limits.message));
export const optionalText = paragraph(limits.message);

/** A list in which each value stands once, at most `most` of them. */
export const listOf = <Schema extends z.ZodType<string>>(schema: Schema, most: number) =>
  z
    .array(schema, 'must be a list')
    .max(most, `has more than ${most} entries`)
    .transform((values) => [...new Set(values)]);

/** Which list of the practice the ids of a field stand in. */
export type Referenced = 'locations' | 'services' | 'members';

/** Refuses ids that the practice does not have. @throws Problem `invalid_fields` */
export function checkReferences(
  practice: Practice,
  fields: readonly (readonly [
    field: string,
    list: Referenced,
    ids: string | readonly string[] | null | undefined,
  ])[],
): void {
  const errors: FieldError[] = fields.flatMap(([field, list, given]) => {
    const ids = given === null || given === undefined ? [] : [given].flat();
    const known = new Set(
      list === 'members'
        ? practice.members.filter(({ enabled }) => enabled).map(({ id }) => id)
        : practice[list].map(({ id }) => id),
    );
    return ids.every((id) => known.has(id))
      ? []
      : [{ field, reason: `has an id that is not among the practice's ${list}` }];
  });
  if (errors.length > 0) throw new Problem('invalid_fields', 'Correct the fields named in errors.', errors);
}

export const slugs = (most: number) => listOf(slugSchema, most);
