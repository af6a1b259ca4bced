/** Why each rule held for one inquiry, or did not: for whoever tries a rule before publishing it. */
import { applyChange, type Changeable, type CompiledRules, silenceReached } from './compile.ts';
import type { Facts } from './facts.ts';
import { factOf, fields, isWrong, literalOf, prepareFact, testOf } from './fields.ts';
import type { Comparison, Condition } from './rule.ts';
import { applyTrigger } from './triage.ts';

/** The first comparison that kept a rule from holding. It shows what the person gave: for staff's eyes only. */
export interface FailedComparison {
  /** Where it stands in the rule: `['when', 'all', 0]`. */
  readonly path: readonly (string | number)[];
  readonly field: string;
  readonly operator: string;
  readonly wanted: unknown;
  /** Absent where it is not known. */
  readonly actual?: unknown;
  /** Whether it holds, where it should not have. */
  readonly negated: boolean;
}

export interface RuleExplanation {
  readonly rule: string;
  readonly name: string;
  /**
   * `skipped` is a rule that another one stopped before its turn; `off` one that is switched off,
   * `elsewhere` one of another trigger or another length of silence.
   */
  readonly state: 'held' | 'not_held' | 'skipped' | 'off' | 'elsewhere' | 'broken';
  /** What it did, in words; of a broken rule, why it is one. */
  readonly did?: readonly string[];
  readonly failed?: FailedComparison;
}

function testComparison(
  comparison: Comparison,
  facts: Facts,
): { holds: boolean; actual: unknown } | undefined {
  const literal = literalOf(comparison);
  if (isWrong(literal)) return undefined;
  const actual = factOf(facts, literal.field);
  return { holds: testOf(literal)(prepareFact(fields[literal.field].type, actual)), actual };
}

/** The first comparison that keeps a condition from being what was wanted; undefined where it is. */
function failureOf(
  condition: Condition,
  wanted: boolean,
  facts: Facts,
  path: readonly (string | number)[],
): FailedComparison | undefined {
  if ('not' in condition) return failureOf(condition.not, !wanted, facts, [...path, 'not']);
  if ('all' in condition || 'any' in condition) {
    const [key, parts] =
      'all' in condition ? (['all', condition.all] as const) : (['any', condition.any] as const);
    const failures = parts.map((part, i) => failureOf(part, wanted, facts, [...path, key, i]));
    const needsEach = (key === 'all') === wanted;
    return needsEach || failures.every((failure) => failure !== undefined)
      ? failures.find((failure) => failure !== undefined)
      : undefined;
  }
  const tested = testComparison(condition, facts);
  if (tested?.holds === wanted) return undefined;
  const { field, operator, value } = condition;
  return {
    path,
    field,
    operator,
    wanted: value,
    ...(tested?.actual !== undefined && { actual: tested.actual }),
    negated: !wanted,
  };
}

/** What became of each rule, in order, those that were not looked at among them. */
export function explainRules(rules: CompiledRules, facts: Facts): RuleExplanation[] {
  const { hits, faults } = applyTrigger(rules, facts);
  const broken = new Set(faults.map(({ rule }) => rule));
  const done = new Map(hits.map(({ rule, did }) => [rule, did]));
  const due = silenceReached(rules.silentHours, facts.silentHours);
  const state: Changeable = { tier: facts.tier, urgency: facts.urgency, tags: facts.tags };
  let stopped = false;
  return rules.rules.map((rule): RuleExplanation => {
    const { id, name, when } = rule;
    const did = done.get(id);
    const elsewhere =
      !rule.on.includes(facts.trigger) || (facts.trigger === 'silence' && rule.silentHours !== due);
    if (!rule.enabled) return { rule: id, name, state: 'off' };
    if (elsewhere) return { rule: id, name, state: 'elsewhere' };
    if (stopped) return { rule: id, name, state: 'skipped' };
    if (did === undefined) {
      const failed = when && failureOf(when, true, { ...facts, ...state }, ['when']);
      return { rule: id, name, state: 'not_held', ...(failed && { failed }) };
    }
    if (broken.has(id)) return { rule: id, name, state: 'broken', did };
    for (const action of rule.actions) applyChange(state, action);
    stopped = rule.actions.some((action) => action.do === 'stop');
    return { rule: id, name, state: 'held', did };
  });
}
