import type { Selector } from "#core/promql/selector.ts"
import { nearMissOf } from "./near-miss.ts"
import type { Random } from "./random.ts"
import { randomTokens } from "./random-regex.ts"
import { spellQuery, spellSelector } from "./random-spelling.ts"

/** What a valid request is made of, and what must never be found out by guessing. */
export interface Ground {
  readonly shared: readonly [Selector, ...Selector[]]
  /** What the tokens of all clients begin with; a dash and the number of the client follow. */
  readonly token: string
  readonly clients: number
}

const TARGETS = ["//federate", "/federate/", "/api/v1/query", "/", "*", "http://x/federate", "@x/federate"] as const
const METHODS = ["POST", "OPTIONS", "QUERY", "CONNECT", "DELETE", "G"] as const
const VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 "] as const
const HEADERS = [
  ..."Connection: close|Connection: authorization|Accept: text/plain|Accept-Encoding: gzip|Expect: 100-continue".split(
    "|",
  ),
  ..."Content-Length: 0|Content-Length: 5|Transfer-Encoding: chunked|Upgrade: h2c|Host: y|X-Forwarded-For: 1.2.3.4".split(
    "|",
  ),
  ..."Authorization: Bearer wrong|authorization: Basic YTpi|X-Prometheus-Scrape-Timeout-Seconds: 1|Range: bytes=0-1".split(
    "|",
  ),
  ..."X-Prometheus-Scrape-Timeout-Seconds: -1e999|If-None-Match: *|TE: trailers|Cookie: a=b|X: \x80\xff".split("|"),
] as const
const PIECES = [
  ...["\r\n", "\n", "\r", "\0", " ", "\t", "%", "%00", "%2", "&", "&&", ";", "#", "?", "//", "..", "\\", "@", ":"],
  ...["\xff", "match[]=", "match%5b%5d=", "&match[]={}", "0\r\n\r\n", "HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n"],
  ...["{", "}", '"'],
] as const

/** The bytes of one connection, most of them nearly right. */
export function randomRequest(random: Random, ground: Ground): string {
  const whole = Array.from({ length: random.chance(0.1) ? 2 : 1 }, () => oneRequest(random, ground)).join("")
  let bytes = whole
  for (let i = random.pick([0, 0, 0, 0, 1, 1, 2, 4]); i > 0; i--) bytes = mutated(random, bytes)
  return bytes
}

/** A query as raw bytes would hold it: valid, nearly valid, or of letters of the syntax. */
export function randomQuery(random: Random, { shared }: Ground): string {
  const selectors = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => {
    if (random.chance(0.05)) return randomTokens(random)
    const one = random.pick(shared)
    return spellSelector(random, random.chance(0.7) ? one : nearMissOf(random, one))
  })
  return spellQuery(random, selectors)
}

function oneRequest(random: Random, ground: Ground): string {
  const headers = ["Host: x"]
  if (random.chance(0.9)) headers.push(`Authorization: Bearer ${ground.token}-${random.below(ground.clients)}`)
  while (random.chance(0.3))
    headers.splice(random.below(headers.length + 1), 0, random.pick(HEADERS as unknown as [string]))
  if (random.chance(0.7)) headers.push("Connection: close")
  const query = random.chance(0.95) ? `?${randomQuery(random, ground)}` : ""
  const method = random.chance(0.95) ? random.pick(["GET", "GET", "GET", "HEAD"]) : random.pick(METHODS)
  const target = random.chance(0.95) ? "/federate" : random.pick(TARGETS)
  const line = `${method} ${target}${query} ${random.chance(0.97) ? "HTTP/1.1" : random.pick(VERSIONS)}`
  return `${[line, ...headers].join("\r\n")}\r\n\r\n`
}

function mutated(random: Random, bytes: string): string {
  const at = random.below(bytes.length + 1)
  const length = random.pick([0, 1, 1, 2, 8])
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, at) + random.pick(PIECES) + bytes.slice(at + length)
    case 1:
      return bytes.slice(0, at) + bytes.slice(at + length)
    case 2:
      return bytes.slice(0, at) + String.fromCharCode(random.below(256)) + bytes.slice(at + 1)
    case 3:
      return (
        bytes.slice(0, at) + bytes.slice(at, at + length).repeat(random.pick([2, 10, 1000])) + bytes.slice(at + length)
      )
    default:
      return bytes.slice(0, at)
  }
}
