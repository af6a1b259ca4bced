/** What a rule may do, as it is written in a rule and recorded with a decision. */
import * as z from 'zod';
import { urgencies } from '../clinical-urgency.ts';
import { slugSchema } from '../slug.ts';
import { closeReasons, stages, tiers } from '../stages.ts';
import { describes } from './description.ts';

const does = <const Name extends string>(name: Name, what: string) => z.literal(name).describe(what);
const minutes = () => z.int().min(1).max(10_080);

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
      minutes: minutes().describe('Minutes of opening time to the first call.'),
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
      do: does(
        'send_to_specialty',
        'To somebody of the pool who has a specialty, where anybody there has it.',
      ),
      specialty: slugSchema.describe('The specialty: the id of a service.'),
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
      do: does('make_task', 'A task for whoever has the inquiry, or gets it.'),
      title: z.string().min(1).max(200).describe('What is to be done; nothing about the patient.'),
      dueInMinutes: minutes().describe('Minutes of opening time until it is due.'),
    }),
    z.strictObject({
      do: does('notify', 'Mails somebody that there is an inquiry to look at.'),
      whom: slugSchema.describe("A member's id, or managers."),
    }),
    z.strictObject({
      do: does(
        'start_nurture',
        'Starts a sequence of messages to the person: not-reached or still-deciding.',
      ),
      sequence: slugSchema.describe("The sequence's id."),
    }),
    z.strictObject({
      do: does('auto_reply', 'Answers at once with a template, in place of the acknowledgement.'),
      template: slugSchema.describe("The template's id."),
    }),
    z.strictObject({ do: does('stop', 'No later rule of this trigger is looked at.') }),
  ]),
);
export type Action = z.infer<typeof actionSchema>;
export type ActionName = Action['do'];
