/**
 * Runs `work` when fewer than `most` are running; the others wait for their turn. What runs for longer than `soon`
 * milliseconds no longer counts: it waits for a server that does not respond.
 */
export function limitConcurrency(most: number) {
  let free = most
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  return async <R>(work: () => Promise<R>, soon?: number): Promise<R> => {
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
