/** The stages that the inquiries of some services go through. */
import * as z from 'zod';
import { slugSchema } from '../slug.ts';
import { stages } from '../stages.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

/** Each line has its beginning, its end, and the stage in which what was closed is taken up again. */
const indispensable = ['new', 'contacted', 'closed'] as const;

export const serviceLineSchema = z
  .strictObject({
    id: idOf('service line'),
    name: nameSchema,
    services: z
      .array(slugSchema)
      .min(1)
      .max(500)
      .register(...describes('Services of this line; a service belongs to one line at the most.')),
    stages: z
      .array(z.enum(stages))
      .refine((list) => new Set(list).size === list.length, { message: 'has a stage twice' })
      .refine((list) => indispensable.every((stage) => list.includes(stage)), {
        message: `must have ${indispensable.join(', ')}`,
      })
      .register(
        ...describes(
          'Stages that its inquiries can have: new, contacted and closed, and consult or booked or both.',
        ),
      ),
    transitions: z
      .partialRecord(z.enum(stages), z.array(z.enum(stages)))
      .optional()
      .register(
        ...describes(
          'From a stage, the stages that may follow, in place of the usual ones; closed is always among them.',
        ),
      ),
  })
  .superRefine(({ stages: own, transitions = {} }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['transitions', ...path], message });
    for (const [from, list] of Object.entries(transitions)) {
      if (!own.some((stage) => stage === from))
        refuse([from], `${from} is not among the stages of this line`);
      list.forEach((to, i) => {
        if (!own.includes(to)) refuse([from, i], `${to} is not among the stages of this line`);
        if (to === 'new') refuse([from, i], 'no inquiry goes back to new');
        if (to === from) refuse([from, i], 'leads nowhere else');
      });
      if (from !== 'closed' && !list.includes('closed')) refuse([from], 'must lead to closed');
      if (list.length === 0) refuse([from], 'must lead somewhere');
    }
  });
