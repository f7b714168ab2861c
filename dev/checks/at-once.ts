/**
 * Runs so many jobs at once; the next one starts when one has ended. The results are in the order of the jobs. After an error
 * no more are started, and it is thrown when nothing runs any more.
 */
export async function runAtOnce<T>(count: number, jobs: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results: T[] = []
  const waiting = [...jobs.entries()]
  let failed = false
  async function runNext(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !failed; next = waiting.shift()) {
      const [index, job] = next
      try {
        results[index] = await job()
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: count }, runNext))
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason
  return results
}
