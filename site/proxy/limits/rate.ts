/** A bucket that fills at a steady rate. Its `now` counts milliseconds. */
export interface Bucket {
  /** 0 where one was taken, else the seconds until there is one. */
  take(): number
}

/** `perSecond` on average, and `burst` at once. */
export function bucket(perSecond: number, burst: number, now: () => number): Bucket {
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
  }
}
