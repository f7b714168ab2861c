/** A source of numbers that a seed repeats. */
export interface Random {
  /** 0 to n - 1. */
  below(n: number): number
  pick<T>(from: readonly [T, ...T[]]): T
  /** With this probability. */
  chance(probability: number): boolean
}

/** mulberry32: small, fast, and even enough for tests. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    below: (n) => Math.floor(next() * n),
    pick: (from) => from[Math.floor(next() * from.length)] ?? from[0],
    chance: (probability) => next() < probability,
  }
}
