import type { Credentials } from "./authenticate.ts"
import type { Owner } from "./owner.ts"
import type { TokenCredential } from "./token-table.ts"

/** How an owner is known, and until when, for people: no secrets, no whole hashes. */
export function describeCredentials<O extends Owner>(
  of: O,
  { tokens, issuers, certificates }: Credentials<O>,
  now: Date,
): readonly string[] {
  const isOf = ({ owner }: { readonly owner: Owner }): boolean => owner === of
  return [
    ...tokens
      .filter(isOf)
      .map((token) => `token with hash ${token.sha256.toString("hex").slice(0, 8)}…, ${validity(token, now)}`),
    ...issuers
      .filter(isOf)
      .map(({ issuer, audience }) => `JWT of ${issuer} for ${audience.join(" or ")}, until it expires`),
    ...certificates.filter(isOf).map(({ names }) => `client certificate with ${names.join(" or ")}`),
  ]
}

/** In words, as of `now`. */
function validity({ validFrom, notAfter }: TokenCredential<Owner>, now: Date): string {
  if (notAfter !== undefined && now >= notAfter) return `expired since ${notAfter.toISOString()}`
  const until = notAfter === undefined ? "without end" : `until ${notAfter.toISOString()}`
  return validFrom !== undefined && now < validFrom ? `from ${validFrom.toISOString()}, ${until}` : `valid ${until}`
}
