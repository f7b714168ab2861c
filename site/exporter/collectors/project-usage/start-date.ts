import { z } from "zod"
import { defineError, explain } from "#core/errors.ts"
import { Wrong } from "#core/config/settings.ts"
import { type JsonEndpoint, readEndpoint } from "./endpoint.ts"
import { date } from "./settings.ts"

export const startUnknown = defineError("START_UNKNOWN", 503, "The start date is not known yet: {reason}")
export const startInFuture = defineError("START_IN_FUTURE", 503, "The start date {start} is in the future")

/** Since when usage is counted, as seen from `now`. */
export type StartDate = (now: Date, signal: AbortSignal) => Promise<Date>

/** Without a configured date: the beginning of the month, which is the same after a restart. */
export const startOfMonth: StartDate = (now) =>
  Promise.resolve(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())))

const responseSchema = z
  .array(
    z.object({
      start_date: z.string("must be a text").transform((text, context) => {
        const value = date(text)
        if (!(value instanceof Wrong)) return value
        context.addIssue({ code: "custom", message: value.reason })
        return z.NEVER
      }),
    }),
    "must be a list",
  )
  .transform(([first], context) => {
    if (first !== undefined) return first.start_date
    context.addIssue({ code: "custom", message: "must have an entry" })
    return z.NEVER
  })

/** Reads an endpoint until it has a date, which then holds as long as the process runs. */
export function startFromEndpoint(endpoint: JsonEndpoint): StartDate {
  let known: Date | undefined
  return async (now, signal) => {
    known ??= await readEndpoint(endpoint, responseSchema, signal).catch((cause: unknown) => {
      throw startUnknown({ reason: explain(cause) }, { cause })
    })
    if (known > now) throw startInFuture({ start: known.toISOString() })
    return known
  }
}
