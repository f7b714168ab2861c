import type { ProbeReport, StageResult } from "../diagnosis/probe-report.ts"
import { STAGE_NAMES } from "../diagnosis/stage-names.ts"
import { moment, span, took } from "../diagnosis/words.ts"

const MARKS: Readonly<Record<StageResult["outcome"], string>> = {
  passed: "✓ passed",
  failed: "✕ failed",
  not_reached: "– not reached",
  skipped: "– not needed",
}

const width = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length))
const [MARK_WIDTH, NAME_WIDTH] = [width(Object.values(MARKS)), width(Object.values(STAGE_NAMES))]

/** Whether every stage passed that applies. */
export const delivers = ({ stages }: ProbeReport): boolean =>
  stages.every(({ outcome }) => outcome === "passed" || outcome === "skipped")

/** A report as people read it, also without colour. `target`: what was requested. */
export function describe(report: ProbeReport, target: string): string {
  const { site, stages, findings } = report
  const state = delivers(report) ? "delivers" : "does not deliver"
  const lines = [
    `${site} ${state}${findings.length > 0 && delivers(report) ? ", but needs attention" : ""}`,
    `  ${target}`,
    ...stages.map(line),
    ...findings.flatMap(({ reason, todo }) => ["", `  ${reason}`, `  → ${todo}`]),
    ...facts(report),
  ]
  return lines.map((text) => `${text}\n`).join("")
}

function line({ stage, outcome, detail, seconds }: StageResult): string {
  const name = `  ${MARKS[outcome].padEnd(MARK_WIDTH)}  ${STAGE_NAMES[stage].padEnd(NAME_WIDTH)}`
  const time = seconds === undefined ? "" : ` (${took(seconds)})`
  return `${name}  ${detail ?? ""}${time}`.trimEnd()
}

/** Seconds from which a clock is worth a line. */
const NOTABLE_SKEW = 2

function facts({ at, certificateExpires, tokenExpires, clockSkew = 0 }: ProbeReport): readonly string[] {
  const ends = (what: string, end: Date | undefined): readonly string[] => {
    if (end === undefined) return []
    const left = (end.getTime() - at.getTime()) / 1000
    return [`  ${what} ${left < 0 ? `ended ${span(-left)} ago` : `ends in ${span(left)}`}: ${moment(end)}`]
  }
  const skew = `${span(Math.abs(clockSkew))} ${clockSkew < 0 ? "behind" : "ahead of"} the clock here`
  const all = [
    ...ends("The certificate", certificateExpires),
    ...ends("The token", tokenExpires),
    ...(Math.abs(clockSkew) < NOTABLE_SKEW ? [] : [`  The site's clock is ${skew}`]),
  ]
  return all.length === 0 ? [] : ["", ...all]
}
