/** Each waits for a thread of few, and a disk makes several files durable with one flush. */
const AT_ONCE = 16

/** Does `work` for some items at a time. Where it fails for one, those under way end before this rejects, and no other begins. */
export async function someAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let begin = 0; begin < items.length; begin += AT_ONCE) {
    const underWay = items.slice(begin, begin + AT_ONCE).map(work)
    await Promise.allSettled(underWay)
    results.push(...(await Promise.all(underWay)))
  }
  return results
}
