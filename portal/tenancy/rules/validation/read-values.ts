import type { Path } from "#core/config/config-file.ts"
import { Wrong } from "#core/config/settings.ts"
import { quote } from "../../tenants/quote.ts"
import { isFields } from "../fields.ts"
import { parseRuleDuration } from "../model/duration.ts"
import type { Findings } from "./findings.ts"

/** Of an untrusted value, in words that a reader of YAML knows. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "empty"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object") return "a map"
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`
  return "text"
}

/** To spread: a field that is left out where it is undefined, or an empty map. */
export function optional<const Name extends string, T>(
  name: Name,
  value: T | undefined,
): { readonly [Field in Name]?: T } {
  const isEmpty = value === undefined || (isFields(value) && Object.keys(value).length === 0)
  return isEmpty ? {} : ({ [name]: value } as { readonly [Field in Name]?: T })
}

/** Numbers and booleans as text, as YAML's readers give it to Prometheus; "" where there is nothing; undefined: an error. */
export function readText(value: unknown, path: Path, findings: Findings): string | undefined {
  if (value === undefined || value === null) return ""
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (typeof value !== "string") return findings.error("schema", path, `must be text, but is ${kindOf(value)}`)
  return value.isWellFormed()
    ? value
    : findings.error("schema", path, "holds half of a character, which is not UTF-8; write the character anew")
}

/** Labels and annotations. Entries that cannot be read are left out, with an error. */
export function readTexts(
  value: unknown,
  path: Path,
  findings: Findings,
): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isFields(value))
    return findings.error("schema", path, `must be a map of names and texts, but is ${kindOf(value)}`)
  const entries = Object.entries(value).flatMap(([name, given]): readonly (readonly [string, string])[] => {
    const read = readText(given, [...path, name], findings)
    if (read === undefined) return []
    if (typeof given === "number" || typeof given === "boolean") {
      const why = typeof given === "boolean" ? ": no, off and the like are booleans in YAML" : ""
      findings.warn(
        "schema",
        [...path, name],
        `is ${kindOf(given)} and becomes the text "${read}"; put it in quotes${why}`,
      )
    }
    return [[name, read]]
  })
  return Object.fromEntries(entries)
}

/** As it is written; undefined where there is none, or with an error. */
export function readDuration(value: unknown, path: Path, findings: Findings, dropsEmpty: boolean): string | undefined {
  if (value === undefined || value === null) return undefined
  const text = readText(value, path, findings)
  if (text === undefined || (text === "" && dropsEmpty)) return undefined
  const parsed = parseRuleDuration(text)
  return parsed instanceof Wrong ? findings.error("duration", path, `${parsed.reason} (is ${quote(text)})`) : text
}

const LARGEST = 2 ** 63

/** Parts of a number are cut off, as YAML's reader does it for Prometheus. */
export function readWhole(value: unknown, path: Path, findings: Findings): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "string")
    return findings.error("schema", path, `must be a whole number without quotes (is ${quote(value)})`)
  if (typeof value !== "number")
    return findings.error("schema", path, `must be a whole number, but is ${kindOf(value)}`)
  if (Number.isNaN(value) || Math.abs(value) >= LARGEST)
    return findings.error("schema", path, "must be a smaller number")
  const whole = Math.trunc(value)
  if (whole !== value) findings.warn("schema", path, `must be a whole number, and is read as ${whole}`)
  return whole
}

export function readBoolean(value: unknown, path: Path, findings: Findings): boolean | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === "boolean"
    ? value
    : findings.error("schema", path, `must be true or false, but is ${kindOf(value)}`)
}

/** A list; what is empty in it is left out with a warning, as YAML's reader does it for Prometheus. Entries keep their index. */
export function readList(
  value: unknown,
  path: Path,
  findings: Findings,
): readonly (readonly [index: number, item: unknown])[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return findings.error("schema", path, `must be a list, but is ${kindOf(value)}`)
  const items: readonly unknown[] = value
  return items.flatMap((item, index) => {
    if (item !== null && item !== undefined) return [[index, item] as const]
    findings.warn("schema", [...path, index], "is empty and ignored; remove the dash")
    return []
  })
}
