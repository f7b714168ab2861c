import { LRUCache } from "lru-cache"
import { canonicalExpression } from "#core/promql/expressions/canonical.ts"

/** Characters of expressions, and of their canonical texts, that are remembered: they are compared again in each cycle. */
const REMEMBERED = 8 * 2 ** 20

const known = new LRUCache<string, string>({
  maxSize: REMEMBERED,
  sizeCalculation: (written, read) => written.length + read.length + 100,
})

function canonical(text: string): string {
  const before = known.get(text)
  if (before !== undefined) return before
  const found = canonicalExpression(text)
  known.set(text, found)
  return found
}

/** Whether two expressions have the same value, however they are written. False where that is not known. */
export const sameExpression = (a: string, b: string): boolean => a.trim() === b.trim() || canonical(a) === canonical(b)
