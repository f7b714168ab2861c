import { explain } from "#core/errors.ts"
import type { Labels } from "#core/exposition.ts"
import type { Logger } from "#core/log.ts"
import type { Quota } from "../cloud.ts"
import { isItem, shown, strangeAnswers } from "./answer.ts"
import type { Api } from "./api.ts"

/** Requests under way at the same time. */
const AT_ONCE = 4

export interface QuotaOptions {
  /** Seconds from one reading to the next; undefined: quotas are not read. */
  readonly every: number | undefined
  readonly labels: Labels
  readonly now: () => Date
  readonly log: Logger
}

/**
 * Quotas of projects, read in the background, because each project is a request. The function starts a reading if it is
 * time, and returns what the last whole one found. What can't be read is told, and tried again when it is time.
 */
export function openQuotas(
  api: Api,
  { every, labels, now, log }: QuotaOptions,
): (projectIds: readonly string[], signal: AbortSignal) => ReadonlyMap<string, Quota> {
  let known: ReadonlyMap<string, Quota> = new Map()
  let next = 0
  return (projectIds, signal) => {
    if (every === undefined || now().getTime() < next) return known
    next = now().getTime() + every * 1000
    readAll(api, projectIds, signal).then(
      (quotas) => (known = quotas),
      (error: unknown) => {
        if (!signal.aborted) log.warn({ ...labels, reason: explain(error) }, "can't read the quotas of projects")
      },
    )
    return known
  }
}

async function readAll(api: Api, ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Quota>> {
  const quotas = new Map<string, Quota>()
  const waiting = ids.values()
  const work = async (): Promise<void> => {
    for (const id of waiting) quotas.set(id, await readOne(api, id, signal))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return quotas
}

async function readOne(api: Api, id: string, signal: AbortSignal): Promise<Quota> {
  const path = `/os-quota-sets/${encodeURIComponent(id)}`
  const refuse = strangeAnswers("compute", path)
  const answer = await api.get("compute", path, { signal })
  const set = isItem(answer) ? answer.quota_set : undefined
  if (!isItem(set)) throw refuse("it has no quota_set")
  const limit = (key: string): number => {
    const value = set[key]
    if (typeof value !== "number") throw refuse(`${key} is ${shown(value)}, not a number`)
    return value < 0 ? Infinity : value
  }
  return { servers: limit("instances"), vcpus: limit("cores"), memoryMb: limit("ram") }
}
