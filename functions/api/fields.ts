/** Fields of requests about people, checked one by one. */
import * as z from 'zod';
import { idSchema } from '../../shared/domain/ids.ts';
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

export const requiredLine = z.lazy(() => required(line(limits.short)));
export const optionalLine = z.lazy(() => line(limits.short));
export const requiredName = z.lazy(() => required(line(limits.name)));
export const requiredText = z.lazy(() => required(paragraph(limits.message)));
export const optionalText = z.lazy(() => paragraph(limits.message));

/** Whom a task or an appointment is for: the person of an inquiry, or one who is named. */
export const aboutFields = {
  contactId: idSchema('contact').optional(),
  inquiryId: idSchema('inquiry').optional(),
};
export const isAboutOne = (about: {
  readonly contactId?: string | undefined;
  readonly inquiryId?: string | undefined;
}): boolean => (about.contactId === undefined) !== (about.inquiryId === undefined);
export const aboutOneIssue = { path: ['contactId'], message: 'give either contactId or inquiryId' };

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

/** Instants of people's lives with a practice; and all of them are written with a year of four digits. */
const [earliest, latest] = ['1900-01-01T00:00:00Z', '2100-01-01T00:00:00Z'].map(Date.parse) as [
  number,
  number,
];
/** An instant, in whatever zone it is written. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-20T16:00:00Z' })
  .transform((text, context) => {
    const time = Date.parse(text);
    if (time >= earliest && time < latest) return new Date(time).toISOString();
    context.addIssue({ code: 'custom', message: 'must be from 1900 to 2099' });
    return z.NEVER;
  });
