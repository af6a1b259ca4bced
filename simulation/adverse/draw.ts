/**
 * Chance by address: what is drawn for one thing depends on the seed and on the name of that thing alone,
 * never on what else happened before it. So a run without some of its faults, or without some of its
 * inquiries, draws the same for all that is left.
 */

/** Two independent spreads of a text over 32 bits (FNV-1a, with a start of its own each). */
function spread(text: string, start: number): number {
  let value = start;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

/** Mixes 32 bits so that each depends on all (the end of MurmurHash3, by Austin Appleby). */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

export class Draw {
  readonly #origin: number;
  #state: number;

  constructor(state: number) {
    this.#origin = state;
    this.#state = state;
  }

  /** Another source for the same thing: what is drawn of the one moves nothing of the other. */
  beside(): Draw {
    return new Draw(mixed(this.#origin ^ 0x5bd1e995));
  }

  /** At least 0 and below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mixed(this.#state) / 2 ** 32;
  }

  /** A whole number, both bounds included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)] as T;
  }
}

/** Draws for a name, from a seed. */
export const drawsOf =
  (seed: number) =>
  (address: string): Draw =>
    new Draw(mixed(spread(address, (seed ^ 0x811c9dc5) | 0)));

/** A short name for a long one: 64 bits of it. */
export const shortened = (text: string): string =>
  mixed(spread(text, 0x811c9dc5)).toString(36) + mixed(spread(text, 0x1b873593)).toString(36);

/** A running digest of a history: equal only where each part was, in its order. */
export function createHistoryDigest() {
  let [a, b, parts] = [0x811c9dc5, 0x1b873593, 0];
  return {
    add(part: string): void {
      a = Math.imul(spread(part, a), 0x85ebca6b);
      b = spread(part, b ^ 0x5bd1e995);
      parts++;
    },
    text: (): string => `${parts}-${mixed(a).toString(16)}${mixed(b).toString(16)}`,
  };
}
