import type { Finding } from "./cause.ts"
import type { CauseEntry } from "./causes/entry.ts"
import { entryOf, isCauseId } from "./causes/index.ts"
import { find } from "./find.ts"
import type { ProbeReport } from "./probe-report.ts"
import { clause } from "./sentence.ts"

/**
 * Why a scrape fails, by what Prometheus said and what a probe saw after that began. Of a cause that both give, the probe knows
 * more. Where they differ, the probe decides if what it saw explains whatever responds, or is exact, and Prometheus' text may be any of several causes or is
 * about the same stage of the way; otherwise Prometheus does, since its scrape is the one that fails. Where the probe gets
 * through, Prometheus alone fails.
 */
export function combine(said: Finding, report: ProbeReport | undefined, failingSince: Date): Finding {
  if (report === undefined || report.at < failingSince) return said
  const seen = report.findings.find(({ cause }) => !propertiesOf(cause.id).delivers)
  if (seen === undefined) return gotThrough(report) && !isBeyond(said) ? aloneWith(said) : said
  const [ofSaid, ofSeen] = [propertiesOf(said.cause.id), propertiesOf(seen.cause.id)]
  if (isCauseId(said.cause.id) && said.cause.id === seen.cause.id)
    return find(said.cause.id, { ...said.details, ...seen.details, ...timeoutOf(said) })
  if (ofSeen.decisive) return seen
  if (said.cause.id !== "other" && ofSeen.vague) return said
  const sameStage = ofSaid.stage !== undefined && ofSaid.stage === ofSeen.stage
  return ofSaid.vague || sameStage ? seen : said
}

/** Of the scrape; a probe is less patient. */
const timeoutOf = ({ details: { timeout } }: Finding) => (timeout === undefined ? {} : { timeout })

const NONE: Partial<CauseEntry> = {}

const propertiesOf = (id: string): Partial<CauseEntry> => (isCauseId(id) ? entryOf(id) : NONE)

/** A probe that was cut off, or did not get to the response, shows nothing. Old samples are delivered all the same. */
const gotThrough = ({ stages }: ProbeReport): boolean =>
  stages.every(({ stage, outcome }) => outcome !== "failed" || stage === "freshness") &&
  stages.some(({ stage, outcome }) => stage === "response" && outcome === "passed")

/** It reads only the beginning of a response, and uses files and limits of its own. */
const isBeyond = ({ cause, details }: Finding): boolean =>
  propertiesOf(cause.id).beyondProbe === true || details.begun === "yes" || details.stage === "body"

const aloneWith = ({ cause, reason }: Finding): Finding =>
  find("prometheus_alone", { said: clause(reason), stage: propertiesOf(cause.id).stage })
