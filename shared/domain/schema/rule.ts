/** Triage rules as a practice file has them: in order, each with a condition and actions. */
import * as z from 'zod';
import { ruleDefaults } from '../defaults.ts';
import { triggers } from '../rules/facts.ts';
import { operators } from '../rules/operators.ts';
import { slugSchema } from '../slug.ts';
import { actionSchema } from './action.ts';
import { describes } from './description.ts';

const scalarSchema = z.union([z.string().max(500), z.number(), z.boolean()]);
export const comparisonSchema = z.strictObject({
  field: z
    .string()
    .min(1)
    .max(50)
    .register(...describes('What is looked at: docs/rules.md lists the fields.')),
  operator: z
    .enum(operators)
    .register(...describes('How it is compared; which a field takes depends on its type.')),
  value: z
    .union([scalarSchema, z.array(scalarSchema).max(200)])
    .optional()
    .register(
      ...describes('With what; a list where the operator takes several, nothing for present and absent.'),
    ),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export const conditionSchema: z.ZodType<Condition, Condition> = z.lazy(() =>
  z.union([
    comparisonSchema,
    z.strictObject({
      all: z
        .array(conditionSchema)
        .min(1)
        .max(50)
        .register(...describes('Holds where every one of them does.')),
    }),
    z.strictObject({
      any: z
        .array(conditionSchema)
        .min(1)
        .max(50)
        .register(...describes('Holds where at least one of them does.')),
    }),
    // Not the condition itself is described: a copy of what refers to itself has no end.
    z.strictObject({ not: conditionSchema }).register(...describes('Holds where its condition does not.')),
  ]),
);

export const ruleSchema = z.lazy(() =>
  z.strictObject({
    id: slugSchema.describe('Your id of the rule, as decisions name it.'),
    name: z
      .string()
      .min(1)
      .max(100)
      .register(...describes('As people read it.')),
    enabled: z
      .boolean()
      .default(ruleDefaults.enabled)
      .register(...describes('false keeps the rule and does not look at it.')),
    on: z
      .array(z.enum(triggers))
      .min(1)
      .default(ruleDefaults.on)
      .register(...describes('When it is looked at.')),
    silentHours: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .register(...describes('Opening hours without anything happening, for the trigger silence.')),
    when: conditionSchema.optional().register(...describes('Left out, the rule holds for every inquiry.')),
    actions: z
      .array(actionSchema)
      .min(1)
      .max(20)
      .register(...describes('What it does, in this order.')),
    managerReason: z
      .strictObject({
        member: slugSchema.describe("The manager's id."),
        reason: z
          .string()
          .min(20)
          .max(500)
          .register(...describes('Why, in a sentence.')),
      })
      .optional()
      .register(
        ...describes(
          'Why somebody may be lowered by language, postal code, age or public insurance; a manager signs it.',
        ),
      ),
  }),
);
export type Rule = z.infer<typeof ruleSchema>;

/** The most rules of a practice; evaluation stays well under a millisecond. */
export const mostRules = 200;
export const rulesSchema = z.array(ruleSchema).max(mostRules);
