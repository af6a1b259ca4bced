/** Where patients come to, and when it is open. */
import * as z from 'zod';
import { isTimeZone } from '../time-zone.ts';
import { weekdays } from '../weekdays.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

const clockTimeSchema = z
  .string()
  .regex(
    /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/,
    'use 24-hour time such as 08:00 (24:00 is the end of the day)',
  );

const openBlockSchema = z
  .strictObject({
    open: clockTimeSchema.describe('When the block begins, in 24-hour time of the location.'),
    close: clockTimeSchema.describe('When the block ends; 24:00 is the end of the day.'),
  })
  .refine((block) => block.open < block.close, { path: ['close'], message: 'must be later than open' });

/** The blocks of a day, in order: of a location's opening hours, or of a member's shifts. */
export const dayBlocksSchema = z
  .array(openBlockSchema)
  .refine((blocks) => blocks.every((block, i) => i === 0 || (blocks[i - 1]?.close ?? '') <= block.open), {
    message: 'blocks of one day must be in order and must not overlap',
  });

export const businessHoursSchema = z
  .partialRecord(z.enum(weekdays), dayBlocksSchema)
  .refine((hours) => Object.values(hours).some((blocks) => blocks.length > 0), {
    message: 'must be open at least once a week',
  });
export type BusinessHours = z.infer<typeof businessHoursSchema>;

export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { message: 'use an IANA time zone such as America/Los_Angeles' });

const dateSchema = z.iso.date('use a date such as 2026-12-25');

const holidayFields = {
  name: nameSchema.optional().describe('What it is, for whoever reads the file.'),
  hours: dayBlocksSchema
    .optional()
    .describe('Opening hours of such a day, in place of its usual ones; left out, it is closed.'),
};

const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;

/** A day or several on which the usual hours do not hold. */
const holidaySchema = z.union(
  [
    z.strictObject({
      date: dateSchema.describe('The day, by the calendar of the location.'),
      ...holidayFields,
    }),
    z
      .strictObject({
        from: dateSchema.describe('The first of several days.'),
        to: dateSchema.describe('The last of them.'),
        ...holidayFields,
      })
      .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before from' })
      .refine(({ from, to }) => daysBetween(from, to) < 366, {
        path: ['to'],
        message: 'must be within a year of from',
      }),
  ],
  'give either date, or from and to',
);

export const locationSchema = z.strictObject({
  id: idOf('location'),
  name: nameSchema,
  timeZone: timeZoneSchema.describe('IANA time zone in which its hours are meant, America/Los_Angeles say.'),
  hours: businessHoursSchema.describe(
    'Opening hours. A day may have several blocks, for a lunch break say; a day left out is closed.',
  ),
  holidays: z
    .array(holidaySchema)
    .max(200)
    .optional()
    .register(...describes('Days on which the usual hours do not hold; of several for one day, the first.')),
});
export type Location = z.infer<typeof locationSchema>;
