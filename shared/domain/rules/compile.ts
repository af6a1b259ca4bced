/**
 * Rules as they run: compiled once per version, looked at in order.
 *
 * Conditions become JSON Logic of `and`, `or`, `not` and one operator of ours,
 * which asks a question by its number. So no text of a rule, and none of an
 * inquiry, is ever part of the code that the engine generates or of its language:
 * both are data to our own operators alone.
 */
import { defaultMethods, LogicEngine } from 'json-logic-engine';
import type { Urgency } from '../clinical-urgency.ts';
import { type Tier, tiers } from '../stages.ts';
import type { Facts, Trigger } from './facts.ts';
import {
  type FieldName,
  factOf,
  fields,
  isField,
  isWrong,
  literalOf,
  prepareFact,
  testOf,
} from './fields.ts';
import type { Action, Comparison, Condition, Rule } from './rule.ts';

/** The facts that the rules of a trigger look at, each in the form in which it is compared. */
type View = Partial<Record<FieldName, unknown>>;
type Question = (view: View) => boolean;

/** A rule that cannot be run: it stands in the table, and yet it would not pass validation. */
export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';
}

/** The comparisons of a condition, wherever they stand in it. */
export function comparisonsOf(condition: Condition | undefined): Comparison[] {
  if (condition === undefined) return [];
  if ('all' in condition) return condition.all.flatMap(comparisonsOf);
  if ('any' in condition) return condition.any.flatMap(comparisonsOf);
  if ('not' in condition) return comparisonsOf(condition.not);
  return [condition];
}

/** @throws BrokenRule where the comparison is not one that the catalogue of fields knows */
function questionOf(comparison: Comparison): Question {
  const literal = literalOf(comparison);
  if (isWrong(literal)) throw new BrokenRule(literal.wrong);
  const test = testOf(literal);
  const { field } = literal;
  return (view) => test(view[field]);
}

/** What the engine's compiler hands to an operator that writes its own code. */
interface BuildState {
  compile(strings: TemplateStringsArray, ...items: unknown[]): unknown;
}

/** Marks a function that never waits; the engine would otherwise generate code that does. */
const never = Symbol.for('json_logic_sync');

/** An engine that knows nothing but `and`, `or`, `!` and the numbered questions. */
function createEngine(questions: readonly Question[]): LogicEngine {
  const { and, or, '!': not } = defaultMethods as unknown as Record<string, unknown>;
  const engine = new LogicEngine({ and, or, '!': not });
  engine.addMethod('ask', {
    lazy: true,
    deterministic: false,
    method: (n: number, view: View) => questions[n]?.(view) === true,
    compile: (n: number, state: BuildState) => state.compile`${questions[n]}(context)`,
  } as Parameters<LogicEngine['addMethod']>[1]);
  return engine;
}

/** A condition as one function. */
function compileCondition(condition: Condition): Question {
  const questions: Question[] = [];
  const logicOf = (part: Condition): unknown => {
    if ('all' in part) return { and: part.all.map(logicOf) };
    if ('any' in part) return { or: part.any.map(logicOf) };
    if ('not' in part) return { '!': [logicOf(part.not)] };
    return { ask: questions.push(Object.assign(questionOf(part), { [never]: true })) - 1 };
  };
  const logic = logicOf(condition);
  const run = createEngine(questions).build(logic) as (view: View) => unknown;
  return (view) => run(view) === true;
}

interface RunnableRule {
  readonly rule: Rule;
  readonly holds: Question;
  /** Why it cannot be run. */
  readonly fault?: string;
}

function makeRunnable(rule: Rule): RunnableRule {
  if (rule.when === undefined) return { rule, holds: () => true };
  try {
    return { rule, holds: compileCondition(rule.when) };
  } catch (error) {
    const fault = error instanceof BrokenRule ? error.message : 'its condition cannot be compiled';
    return { rule, holds: () => false, fault };
  }
}

/** Rules of one trigger, and the fields that they look at. */
interface Lane {
  readonly rules: readonly RunnableRule[];
  readonly looksAt: readonly FieldName[];
}

/** A rule that held, and what had been moved before and after it. */
export interface HeldRule {
  readonly rule: Rule;
  readonly tier: { readonly before: Tier; readonly after: Tier };
  readonly urgency: { readonly before: Urgency; readonly after: Urgency };
}

/** A rule that could not be looked at, and so counts as one that does not hold. */
export interface RuleFault {
  readonly rule: string;
  /** Of the rule's own wording, nothing of a person's. */
  readonly reason: string;
}

/** What became of the rules of one trigger. */
export interface Evaluation {
  readonly held: readonly HeldRule[];
  readonly faults: readonly RuleFault[];
  readonly tier: Tier;
  readonly urgency: Urgency;
}

/** What of the facts rules may change, for those after them to see. */
export interface Changeable {
  tier: Tier;
  urgency: Urgency;
  tags: readonly string[];
}

