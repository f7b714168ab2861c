import { FedstackError } from "#core/errors.ts"
import { LRUCache } from "lru-cache"
import type { SharedSelector } from "./authorize.ts"
import { compile, type CompiledSelector } from "./compiled.ts"
import { containedInAny } from "./containment.ts"
import { searchNamed, withNameOf } from "./named.ts"
import { parseSelector } from "./parse.ts"
import { printSelector } from "./selector.ts"

const MOST_SELECTORS = 64
const MOST_CHARACTERS = 4096
const MOST_CLAIMS = 1000

/** What a token's `match` claim leaves of what its issuer may grant, and why not all that it names. */
export interface Narrowed {
  readonly shared: readonly SharedSelector[]
  readonly notGranted?: string
}

/**
 * Narrows a ceiling by claims, and remembers: equal claims get the same list, by which decisions are kept. A claim can
 * only narrow: what is not contained in one of the ceiling's selectors is left out. Undefined: no usable claim.
 */
export function createNarrower(ceiling: readonly SharedSelector[]): (claim: unknown) => Narrowed | undefined {
  const narrowed = new LRUCache<string, Narrowed>({ maxSize: MOST_CLAIMS, sizeCalculation: () => 1 })
  let compiled: readonly CompiledSelector[] | undefined

  /** A text: why the selector is not granted. */
  function narrowTo(text: string): SharedSelector | string {
    try {
      const selector = parseSelector(text)
      const allowed = (compiled ??= ceiling.map((one) => compile(one.selector)))
      const result = searchNamed(allowed, compile(selector), (one) => containedInAny(allowed, one))
      const within = result.kind === "contained" ? ceiling[result.index] : undefined
      if (result.kind === "contained" && within !== undefined) {
        const granted = result.named ? withNameOf(within.selector, selector) : selector
        return { selector: granted, where: `match of the token, within ${within.where}` }
      }
      return `${printSelector(selector)} of the token is beyond what its issuer may grant`
    } catch (error) {
      if (!(error instanceof FedstackError)) throw error
      return "a selector of the token cannot be read"
    }
  }

  return (claim) => {
    if (claim === undefined) return { shared: ceiling }
    const key = JSON.stringify(claim)
    const known = narrowed.get(key)
    if (known !== undefined) return known
    const texts: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
    if (texts.length > MOST_SELECTORS) return undefined
    if (!texts.every((text) => typeof text === "string" && text.length <= MOST_CHARACTERS)) return undefined
    const results = (texts as readonly string[]).map(narrowTo)
    const shared = results.filter((result) => typeof result !== "string")
    const left = results.filter((result) => typeof result === "string")
    const result = left.length === 0 ? { shared } : { shared, notGranted: left.join("; ").slice(0, 500) }
    narrowed.set(key, result)
    return result
  }
}
