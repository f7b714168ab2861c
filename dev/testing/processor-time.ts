/**
 * Milliseconds that this thread's processor spends on it. Where a test is about the cost of an input, the clock is the
 * wrong measure: it also runs while other processes do.
 */
export function processorTime(work: () => void): number {
  const begin = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(begin)
  return (user + system) / 1000
}
