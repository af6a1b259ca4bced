import { describe, expect, it } from 'vitest';
import { lifecycleAfter } from '../../shared/domain/lifecycle.ts';
import { lifecycles } from '../../shared/domain/rules/facts.ts';
import { stages } from '../../shared/domain/stages.ts';

describe('the lifecycle of a person', () => {
  it.each([
    ['lead', 'consult', 'consult'],
    ['lead', 'booked', 'patient'],
    ['consult', 'booked', 'patient'],
    ['patient', 'booked', 'returning'],
    ['patient', 'consult', 'patient'],
    ['returning', 'booked', 'returning'],
    ['lead', 'closed', 'lead'],
  ] as const)('that is %s is, with an inquiry that is %s, %s', (before, stage, after) => {
    expect(lifecycleAfter(before, stage, false)).toBe(after);
  });

  it('is not moved by the same booking set again', () => {
    expect(lifecycleAfter('patient', 'booked', true)).toBe('patient');
  });

  it('never goes back', () => {
    for (const before of lifecycles) {
      for (const stage of stages) {
        const after = lifecycleAfter(before, stage, false);
        expect(lifecycles.indexOf(after)).toBeGreaterThanOrEqual(lifecycles.indexOf(before));
      }
    }
  });
});
