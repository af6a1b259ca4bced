/** The same faults as in the simulation, on the real engines: a small run; `npm run test:faults` is the large one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAssembly } from '../../local/template/assembly.ts';
import { planOf } from '../../local/template/plan.ts';
import { faultKinds } from '../../simulation/faults.ts';
import { runWithFaults } from '../faults/run.ts';
import { ensureAssembly } from './harness.ts';

it('forty inquiries with faults and two kills: none lost, doubled or forgotten', {
  timeout: 600_000,
}, async () => {
  const { wrong, faults, ...outcome } = await runWithFaults({ seed: 7, inquiries: 40, kills: 2, rate: 0.1 });

  for (const [what, list] of Object.entries(wrong)) expect([what, list]).toEqual([what, []]);
  expect(outcome).toMatchObject({ posted: 40, acknowledged: 40, stored: 40, atRest: 40, kills: 2 });
  // A run without faults would show nothing.
  expect(Object.values(faults).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(10);
});

describe('no fault can be made by what is deployed', () => {
  it('nothing of them is in a bundle', async () => {
    const { functions } = planOf(readAssembly(await ensureAssembly()));
    expect(functions.length).toBeGreaterThanOrEqual(10);
    for (const { bundleFile, functionName } of functions) {
      const bundle = readFileSync(`${bundleFile}.mjs`, 'utf8');
      const known = [
        ...Object.keys(faultKinds).filter((kind) => kind.includes('_')),
        'clockAheadMs',
        'onFault',
      ];
      expect([functionName, known.filter((name) => bundle.includes(name))]).toEqual([functionName, []]);
      expect(join(bundleFile)).toContain('asset.');
    }
  });
});
