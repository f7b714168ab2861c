import type { JWTPayload } from "jose"
import { LRUCache } from "lru-cache"
import type { OwnerOf } from "#core/auth/credentials.ts"
import { FedstackError } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { containedInAny } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import { compiledOf } from "./compiled.ts"
import type { Client, Shared } from "./types.ts"

const LONGEST_SUBJECT = 64
const MOST_CLAIMS = 1000
const MOST_SELECTORS = 64
const MOST_CHARACTERS = 4096

/** What the `match` claim of a token leaves of what the entry of its issuer shares, and why not all that it names. */
type Narrowed = Pick<Client, "shared" | "notGranted">

/** Narrows the client of an issuer by the `match` claim of a token. One object per claim, by which decisions are kept. */
export function clientsOfTokens(): OwnerOf<Client> {
  const known = new LRUCache<string, Narrowed>({ maxSize: MOST_CLAIMS, sizeCalculation: () => 1 })
  return (client, { match, sub }) => {
    if (match === undefined) return { ...client, ...subjectOf(sub) }
    const key = JSON.stringify(match)
    const narrowed = known.get(key) ?? narrow(client.shared, match)
    if (narrowed === undefined) return "its match is neither a selector nor a list of some"
    known.set(key, narrowed)
    return { ...client, ...narrowed, ...subjectOf(sub) }
  }
}

/** A claim can only narrow: what is not contained in one of the ceiling's selectors is left out. Undefined: no usable claim. */
function narrow(ceiling: readonly Shared[], claim: unknown): Narrowed | undefined {
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
    return "a selector of the token cannot be read"
  }
}

/** For the log: printable, and not longer than a line can take. */
function subjectOf(sub: JWTPayload["sub"]): { subject?: string } {
  if (typeof sub !== "string" || sub === "") return {}
  return { subject: sub.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SUBJECT) }
}
