import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { authorizeSoon, type Decision, distinctSelectors, type JudgeElsewhere } from "./authorize.ts"
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

/** Bytes of all that is kept, for all clients together: some 15,000 usual targets. */
const KEPT = 32_000_000
/** By client and target. About 1,200 bytes each besides what grows with the target: itself, the selectors, the query. */
const admissions = new Lru<string, Admission>(KEPT, (key) => 1200 + 4 * key.length)
/** Another policy, or another token, has other clients and so finds nothing that was decided before. */
const numbers = new WeakMap<Client, number>()
let clients = 0

function keyOf(client: Client, target: string): string {
  let number = numbers.get(client)
  if (number === undefined) numbers.set(client, (number = ++clients))
  return `${number} ${target}`
}

/** What was decided about the same target before. Undefined for what is no plain request. */
export function admittedBefore({ method, headers, url = "" }: IncomingMessage, client: Client): Admission | undefined {
  if ((method !== "GET" && method !== "HEAD") || hasBody(headers)) return undefined
  return admissions.get(keyOf(client, url))
}

/**
 * Decides about the request of a client that is known, before anything is asked upstream, and says in the exchange what
 * it asks for. Throws an error of errors.ts. A promise where the decision takes work.
 */
export function admit(exchange: Exchange, client: Client, judge: JudgeElsewhere): Admission | Promise<Admission> {
  const { method, headers, url = "" } = exchange.request
  // the path in its one spelling: a router takes /%66ederate and http://host/federate too
  if (url.split("?", 1)[0] !== FEDERATE) throw notFound({})
  if (method !== "GET" && method !== "HEAD") throw methodNotAllowed({})
  if (hasBody(headers)) throw bodyNotAllowed({})
  const values = parseQuery(url.slice(FEDERATE.length + 1))
  if (values.length === 0) throw noSelector({ allowed: printShared(client) })
  const selectors = distinctSelectors(values.map(parseSelector))
  exchange.asked = { selectors, by: [] }
  const decision = authorizeSoon(client, selectors, judge)
  return decision instanceof Promise
    ? decision.then((made) => admission(exchange, client, selectors, made))
    : admission(exchange, client, selectors, decision)
}

function admission(exchange: Exchange, client: Client, selectors: readonly Selector[], decision: Decision): Admission {
  if (!decision.allowed) {
    const { selector, reason } = decision
    exchange.detail = reason
    const allowed = printShared(client)
    throw selectorNotAllowed({ selector: printSelector(selector), client: client.name, reason, allowed })
  }
  const admitted = { selectors, by: decision.by, query: upstreamQuery(decision.selectors) }
  admissions.set(keyOf(client, exchange.request.url ?? ""), admitted)
  return admitted
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
}

function printShared({ shared }: Client): string {
  return shared.map(({ selector }) => printSelector(selector)).join(" ")
}
