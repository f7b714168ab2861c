import { z } from "zod"
import { explain } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { expected, parsed } from "#core/config/schema.ts"
import { type Parse, Wrong } from "#core/config/settings.ts"
import { CONTROL } from "#core/http/credential-schema.ts"
import { labelsSchema } from "./label-schema.ts"

/** What the original stack federates. */
const DEFAULT_MATCH = '{job="project_usages",__name__=~"project_.*_usage"}'

const name = z
  .string(expected("a name such as site-a"))
  .regex(
    /^[a-z\d](?:[a-z\d.-]{0,61}[a-z\d])?$/i,
    "must be 1 to 63 letters, digits, dots and dashes, with a letter or digit at both ends",
  )

/** Kept as it is written: proxies that compare bytes, such as the original HAProxy's, accept only the spelling they know. */
export const selector: Parse<string> = (text) => {
  if (CONTROL.test(text)) return new Wrong("must be one line without control characters")
  try {
    const { invalid } = compile(parseSelector(text))
    return invalid === undefined ? text : new Wrong(invalid)
  } catch (error) {
    return new Wrong(explain(error))
  }
}

/** For people: none of it changes what is done. */
const pauseNote = z
  .string(expected("text"))
  .max(300, "must be at most 300 characters")
  .refine((value) => value.isWellFormed() && !CONTROL.test(value), "must be one line without control characters")
const pausedAt = z.string(expected("a time such as 2026-11-30T14:00:00Z")).transform((text, context) => {
  const at = /^\d{4}-\d{2}-\d{2}(?:$|[T ])/.test(text) ? new Date(text) : new Date(Number.NaN)
  if (Number.isNaN(at.getTime())) context.addIssue("must be a day or time such as 2026-11-30T14:00:00Z")
  return at
})
const paused = z
  .union(
    [z.boolean(), z.strictObject({ by: pauseNote.optional(), at: pausedAt.optional(), why: pauseNote.optional() })],
    expected("true, or a map of by, at and why"),
  )
  .transform((value) => (value === false ? undefined : value === true ? {} : value))

/** Keys of every site. */
export const siteKeys = {
  name,
  labels: labelsSchema(["site"]).default({}),
  match: z
    .array(parsed("a selector", selector), expected("a list of selectors"))
    .min(1, "must hold at least one selector")
    .default([DEFAULT_MATCH]),
  paused: paused.optional(),
}
