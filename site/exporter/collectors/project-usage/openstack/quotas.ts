import { explain } from "#core/errors.ts"
import type { Quota } from "../cloud.ts"
import { isItem, shown, unexpectedResponse } from "./response.ts"
import type { Api } from "./api.ts"
import { ServiceError } from "./errors.ts"

/** Requests under way at the same time. */
const AT_ONCE = 4

/** Starts a reading if it is time, and returns what the last whole one found. */
export interface Quotas {
  (projectIds: readonly string[], signal: AbortSignal): ReadonlyMap<string, Quota>
  /** Why the last reading failed; undefined where it did not. */
  readonly failure: () => string | undefined
}

interface QuotaOptions {
  /** Seconds from one reading to the next; undefined: quotas are not read. */
  readonly every: number | undefined
  readonly now: () => Date
}

/**
 * Quotas of projects, read in the background, because each project is a request. One that fails is tried again when it is
 * time.
 */
export function openQuotas(api: Api, { every, now }: QuotaOptions): Quotas {
  let known: ReadonlyMap<string, Quota> = new Map()
  let begun = -Infinity
  let underWay = false
  let failure: string | undefined
  const readNow = async (projectIds: readonly string[], signal: AbortSignal): Promise<void> => {
    try {
      known = await readAll(api, projectIds, signal)
      failure = undefined
    } catch (error) {
      if (!signal.aborted) failure = `keeping the previous ones: ${explain(error)}`
    }
    underWay = false
  }
  const read = (projectIds: readonly string[], signal: AbortSignal): ReadonlyMap<string, Quota> => {
    const at = now().getTime()
    // in both directions: a clock that was ahead does not put off the next reading
    if (every === undefined || underWay || Math.abs(at - begun) < every * 1000) return known
    ;[begun, underWay] = [at, true]
    void readNow(projectIds, signal)
    return known
  }
  return Object.assign(read, { failure: () => failure })
}

async function readAll(api: Api, ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Quota>> {
  const quotas = new Map<string, Quota>()
  const waiting = ids.values()
  const work = async (): Promise<void> => {
    for (const id of waiting) {
      const quota = await readOne(api, id, signal)
      if (quota !== undefined) quotas.set(id, quota)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  } finally {
    for (const _ of waiting) continue // where one failed, nothing is left to the others
  }
  return quotas
}

/** As Nova says of a project that Keystone does not know. Where it does not find Keystone, all are bad requests, too. */
const isGone = (error: unknown): boolean =>
  error instanceof ServiceError && error.responseStatus === 400 && error.message.includes("is not a valid project")

/** Undefined if there is no such project any more. */
async function readOne(api: Api, id: string, signal: AbortSignal): Promise<Quota | undefined> {
  const path = `/os-quota-sets/${encodeURIComponent(id)}`
  const refuse = unexpectedResponse("compute", path)
  const response = await api.get("compute", path, { signal }).catch((error: unknown) => {
    if (isGone(error)) return undefined
    throw error
  })
  if (response === undefined) return undefined
  const set = isItem(response) ? response.quota_set : undefined
  if (!isItem(set)) throw refuse("it has no quota_set")
  const limit = (key: string): number => {
    const value = set[key]
    if (typeof value !== "number") throw refuse(`${key} is ${shown(value)}, not a number`)
    return value < 0 ? Infinity : value
  }
  return { servers: limit("instances"), vcpus: limit("cores"), memoryMb: limit("ram") }
}
