/** Which faults a run has: drawn from its seed. */
import { expect, it } from 'vitest';
import { drawsOf } from '../../simulation/adverse/draw.ts';
import { drawnPlan } from '../../simulation/adverse/plan.ts';
import type { FaultKind } from '../../simulation/faults.ts';

it('every run has a fault, also where hardly any of those that it drew can happen', () => {
  const can = (kind: FaultKind): boolean => kind === 'throttled';
  for (let seed = 1; seed <= 200; seed++) {
    const draws = drawsOf(seed);
    const plan = drawnPlan(draws('plan'));
    // As many calls as the guard waits for at the most.
    const happened = Array.from({ length: 1_000 }, (_, n) =>
      plan.decide({ operation: 'get', address: `get/${n}`, site: 'get', draw: draws(`get/${n}`), can }),
    );

    expect(happened, `seed ${seed}`).toContain('throttled');
  }
});
