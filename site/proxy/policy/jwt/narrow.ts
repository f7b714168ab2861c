import { FedstackError } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { containedInAny } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import { compiledOf } from "../compiled.ts"
import type { Shared } from "../types.ts"

const MOST_SELECTORS = 64
const MOST_CHARACTERS = 4096

/** What a token's `match` claim leaves of what its issuer's entry shares, and why not all that it names. */
export interface Narrowed {
  readonly shared: readonly Shared[]
  readonly notGranted?: string
}

/** A claim can only narrow: what is not contained in one of the ceiling's selectors is left out. Undefined: no usable claim. */
export function narrow(ceiling: readonly Shared[], claim: unknown): Narrowed | undefined {
  if (claim === undefined) return { shared: ceiling }
  const texts: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  if (!texts.every((text) => typeof text === "string" && text.length <= MOST_CHARACTERS)) return undefined
  if (texts.length > MOST_SELECTORS) return undefined
  const shared: Shared[] = []
  const left: string[] = []
  for (const text of texts as readonly string[]) {
    const granted = grant(ceiling, text)
    if (typeof granted === "string") left.push(granted)
    else shared.push(granted)
  }
  return left.length === 0 ? { shared } : { shared, notGranted: left.join("; ").slice(0, 500) }
}

function grant(ceiling: readonly Shared[], text: string): Shared | string {
  try {
    const selector = parseSelector(text)
    const result = containedInAny(
      ceiling.map((one) => compiledOf(one.selector)),
      compile(selector),
    )
    if (result.kind !== "contained")
      return `${printSelector(selector)} of the token is beyond what its issuer may grant`
    const by = ceiling.find((one) => compiledOf(one.selector) === result.by)
    return { selector, where: `match of the token, within ${by?.where}` }
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    return "a selector of the token can't be read"
  }
}
