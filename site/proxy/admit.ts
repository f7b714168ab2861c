import type { FastifyRequest } from "fastify"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { authenticate } from "./authenticate.ts"
import type { Authorize } from "./authorize.ts"
import type { Client, Policy } from "./clients.ts"
import { bodyNotAllowed, methodNotAllowed, noSelector, notFound, selectorNotAllowed } from "./errors.ts"
import type { Exchange } from "./exchange.ts"
import { parseQuery } from "./query.ts"

export const FEDERATE = "/federate"

/**
 * Decides about a request before anything is asked upstream, and says in the exchange who asks for what. Whoever has no
 * token learns nothing, not even which paths there are. Throws an error of errors.ts.
 */
export function admit(request: FastifyRequest, exchange: Exchange, policy: Policy, authorize: Authorize): void {
  const client = authenticate(request.raw, policy)
  exchange.client = client
  // the path in its one spelling: the router takes /%66ederate and http://host/federate too
  const target = request.originalUrl
  if (target.split("?", 1)[0] !== FEDERATE) throw notFound({})
  if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed({})
  if (hasBody(request)) throw bodyNotAllowed({})
  const values = parseQuery(target.slice(FEDERATE.length + 1))
  if (values.length === 0) throw noSelector({ allowed: printAll(client) })
  exchange.selectors = distinct(values.map(parseSelector))
  const decision = authorize(client, exchange.selectors)
  if (decision.allowed) return
  throw selectorNotAllowed({
    selector: printSelector(decision.selector),
    client: client.name,
    allowed: printAll(client),
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
}

/** Each once, in one order: the same request upstream however it was asked. */
function distinct(selectors: readonly Selector[]): readonly Selector[] {
  const byText = new Map(selectors.map((selector) => [printSelector(selector), selector]))
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector)
}

function printAll({ allowed }: Client): string {
  return allowed.map(printSelector).join(" ")
}
