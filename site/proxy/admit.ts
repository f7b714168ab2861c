import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import { authorize, distinctSelectors } from "./authorize.ts"
import { bodyNotAllowed, methodNotAllowed, noSelector, notFound, selectorNotAllowed } from "./errors.ts"
import type { Asked, Exchange } from "./exchange.ts"
import { Lru } from "./policy/lru.ts"
import type { Client } from "./policy/types.ts"
import { parseQuery } from "./query.ts"
import { upstreamQuery } from "./upstream/question.ts"

export const FEDERATE = "/federate"

/** A target that a client may have, read and decided once. */
export interface Admission extends Asked {
  /** Of the request upstream. */
  readonly query: string
}

/** Characters of all targets that are kept for one client. */
const MOST_CHARACTERS = 500_000
/** By client, so that they are gone with the policy that the client belongs to, or with its token. */
const admissions = new WeakMap<Client, Lru<string, Admission>>()

/** What was decided about the same target before. Undefined for what is no plain request. */
export function admittedBefore({ method, headers, url = "" }: IncomingMessage, client: Client): Admission | undefined {
  if ((method !== "GET" && method !== "HEAD") || hasBody(headers)) return undefined
  return admissions.get(client)?.get(url)
}

/**
 * Decides about the request of a client that is known, before anything is asked upstream, and says in the exchange what
 * it asks for. Throws an error of errors.ts.
 */
export function admit(exchange: Exchange, client: Client): Admission {
  const { method, headers, url = "" } = exchange.request
  // the path in its one spelling: a router takes /%66ederate and http://host/federate too
  if (url.split("?", 1)[0] !== FEDERATE) throw notFound({})
  if (method !== "GET" && method !== "HEAD") throw methodNotAllowed({})
  if (hasBody(headers)) throw bodyNotAllowed({})
  const values = parseQuery(url.slice(FEDERATE.length + 1))
  if (values.length === 0) throw noSelector({ allowed: printShared(client) })
  const selectors = distinctSelectors(values.map(parseSelector))
  exchange.asked = { selectors, by: [] }
  const decision = authorize(client, selectors)
  if (!decision.allowed) {
    const { selector, reason } = decision
    exchange.detail = reason
    const allowed = printShared(client)
    throw selectorNotAllowed({ selector: printSelector(selector), client: client.name, reason, allowed })
  }
  const admission = { selectors, by: decision.by, query: upstreamQuery(decision.selectors) }
  const known = admissions.get(client) ?? new Lru<string, Admission>(MOST_CHARACTERS, (target) => target.length)
  known.set(url, admission)
  admissions.set(client, known)
  return admission
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
}

export function printShared({ shared }: Client): string {
  return shared.map(({ selector }) => printSelector(selector)).join(" ")
}
