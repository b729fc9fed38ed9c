/**
 * Chance that can be repeated: each random test has a seed, which it prints when it fails.
 * UNIT_SEED=… tries another one.
 */

export interface Chance {
  readonly seed: number;
  /** A number from 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
}

/** Mulberry32. Two seeds that differ by one give unlike series. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    seed,
    next,
    below,
    pick: (from) => from[below(from.length)]!,
    shuffle: (items) => {
      const result = [...items];
      for (let last = result.length - 1; last > 0; last--) {
        const other = below(last + 1);
        const item = result[last]!;
        result[last] = result[other]!;
        result[other] = item;
      }
      return result;
    },
  };
}

/** The chance of a test: always the same, unless another seed is asked for. */
export function seeded(name: string): Chance {
  const wish = process.env["UNIT_SEED"];
  let seed = 2166136261;
  for (const character of name) seed = Math.imul(seed ^ character.codePointAt(0)!, 16777619) >>> 0;
  return chanceOf(wish ? Number(wish) : seed);
}
