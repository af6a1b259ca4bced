/** What triage rules do to an inquiry after its arrival. */
import type { Urgency } from '../clinical-urgency.ts';
import type { CloseReason, Stage, Tier } from '../stages.ts';
import { urgencyAttribute } from './arrival.ts';
import { ladderOf, withRespondBy } from './ladder.ts';
import { changeStage } from './stage.ts';
import {
  after,
  type Inquiry,
  isOpen,
  isReminderPending,
  type Listening,
  type Move,
  type Silence,
  stepAllowanceMs,
} from './state.ts';
import { withStep } from './step.ts';
import { pendingOf, silenceOf, withPending, withSilence } from './triggers.ts';

/** What rules do to an inquiry at a trigger after its arrival; what is absent stays as it is. */
export interface RuleEffects {
  readonly tier?: Tier | undefined;
  readonly urgency?: Urgency | undefined;
  readonly respondBy?: string | undefined;
  readonly stage?: { readonly to: Stage; readonly closeReason?: CloseReason | undefined } | undefined;
  /** Where it is to go; routing takes it there. */
  readonly move?: Move | undefined;
  /** Suspected spam is closed as such: it has its place and its assignee already. */
  readonly spam?: boolean | undefined;
}

/**
 * The state once rules have looked at its first trigger. What they do triggers
 * no rules again, and counts neither as a call nor as something that happened: a
 * first call that is owed stays owed, with its clock and its reminders, and whoever
 * is on the phone stays there. A stage is
 * set only where it may follow, and only while nobody has set another.
 *
 * @param silence - when rules for silence look at it next, where it was silence that they looked at
 */
export function afterRules(
  inquiry: Inquiry,
  effects: RuleEffects,
  now: Date,
  silence?: Silence | undefined,
  { clock, transitions }: Pick<Listening, 'clock' | 'transitions'> = {},
): Inquiry {
  const [trigger, ...left] = pendingOf(inquiry);
  const quiet = trigger?.kind === 'silence' ? silence : silenceOf(inquiry);
  const wanted = effects.spam ? { to: 'closed' as const, closeReason: 'spam' as const } : effects.stage;
  const unmoved = trigger?.stage === undefined || trigger.stage === inquiry.stage;
  const change =
    wanted && (unmoved || effects.spam)
      ? changeStage(inquiry, wanted.to, wanted.closeReason, now, { clock, transitions })
      : undefined;
  const { firstContactedAt: _byRule, ...moved } = change?.outcome === 'changed' ? change.next : inquiry;
  const { tier, urgency, respondBy } = effects;
  const { urgency: urgencyBefore, ...rest } = moved;
  const open = isOpen(moved);
  const setsClock = open && respondBy !== undefined;
  const { step, ...timers } = moved.timers;
  const stillOwed = change?.outcome === 'changed' && open && inquiry.firstContactedAt === undefined;
  // Who calls is not chosen yet: the clock begins to be watched when they are.
  const isWatched = inquiry.progress !== 'captured';
  const owedBy = stillOwed && isWatched ? (inquiry.timers.respond ?? inquiry.respondBy) : undefined;
  if (owedBy !== undefined) delete timers.followUp;
  const next: Inquiry = {
    ...rest,
    version: inquiry.version + 1,
    ...(inquiry.firstContactedAt !== undefined && { firstContactedAt: inquiry.firstContactedAt }),
    ...(tier !== undefined && { tier }),
    ...urgencyAttribute(urgency ?? urgencyBefore),
    ...(open && ladderOf(inquiry)),
    ...(open && inquiry.attempts !== undefined && { attempts: inquiry.attempts }),
    ...(open && inquiry.calling && { calling: inquiry.calling }),
    ...(stillOwed &&
      isReminderPending(inquiry) && { mailKind: inquiry.mailKind, mailState: inquiry.mailState }),
    timers: {
      ...timers,
      // A stage that a rule set reached nobody: the next call is when it was to be.
      ...(open &&
        inquiry.attempts !== undefined &&
        inquiry.timers.followUp !== undefined && { followUp: inquiry.timers.followUp }),
      ...(owedBy !== undefined && { respond: owedBy }),
      ...(setsClock && isWatched && { respond: respondBy }),
      ...(open && inquiry.timers.wake !== undefined && { wake: inquiry.timers.wake }),
    },
    stepRepeats: 0,
  };
  const clocked = setsClock ? withRespondBy(next, respondBy, now, clock) : next;
  const settled = withPending(withSilence(clocked, open ? quiet : undefined), left);
  // What waits may have its next step in a day: a move is asked for at once.
  const moves = open && effects.move !== undefined;
  const at = moves ? after(now, stepAllowanceMs) : step;
  return withStep(
    {
      ...settled,
      ...(moves && { move: effects.move }),
      timers: { ...settled.timers, ...(at !== undefined && { step: at }) },
    },
    now,
  );
}
