/** Waiting where time is virtual: it passes while somebody waits. */
import type { Agenda } from '../../simulation/agenda.ts';

const mostSeconds = 1_000;

/** Lets virtual time pass until something holds. */
export async function untilIn(agenda: Agenda, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let seconds = 0; !(await holds()); seconds++) {
    if (seconds > mostSeconds) throw new Error('waited in vain');
    await agenda.runUntil(agenda.nowMs() + 1_000);
  }
}

/** What a promise comes to, in virtual time. */
export async function awaitIn<T>(agenda: Agenda, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await untilIn(agenda, () => isSettled);
  return await promise;
}
