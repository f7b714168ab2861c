/** Runs `work` when fewer than the limit are running; the others wait for their turn. */
export interface ConcurrencyLimit {
  /** What runs for longer than `soon` milliseconds no longer counts: it waits for a server that does not respond. */
  <R>(work: () => Promise<R>, soon?: number): Promise<R>
}

export function limitConcurrency(most: number): ConcurrencyLimit {
  let free = most
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  return async (work, soon) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    let inside = true
    const out = (): void => {
      if (inside) leave()
      inside = false
    }
    const timer = soon === undefined ? undefined : setTimeout(out, soon)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      out()
    }
  }
}
