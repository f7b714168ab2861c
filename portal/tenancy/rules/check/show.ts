import { quote } from "../../tenants/quote.ts"
import type { Severity } from "../validation/problem.ts"
import type { Target } from "../validation/target.ts"
import type { CheckedFile } from "./check-file.ts"
import type { Report } from "./report.ts"

const SHOWN: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  unchecked: "not checked",
  lint: "lint",
}

/** `rules.yaml:5:15: error: group "g", rules[0].expr: what is wrong (at "rate(up)")` */
export function showReport({ file, line, column, severity, check, where, message, fragment }: Report): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`
  const subject = where === "" ? "" : `${where}: `
  const at = fragment === undefined || fragment.trim() === "" ? "" : ` (at ${quote(fragment)})`
  const name = severity === "lint" ? ` [${check}]` : ""
  return `${place}: ${SHOWN[severity]}: ${subject}${message}${at}${name}`
}

export function summarize(checked: readonly CheckedFile[], { dialect }: Target): string {
  const reports = checked.flatMap((one) => one.reports)
  const counts = (["error", "warning", "unchecked", "lint"] as const).flatMap((severity) => {
    const count = reports.filter((one) => one.severity === severity).length
    return count === 0 ? [] : [counted(count, NOUNS[severity])]
  })
  const sum = (of: (one: CheckedFile) => number): number => checked.reduce((total, one) => total + of(one), 0)
  const all = [
    counted(checked.length, "file"),
    counted(
      sum(({ groups }) => groups),
      "group",
    ),
    counted(
      sum(({ rules }) => rules),
      "rule",
    ),
  ].join(", ")
  const verdict = reports.some(({ severity }) => severity === "error") ? "invalid" : "valid"
  return `${all}: ${[`${verdict} for ${dialect.name}`, ...counts].join(", ")}`
}

const NOUNS: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  unchecked: "expression not checked",
  lint: "lint finding",
}

const counted = (count: number, noun: string): string =>
  count === 1 ? `1 ${noun}` : `${count} ${noun.replace(/^\w+(?= not)|\w+$/, (word) => `${word}s`)}`
