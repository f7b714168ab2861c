/** Lets at most `most` work at once; the others wait for their turn. */
export interface Gate {
  /** What works for longer than `soon` milliseconds no longer counts: it waits for somebody who does not answer. */
  <R>(work: () => Promise<R>, soon?: number): Promise<R>
}

export function gate(most: number): Gate {
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
