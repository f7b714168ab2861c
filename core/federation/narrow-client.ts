import type { JWTPayload } from "jose"
import { LRUCache } from "lru-cache"
import type { OwnerOf } from "#core/auth/jwt/issuer.ts"
import { type Narrow, readClaim, sizeOfClaim } from "#core/promql/narrow.ts"
import type { Client } from "./client.ts"

const LONGEST_SUBJECT = 64
/** Bytes of all clients that were narrowed to the claims of their tokens. */
const KEPT_BYTES = 16_000_000

/** The client of an issuer's token. What its `match` claim names is decided later: it can take long. */
export function clientsOfTokens<C extends Client>(client: C): OwnerOf<C> {
  return ({ match, sub }) => {
    if (match === undefined) return { ...client, ...subjectOf(sub) }
    const selectors = readClaim(match)
    if (selectors === undefined) return "its match is neither a selector nor a list of some"
    return { ...client, shared: [], claim: { ceiling: client, selectors }, ...subjectOf(sub) }
  }
}

/** Narrows clients to the claims of their tokens, and keeps those that were used last. */
export function createNarrowClient<C extends Client>(narrow: Narrow) {
  const narrowed = new LRUCache<C, C>({
    maxSize: KEPT_BYTES,
    sizeCalculation: (_, { claim }) => 1000 + sizeOfClaim(claim?.selectors ?? []),
  })
  return {
    /** Undefined where it has to be decided. */
    known: (client: C): C | undefined => (client.claim === undefined ? client : narrowed.get(client)),
    /** Rejects with what `narrow` rejects with. */
    narrow: async (client: C): Promise<C> => {
      const { claim } = client
      if (claim === undefined) return client
      const made = { ...client, claim: undefined, ...(await narrow(claim.ceiling, claim.selectors)) }
      narrowed.set(client, made)
      return made
    },
    /** Those of policies before this one. */
    forget: (): void => narrowed.clear(),
  }
}

/** For the log: printable, and not longer than a line can take. */
function subjectOf(sub: JWTPayload["sub"]): { subject?: string } {
  if (typeof sub !== "string" || sub === "") return {}
  return { subject: sub.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SUBJECT) }
}
