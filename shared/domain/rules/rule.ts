/**
 * Triage rules as a manager writes them: in order, each with a condition and
 * actions. This is the form that is stored, published and edited; `compile.ts`
 * makes of it what runs.
 */
import * as z from 'zod';
import { urgencies } from '../clinical-urgency.ts';
import { slugSchema } from '../slug.ts';
import { closeReasons, stages, tiers } from '../stages.ts';
import { triggers } from './facts.ts';

/** Operators by name; which a field takes is a matter of its type (`fields.ts`). */
export const operators = [
  // text
  'is',
  'is_not',
  'contains',
  'contains_not',
  /** Whole words or phrases, any of a list. */
  'has_words',
  'starts_with',
  // choices and lists
  'in',
  'not_in',
  'has',
  'has_any',
  'has_all',
  'has_none',
  // numbers
  'equals',
  'less_than',
  'at_most',
  'more_than',
  'at_least',
  'between',
  // dates and times
  'before',
  'after',
  'on',
  // anything that may be absent
  'present',
  'absent',
] as const;
export type Operator = (typeof operators)[number];

const scalarSchema = z.union([z.string().max(500), z.number(), z.boolean()]);
export const comparisonSchema = z.strictObject({
  field: z.string().min(1).max(50),
  operator: z.enum(operators),
  value: z.union([scalarSchema, z.array(scalarSchema).max(200)]).optional(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    comparisonSchema,
    z.strictObject({ all: z.array(conditionSchema).min(1).max(50) }),
    z.strictObject({ any: z.array(conditionSchema).min(1).max(50) }),
    z.strictObject({ not: conditionSchema }),
  ]),
);

const minutesSchema = z.int().min(1).max(10_080);
const textSchema = z.string().min(1).max(200);

/** What a rule may do. `later` names those that are recorded now and acted on once their machinery is there. */
export const actionSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('set_tier'), tier: z.enum(tiers) }),
  z.strictObject({ do: z.literal('raise_tier') }),
  z.strictObject({ do: z.literal('lower_tier') }),
  z.strictObject({ do: z.literal('set_urgency'), urgency: z.enum(urgencies) }),
  /** Minutes of opening time, in place of whatever clock there was. */
  z.strictObject({ do: z.literal('respond_within'), minutes: minutesSchema }),
  z.strictObject({ do: z.literal('send_to_pool'), pool: slugSchema }),
  z.strictObject({ do: z.literal('send_to_member'), member: slugSchema }),
  /** To the coordinator who knows the person, where somebody does. */
  z.strictObject({ do: z.literal('send_to_owner') }),
  z.strictObject({ do: z.literal('send_to_specialty'), specialty: slugSchema }),
  z.strictObject({ do: z.literal('tag'), tag: slugSchema }),
  z.strictObject({
    do: z.literal('set_stage'),
    stage: z.enum(stages),
    closeReason: z.enum(closeReasons).optional(),
  }),
  z.strictObject({ do: z.literal('mark_spam') }),
  z.strictObject({ do: z.literal('make_task'), title: textSchema, dueInMinutes: minutesSchema }),
  /** A member's id, or `managers`. */
  z.strictObject({ do: z.literal('notify'), whom: slugSchema }),
  z.strictObject({ do: z.literal('start_nurture'), sequence: slugSchema }),
  z.strictObject({ do: z.literal('auto_reply'), template: slugSchema }),
  /** No later rule of this trigger is looked at. */
  z.strictObject({ do: z.literal('stop') }),
]);
export type Action = z.infer<typeof actionSchema>;
export type ActionName = Action['do'];

/** Actions whose machinery comes later: validated and recorded with the decision, not acted on. */
export const recordedActions: readonly ActionName[] = [
  'send_to_specialty',
  'make_task',
  'notify',
  'start_nurture',
  'auto_reply',
];

export const ruleSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  enabled: z.boolean().default(true),
  on: z.array(z.enum(triggers)).min(1).default(['arrival']),
  /** Opening hours without anything happening, for the trigger `silence`. */
  silentHours: z.int().min(1).max(1_000).optional(),
  /** Left out, the rule holds for every inquiry. */
  when: conditionSchema.optional(),
  actions: z.array(actionSchema).min(1).max(20),
  /** Why somebody may be lowered by language, postal code, age or public insurance; a manager signs it. */
  managerReason: z.strictObject({ member: slugSchema, reason: z.string().min(20).max(500) }).optional(),
});
export type Rule = z.infer<typeof ruleSchema>;

/** The most rules of a practice; evaluation stays well under a millisecond. */
export const mostRules = 200;
export const rulesSchema = z.array(ruleSchema).max(mostRules);
