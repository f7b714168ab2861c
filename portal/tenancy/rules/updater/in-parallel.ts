/** Works on all items in their order, on some at once; after a failure on no more. Rejects with the first failure. */
export async function inParallel<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values()
  let isOver = false
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (isOver) return
      try {
        await work(item)
      } catch (error) {
        isOver = true
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, worker))
  const failed = results.find((result) => result.status === "rejected")
  if (failed !== undefined) throw failed.reason
}
