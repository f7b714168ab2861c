import type { FastifyRequest } from "fastify"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import { authenticate } from "./authenticate.ts"
import { authorize, distinctSelectors } from "./authorize.ts"
import {
  bodyNotAllowed,
  methodNotAllowed,
  noSelector,
  notFound,
  selectorNotAllowed,
  unauthenticated,
} from "./errors.ts"
import type { Exchange } from "./exchange.ts"
import type { Client, Identity, Policy, Unproven } from "./policy/types.ts"
import { parseQuery } from "./query.ts"

export const FEDERATE = "/federate"

/**
 * Decides about a request before anything is asked upstream, and says in the exchange who asks for what. Whoever has no
 * token learns nothing, not even which paths there are. Throws an error of errors.ts, or rejects with it where a promise
 * was needed to find out who asks.
 */
export function admit(request: FastifyRequest, exchange: Exchange, policy: Policy, now: Date): void | Promise<void> {
  const identity = authenticate(request.raw, policy, now)
  if (identity instanceof Promise) return identity.then((found) => admitKnown(request, exchange, found))
  admitKnown(request, exchange, identity)
}

function admitKnown(request: FastifyRequest, exchange: Exchange, identity: Identity | Unproven): void {
  if ("refused" in identity) {
    exchange.detail = identity.refused
    throw unauthenticated({})
  }
  const { client } = identity
  exchange.client = client
  // the path in its one spelling: the router takes /%66ederate and http://host/federate too
  const target = request.originalUrl
  if (target.split("?", 1)[0] !== FEDERATE) throw notFound({})
  if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed({})
  if (hasBody(request)) throw bodyNotAllowed({})
  const values = parseQuery(target.slice(FEDERATE.length + 1))
  if (values.length === 0) throw noSelector({ allowed: printShared(client) })
  exchange.selectors = distinctSelectors(values.map(parseSelector))
  const decision = authorize(client, exchange.selectors)
  if (decision.allowed) {
    exchange.selectors = decision.selectors
    return
  }
  exchange.detail = decision.reason
  throw selectorNotAllowed({
    selector: printSelector(decision.selector),
    client: client.name,
    reason: decision.reason,
    allowed: printShared(client),
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
}

export function printShared({ shared }: Client): string {
  return shared.map(({ selector }) => printSelector(selector)).join(" ")
}
