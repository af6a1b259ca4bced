/** The step of the pipeline that an inquiry waits for. */
import { after, awaitsRouting, type Inquiry, isMailUnderWay, stepAllowanceMs } from './state.ts';

/** Whether the pipeline has something to do about it, which is asked for until it is done. */
export const isAskedFor = (inquiry: Inquiry): boolean =>
  inquiry.trigger !== undefined ||
  inquiry.reassign === true ||
  inquiry.move !== undefined ||
  awaitsRouting(inquiry) ||
  isMailUnderWay(inquiry);

/** Whether more is awaited than somebody who can take it: a mail under way, or rules that have to look at it. */
export const awaitsMore = (inquiry: Inquiry): boolean =>
  inquiry.trigger !== undefined || isMailUnderWay(inquiry);

/** The state with its step timer just where the pipeline has a step to do: soon, but for what only waits in a pool. */
export function withStep(inquiry: Inquiry, now: Date): Inquiry {
  const { step, ...timers } = inquiry.timers;
  if (!isAskedFor(inquiry)) return { ...inquiry, timers };
  const soon = after(now, stepAllowanceMs);
  const onlyWaits = inquiry.progress === 'waiting' && !awaitsMore(inquiry);
  const isLate = step === undefined || (step > soon && !onlyWaits);
  return { ...inquiry, timers: { ...timers, step: isLate ? soon : step } };
}
