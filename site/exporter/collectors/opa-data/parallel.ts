/** Runs `work` for every item, at most `most` at once, and returns the results in the items' order. */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const pass = gate(most)
  return Promise.all(items.map((item) => pass(() => work(item))))
}

/** Lets at most `most` run at once; the others wait for their turn. */
export function gate(most: number): <R>(work: () => Promise<R>) => Promise<R> {
  let free = most
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
