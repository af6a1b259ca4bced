/**
 * Triage: what follows from score, urgency and rules. Rules are looked at in
 * order and each sees what those before it moved; where two say different things
 * about the same matter (the clock, the pool, the person), the later one is
 * followed. `stop` makes the earlier one final.
 */
import type { Urgency, UrgencyFinding } from '../clinical-urgency.ts';
import type { Practice } from '../practice.ts';
import type { Score, ScorePart } from '../scoring.ts';
import type { CloseReason, Stage, Tier } from '../stages.ts';
import { tiers } from '../stages.ts';
import { type CompiledRules, type Evaluation, type HeldRule, type RuleFault, rulesOf } from './compile.ts';
import type { Decision, RuleHit } from './decision.ts';
import type { Facts } from './facts.ts';
import { type Action, recordedActions } from './rule.ts';

/** What the rules of a trigger ask for; absent is what none of them says anything about. */
export interface Outcome {
  /** The rules that held, and what each did, in words; and those that could not be looked at. */
  readonly hits: readonly RuleHit[];
  readonly faults: readonly RuleFault[];
  /** All that the rules ask for, in order, `stop` left out. */
  readonly actions: readonly Action[];
  /** Where rules moved it, and where to. */
  readonly tier?: Tier;
  readonly urgency?: Urgency;
  /** Minutes of opening time, and the rule that said so. */
  readonly respondWithin?: { readonly minutes: number; readonly rule: string };
  readonly pool?: { readonly id: string; readonly rule: string };
  readonly memberId?: string;
  readonly toOwner?: boolean;
  readonly specialty?: string;
  readonly tags: readonly string[];
  readonly stage?: Stage;
  readonly closeReason?: CloseReason;
  readonly spam?: boolean;
  /** Those whose machinery comes later. */
  readonly recorded: readonly Action[];
}

/** Whom an inquiry goes to: one of the two, or neither. */
type Whom = { memberId: string } | { toOwner: true };

function outcomeOf({ held, faults, tier, urgency }: Evaluation, facts: Facts): Outcome {
  const actions = held.flatMap(({ rule }) =>
    rule.actions.filter((action) => action.do !== 'stop').map((action) => ({ rule: rule.id, action })),
  );
  let respondWithin: Outcome['respondWithin'];
  let pool: Outcome['pool'];
  let whom: Whom | undefined;
  let specialty: string | undefined;
  let stage: Pick<Outcome, 'stage' | 'closeReason'> = {};
  let spam = false;
  const tags = new Set<string>();
  for (const { rule, action } of actions) {
    switch (action.do) {
      case 'respond_within':
        respondWithin = { minutes: action.minutes, rule };
        break;
      case 'send_to_pool':
        pool = { id: action.pool, rule };
        break;
      case 'send_to_member':
        whom = { memberId: action.member };
        break;
      case 'send_to_owner':
        whom = { toOwner: true };
        break;
      case 'send_to_specialty':
        specialty = action.specialty;
        break;
      case 'tag':
        tags.add(action.tag);
        break;
      case 'set_stage':
        stage = {
          stage: action.stage,
          ...(action.closeReason !== undefined && { closeReason: action.closeReason }),
        };
        break;
      case 'mark_spam':
        spam = true;
        break;
      default:
    }
  }
  return {
    hits: [
      ...held.map((each) => ({ rule: each.rule.id, did: describe(each) })),
      ...faults.map(({ rule, reason }) => ({ rule, did: [`passed over: ${reason}`] })),
    ],
    faults,
    actions: actions.map(({ action }) => action),
    ...(tier !== facts.tier && { tier }),
    ...(urgency !== facts.urgency && { urgency }),
    ...(respondWithin && { respondWithin }),
    ...(pool && { pool }),
    ...whom,
    ...(specialty !== undefined && { specialty }),
    tags: [...tags],
    ...stage,
    ...(spam && { spam }),
    recorded: actions.map(({ action }) => action).filter((action) => recordedActions.includes(action.do)),
  };
}

const tierMoves = ['set_tier', 'raise_tier', 'lower_tier'];

/** What a rule did, in words; the moves of a tier as one. */
function describe({ rule, tier, urgency }: HeldRule): string[] {
  const moved =
    tier.before === tier.after ? `tier stays ${tier.after}` : `tier from ${tier.before} to ${tier.after}`;
  const did = rule.actions.map((action) =>
    tierMoves.includes(action.do)
      ? moved
      : action.do === 'set_urgency'
        ? urgency.before === urgency.after
          ? `urgency stays ${urgency.after}`
          : `urgency from ${urgency.before} to ${urgency.after}`
        : describeAction(action),
  );
  return [...new Set(did)];
}

/** An action in words, as a hit and a plan show it. */
export function describeAction(action: Action): string {
  switch (action.do) {
    case 'set_tier':
      return `tier ${action.tier}`;
    case 'raise_tier':
      return 'tier one higher';
    case 'lower_tier':
      return 'tier one lower';
    case 'set_urgency':
      return `urgency ${action.urgency}`;
    case 'respond_within':
      return `respond within ${action.minutes} minutes`;
    case 'send_to_pool':
      return `to the pool ${action.pool}`;
    case 'send_to_member':
      return `to ${action.member}`;
    case 'send_to_owner':
      return 'to the coordinator who knows the person';
    case 'send_to_specialty':
      return `to the specialty ${action.specialty}`;
    case 'tag':
      return `tag ${action.tag}`;
    case 'set_stage':
      return action.closeReason === undefined
        ? `stage ${action.stage}`
        : `stage ${action.stage}, ${action.closeReason}`;
    case 'mark_spam':
      return 'set aside as suspected spam';
    case 'make_task':
      return `task "${action.title}", due in ${action.dueInMinutes} minutes`;
    case 'notify':
      return `notify ${action.whom}`;
    case 'start_nurture':
      return `start the sequence ${action.sequence}`;
    case 'auto_reply':
      return `reply with the template ${action.template}`;
    case 'stop':
      return 'no later rule';
  }
}

