/**
 * Keeps messages to people under the rate at which SES takes them. Each process
 * keeps to its share of it; staff mails take their turn without waiting, and
 * messages to people wait behind them.
 */

export interface Pace {
  /** A staff mail goes out now: messages to people wait for it. */
  staffMail(now: Date, sendPerSecond: number): void;
  /**
   * A turn for a message to a person: the pause before it may go, in milliseconds; undefined where
   * that would be longer than `mostMs`, and no turn is taken.
   */
  turn(now: Date, sendPerSecond: number, mostMs: number): number | undefined;
}

/** @param processes - how many may run at once; the rate is shared between them */
export function createPace(processes: number): Pace {
  let freeAtMs = 0;
  const intervalMs = (sendPerSecond: number): number => (processes * 1_000) / sendPerSecond;
  return {
    staffMail(now, sendPerSecond) {
      freeAtMs = Math.max(freeAtMs, now.getTime()) + intervalMs(sendPerSecond);
    },
    turn(now, sendPerSecond, mostMs) {
      const startMs = Math.max(freeAtMs, now.getTime());
      const pauseMs = startMs - now.getTime();
      if (pauseMs > mostMs) return undefined;
      freeAtMs = startMs + intervalMs(sendPerSecond);
      return pauseMs;
    },
  };
}
