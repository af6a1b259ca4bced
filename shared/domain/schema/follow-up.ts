/** What follows a call that reached nobody, and when the digest of a day goes out. */
import * as z from 'zod';
import { digestDefaults, followUpDefaults } from '../defaults.ts';
import { partsOfDay } from '../parts-of-day.ts';
import { describes } from './description.ts';

const cadenceStepSchema = z.strictObject({
  afterDays: z
    .int()
    .min(0)
    .max(365)
    .describe("Days after the first attempt, by the location's calendar; 0 is the same day."),
  partOfDay: z
    .enum(partsOfDay)
    .register(
      ...describes(
        'The part of the day (midday from 11:00, afternoon from 14:00, evening from 17:00), within opening hours. Another one is taken where the last attempt was in it, or the location is closed then.',
      ),
    ),
});

export const followUpSchema = z.strictObject({
  cadence: z
    .array(cadenceStepSchema)
    .min(1)
    .max(20)
    .refine((steps) => steps.every((step, i) => (steps[i - 1]?.afterDays ?? 0) <= step.afterDays), {
      message: 'steps must be in the order of their days',
    })
    .default(followUpDefaults.cadence)
    .register(
      ...describes(
        'When somebody who could not be reached is called again. After the last step that reaches nobody, the inquiry is closed as no_response.',
      ),
    ),
});

export const digestSchema = z.strictObject({
  at: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'use 24-hour time such as 07:30')
    .default(digestDefaults.at)
    .register(...describes('When the digest of a working morning goes out, in 24-hour time of each member.')),
});
