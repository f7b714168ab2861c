import { FedstackError } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { containedInAny } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, sameSelector, type Selector } from "#core/promql/selector.ts"
import { parseQuery } from "#core/federation/query.ts"
import { PROBE } from "../../site/proxy/upstream/probe.ts"
import type { Random } from "./random.ts"
import { randomTokens } from "./random-regex.ts"
import { type Ground, randomQuery } from "./random-request.ts"

/** A request that went to Prometheus. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: readonly string[]
  readonly body: string
}

/** With a healthy upstream there is no other. */
const STATUSES = new Set([100, 200, 400, 401, 403, 404, 405, 408, 413, 417, 429, 431])
const HEADERS = new Set(
  "host connection accept accept-encoding user-agent x-prometheus-scrape-timeout-seconds".split(" "),
)

/** What is wrong with what came back on one connection; undefined where nothing is. */
export function faultOfResponse(response: string, { token }: Ground): string | undefined {
  const statuses = statusesOf(response)
  if (response !== "" && !response.startsWith("HTTP/1.1 ")) return "it does not begin with a status"
  const unexpected = statuses.find((status) => !STATUSES.has(status))
  if (unexpected !== undefined) return `the status ${unexpected}`
  if (response.includes(token)) return "the token came back"
  return /\b(?:node_modules|\.ts:\d|Error:)/.test(response) ? "the inside shows" : undefined
}

export function statusesOf(response: string): readonly number[] {
  return [...response.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
}

/** Judges what reaches Prometheus: a GET of the one path, for canonical selectors that are shared, and nothing else. */
export function createSentJudge({ shared, token }: Ground): (sent: Sent) => string | undefined {
  const allowed = shared.map(compile)
  return ({ method, url, headers, body }) => {
    if (method !== "GET" || body !== "") return "not a GET without a body"
    const [path, query = "", ...more] = url.split("?")
    if (path !== "/federate" || more.length > 0) return "another path"
    const names = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
    if (names.some((name) => !HEADERS.has(name)) || new Set(names).size !== names.length) return "other headers"
    if (headers.some((text) => text.includes(token))) return "the token"
    if (query === PROBE) return undefined // the proxy's own request
    for (const parameter of query.split("&")) {
      const [name, value = "", ...rest] = parameter.split("=")
      if (name !== "match%5B%5D" || rest.length > 0) return "another parameter"
      const text = decodeURIComponent(value)
      const selector = parseSelector(text)
      if (printSelector(selector) !== text) return "a selector that is not canonical"
      if (containedInAny(allowed, compile(selector)).kind !== "contained") return "a selector that is not shared"
    }
    return undefined
  }
}

/** Throws where a parser of requests fails in another way than by its own error, or reads what it prints differently. */
export function tryParsers(random: Random, ground: Ground): void {
  const query = randomQuery(random, ground)
  const at = random.below(query.length)
  const texts =
    readOrRefuse(() => parseQuery(random.chance(0.5) ? query : query.slice(0, at) + query.slice(at + 1))) ?? []
  for (const text of [...texts, randomTokens(random)]) {
    const selector = readOrRefuse(() => parseSelector(text))
    if (selector !== undefined) mustReadAgain(selector)
  }
}

function mustReadAgain(selector: Selector): void {
  if (sameSelector(parseSelector(printSelector(selector)), selector)) return
  throw new Error(`${printSelector(selector)} is not read as it was printed`)
}

function readOrRefuse<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof FedstackError && error.status === 400) return undefined
    throw error
  }
}
