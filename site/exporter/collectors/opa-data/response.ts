import { z } from "zod"
import { ReadFailure } from "./failure.ts"
import type { Counted } from "./paths.ts"
import { FIRST_ROW } from "./rego.ts"
import type { Counts, PathCount } from "./reading.ts"

const count = z.int().nonnegative()
const counted = z.tuple([z.array(count).max(1), z.array(count).max(1), z.array(z.string()).max(1)])
const pathCount = z.array(counted).max(1).nullable()
const metrics = z.object({ timer_server_handler_ns: z.number().optional() }).optional()
const queryResponse = z.object({ result: z.tuple([z.object({ r: z.array(pathCount) })]), metrics })
const packageResponse = z.object({ result: z.record(z.string(), z.unknown()).optional(), metrics })
const queryErrors = z.object({
  errors: z.array(z.object({ code: z.string(), location: z.object({ row: z.number() }).optional() })).default([]),
})

/** The counts in a response to countQuery. Throws ReadFailure. */
export function parseQueryResponse(body: string, paths: readonly Counted[]): Counts {
  const { result, metrics: timers } = parseResponse(body, queryResponse)
  const { r: raw } = result[0]
  if (raw.length !== paths.length)
    throw new ReadFailure("unexpected_response", "the response is for another number of paths")
  return { pathCounts: raw.map(pathCountOf), opaSeconds: secondsOf(timers) }
}

/** The counts that the package's rule makes; undefined if there is no such rule, not for all paths, or of another version. */
export function parsePackageResponse(body: string, paths: readonly Counted[]): Counts | undefined {
  const { result, metrics: timers } = parseResponse(body, packageResponse)
  const pathCounts = paths.flatMap(({ name }): PathCount[] => {
    const raw = pathCount.safeParse(result?.[name])
    return raw.success ? [pathCountOf(raw.data)] : []
  })
  return pathCounts.length < paths.length ? undefined : { pathCounts, opaSeconds: secondsOf(timers) }
}

/** Paths that OPA cannot count because a policy computes something else there; undefined if its error is another one. */
export function uncountablePaths(body: string, paths: readonly Counted[]): readonly string[] | undefined {
  const result = queryErrors.safeParse(parseJson(body))
  if (!result.success) return undefined
  // after ten errors OPA adds one, without a location, that there are more
  const names = result.data.errors.flatMap(({ location }) => paths[(location?.row ?? 0) - FIRST_ROW]?.name ?? [])
  return names.length > 0 ? [...new Set(names)] : undefined
}

function parseResponse<T>(body: string, schema: z.ZodType<T>): T {
  const value = parseJson(body)
  // the parser's message would quote what OPA sent
  if (value === undefined) throw new ReadFailure("not_json", "the response is not JSON")
  const result = schema.safeParse(value)
  if (!result.success)
    throw new ReadFailure("unexpected_response", "the response is not one of an OPA: check the address and port")
  return result.data
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined // no JSON is undefined
  }
}

function pathCountOf(raw: z.infer<typeof pathCount>): PathCount {
  if (raw === null) return { kind: "uncountable" }
  const [first] = raw
  if (first === undefined) return { kind: "undefined" }
  const [[keys], [members], [digest]] = first
  if (keys !== undefined) return { kind: "counted", keys, members, digest }
  return digest === undefined ? { kind: "uncountable" } : { kind: "uncountable", digest }
}

const secondsOf = (timers: z.infer<typeof metrics>): number | undefined =>
  timers?.timer_server_handler_ns === undefined ? undefined : timers.timer_server_handler_ns / 1e9
