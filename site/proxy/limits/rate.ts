/** A bucket that fills at a steady rate. Its `now` counts milliseconds. */
export interface Bucket {
  /** 0 where one was taken, else the seconds until there is one. */
  take(): number
  /** Puts one back that was taken. */
  give(): void
}

export interface Rate {
  /** On average. */
  readonly perSecond: number
  /** At once. */
  readonly burst: number
}

export function bucket({ perSecond, burst }: Rate, now: () => number): Bucket {
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
