/** How a stage of an inquiry moves the lifecycle of its person. */
import type { Lifecycle } from './rules/facts.ts';
import type { Stage } from './stages.ts';

/**
 * The lifecycle after an inquiry reached a stage; it only ever moves on. A patient
 * becomes a returning one by another booking, not by the same one set again.
 *
 * @param bookedBefore - whether this inquiry had been booked before
 */
export function lifecycleAfter(before: Lifecycle, stage: Stage, bookedBefore: boolean): Lifecycle {
  if (stage === 'consult' && before === 'lead') return 'consult';
  if (stage !== 'booked') return before;
  if (before === 'lead' || before === 'consult') return 'patient';
  return before === 'patient' && !bookedBefore ? 'returning' : before;
}
