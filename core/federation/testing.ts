import { parseSelector } from "#core/promql/parse.ts"
import type { Client } from "./client.ts"

/** A client that shares this. */
export function clientOf(name: string, match: readonly string[] = [], enforce = false): Client {
  const shared = match.map((text, index) => ({ selector: parseSelector(text), where: `match[${index}]` }))
  const limits = {
    ...{ concurrent: 1, requestsPerSecond: 1, responseBytes: 1, series: 1, upstreamTimeout: 1 },
    ...{ selectors: 1, selectorCharacters: 1 },
  }
  return { name, shared, enforce, limits, where: name }
}
