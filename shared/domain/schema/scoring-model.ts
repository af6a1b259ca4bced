/** How a score is made, and how soon each tier is called. */
import * as z from 'zod';
import { channels } from '../channels.ts';
import { completenessDefaults, scoringDefaults } from '../defaults.ts';
import { describes } from './description.ts';

/** Minutes of opening time, a week at the most. */
const minutesSchema = z.int().min(1).max(10_080);

const pointsSchema = z.int().min(0).max(100);

/** Points of each fact that makes a person reachable and the call short. */
const completenessSchema = z.strictObject({
  phone: pointsSchema
    .default(completenessDefaults.phone)
    .register(...describes('Points for a phone number that can be called.')),
  email: pointsSchema
    .default(completenessDefaults.email)
    .register(...describes('Points for an e-mail address.')),
  name: pointsSchema.default(completenessDefaults.name).register(...describes('Points for a name.')),
  service: pointsSchema
    .default(completenessDefaults.service)
    .register(...describes('Points for a known service.')),
  insurance: pointsSchema
    .default(completenessDefaults.insurance)
    .register(...describes('Points for an insurance, or for paying oneself.')),
  preferredTime: pointsSchema
    .default(completenessDefaults.preferredTime)
    .register(...describes('Points for a preferred time.')),
});

export const scoringModelSchema = z
  .strictObject({
    version: z
      .string()
      .min(1)
      .max(20)
      .register(...describes('Names the model in every score it made; change it with the numbers.')),
    tiers: z
      .strictObject({
        A: z
          .int()
          .min(1)
          .max(100)
          .register(...describes('Lowest total of tier A.')),
        B: z
          .int()
          .min(1)
          .max(100)
          .register(...describes('Lowest total of tier B; everything below is C.')),
      })
      .refine((tiers) => tiers.B < tiers.A, { path: ['B'], message: 'must be lower than A' })
      .register(
        ...describes("Cut-offs. `npm run practice -- tiers` suggests some from the practice's own scores."),
      ),
    valueAnchorsCents: z
      .strictObject({
        low: z
          .int()
          .min(1)
          .register(...describes('At or below it a service is worth no points; in US cents.')),
        high: z
          .int()
          .min(2)
          .register(...describes('At or above it a service is worth all points; in US cents.')),
      })
      .refine((anchors) => anchors.low < anchors.high, {
        path: ['high'],
        message: 'must be higher than low',
      })
      .register(...describes('Anchors of the log scale on which the value of a service becomes points.')),
    caps: z
      .strictObject({
        source: pointsSchema.describe("Most points of a lead source's quality."),
        value: pointsSchema.describe("Most points of a service's value."),
      })
      .default(scoringDefaults.caps)
      .register(...describes('With the points of completeness, they sum to 100.')),
    completeness: completenessSchema
      .default(scoringDefaults.completeness)
      .register(...describes('Points of each fact that makes a person reachable and the call short.')),
    respondWithinMinutes: z
      .strictObject({
        A: minutesSchema.describe('Tier A.'),
        B: minutesSchema.describe('Tier B.'),
        C: minutesSchema.describe('Tier C.'),
      })
      .register(...describes('Minutes of opening time to the first call, by tier.')),
    channelMinutes: z
      .partialRecord(z.enum(channels), minutesSchema)
      .default(scoringDefaults.channelMinutes)
      .register(
        ...describes('Channels with a clock of their own, whatever the tier; minutes of opening time.'),
      ),
  })
  .refine(
    ({ caps, completeness }) =>
      caps.source + caps.value + Object.values(completeness).reduce((sum, points) => sum + points, 0) === 100,
    { path: ['caps'], message: 'the caps and the points of completeness must sum to 100' },
  );
export type ScoringModel = z.infer<typeof scoringModelSchema>;
