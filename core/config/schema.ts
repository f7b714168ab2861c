import { z } from "zod"
import { type Parse, Wrong } from "./settings.ts"

/** Names what a value should be, and never what it is: it may be a secret. */
export const expected = (what: string) => ({
  error: (issue: z.core.$ZodRawIssue): string =>
    issue.input === undefined ? `is missing; it must be ${what}` : `must be ${what}`,
})

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "a map",
  record: "a map",
  string: "text",
}

/** The message of an issue whose schema has none of its own; undefined: zod's. */
export function explainIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_union") return "has none of the forms that it can have"
  const what = requirement(issue)
  return what && expected(what).error(issue)
}

function requirement(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return TYPES[issue.expected]
  if (issue.code === "invalid_value") return `one of ${issue.values.filter((value) => value !== "").join(", ")}`
  if (issue.code === "too_small" && issue.origin === "number" && issue.inclusive) return `at least ${issue.minimum}`
  if (issue.code === "too_big" && issue.origin === "number" && issue.inclusive) return `at most ${issue.maximum}`
  return undefined
}

export const filled = (what: string) => z.string(expected(what)).min(1, `must be ${what}`)

/** Text that is parsed as a flag would be; numbers are read as they are written. */
export const parsed = <T>(what: string, parse: Parse<T>) =>
  z.union([z.string(), z.number().transform(String)], expected(what)).transform((text, context): T => {
    const value = parse(text)
    if (!(value instanceof Wrong)) return value
    context.issues.push({ code: "custom", message: value.reason, input: undefined })
    return z.NEVER
  })

/** One or a list of them, as a list. */
export const oneOrMore = <T extends z.ZodType>(item: T, what: string) =>
  z
    .union([z.array(item).min(1, `must be ${what}, or a list of at least one`), item], expected(`${what}, or a list`))
    .transform((value) => (Array.isArray(value) ? value : [value]) as readonly z.output<T>[])
