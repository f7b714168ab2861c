import { authorizationFor } from "../../federation/site-authorization.ts"
import { guarded } from "./lookup.ts"
import { commonDetails, shown, type Visit } from "./visit.ts"

/** The header with which a site is requested; undefined where the token server of its oauth2 gives none, which is noted. */
export async function obtainAuthorization(visit: Visit): Promise<{ readonly header: string | undefined } | undefined> {
  const { checklist, site, contents, deadline, resolve, secrets } = visit
  const lookup = guarded(resolve, deadline.signal)
  const authorization = await authorizationFor(site, contents, deadline, lookup)
  if (authorization.kind === "header") {
    const secret = authorization.header?.replace(/^\S+ /, "")
    if (secret !== undefined) secrets.push(secret)
    return authorization
  }
  const { server, hangs } = authorization
  const reason = shown(authorization.reason, visit)
  const details = { ...commonDetails(visit), server: site.oauth2?.token_url.href ?? server, reason }
  const cause = hangs ? "token_endpoint_hangs" : "token_endpoint"
  checklist.failed({ cause, details }, `token server ${server}: ${reason}`)
  return undefined
}
