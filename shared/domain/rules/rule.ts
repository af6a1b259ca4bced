/**
 * Triage rules as a manager writes them: in order, each with a condition and
 * actions. This is the form that is stored, published and edited; `compile.ts`
 * makes of it what runs.
 */
import * as z from 'zod';
import { urgencies } from '../clinical-urgency.ts';
import { describes } from '../description.ts';
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

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
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

const minutesSchema = z.int().min(1).max(10_080);
const textSchema = z.string().min(1).max(200);
const does = <const Name extends string>(name: Name, what: string) => z.literal(name).describe(what);

/** What a rule may do. `later` names those that are recorded now and acted on once their machinery is there. */
export const actionSchema = z.lazy(() =>
  z.discriminatedUnion('do', [
    z.strictObject({
      do: does('set_tier', 'Fixes the tier, visibly, as a part of the score with 0 points.'),
      tier: z.enum(tiers).register(...describes('The tier it gets.')),
    }),
    z.strictObject({ do: does('raise_tier', 'One tier up.') }),
    z.strictObject({ do: does('lower_tier', 'One tier down.') }),
    z.strictObject({
      do: does('set_urgency', 'How soon the person should be seen, beside the score.'),
      urgency: z.enum(urgencies).register(...describes('The urgency it gets.')),
    }),
    z.strictObject({
      do: does('respond_within', 'Sets the clock, in place of whatever clock there was.'),
      minutes: minutesSchema.describe('Minutes of opening time to the first call.'),
    }),
    z.strictObject({
      do: does('send_to_pool', "In place of its service's pool."),
      pool: slugSchema.describe("The pool's id."),
    }),
    z.strictObject({
      do: does('send_to_member', 'To one member, as long as they can take it.'),
      member: slugSchema.describe("The member's id."),
    }),
    z.strictObject({
      do: does('send_to_owner', 'To the coordinator who knows the person, where somebody does.'),
    }),
    z.strictObject({
      do: does('send_to_specialty', 'To whoever has a specialty. Recorded; acted on later.'),
      specialty: slugSchema.describe('The specialty.'),
    }),
    z.strictObject({
      do: does('tag', 'Puts a tag on the person.'),
      tag: slugSchema.describe('The tag.'),
    }),
    z.strictObject({
      do: does('set_stage', 'Moves the inquiry to a stage.'),
      stage: z.enum(stages).register(...describes('The stage.')),
      closeReason: z
        .enum(closeReasons)
        .optional()
        .register(...describes('Why, where the stage is closed.')),
    }),
    z.strictObject({ do: does('mark_spam', 'Sets it aside for a human, as suspected spam.') }),
    z.strictObject({
      do: does('make_task', 'A task for whoever gets the inquiry. Recorded; acted on later.'),
      title: textSchema.describe('What is to be done; nothing about the patient.'),
      dueInMinutes: minutesSchema.describe('Minutes of opening time until it is due.'),
    }),
    z.strictObject({
      do: does('notify', 'Tells somebody. Recorded; acted on later.'),
      whom: slugSchema.describe("A member's id, or managers."),
    }),
    z.strictObject({
      do: does('start_nurture', 'Starts a sequence of messages. Recorded; acted on later.'),
      sequence: slugSchema.describe("The sequence's id."),
    }),
    z.strictObject({
      do: does('auto_reply', 'Answers at once with a template. Recorded; acted on later.'),
      template: slugSchema.describe("The template's id."),
    }),
    z.strictObject({ do: does('stop', 'No later rule of this trigger is looked at.') }),
  ]),
);
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
      .default(true)
      .register(...describes('false keeps the rule and does not look at it.')),
    on: z
      .array(z.enum(triggers))
      .min(1)
      .default(['arrival'])
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
