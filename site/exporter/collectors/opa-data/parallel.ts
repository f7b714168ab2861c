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

/** Does `work` with a signal that is aborted after some seconds, or with `signal`. */
export async function within<T>(
  seconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = setTimeout(abort, seconds * 1000)
  signal.addEventListener("abort", abort)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", abort)
  }
}
