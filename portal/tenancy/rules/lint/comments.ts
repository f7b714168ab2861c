import { didYouMean, nearest } from "#core/config/nearest.ts"
import { quote } from "../../tenants/quote.ts"
import { LINTS } from "./finding.ts"

/** A comment that disables a check, in the words of pint or of fedstack. Lines and columns count from 1. */
export interface DisablingComment {
  readonly line: number
  readonly column: number
  readonly scope: "rule" | "file"
  readonly check: string
}

export interface Comments {
  readonly disabling: readonly DisablingComment[]
  /** Lines of which nothing is reported. */
  readonly ignored: (line: number) => boolean
  readonly problems: readonly { readonly line: number; readonly column: number; readonly message: string }[]
}

/** Of pint, which it also looks up in a running Prometheus, or has settings for. */
const OF_PINT = (
  "alerts/absent alerts/annotation alerts/count alerts/external_labels alerts/for group/interval labels/conflict " +
  "promql/aggregate promql/counter promql/features promql/nan promql/offset promql/range_query promql/rate " +
  "promql/selector promql/series promql/syntax promql/vector_matching query/cost rule/for rule/label rule/link rule/name " +
  "rule/owner rule/reject rule/report"
).split(" ")

const COMMENT = /#[ \t]*(pint|fedstack)[ \t]+([a-z/-]+)(?:[ \t]+([^#]*))?/g
const KINDS = ["disable", "file/disable", "snooze", "file/snooze"]

/** Every comment counts wherever it stands, also in an expression. `now` is for those that end at a time. */
export function readComments(text: string, now: Date): Comments {
  const disabling: DisablingComment[] = []
  const problems: Comments["problems"][number][] = []
  const ignored: Ranges = { from: [], to: [], lines: new Set() }
  for (const [index, lineText] of text.split("\n").entries()) {
    const line = index + 1
    if (!lineText.includes("#")) continue
    for (const { 1: owner = "", 2: kind = "", 3: value = "", index: at } of lineText.matchAll(COMMENT)) {
      const report = (message: string) => problems.push({ line, column: at + 1, message })
      if (kind.startsWith("ignore/") && ignore(kind, line, ignored)) continue
      const disabled = /^(file\/)?(disable|snooze)$/.exec(kind)
      if (disabled === null) {
        // anything else may be prose, or a comment that is for pint alone
        const near = nearest(kind, KINDS, 3)
        if (near !== undefined) report(`${quote(kind)} is no comment of ${owner}${didYouMean([near])}`)
        continue
      }
      const [first = "", ...rest] = value.trim().split(/[ \t]+/)
      const snoozed = disabled[2] === "snooze"
      const check = (snoozed ? (rest[0] ?? "") : first).replace(/\(.*$/, "")
      const wrong =
        wrongName(check, owner) ??
        (snoozed && !isTime(first) ? `${quote(first)} is no time: write 2026-01-31` : undefined)
      if (wrong !== undefined) report(wrong)
      else if (!snoozed || now < new Date(first))
        disabling.push({ line, column: at + 1, scope: disabled[1] === undefined ? "rule" : "file", check })
    }
  }
  return { disabling, problems, ignored: (line) => isIgnored(line, ignored) }
}

function wrongName(check: string, owner: string): string | undefined {
  const known = owner === "pint" ? [...LINTS, ...OF_PINT] : LINTS
  if ((known as readonly string[]).includes(check)) return undefined
  if (check === "") return "names no check: add one, such as promql/regexp"
  const near = nearest(check, known, 3)
  return `${quote(check)} is no check that a comment disables${near === undefined ? "" : didYouMean([near])}`
}

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text))

interface Ranges {
  readonly from: number[]
  readonly to: number[]
  readonly lines: Set<number>
}

/** Whether it is one of these. */
function ignore(kind: string, line: number, { from, to, lines }: Ranges): boolean {
  if (kind === "ignore/line") lines.add(line)
  else if (kind === "ignore/next-line") lines.add(line + 1)
  else if (kind === "ignore/begin" || kind === "ignore/file") from.push(line)
  else if (kind === "ignore/end") to.push(line)
  else return false
  if (kind === "ignore/file") to.push(Infinity)
  return true
}

function isIgnored(line: number, { from, to, lines }: Ranges): boolean {
  if (lines.has(line)) return true
  const begun = from.findLast((each) => each <= line)
  return begun !== undefined && line <= (to.find((each) => each >= begun) ?? Infinity)
}
