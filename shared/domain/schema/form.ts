/** The forms that post inquiries. */
import * as z from 'zod';
import { channels } from '../channels.ts';
import { formDefaults } from '../defaults.ts';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';
import { idOf } from './names.ts';

export const formSchema = z.strictObject({
  id: idOf('form'),
  source: slugSchema.describe('The source where neither click id, utm nor referrer says better.'),
  origins: z
    .array(z.string().max(300))
    .default(formDefaults.origins)
    .register(...describes("Origins whose posts are this form's; a form without any takes all the others.")),
  maySetSource: z
    .boolean()
    .default(formDefaults.maySetSource)
    .register(
      ...describes('Whether this form may name its source in a `source` field. Let no public form do so.'),
    ),
  channel: z
    .enum(channels)
    .default(formDefaults.channel)
    .register(
      ...describes('How inquiries come through it; one that the front desk fills in is a phone call, say.'),
    ),
  maySetChannel: z
    .boolean()
    .default(formDefaults.maySetChannel)
    .register(
      ...describes('Whether this form may name the channel in a `channel` field. Let no public form do so.'),
    ),
});
export type Form = z.infer<typeof formSchema>;
