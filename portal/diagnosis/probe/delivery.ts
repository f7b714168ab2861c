import type { ProbeReport } from "../probe-report.ts"
import { count, moment, plural, size, span, time } from "../words.ts"
import { contentTypeOf } from "./content-type.ts"
import { type Exposition, readExposition } from "./exposition.ts"
import { causeOfFailure } from "./failures.ts"
import { MOST_BYTES, type Received } from "./request.ts"
import { agesOf, conflicts, foreignLabel } from "./samples.ts"
import { commonDetails, shown, type Visit } from "./visit.ts"

type Delivered = Pick<ProbeReport, "newestSample" | "series">

/** The stages response, exposition and freshness of a response with status 200. */
export function judgeDelivery(visit: Visit, received: Received, skew: number | undefined): Delivered {
  if (!isWhole(visit, received)) return {}
  const exposition = judgeExposition(visit, received)
  return exposition === undefined ? {} : judgeFreshness(visit, received, exposition, skew)
}

function isWhole(visit: Visit, { headers, body, longer, failure }: Received): boolean {
  const { checklist, limits, now } = visit
  const common = { ...commonDetails(visit), stage: "body", begun: "yes", time: time(now()) }
  const encoding = headers["content-encoding"]
  const announced = encoding === undefined ? Number(headers["content-length"]) : Number.NaN
  const limit = size(limits.response_bytes)
  if (announced > limits.response_bytes) {
    checklist.failed(
      { cause: "too_many_bytes", details: { ...common, bytes: limit } },
      `${size(announced)}; at most ${limit}`,
    )
    return false
  }
  if (failure !== undefined) {
    const { reason, problem } = failure
    const details = { ...common, encoding: encoding && shown(encoding, visit, 40), text: problem }
    checklist.failed({ cause: causeOfFailure(reason), details }, `${problem}, after ${size(body.length)}`)
    return false
  }
  const packed = encoding === undefined ? "" : `, ${shown(encoding, visit, 40)}`
  checklist.passed(`200, ${longer ? `more than ${size(MOST_BYTES)}` : size(body.length)}${packed}`)
  return true
}

function judgeExposition(visit: Visit, { headers, body, longer }: Received): Exposition | undefined {
  const { checklist, site, others = [] } = visit
  checklist.begin("exposition")
  const header = headers["content-type"] ?? ""
  const type = contentTypeOf(header)
  const common = commonDetails(visit)
  if (type.kind === "other") {
    const words = header === "" ? "no Content-Type" : shown(header, visit, 100)
    const details = { ...common, type: shown(header, visit, 100) }
    checklist.failed({ cause: type.cause, details }, words)
    return undefined
  }
  const exposition = readExposition(body, { openMetrics: type.openMetrics, whole: !longer })
  const { samples, fault } = exposition
  if (fault !== undefined) {
    const excerpt = shown(fault.text, visit, 120)
    const at = `line ${count(fault.line)}: ${excerpt}`
    const page = fault.line === 1 ? pageBegunBy(body) : undefined
    const { duplicateLabel: label, metric } = fault
    const details = { ...common, line_no: count(fault.line), excerpt, metric: shown(metric, visit, 100) }
    if (page !== undefined) checklist.failed({ cause: "not_metrics", details: { ...common, type: page } }, at)
    else if (label === undefined) checklist.failed({ cause: "broken", details }, at)
    else checklist.failed({ cause: "bad_labels", details: { ...details, label: shown(label, visit, 100) } }, at)
    return undefined
  }
  const twice = conflicts(samples)
  if (twice !== undefined) {
    const details = { ...common, n: count(twice.count), metric: shown(twice.metric, visit, 100) }
    checklist.note({ cause: "silent_duplicate", details })
  }
  const foreign = foreignLabel(samples, site, others)
  if (foreign !== undefined) {
    const labels = `${foreign.label}=${JSON.stringify(shown(foreign.value, visit, 100))}`
    checklist.note({ cause: "label_clash", details: { ...common, labels, other: foreign.other } })
  }
  const notes = [
    plural(samples.length, "sample") + (longer ? ` in the first ${size(MOST_BYTES)}, which is all that is read` : ""),
    ...(twice === undefined ? [] : [`${plural(twice.count, "sample")} twice with different values`]),
    ...(foreign === undefined ? [] : [`a label of ${foreign.other}`]),
  ]
  checklist.passed(notes.join("; "))
  return exposition
}

function pageBegunBy(body: Buffer): string | undefined {
  const [first] = body
    .subarray(0, 1024)
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart()
  if (first === "<") return "HTML or XML"
  return first === "{" || first === "[" ? "JSON" : undefined
}

/** Seconds beyond which Prometheus drops samples that are ahead, and queries show none that is older. */
const [MOST_AHEAD, MOST_BEHIND] = [600, 300]

function judgeFreshness(
  visit: Visit,
  received: Received,
  { samples }: Exposition,
  skew: number | undefined,
): Delivered {
  const { checklist, now } = visit
  checklist.begin("freshness")
  const common = commonDetails(visit)
  const series = received.longer ? {} : { series: samples.length }
  if (samples.length === 0) {
    // what is not read may hold some
    if (received.longer) checklist.unknown(`no sample in the first ${size(MOST_BYTES)}`)
    else checklist.failed({ cause: "silent_empty", details: common }, "no series")
    return series
  }
  const at = now()
  const ages = agesOf(samples, at.getTime() / 1000)
  if (ages === undefined) {
    checklist.passed("no timestamps: the moment of the scrape counts")
    return series
  }
  const { newest, oldest } = ages
  const newestSample = new Date(at.getTime() - newest * 1000)
  const words = `newest ${inWords(newest)}, oldest ${inWords(oldest)}`
  const clock = (seconds: number) => ({ cause: "silent_clock", details: { ...common, skew: String(seconds) } }) as const
  if (newest < -MOST_AHEAD) checklist.failed(clock(Math.round(-newest)), words)
  else if (newest <= MOST_BEHIND) checklist.passed(words)
  // by its own clock they are new
  else if (skew !== undefined && newest + skew <= MOST_BEHIND) checklist.failed(clock(skew), words)
  else
    checklist.failed(
      { cause: "silent_stale", details: { ...common, age: span(newest), since: moment(newestSample) } },
      words,
    )
  return { ...series, newestSample }
}

const inWords = (age: number): string => (age <= -1 ? `${span(-age)} ahead` : `${span(age)} old`)
