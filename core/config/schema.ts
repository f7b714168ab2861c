import { z } from "zod"
import { type Parse, Wrong } from "./settings.ts"

/** Names what a value should be, and never what it is: it may be a secret. */
export const expected = (what: string) => ({
  error: (issue: z.core.$ZodRawIssue): string =>
    issue.input === undefined ? `is missing; it must be ${what}` : `must be ${what}`,
})

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
