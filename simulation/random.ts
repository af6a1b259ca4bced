/** Randomness from a seed: the same numbers in every run, on every machine. */

export interface Random {
  /** At least 0 and below 1. */
  next(): number;
  /** A whole number, both bounds included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** One of the keys, by their weights. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  /** A source of its own: what one part of a run draws moves no other. */
  fork(name: string): Random;
}

/** Spreads a text over 32 bits (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

export function createRandom(seed: string | number): Random {
  let state = hash(String(seed));
  /** Mulberry32, by Tommy Ettinger: 32 bits of state, and good enough to draw people by. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const random: Random = {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick(values) {
      const picked = values[Math.floor(next() * values.length)];
      if (picked === undefined) throw new RangeError('there is nothing to pick from');
      return picked;
    },
    weighted(weights) {
      const entries = Object.entries<number>(weights) as [keyof typeof weights, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      throw new RangeError('there is nothing to pick from');
    },
    fork: (name) => createRandom(`${seed}/${name}`),
  };
  return random;
}
