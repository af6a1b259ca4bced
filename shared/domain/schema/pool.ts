/** Who takes what: inquiries rotate among the members of a pool. */
import * as z from 'zod';
import { poolDefaults, poolMemberDefaults } from '../defaults.ts';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

/** How the members of a pool take turns. */
const strategies = ['weighted_round_robin', 'strict_round_robin', 'least_open_work'] as const;

export const poolSchema = z.strictObject({
  id: idOf('pool'),
  name: nameSchema,
  services: z
    .array(slugSchema)
    .default(poolDefaults.services)
    .register(...describes('Services whose inquiries come here; a service goes to one pool.')),
  fallback: z
    .boolean()
    .default(poolDefaults.fallback)
    .register(
      ...describes('Takes what no other pool names, and what names no known service; exactly one pool does.'),
    ),
  members: z
    .array(
      z.strictObject({
        id: slugSchema.describe("The member's id."),
        weight: z
          .int()
          .min(1)
          .max(100)
          .default(poolMemberDefaults.weight)
          .register(...describes('The share of turns: 2 gets twice as many as 1.')),
      }),
    )
    .min(1, 'a pool needs at least one member')
    .max(200)
    .register(...describes('Who takes turns.')),
  strategy: z
    .enum(strategies)
    .optional()
    .register(
      ...describes(
        'How they take turns: by weight (left out), all alike in the order of the list, or to who has least open work.',
      ),
    ),
  ownerFirst: z
    .boolean()
    .optional()
    .register(...describes('Whether the coordinator who knows the person gets it, where they can take it.')),
  matchSpecialty: z
    .boolean()
    .optional()
    .register(
      ...describes('Whether those whose specialty the service is come first, where one of them can take it.'),
    ),
});
export type Pool = z.infer<typeof poolSchema>;