/** The parts of 0 points that tell which rule moved the tier. */
const partsOf = (held: readonly HeldRule[]): ScorePart[] =>
  held
    .filter(({ tier }) => tier.before !== tier.after)
    .map(({ rule, tier }) => {
      const up = tiers.indexOf(tier.after) < tiers.indexOf(tier.before);
      return {
        name: `rule:${rule.id}`,
        points: 0,
        reason: `${up ? 'raised' : 'lowered'} from ${tier.before} to ${tier.after} by the rule ${rule.name}`,
      };
    });

/** The clock before rules have their say: the channel's or the tier's, or the urgency's where that is shorter. */
function clockOf(practice: Practice, facts: Facts, tier: Tier, urgency: Urgency) {
  const { channelMinutes, respondWithinMinutes } = practice.scoring;
  const ofChannel = channelMinutes[facts.channel];
  const base =
    ofChannel === undefined
      ? { minutes: respondWithinMinutes[tier], clock: `tier ${tier}` }
      : { minutes: ofChannel, clock: `channel ${facts.channel}` };
  if (urgency === 'routine') return base;
  const minutes = practice.urgency.respondWithinMinutes[urgency];
  return minutes < base.minutes ? { minutes, clock: `urgency ${urgency}` } : base;
}

/** What of the facts says who can take it; nothing where they say nothing of the kind. */
function needsOf({ language, insurance, insuranceKind, age }: Facts): Pick<Decision, 'needs'> {
  // Who pays themselves, or does not know, asks for no plan.
  const hasPlan = insurance !== undefined && (insuranceKind === 'public' || insuranceKind === 'private');
  const needs = {
    ...(language !== undefined && { language }),
    ...(hasPlan && { insurance }),
    ...(age !== undefined && { age }),
  };
  return Object.keys(needs).length > 0 ? { needs } : {};
}

export interface Triaged {
  /** The model's score with the tier as rules left it; one part more for each rule that moved it. */
  readonly score: Score;
  readonly decision: Decision;
  /** Rules that could not be looked at; they are among the decision's hits, too. */
  readonly faults: readonly RuleFault[];
}

/**
 * Decides what follows from an inquiry's arrival, or from facts that have changed
 * since: tier, clock, pool, and what else its rules ask for.
 *
 * @param input - the model's score, with no part of a rule; `facts.tier` is its tier
 */
export function triage(
  practice: Practice,
  input: {
    readonly facts: Facts;
    readonly score: Score;
    readonly urgency: UrgencyFinding;
    readonly rules?: CompiledRules | undefined;
  },
): Triaged {
  const { facts, score, urgency: finding } = input;
  const rules = input.rules ?? rulesOf(practice);
  const evaluation = rules.evaluate(facts);
  const outcome = outcomeOf(evaluation, facts);
  const { tier, urgency } = evaluation;
  const { respondWithin } = outcome;
  const { minutes, clock } =
    respondWithin === undefined
      ? clockOf(practice, facts, tier, urgency)
      : { minutes: respondWithin.minutes, clock: `rule ${respondWithin.rule}` };
  // A rule that finds it routine after all takes the criterion's pool with it.
  const ofCriterion = urgency === 'routine' ? undefined : finding.poolId;
  const pool =
    outcome.pool === undefined
      ? { id: ofCriterion, because: `urgency criterion ${finding.criterionId}` }
      : { id: outcome.pool.id, because: `rule ${outcome.pool.rule}` };
  return {
    score: { ...score, tier, parts: [...score.parts, ...partsOf(evaluation.held)] },
    decision: {
      respondWithinMinutes: minutes,
      clock,
      ...(tier !== score.tier && { modelTier: score.tier }),
      ...(urgency !== 'routine' && { urgency }),
      ...(pool.id !== undefined && { poolId: pool.id, poolBecause: pool.because }),
      ...(outcome.memberId !== undefined && { memberId: outcome.memberId }),
      ...(outcome.toOwner === true && { toOwner: true }),
      ...(outcome.specialty !== undefined && { specialty: outcome.specialty }),
      ...needsOf(facts),
      ...(outcome.tags.length > 0 && { tags: [...outcome.tags] }),
      ...(outcome.stage !== undefined && { stage: outcome.stage }),
      ...(outcome.closeReason !== undefined && { closeReason: outcome.closeReason }),
      ...(outcome.spam === true && { spam: true }),
      ...(outcome.recorded.length > 0 && { recorded: [...outcome.recorded] }),
      ...(outcome.hits.length > 0 && { hits: [...outcome.hits] }),
      ...(rules.has(facts.trigger) && rules.version !== undefined && { rulesVersion: rules.version }),
    },
    faults: outcome.faults,
  };
}

/**
 * What the rules of a trigger other than arrival ask for. Nothing is changed:
 * whoever asks applies it, in one transaction with its entry in the timeline.
 */
export const applyTrigger = (rules: CompiledRules, facts: Facts): Outcome =>
  outcomeOf(rules.evaluate(facts), facts);
