import type { IncomingHttpHeaders } from "node:http"
import { LRUCache } from "lru-cache"
import type { WorkBudget } from "#core/limits/client-limits.ts"
import type { Turns } from "#core/limits/turns.ts"
import { type Authorize, distinctSelectors } from "#core/promql/authorize.ts"
import { tooMuchToDecide } from "#core/promql/decider.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import type { CachedRequest } from "#core/response-cache/cache.ts"
import type { Target } from "./source.ts"
import {
  bodyNotAllowed,
  expectationNotMet,
  malformedPath,
  methodNotAllowed,
  noSelector,
  notFound,
  selectorNotAllowed,
} from "./errors.ts"
import type { Client } from "./client.ts"
import { parseQuery } from "./query.ts"
import type { RequestedSelectors, RequestRecord } from "./request-record.ts"

/** Bytes of all that is kept, for all clients together: some 15,000 usual targets. */
const KEPT_BYTES = 32_000_000

/** `selectors`: by match[]; `everything`: all that the client may read, without a query. */
export type ServedPaths = Readonly<Record<string, "selectors" | "everything">>

/** A target that a client may have, read and decided once. */
export interface Admission<Q, R extends CachedRequest> extends RequestedSelectors {
  /** What the source made of the selectors. */
  readonly query: Q
  /** The last request upstream that was made of it. */
  upstream?: R
}

/** Reading a request is charged in `turns`; deciding about it, where that is done. */
export function createAdmit<C extends Client, Q, R extends CachedRequest>(
  paths: ServedPaths,
  authorize: Authorize,
  budget: WorkBudget,
  turns: Turns,
) {
  const names = Object.keys(paths)
  const thoseServed = `${names.join(" and ")} ${names.length === 1 ? "is" : "are"}`
  // about 1,200 bytes each besides what grows with the target: itself, the selectors, the query
  const admissions = new LRUCache<string, Admission<Q, R>>({
    maxSize: KEPT_BYTES,
    sizeCalculation: (_, key) => 1200 + 4 * key.length,
  })
  // another policy, or another token, has other clients and so finds nothing that was decided before
  const numbers = new WeakMap<C, number>()
  let lastNumber = 0

  function keyOf(client: C, target: string): string {
    let number = numbers.get(client)
    if (number === undefined) numbers.set(client, (number = ++lastNumber))
    return `${number} ${target}`
  }

  function checkBudget({ name }: Client): void {
    if (budget.wait(name) > 0) throw tooMuchToDecide(name, budget)
  }

  /** Throws an error of errors.ts. */
  function readTarget({ request }: RequestRecord<C>, client: C): readonly string[] | "everything" {
    const { method, headers, url = "" } = request
    // the path in its one spelling: a router takes /%66ederate and http://host/federate too
    const [path = ""] = url.split("?", 1)
    const served = Object.hasOwn(paths, path) ? paths[path] : undefined
    if (served === undefined) {
      throw isWellFormed(path) ? notFound({ served: thoseServed }) : malformedPath({})
    }
    if (!isRead(method)) throw methodNotAllowed({})
    if (hasBody(headers)) throw bodyNotAllowed({ path })
    if (expectsUnknown(headers)) throw expectationNotMet({})
    const { selectors: most, selectorCharacters: characters } = client.limits
    const values = parseQuery(url.slice(path.length + 1), { selectors: most, characters })
    if (served === "everything" && values.length === 0) return "everything"
    if (values.length === 0) throw noSelector({ allowed: printShared(client) })
    return values
  }

  async function decide(record: RequestRecord<C>, client: C, target: Target<C, Q, R>): Promise<Admission<Q, R>> {
    const values = readTarget(record, client)
    if (values === "everything") {
      const all = client.shared.map(({ selector }) => selector)
      return { selectors: all, by: client.shared, query: target.query(client, all) }
    }
    const parsed: Selector[] = []
    for (const value of values) {
      await turns.rest()
      parsed.push(turns.charge(client.name, () => parseSelector(value)))
    }
    const selectors = distinctSelectors(parsed)
    record.requested = { selectors, by: [] }
    const most = client.limits.selectors
    const decision = await authorize(client, selectors, { most, mayGoOn: () => checkBudget(client) })
    if (decision.allowed) return { selectors, by: decision.by, query: target.query(client, decision.selectors) }
    const { selector, reason } = decision
    // the log may have no room for all of them
    record.requested = { selectors: [selector, ...selectors.filter((one) => one !== selector)], by: [] }
    record.detail = reason
    const allowed = printShared(client)
    throw selectorNotAllowed({ selector: printSelector(selector), client: client.name, reason, allowed })
  }

  /**
   * Decides about the request of a client before anything is requested upstream, and notes in the record what it requests.
   * What was decided before costs nothing. Throws an error of errors.ts, or LimitExceeded.
   */
  return async (record: RequestRecord<C>, client: C, target: Target<C, Q, R>): Promise<Admission<Q, R>> => {
    const { method, headers, url = "" } = record.request
    const key = keyOf(client, url)
    const known = isRead(method) && !hasBody(headers) && !expectsUnknown(headers) ? admissions.get(key) : undefined
    if (known !== undefined) return known
    checkBudget(client)
    const admission = await decide(record, client, target)
    admissions.set(key, admission)
    return admission
  }
}

function printShared({ shared }: Client): string {
  return shared.map(({ selector }) => printSelector(selector)).join(" ")
}

function isWellFormed(path: string): boolean {
  try {
    decodeURIComponent(path)
    return !path.startsWith("*")
  } catch {
    return false
  }
}

function isRead(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD"
}

/** Node meets the one that is known. */
function expectsUnknown({ expect }: IncomingHttpHeaders): boolean {
  return expect !== undefined && !/\b100-continue\b/i.test(expect)
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
}
