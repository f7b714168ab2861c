import { LRUCache } from "lru-cache"

/** Media ranges that are passed on; Prometheus sends six. */
const MOST_RANGES = 16
const TYPES = new Set([
  ...["application/openmetrics-text", "application/vnd.google.protobuf", "text/plain"],
  ...["*/*", "application/*", "text/*"],
])
/** What is understood of a range, and how its values look. */
const PARAMETERS: Readonly<Record<string, RegExp>> = {
  proto: /^io\.prometheus\.client\.MetricFamily$/,
  encoding: /^delimited$/, // others are for people, and their series could not be counted
  version: /^\d{1,2}(?:\.\d{1,2}){0,2}$/,
  charset: /^utf-8$/i,
  escaping: /^(?:allow-utf-8|underscores|dots|values)$/,
  q: /^(?:0(?:\.\d{1,3})?|1(?:\.0{1,3})?)$/,
}

/**
 * The part of an Accept header that a server of metrics understands, in its order and in one spelling: what Prometheus sends
 * stays byte for byte. What nothing understands would make a response of its own for each text that clients think of.
 * Undefined, as without the header, where nothing is left.
 */
export function normalizeAccept(header: string): string | undefined {
  const ranges = new Set<string>()
  for (const text of header.split(",")) {
    const range = normalizeRange(text)
    if (range !== undefined) ranges.add(range)
    if (ranges.size === MOST_RANGES) break
  }
  return ranges.size === 0 ? undefined : [...ranges].join(",")
}

/** Undefined where it would match nothing: it is of another type, or has a parameter that cannot be met. */
function normalizeRange(text: string): string | undefined {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim())
  if (!TYPES.has(type)) return undefined
  const kept = new Map<string, string>()
  for (const parameter of parameters) {
    const [name = "", value, ...more] = parameter.split("=").map((part) => part.trim())
    const known = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined
    if (known === undefined || value === undefined || more.length > 0) continue
    if (known.test(value)) kept.set(name, value)
    // an unknown escaping is ignored by Prometheus, everything else decides whether the range counts
    else if (name !== "escaping") return undefined
  }
  return [type, ...[...kept].map(([name, value]) => `${name}=${value}`)].join(";")
}

/** Headers that are remembered, and the longest of them: each scraper sends one, in each request. */
const KEPT = 64
const LONGEST_KEPT = 1024

/** The same, remembered for those that come again and again. */
export function createAcceptReader(): (header: string | undefined) => string | undefined {
  const known = new LRUCache<string, { readonly accept: string | undefined }>({ max: KEPT })
  return (header) => {
    if (header === undefined) return undefined
    const found = known.get(header)
    if (found !== undefined) return found.accept
    const accept = normalizeAccept(header)
    if (header.length <= LONGEST_KEPT) known.set(header, { accept })
    return accept
  }
}
