/** What triage decided about an inquiry: stored with its score, and never worked out again. */
import * as z from 'zod';
import { urgencies } from '../clinical-urgency.ts';
import { actionSchema } from '../schema/action.ts';
import { closeReasons, stages, tiers } from '../stages.ts';

/** One rule that held and what it did, in words; or one that could not be looked at, and why. */
export const ruleHitSchema = z.lazy(() => z.object({ rule: z.string(), did: z.array(z.string()) }));
export type RuleHit = z.infer<typeof ruleHitSchema>;

/** What of the person says who can take the inquiry; read once, at scoring, for whoever routes it. */
export const needsSchema = z.lazy(() =>
  z.object({
    /** Language tag. */
    language: z.string().optional(),
    /** The plan, in the person's words; absent where they pay themselves, or said nothing. */
    insurance: z.string().optional(),
    /** Of the patient, in years. */
    age: z.number().optional(),
  }),
);

export const decisionSchema = z.lazy(() =>
  z.object({
    /** Minutes of opening time to the first call. */
    respondWithinMinutes: z.int().min(1),
    /** Which clock that is: `tier A`, `channel missed_call`, `urgency same_day`, `rule spanish`. */
    clock: z.string(),
    /** The model's tier, where rules moved it from there. */
    modelTier: z.enum(tiers).optional(),
    /** Absent where it is routine. */
    urgency: z.enum(urgencies).optional(),
    /** Where it goes in place of its service's pool, and because of what. */
    poolId: z.string().optional(),
    poolBecause: z.string().optional(),
    /** The one member it goes to, as long as they can take it. */
    memberId: z.string().optional(),
    /** To the coordinator who knows the person, as long as they can take it. */
    toOwner: z.boolean().optional(),
    /** The coordinator who knows the person, where that was asked for. */
    owner: z.string().optional(),
    /** To somebody of the pool who has this specialty. */
    specialty: z.string().optional(),
    needs: needsSchema.optional(),
    tags: z.array(z.string()).optional(),
    stage: z.enum(stages).optional(),
    closeReason: z.enum(closeReasons).optional(),
    /** Set aside for a human, as suspected spam. */
    spam: z.boolean().optional(),
    /** Actions that are recorded, and acted on once their machinery is there. */
    recorded: z.array(actionSchema).optional(),
    hits: z.array(ruleHitSchema).optional(),
    /** Version of the rules that were looked at; absent where there were none. */
    rulesVersion: z.int().optional(),
  }),
);
export type Decision = z.infer<typeof decisionSchema>;
