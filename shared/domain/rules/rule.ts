/**
 * Triage rules as a manager writes them: in order, each with a condition and
 * actions. This is the form that is stored, published and edited; `compile.ts`
 * makes of it what runs, and `schema/rule.ts` checks it.
 */
import type { ActionName } from '../schema/action.ts';

export type { Action, ActionName } from '../schema/action.ts';
export type { Comparison, Condition, Rule } from '../schema/rule.ts';

/** Actions by which an inquiry goes to another pool or member: what routing does. */
export const movingActions: readonly ActionName[] = [
  'send_to_pool',
  'send_to_member',
  'send_to_owner',
  'send_to_specialty',
];

/** Actions whose machinery comes later: validated and recorded with the decision, not acted on. */
export const recordedActions: readonly ActionName[] = ['make_task', 'notify', 'start_nurture', 'auto_reply'];
