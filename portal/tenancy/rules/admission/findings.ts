import { type Path, showPath } from "#core/config/config-file.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { quote } from "../../tenants/quote.ts"
import { isFields } from "../fields.ts"
import type { Problem, Severity } from "../validation/problem.ts"

/** What is wrong in a resource, with its place, in one line. */
export interface Finding {
  readonly severity: Severity
  readonly text: string
}

/** Of problems that a message names. */
const SHOWN = 20
/** Of warnings, which the API cuts when they are more than 4,096 characters together. */
const MOST_WARNINGS = 15
/** Bytes. */
const LONGEST_WARNING = 256
const LONGEST_PROBLEM = 500

export const error = (text: string): Finding => ({ severity: "error", text })
export const isError = ({ severity }: Finding): boolean => severity === "error"

/** Why a resource is denied. */
export function messageOf(found: readonly Finding[], target: string): string {
  const errors = found.filter(isError).map(({ text }) => text)
  const head = `${errors.length === 1 ? "1 problem" : `${errors.length} problems`} for ${target}`
  const more = errors.length > SHOWN ? [`and ${errors.length - SHOWN} more`] : []
  const lines = [...errors.slice(0, SHOWN), ...more].map((line) => `\n  ${cleanText(line, LONGEST_PROBLEM)}`)
  return `${head}:${lines.join("")}`
}

/** All that is no error, as far as the API shows it. */
export function warningsOf(found: readonly Finding[]): readonly string[] {
  const texts = found
    .filter((one) => !isError(one))
    .map(({ severity, text }) => (severity === "unchecked" ? `not checked: ${text}` : text))
  const most = texts.length > MOST_WARNINGS ? MOST_WARNINGS - 1 : MOST_WARNINGS
  const more = texts.length > most ? [`and ${texts.length - most} more`] : []
  return [...texts.slice(0, most), ...more].map((text) => cleanText(text, LONGEST_WARNING))
}

export function sameNames(groups: readonly unknown[]): readonly Finding[] {
  const first = new Map<string, number>()
  return groups.flatMap((group, index) => {
    const name = isFields(group) ? group.name : undefined
    if (typeof name !== "string") return []
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, index)
    return earlier === undefined
      ? []
      : [error(`groups[${index}] has the name ${quote(name)}, as groups[${earlier}] has`)]
  })
}

export function findingOf(group: unknown, index: number, { severity, path, span, message }: Problem): Finding {
  const name = isFields(group) && typeof group.name === "string" ? `group ${quote(group.name)}` : `groups[${index}]`
  const rule = ruleName(group, path)
  const place = [...(path.length === 0 ? [] : [showPath(path)]), ...(rule === undefined ? [] : [`(${rule})`])]
  const character = span === undefined ? "" : `, character ${span.from + 1}`
  return { severity, text: `${[name, ...place].join(" ")}${character}: ${message}` }
}

/** `alert "HighLoad"` where the path leads into a rule. */
function ruleName(group: unknown, [list, index]: Path): string | undefined {
  if (list !== "rules" || !isFields(group) || !Array.isArray(group.rules)) return undefined
  const rule: unknown = group.rules[Number(index)]
  const kind = isFields(rule) ? (["alert", "record"] as const).find((key) => typeof rule[key] === "string") : undefined
  return isFields(rule) && kind !== undefined ? `${kind} ${quote(String(rule[kind]))}` : undefined
}
