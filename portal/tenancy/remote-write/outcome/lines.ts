import type { Rejected } from "../split/rejections.ts"
import type { Split } from "../split/slice.ts"
import type { Part, Verdict } from "./verdict.ts"

const MOST_LINES = 20
const MOST_REASONS = 5
/** Characters of one reason. */
const MOST_OF_REASON = 300
/** Characters of all lines; a sender logs the first thousand or so. */
const MOST_OF_ALL = 8192

/** Senders log the beginning, older ones the first line: what the status is for comes first. */
const ORDER: Readonly<Record<Verdict, number>> = { retryable: 0, limited: 1, unsupported: 2, refused: 3, accepted: 9 }
const REJECTED = 4

/** For a person: a line for each tenant that did not take all of its part, bounded, safe to print. */
export function linesOf({ rejected, rejectedSeries }: Split, parts: readonly Part[]): string {
  const lines = new Map<string, { order: number; readonly reasons: string[] }>()
  const add = (tenant: string, order: number, reason: string): void => {
    const line = lines.get(tenant) ?? { order, reasons: [] }
    lines.set(tenant, line)
    line.order = Math.min(line.order, order)
    line.reasons.push(shorten(reason))
  }
  const isOver = parts.every(({ verdict }) => verdict !== "retryable" && verdict !== "limited")
  for (const part of parts.toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]))
    // what was reported stands in the last response again, whose status is for it
    if (part.verdict !== "accepted" && (isOver || !part.remembered))
      add(part.slice.tenant, ORDER[part.verdict], reasonOf(part))
  for (const one of rejected) add(one.tenant, REJECTED, `${countSeries(one.series)} set aside: ${whyRejected(one)}`)
  const told = rejected.reduce((sum, { series }) => sum + series, 0)
  const last = rejectedSeries > told ? [`and ${countSeries(rejectedSeries - told)} more set aside\n`] : []
  return joinSome(
    [...lines].toSorted(([, a], [, b]) => a.order - b.order).map(([tenant, { reasons }]) => show(tenant, reasons)),
    last,
  )
}

/** Why series were set aside, with one of them. */
export const whyRejected = ({ reason, example }: Rejected): string =>
  `${reason}${example === "" ? "" : `, such as ${example}`}`

function reasonOf({ slice, outcome, givenUpAfter }: Part): string {
  const what = slice.series > 0 ? countSeries(slice.series) : `metadata of ${slice.metadata} metrics`
  if (outcome.kind === "accepted") return `${what}: the upstream's status is ${outcome.status}, yet it wrote nothing`
  if (outcome.status === 0) return `${what}: ${outcome.reason}`
  const always = givenUpAfter === undefined ? "" : ` for ${givenUpAfter} s, no longer retried`
  return `${what}: status ${outcome.status} of the upstream${always}: ${outcome.reason}`
}

function show(tenant: string, reasons: readonly string[]): string {
  const some = reasons.slice(0, MOST_REASONS).join("; ")
  const more = reasons.length > MOST_REASONS ? `; and ${reasons.length - MOST_REASONS} more` : ""
  return `${tenant === "" ? "" : `tenant ${shorten(tenant)}: `}${some}${more}\n`
}

function joinSome(lines: readonly string[], last: readonly string[]): string {
  let text = ""
  for (const [index, line] of lines.entries()) {
    if (index === MOST_LINES || text.length + line.length > MOST_OF_ALL)
      return [text, `and ${lines.length - index} more tenants\n`, ...last].join("")
    text += line
  }
  return [text, ...last].join("")
}

const countSeries = (count: number): string => `${count} series`

/** In one line, without characters that a terminal acts upon. */
function shorten(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const safe = text.slice(0, MOST_OF_REASON + 1).replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g, "\uFFFD")
  return safe.length > MOST_OF_REASON ? `${safe.slice(0, MOST_OF_REASON)}…` : safe
}
