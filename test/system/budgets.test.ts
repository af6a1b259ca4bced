/** Budgets that can be counted, and so hold on every machine: calls, units, bytes. `npm run bench` has the times. */
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleBytes } from '../../bench/bundles.ts';
import { type Counted, countInquiries } from '../../bench/counted.ts';
import { bundleLimit, limits } from '../../bench/limits.ts';

describe('an inquiry from post to e-mail, on the sample of the web form', () => {
  let counted: Counted;
  beforeAll(async () => {
    counted = await countInquiries(5);
  });

  it(`takes at most ${limits.callsToAnswer} AWS calls to its answer and ${limits.callsToMail} to its e-mail`, () => {
    for (const person of [counted.newPerson, counted.knownPerson]) {
      expect(person.callsToAnswer, JSON.stringify(person.steps)).toBeLessThanOrEqual(limits.callsToAnswer);
      expect(person.callsToMail, JSON.stringify(person.steps)).toBeLessThanOrEqual(limits.callsToMail);
    }
  });

  it(`writes at most ${limits.writeUnitsNewPerson} units for a new person and ${limits.writeUnitsKnownPerson} for a known one`, () => {
    expect(counted.newPerson.writeUnits).toBeLessThanOrEqual(limits.writeUnitsNewPerson);
    expect(counted.knownPerson.writeUnits).toBeLessThanOrEqual(limits.writeUnitsKnownPerson);
    // A count that sees nothing would keep every budget.
    expect(counted.knownPerson.writeUnits).toBeGreaterThan(10);
    expect(counted.rollUps.calls).toBeGreaterThan(0);
    expect(counted.people.calls).toBeGreaterThan(0);
  });
});

describe('the bundles', () => {
  it('are small enough to start quickly', async () => {
    const bytes = await bundleBytes();
    expect(Object.keys(bytes).sort()).toEqual([
      'api',
      'capture',
      'feedback',
      'notify',
      'people',
      'remind',
      'report',
      'route',
      'score',
      'unsubscribe',
    ]);
    for (const [name, size] of Object.entries(bytes)) {
      expect(size, name).toBeLessThanOrEqual(bundleLimit(name));
      expect(size, name).toBeGreaterThan(100_000);
    }
  });
});
