/** A loop that runs by itself until it is told not to. */
export interface EventSource {
  /** Takes up nothing more; resolves when what was under way is done. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the loop for good, without waiting for running functions. */
  stop(): void;
}

/** What a loop asks between its steps. */
export interface LoopControl {
  readonly stopped: boolean;
  /** Ends a long poll when the loop is paused or stopped. */
  readonly signal: AbortSignal;
  /** Waits; ends early when the loop is paused or stopped. */
  sleep(ms: number): Promise<void>;
}

/**
 * Runs `step` again and again. A step that throws is reported and repeated
 * after a second: an engine may be restarting.
 */
export function startLoop(
  step: (control: LoopControl) => Promise<void>,
  options: { onError(error: unknown): void; settle(): Promise<void> },
): EventSource {
  let stopped = false;
  let paused = false;
  let abort = new AbortController();
  let wake: (() => void) | undefined;
  let onPaused: (() => void) | undefined;

  const control: LoopControl = {
    get stopped() {
      return stopped;
    },
    get signal() {
      return abort.signal;
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        const { signal } = abort;
        if (signal.aborted) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal.addEventListener('abort', end);
      }),
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      if (paused) {
        onPaused?.();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      try {
        await step(control);
      } catch (error) {
        if (abort.signal.aborted) continue;
        options.onError(error);
        await control.sleep(1000);
      }
    }
  };
  void run();

  return {
    pause: async () => {
      if (paused) return;
      const reached = new Promise<void>((resolve) => {
        onPaused = resolve;
      });
      paused = true;
      abort.abort();
      await reached;
      await options.settle();
    },
    resume: () => {
      paused = false;
      abort = new AbortController();
      wake?.();
    },
    stop: () => {
      stopped = true;
      abort.abort();
      wake?.();
    },
  };
}
