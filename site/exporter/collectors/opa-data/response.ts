import { z } from "zod"
import { ReadFailure } from "./failure.ts"
import type { Counted } from "./paths.ts"
import { FIRST_ROW } from "./rego.ts"
import type { Place } from "./reading.ts"

const count = z.int().nonnegative()
const found = z.tuple([z.array(count).max(1), z.array(count).max(1), z.array(z.string()).max(1)])
const place = z.array(found).max(1).nullable()
const metrics = z.object({ timer_server_handler_ns: z.number().optional() }).optional()
const queryResponse = z.object({ result: z.tuple([z.object({ r: z.array(place) })]), metrics })
const packageResponse = z.object({ result: z.record(z.string(), z.unknown()).optional(), metrics })
const queryErrors = z.object({
  errors: z.array(z.object({ code: z.string(), location: z.object({ row: z.number() }).optional() })).default([]),
})

export interface Counts {
  readonly places: readonly Place[]
  readonly opaSeconds: number | undefined
}

/** The response to countQuery. Throws ReadFailure. */
export function parseQueryResponse(body: string, paths: readonly Counted[]): Counts {
  const { result, metrics: timers } = parseResponse(body, queryResponse)
  const { r: raw } = result[0]
  if (raw.length !== paths.length)
    throw new ReadFailure("unexpected_response", "the response is for another number of paths")
  return { places: raw.map(placeOf), opaSeconds: secondsOf(timers) }
}

/** The response of the package's rule; undefined if it has no such rule, not all of these paths, or is another version's. */
export function parsePackageResponse(body: string, paths: readonly Counted[]): Counts | undefined {
  const { result, metrics: timers } = parseResponse(body, packageResponse)
  if (result === undefined) return undefined
  const places: Place[] = []
  for (const { name } of paths) {
    const raw = place.safeParse(result[name])
    if (!raw.success) return undefined
    places.push(placeOf(raw.data))
  }
  return { places, opaSeconds: secondsOf(timers) }
}

/** Paths that OPA cannot count because a policy computes something else there; undefined if its errors are others. */
export function uncountablePaths(body: string, paths: readonly Counted[]): readonly string[] | undefined {
  const result = queryErrors.safeParse(jsonOrNothing(body))
  if (!result.success) return undefined
  // after ten errors comes one more without a location
  const names = result.data.errors.flatMap(({ location }) => paths[(location?.row ?? 0) - FIRST_ROW]?.name ?? [])
  return names.length > 0 ? [...new Set(names)] : undefined
}

function parseResponse<T>(body: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parseJson(body))
  if (!result.success) throw new ReadFailure("unexpected_response", "the response is none of an OPA")
  return result.data
}

function parseJson(body: string): unknown {
  const value = jsonOrNothing(body)
  // the parser's message would quote what OPA sent
  if (value === undefined) throw new ReadFailure("not_json", "the response is not JSON")
  return value
}

function jsonOrNothing(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined // no JSON is undefined
  }
}

function placeOf(raw: z.infer<typeof place>): Place {
  if (raw === null) return { kind: "uncountable" }
  const [first] = raw
  if (first === undefined) return { kind: "undefined" }
  const [[keys], [members], [digest]] = first
  return keys === undefined ? { kind: "uncountable" } : { kind: "counted", keys, members, digest }
}

const secondsOf = (timers: z.infer<typeof metrics>): number | undefined =>
  timers?.timer_server_handler_ns === undefined ? undefined : timers.timer_server_handler_ns / 1e9