/** Applies what an action changes for the rules after it. */
export function applyChange(state: Changeable, action: Action): void {
  const at = tiers.indexOf(state.tier);
  switch (action.do) {
    case 'set_tier':
      state.tier = action.tier;
      break;
    case 'raise_tier':
      state.tier = tiers[Math.max(0, at - 1)] ?? state.tier;
      break;
    case 'lower_tier':
      state.tier = tiers[Math.min(tiers.length - 1, at + 1)] ?? state.tier;
      break;
    case 'set_urgency':
      state.urgency = action.urgency;
      break;
    case 'tag':
      if (!state.tags.includes(action.tag)) state.tags = [...state.tags, action.tag];
      break;
    default:
  }
}

export interface CompiledRules {
  readonly version: number | undefined;
  /** In order, those that are switched off too. */
  readonly rules: readonly Rule[];
  /** Whether any rule is looked at then. */
  has(trigger: Trigger): boolean;
  /** Whether a rule looks at the person's profile then. */
  needsPerson(trigger: Trigger): boolean;
  /**
   * After how many opening hours of silence rules are looked at, in ascending order. Those looked
   * at are the ones of the highest number that has been reached, so each is looked at once.
   */
  readonly silentHours: readonly number[];
  /** Looks at the rules of the facts' trigger. */
  evaluate(facts: Facts): Evaluation;
  /** The same without those that set aside as spam; for what a human has found genuine. Compiled once. */
  forReleased(): CompiledRules;
}

/** The number of silent hours whose rules are due: the highest that has been reached. */
export const silenceReached = (
  silentHours: readonly number[],
  hours: number | undefined,
): number | undefined => silentHours.findLast((each) => each <= (hours ?? 0));

/**
 * Rules, ready to run. Nothing is compiled before a trigger's rules are first
 * looked at. It never throws: a rule that cannot be compiled, or whose evaluation
 * fails, counts as one that does not hold, so that no inquiry is lost to a rule;
 * it is named among the faults.
 */
export function compileRules(rules: readonly Rule[], version?: number): CompiledRules {
  const enabled = rules.filter((rule) => rule.enabled);
  const silentHours = [
    ...new Set(
      enabled.flatMap((rule) =>
        rule.on.includes('silence') && rule.silentHours !== undefined ? [rule.silentHours] : [],
      ),
    ),
  ].sort((a, b) => a - b);
  const lanes = new Map<Trigger, Lane>();

  function laneOf(trigger: Trigger): Lane {
    const known = lanes.get(trigger);
    if (known !== undefined) return known;
    const own = enabled.filter((rule) => rule.on.includes(trigger));
    const names = new Set(own.flatMap(({ when }) => comparisonsOf(when).map(({ field }) => field)));
    const lane: Lane = { rules: own.map(makeRunnable), looksAt: [...names].filter(isField) };
    lanes.set(trigger, lane);
    return lane;
  }

  let released: CompiledRules | undefined;
  const marksSpam = ({ actions }: Rule): boolean => actions.some((action) => action.do === 'mark_spam');

  return {
    version,
    rules,
    forReleased() {
      released ??= compileRules(
        rules.filter((rule) => !marksSpam(rule)),
        version,
      );
      return released;
    },
    has: (trigger) => enabled.some((rule) => rule.on.includes(trigger)),
    needsPerson: (trigger) =>
      enabled.some(
        (rule) =>
          rule.on.includes(trigger) &&
          comparisonsOf(rule.when).some(({ field }) => isField(field) && fields[field].ofPerson === true),
      ),
    silentHours,

    evaluate(facts) {
      const lane = laneOf(facts.trigger);
      const view: View = {};
      for (const name of lane.looksAt) view[name] = prepareFact(fields[name].type, factOf(facts, name));
      const state: Changeable = { tier: facts.tier, urgency: facts.urgency, tags: facts.tags };
      const due = facts.trigger === 'silence' ? silenceReached(silentHours, facts.silentHours) : undefined;
      const held: HeldRule[] = [];
      const faults: RuleFault[] = [];
      for (const { rule, holds, fault } of lane.rules) {
        if (facts.trigger === 'silence' && rule.silentHours !== due) continue;
        if (fault !== undefined) {
          faults.push({ rule: rule.id, reason: fault });
          continue;
        }
        try {
          if (!holds(view)) continue;
        } catch {
          faults.push({ rule: rule.id, reason: 'its condition could not be evaluated' });
          continue;
        }
        const before = { ...state };
        for (const action of rule.actions) applyChange(state, action);
        view.tier = state.tier;
        view.urgency = state.urgency;
        view.tags = state.tags;
        held.push({
          rule,
          tier: { before: before.tier, after: state.tier },
          urgency: { before: before.urgency, after: state.urgency },
        });
        if (rule.actions.some((action) => action.do === 'stop')) break;
      }
      return { held, faults, tier: state.tier, urgency: state.urgency };
    },
  };
}

const compiled = new WeakMap<object, CompiledRules>();

/** The rules of a practice as read from the table; compiled once for each that is read. */
export function rulesOf(practice: {
  readonly rules: readonly Rule[];
  readonly rulesVersion?: number | undefined;
}): CompiledRules {
  const known = compiled.get(practice);
  if (known !== undefined) return known;
  const made = compileRules(practice.rules, practice.rulesVersion);
  compiled.set(practice, made);
  return made;
}
