import { expect, it } from 'vitest';
import { faultKinds, faultNames, faultsOf, operations } from '../../simulation/faults.ts';

it('there is no operation to which nothing can happen, and no fault that can happen to none', () => {
  for (const operation of operations) expect(faultsOf(operation), operation).not.toEqual([]);
  for (const name of faultNames) expect(faultKinds[name].at, name).not.toEqual([]);
});

it('an invocation can die on either side of each call, and only there', () => {
  const calls = operations.filter((one) => !['delivery', 'stream', 'schedule'].includes(one));

  expect(faultKinds.crash_before.at).toEqual(calls);
  expect(faultKinds.crash_after.at).toEqual(calls);
});
