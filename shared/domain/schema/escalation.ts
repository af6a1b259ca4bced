/** What is done, and when, while nobody has called. */
import * as z from 'zod';
import { escalationDefaults } from '../defaults.ts';
import { escalationActions } from '../rungs.ts';
import { describes } from './description.ts';

const rungSchema = z.strictObject({
  atPercent: z
    .int()
    .min(1)
    .max(100)
    .describe('How much of the time to the first call is over, in business time; 100 is its end.'),
  do: z
    .array(z.enum(escalationActions))
    .min(1)
    .max(4)
    .register(
      ...describes(
        'remind and warn mail the assignee; notify_manager mails the managers, too; reassign gives it to somebody of the pool who is free.',
      ),
    ),
});

export const escalationSchema = z.strictObject({
  steps: z
    .array(rungSchema)
    .min(1)
    .max(10)
    .refine((steps) => steps.every((step, i) => (steps[i - 1]?.atPercent ?? 0) < step.atPercent), {
      message: 'steps must be in the order of their percents, each another',
    })
    .default(escalationDefaults.steps)
    .register(...describes('The rungs of the ladder, in order.')),
  thenEveryMinutes: z
    .int()
    .min(15)
    .max(10_080)
    .default(escalationDefaults.thenEveryMinutes)
    .register(
      ...describes(
        'Minutes of business time from one reminder of assignee and managers to the next, once the ladder is climbed.',
      ),
    ),
});
