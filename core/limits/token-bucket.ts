export interface TokenBucket {
  /** 0 where a token was taken, else the seconds until there is one. */
  take(): number
  /** Returns a token that was taken. */
  give(): void
}

export interface Rate {
  /** On average. */
  readonly perSecond: number
  /** At once. */
  readonly burst: number
}

export function tokenBucket({ perSecond, burst }: Rate, now: () => number): TokenBucket {
  let tokens = burst
  let at = now()
  return {
    take() {
      const time = now()
      tokens = Math.min(burst, tokens + ((time - at) / 1000) * perSecond)
      at = time
      if (tokens < 1) return (1 - tokens) / perSecond
      tokens -= 1
      return 0
    },
    give() {
      tokens += 1
    },
  }
}
