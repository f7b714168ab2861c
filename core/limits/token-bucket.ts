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

export interface DebtBucket {
  /** 0 where the tokens were taken, also more than there are; else the seconds until those before are paid for. */
  spend(tokens: number): number
}

/** For what is counted by amounts that may be larger than the burst. */
export function debtBucket({ perSecond, burst }: Rate, now: () => number): DebtBucket {
  let tokens = burst
  let at = now()
  return {
    spend(amount) {
      const time = now()
      tokens = Math.min(burst, tokens + ((time - at) / 1000) * perSecond)
      at = time
      if (tokens < 0) return -tokens / perSecond
      tokens -= amount
      return 0
    },
  }
}
