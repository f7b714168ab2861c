import type { JWTPayload } from "jose"
import type { OwnerOf } from "#core/auth/jwt/issuer.ts"
import { createNarrower } from "#core/promql/narrow.ts"
import type { Client } from "./types.ts"

const LONGEST_SUBJECT = 64

/** Narrows the client of an issuer by the `match` claim of a token. */
export function clientsOfTokens(client: Client): OwnerOf<Client> {
  const narrow = createNarrower(client.shared)
  return ({ match, sub }) => {
    const narrowed = narrow(match)
    if (narrowed === undefined) return "its match is neither a selector nor a list of some"
    return { ...client, ...narrowed, ...subjectOf(sub) }
  }
}

/** For the log: printable, and not longer than a line can take. */
function subjectOf(sub: JWTPayload["sub"]): { subject?: string } {
  if (typeof sub !== "string" || sub === "") return {}
  return { subject: sub.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SUBJECT) }
}
