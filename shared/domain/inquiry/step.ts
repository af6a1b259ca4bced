/** The step of the pipeline that an inquiry waits for. */
import { after, awaitsRouting, type Inquiry, isMailUnderWay, stepAllowanceMs } from './state.ts';

/** Whether the pipeline has something to do about it, which is asked for until it is done. */
export const isAskedFor = (inquiry: Inquiry): boolean =>
  inquiry.trigger !== undefined ||
  inquiry.reassign === true ||
  inquiry.move !== undefined ||
  awaitsRouting(inquiry) ||
  isMailUnderWay(inquiry);

/** The state with its step timer just where the pipeline has a step to do. */
export function withStep(inquiry: Inquiry, now: Date): Inquiry {
  const { step, ...timers } = inquiry.timers;
  return isAskedFor(inquiry)
    ? { ...inquiry, timers: { ...timers, step: step ?? after(now, stepAllowanceMs) } }
    : { ...inquiry, timers };
}
