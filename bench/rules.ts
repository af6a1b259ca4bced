/** How long as many rules as a practice may have take over one inquiry, and to be compiled. */
import { compileRules } from '../shared/domain/rules/compile.ts';
import type { Condition, Rule } from '../shared/domain/rules/rule.ts';
import { mostRules } from '../shared/domain/schema/rule.ts';
import { factsOf } from '../test/support/rules.ts';
import { median } from './median.ts';

/** Five comparisons, of every kind, nested; none of the rules stops, and most come to their last one. */
function conditionOf(i: number): Condition {
  return {
    all: [
      { field: 'channel', operator: 'in', value: ['web_form', 'chat'] },
      {
        any: [
          { field: 'message', operator: 'has_words', value: [`growth ${i}`, 'changing mole', 'swelling'] },
          { not: { field: 'insurance', operator: 'contains', value: 'hmo' } },
        ],
      },
      { field: 'score', operator: 'between', value: [10, 90] },
      { field: 'service', operator: 'is_not', value: `service-${i}` },
    ],
  };
}

const rules: readonly Rule[] = Array.from({ length: mostRules }, (_, i) => ({
  id: `rule-${i}`,
  name: `Rule ${i}`,
  enabled: true,
  on: ['arrival'],
  when: conditionOf(i),
  actions: [{ do: 'tag', tag: `tag-${i % 5}` }],
}));

const facts = factsOf({
  service: 'acne',
  serviceValueCents: 45_000,
  language: 'es',
  insurance: 'Aetna PPO',
  insuranceKind: 'private',
  // A thousand characters.
  message: 'My skin has been itching since the spring, and it is getting worse. '.repeat(15),
});

export interface RuleTimes {
  readonly rules: number;
  /** Microseconds for all of them over one inquiry, the median of the runs. */
  readonly evaluateMicroseconds: number;
  /** Milliseconds to compile them, once per version of the rules; the first evaluation is in it. */
  readonly compileMs: number;
}

/** Measures the rules alone: no table, no queue. */
export function measureRules(runs = 500): RuleTimes {
  const compiling: number[] = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    compileRules(rules).evaluate(facts);
    compiling.push(performance.now() - start);
  }
  const compiled = compileRules(rules);
  const held = compiled.evaluate(facts).held.length;
  if (held !== rules.length) throw new Error(`${held} of ${rules.length} rules held`);
  const evaluating = Array.from({ length: runs }, () => {
    const start = performance.now();
    compiled.evaluate(facts);
    return (performance.now() - start) * 1_000;
  });
  return {
    rules: rules.length,
    evaluateMicroseconds: Math.round(median(evaluating)),
    compileMs: Math.round(median(compiling) * 10) / 10,
  };
}
