import { sameSelector, type Selector } from "#core/promql/selector.ts"
import type { Client } from "./clients.ts"

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly selector: Selector }

/** Decides whether a client may read all that the selectors select; names the first that it may not. */
export type Authorize = (client: Client, selectors: readonly Selector[]) => Decision

/** Every selector must be one of the client's own, in any spelling. */
export const authorizeSame: Authorize = (client, selectors) => {
  const refused = selectors.find((selector) => !client.allowed.some((allowed) => sameSelector(allowed, selector)))
  return refused === undefined ? { allowed: true } : { allowed: false, selector: refused }
}
