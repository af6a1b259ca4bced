/**
 * Virtual time: what is to happen, by its instant. One thing after the other, so that a run is the
 * same each time; the clock leaps from each to the next.
 */

export interface Agenda {
  readonly nowMs: () => number;
  /** Has something done at an instant, or now where that has passed; of one instant, in the order of asking. */
  at(instantMs: number, work: () => Promise<void> | void): void;
  /** Does everything up to and including an instant, and what that asks for. */
  runUntil(instantMs: number): Promise<void>;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly work: () => Promise<void> | void;
}

const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** The earliest first; a binary heap. */
class Heap {
  readonly #entries: Entry[] = [];

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = entries[above] as Entry;
      if (!isBefore(entry, parent)) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= entries.length) break;
      const right = left + 1;
      const [leftEntry, rightEntry] = [entries[left] as Entry, entries[right]];
      const child = rightEntry && isBefore(rightEntry, leftEntry) ? right : left;
      const below = entries[child] as Entry;
      if (!isBefore(below, last)) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = last;
    return first;
  }
}

export function createAgenda(startMs: number): Agenda {
  const heap = new Heap();
  let nowMs = startMs;
  let order = 0;
  return {
    nowMs: () => nowMs,
    at(instantMs, work) {
      heap.push({ atMs: Math.max(instantMs, nowMs), order: order++, work });
    },
    async runUntil(instantMs) {
      while (heap.first !== undefined && heap.first.atMs <= instantMs) {
        const entry = heap.pop() as Entry;
        nowMs = entry.atMs;
        await entry.work();
      }
      nowMs = Math.max(nowMs, instantMs);
    },
  };
}
