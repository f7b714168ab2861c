import type { Server } from "../usage.ts"
import { type Item, shown } from "./response.ts"

/** Nova counts whole seconds and microseconds apart. */
const TOLERANCE_HOURS = 2 / 3600

/**
 * What an entry of `server_usages` says (https://docs.openstack.org/api-ref/compute/#usage-reports-os-simple-tenant-usage).
 * `period` in hours. Throws what `refuse` makes of the first thing that is wrong in it: a server without hours, for
 * example, would make its project's sum a partial one. Hours below 0, which a server has that ended before it started,
 * count nothing, as everywhere.
 */
export function readServerUsage(entry: Item, period: number, refuse: (reason: string) => Error): Server {
  const { hours } = entry
  if (!isFinite(hours)) throw refuse(wrong(entry, "hours", "a number"))
  if (hours > period + TOLERANCE_HOURS)
    throw refuse(wrong(entry, "hours", `at most ${period}, the length of the period`))
  return {
    vcpus: amountIn(entry, "vcpus", refuse),
    memoryMb: amountIn(entry, "memory_mb", refuse),
    diskGb: amountIn(entry, "local_gb", refuse),
    hours,
    startedAt: momentIn(entry, "started_at", refuse),
    endedAt: entry.ended_at === null ? Infinity : momentIn(entry, "ended_at", refuse),
  }
}

/** Nova's present when it answered, in Unix time, as it follows from the uptime of a living server. */
export function answeredAt({ uptime }: Item, { startedAt, endedAt }: Server): number | undefined {
  return endedAt === Infinity && typeof uptime === "number" ? startedAt + uptime : undefined
}

// not closures in the function above: those would be made anew for each of many servers
function amountIn(entry: Item, key: string, refuse: (reason: string) => Error): number {
  const value = entry[key]
  if (isFinite(value) && value >= 0) return value
  throw refuse(wrong(entry, key, "a number from 0 on"))
}

function momentIn(entry: Item, key: string, refuse: (reason: string) => Error): number {
  const value = entry[key]
  const milliseconds = typeof value === "string" && DATE.test(value) ? Date.parse(`${value}Z`) : Number.NaN
  if (Number.isNaN(milliseconds)) throw refuse(wrong(entry, key, "a date such as 2025-01-31T08:00:00.000000"))
  return milliseconds / 1000
}

const wrong = (entry: Item, key: string, what: string): string =>
  `server ${String(entry.instance_id)}: ${key} is ${shown(entry[key])}, not ${what}`

/** Without a zone; it is UTC. */
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/

/** JSON can hold numbers that are too large to be one. */
const isFinite = (value: unknown): value is number => Number.isFinite(value)
