import type { Server } from "../cloud.ts"
import { type Item, shown, textIn } from "./answer.ts"

/** A server in the list of usage (https://docs.openstack.org/api-ref/compute/#usage-reports-os-simple-tenant-usage). */
export interface ServerUsage extends Omit<Server, "metadata"> {
  readonly id: string
  /** Nova's present when it answered, in Unix time, as it follows from the uptime of a living server. */
  readonly answeredAt: number | undefined
}

/** Nova counts whole seconds and microseconds apart. */
const TOLERANCE_HOURS = 2 / 3600

/**
 * What an entry of `server_usages` says. `period` in hours. Throws what `refuse` makes of the first thing that is wrong in
 * it: a server without hours, for example, would make its project's sum a partial one. Hours below 0, which a server has
 * that ended before it started, count nothing, as everywhere.
 */
export function readServerUsage(entry: Item, period: number, refuse: (reason: string) => Error): ServerUsage {
  const id = textIn(entry, "instance_id", refuse)
  const wrong = (key: string, what: string): Error =>
    refuse(`server ${id}: ${key} is ${shown(entry[key])}, not ${what}`)
  const amount = (key: string): number => {
    const value = entry[key]
    if (isFinite(value) && value >= 0) return value
    throw wrong(key, "a number from 0 on")
  }
  const moment = (key: string): number => {
    const value = entry[key]
    const milliseconds = typeof value === "string" && DATE.test(value) ? Date.parse(`${value}Z`) : Number.NaN
    if (Number.isNaN(milliseconds)) throw wrong(key, "a date such as 2025-01-31T08:00:00.000000")
    return milliseconds / 1000
  }
  const { hours, uptime } = entry
  if (!isFinite(hours)) throw wrong("hours", "a number")
  if (hours > period + TOLERANCE_HOURS) throw wrong("hours", `at most ${period}, the length of the period`)
  const startedAt = moment("started_at")
  const lives = entry.ended_at === null
  return {
    id,
    vcpus: amount("vcpus"),
    memoryMb: amount("memory_mb"),
    diskGb: amount("local_gb"),
    hours,
    startedAt,
    endedAt: lives ? Infinity : moment("ended_at"),
    answeredAt: lives && typeof uptime === "number" ? startedAt + uptime : undefined,
  }
}

/** Without a zone; it is UTC. */
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/

/** JSON can hold numbers that are too large to be one. */
const isFinite = (value: unknown): value is number => Number.isFinite(value)
