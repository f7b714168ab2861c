/** Something to run that takes its part of the room while it runs. */
export interface Job<T> {
  /** At most the whole room is taken: what is larger runs when nothing else does. */
  readonly size: number
  readonly run: () => Promise<T>
}

/**
 * Runs jobs side by side: each starts as soon as there is room for it, in their order; a smaller one goes past one that does
 * not fit yet. The results are in the order of the jobs; the first error is thrown when nothing runs any more.
 */
export async function runWithin<T>(room: number, jobs: readonly Job<T>[]): Promise<readonly T[]> {
  const results = new Map<Job<T>, T>()
  const waiting = [...jobs]
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  let free = room
  while (waiting.length + running.size > 0) {
    const next = errors.length > 0 ? -1 : waiting.findIndex((job) => sizeOf(job) <= free)
    const [job] = next === -1 ? [] : waiting.splice(next, 1)
    if (job === undefined) {
      if (running.size === 0) break
      await Promise.race(running)
      continue
    }
    free -= sizeOf(job)
    const done = job
      .run()
      .then(
        (result) => void results.set(job, result),
        (error: unknown) => void errors.push(error),
      )
      .finally(() => {
        free += sizeOf(job)
        running.delete(done)
      })
    running.add(done)
  }
  if (errors.length > 0) throw errors[0]
  return jobs.map((job) => results.get(job) as T)

  function sizeOf({ size }: Job<T>): number {
    return Math.min(size, room)
  }
}
