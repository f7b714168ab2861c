import { isCauseId } from "../diagnosis/causes/index.ts"
import { combine } from "../diagnosis/combine.ts"
import { find } from "../diagnosis/find.ts"
import { type ReadContext, readScrapeError } from "../diagnosis/read-error.ts"
import { clause } from "../diagnosis/sentence.ts"
import type { Limits } from "../federation/schema.ts"
import { limitsOf } from "../federation/sites.ts"
import { type ListedSite, lineOf } from "./listed.ts"
import type { Explain } from "./tracked.ts"

/** By the table of causes. `limits`: those that are in force. */
export const explainBy =
  (limits: () => Limits | undefined): Explain =>
  ({ cause, details }, { site, record, report }, ahead) => {
    if (cause === null) return undefined
    const { last, error, failingSince } = record
    const ourTime = (seconds = 0): Date => new Date(seconds * 1000 - ahead) // that of a probe
    if (cause === "scrape_error" || cause === "one_scrape_failed") {
      const read = readScrapeError(error, contextOf(site, ourTime(last?.at), limits()))
      const said = find(read.cause, read.details)
      if (cause === "scrape_error") return combine(said, report, ourTime(failingSince))
      return find(cause, last?.ok === true ? {} : { said: error === "" ? undefined : clause(said.reason) })
    }
    const line = lineOf(site)
    return find(isCauseId(cause) ? cause : "other", { line, url: site.url, ...details })
  }

function contextOf(site: ListedSite, at: Date, ofAll: Limits | undefined): ReadContext {
  const { url, timeout, proxyUrl, entry } = site
  const limits = ofAll && limitsOf(entry ?? {}, ofAll)
  const line = lineOf(site)
  return {
    url,
    timeout,
    at,
    ...(line !== undefined && { line: Number(line) }),
    ...(proxyUrl !== undefined && { proxy: proxyUrl }),
    ...(limits !== undefined && { responseBytes: limits.response_bytes, series: limits.series }),
  }
}
