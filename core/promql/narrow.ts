import { FedstackError } from "#core/errors.ts"
import { LRUCache } from "lru-cache"
import type { Turns } from "#core/limits/turns.ts"
import type { Authorize, Principal, SharedSelector } from "./authorize.ts"
import { parseSelector } from "./parse.ts"
import { printSelector, type Selector } from "./selector.ts"

const MOST_SELECTORS = 64
const MOST_CHARACTERS = 4096
/** Bytes of all lists that are kept. */
const KEPT_BYTES = 8_000_000
/** Of a list, for each character of its claim: `{a="b"}` becomes some objects. */
const BYTES_PER_CHARACTER = 25

/** What a token's `match` claim leaves of what its issuer may grant, and why not all that it names. */
export interface Narrowed {
  readonly shared: readonly SharedSelector[]
  readonly notGranted?: string
}

export type Narrow = (ceiling: Principal, claimed: readonly string[]) => Promise<Narrowed>

/** The selectors that a `match` claim names; undefined where it is neither a selector nor a list of some. */
export function readClaim(claim: unknown): readonly string[] | undefined {
  const texts: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  if (texts.length > MOST_SELECTORS) return undefined
  return texts.every((text) => typeof text === "string" && text.length <= MOST_CHARACTERS)
    ? (texts as readonly string[])
    : undefined
}

/** What a list of selectors in a claim takes once it was narrowed to, in bytes. */
export function sizeOfClaim(claimed: readonly string[]): number {
  return claimed.reduce((sum, text) => sum + 200 + BYTES_PER_CHARACTER * text.length, 500)
}

/**
 * Narrows a ceiling by claims, and remembers: equal claims get the same list, by which decisions are kept. A claim can
 * only narrow: what is not contained in one of the ceiling's selectors is left out. Work is decided and charged like that
 * of requests, with what `authorize` rejects with.
 */
export function createNarrower(authorize: Authorize, turns: Turns): Narrow {
  const lists = new WeakMap<Principal["shared"], number>()
  let lastList = 0
  const narrowed = new LRUCache<string, Narrowed>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ shared }, key) => 500 + 200 * shared.length + BYTES_PER_CHARACTER * key.length,
  })

  /** A text: why the selector is not granted. */
  async function narrowTo(text: string, ceiling: Principal): Promise<SharedSelector | string> {
    const selector = turns.charge(ceiling.name, () => parse(text))
    await turns.rest()
    if (selector === undefined) return "a selector of the token cannot be read"
    // matchers are never added to what a token grants
    const decision = await authorize({ ...ceiling, enforce: false }, [selector])
    const [granted] = decision.allowed ? decision.selectors : []
    const [within] = decision.allowed ? decision.by : []
    if (granted === undefined || within === undefined) {
      return `${printSelector(selector)} of the token is beyond what its issuer may grant`
    }
    return { selector: granted, where: `match of the token, within ${within.where}` }
  }

  return async (ceiling, claimed) => {
    let list = lists.get(ceiling.shared)
    if (list === undefined) lists.set(ceiling.shared, (list = ++lastList))
    const key = `${list} ${JSON.stringify(claimed)}`
    const known = narrowed.get(key)
    if (known !== undefined) return known
    const results: (SharedSelector | string)[] = []
    for (const text of claimed) results.push(await narrowTo(text, ceiling))
    const shared = results.filter((result) => typeof result !== "string")
    const left = results.filter((result) => typeof result === "string")
    const result = left.length === 0 ? { shared } : { shared, notGranted: left.join("; ").slice(0, 500) }
    narrowed.set(key, result)
    return result
  }
}

function parse(text: string): Selector | undefined {
  try {
    return parseSelector(text)
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    return undefined
  }
}
