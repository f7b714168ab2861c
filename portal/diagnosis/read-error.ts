import { cleanText } from "#core/log/clean-text.ts"
import type { Details } from "./cause.ts"
import { between, type ErrorText } from "./causes/entry.ts"
import { CAUSES, type CauseId, entryOf, isCauseId } from "./causes/index.ts"
import { placeholders, presentable } from "./sentence.ts"
import { count, size, span, time } from "./words.ts"

/** What the portal knows of a site, for the sentences. */
export interface ReadContext {
  /** The site's url of sites.yaml. */
  readonly url?: string
  /** In sites.yaml. */
  readonly line?: number
  /** In seconds. */
  readonly timeout?: number
  readonly proxy?: string
  readonly responseBytes?: number
  readonly series?: number
  /** When the scrape failed. */
  readonly at?: Date
}

/** What Prometheus' own words mean; at most 2 kB. */
export interface ReadError {
  readonly cause: CauseId
  readonly details: Details
}

/**
 * The cause that Prometheus' lastError of a target stands for. It goes by fragments, since texts differ by version, and takes
 * the one that stands first: what follows it may be words of the site. A text that is not known is `other`, with the text.
 * It never throws, and takes time in proportion to the length of the text.
 */
export function readScrapeError(text: string, context: ReadContext = {}): ReadError {
  const { url, rest } = splitRequest(text)
  const reason = cleanText(rest, REASON_LIMIT).replace("tls: failed to verify certificate: ", "")
  const elsewhere = url === undefined ? undefined : redirectOf(url, context.url)
  if (elsewhere !== undefined) return about("redirect", { ...known(context), location: elsewhere })
  const match = matchOf(reason)
  return about(match?.id ?? "other", {
    ...known(context),
    // the URL of a request is in the text only until its response has begun
    begun: reason === "" ? undefined : url === undefined ? "yes" : "no",
    stage: url === undefined ? "body" : undefined,
    status: between(reason, "server returned HTTP status ")?.slice(0, STATUS_LIMIT),
    text: reason === "" ? undefined : reason,
    ...match?.text.take?.(reason),
  })
}

const REASON_LIMIT = 4_096
const STATUS_LIMIT = 60

/** Only what its sentences show, and what is derived of it. */
function about(cause: CauseId, details: Readonly<Record<string, string | undefined>>): ReadError {
  const { sentence, todo, todoAtSite = "", derive, example } = entryOf(cause)
  const given = presentable(details)
  const all = derive === undefined ? given : { ...given, ...presentable(derive(given)) }
  const shown = new Set([
    ...placeholders(`${sentence} ${todo} ${todoAtSite}`).map(({ name }) => name),
    ...Object.keys(example),
  ])
  return { cause, details: Object.fromEntries(Object.entries(all).filter(([name]) => shown.has(name))) }
}

function known({ url, line, timeout, proxy, responseBytes, series, at }: ReadContext) {
  const site = url === undefined ? null : URL.parse(url)
  return {
    host: site?.hostname,
    address: site?.host,
    url: site === null ? undefined : `${site.origin}${site.pathname.replace(/\/$/, "")}/federate`,
    line: line?.toString(),
    timeout: timeout === undefined ? undefined : span(timeout),
    proxy,
    bytes: responseBytes === undefined ? undefined : size(responseBytes),
    series: series === undefined ? undefined : count(series),
    time: at === undefined ? undefined : time(at),
  }
}

/** `Get "https://…": reason`, of Go before 1.14 without quotes; a text without a URL is all reason. */
function splitRequest(text: string): { readonly url?: string; readonly rest: string } {
  if (!text.startsWith("Get ")) return { rest: text }
  const quoted = text[4] === '"'
  const begin = quoted ? 5 : 4
  const end = quoted ? closingQuote(text, begin) : text.indexOf(": ", begin)
  if (end === -1) return { rest: text }
  return { url: text.slice(begin, end), rest: text.slice(end).replace(/^"?: /, "") }
}

function closingQuote(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    if (text[index] === "\\") index++
    else if (text[index] === '"') return index
  }
  return -1
}

/** Where a request was led to, if it is not the site's own scheme, host and port. */
function redirectOf(requested: string, own: string | undefined): string | undefined {
  const [to, site] = [URL.parse(requested), own === undefined ? null : URL.parse(own)]
  return to === null || site === null || to.origin === site.origin ? undefined : `${to.origin}${to.pathname}`
}

interface Pattern {
  readonly id: CauseId
  readonly text: ErrorText
  readonly length: number
}

const PATTERNS: readonly Pattern[] = Object.keys(CAUSES)
  .filter(isCauseId)
  .flatMap((id) => (entryOf(id).texts ?? []).map((text) => ({ id, text, length: text.has.join("").length })))

const RANKS = { normal: 0, start: 0, last: 1 } as const

/** The text of the best rank that stands first; of two at the same place the longer one. */
function matchOf(reason: string): Pattern | undefined {
  const found = PATTERNS.flatMap((pattern) => {
    const place = placeOf(reason, pattern.text)
    return place === -1 ? [] : [{ pattern, place, rank: RANKS[pattern.text.rank ?? "normal"] }]
  })
  const [best] = found.toSorted((a, b) => a.rank - b.rank || a.place - b.place || b.pattern.length - a.pattern.length)
  return best?.pattern
}

function placeOf(reason: string, { has, rank }: ErrorText): number {
  const [first = "", ...others] = has
  const place = rank === "start" ? (reason.startsWith(first) ? 0 : -1) : reason.indexOf(first)
  if (place === -1) return -1
  let after = place + first.length
  for (const fragment of others) {
    const next = reason.indexOf(fragment, after)
    if (next === -1) return -1
    after = next + fragment.length
  }
  return place
}
