import type { Period } from "../cloud.ts"
import type { Server } from "../usage.ts"
import type { Api } from "./api.ts"
import { type Item, listIn, shown, textIn, unexpectedResponse } from "./response.ts"
import { readPages } from "./pages.ts"

const PATH = "/os-simple-tenant-usage"
const MS_PER_HOUR = 3_600_000

interface UsageList {
  /** Nova's clock minus ours in seconds, by living servers, else by the date of the last response. */
  readonly clockLead: number | undefined
  /** Nova's present at its last response, or less than a second earlier, in Unix time. */
  readonly present: number | undefined
  /** Servers that were listed more than once. They count once, as they were listed first. */
  readonly repeated: readonly string[]
}

/**
 * Lists all usage of a cloud in the period, in as many requests as there are pages of servers. Servers are handed on in
 * the order of the list, which is that of a project's own usage; a project can lie on several pages. `begin` is called
 * when the list begins, each time. Throws if anything in it cannot be used: see readServerUsage.
 */
export async function listUsage(
  api: Api,
  { start, end }: Period,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
  begin: () => (projectId: string, serverId: string, server: Server) => void,
): Promise<UsageList> {
  const hours = (end.getTime() - start.getTime()) / MS_PER_HOUR
  const refuse = unexpectedResponse("compute", PATH)
  const query = { detailed: "1", start: withoutZone(start), end: withoutZone(end) }
  let repeated: string[] = []
  let clockLead: number | undefined
  await readPages(api, { path: PATH, query, key: "tenant_usages" }, signal, () => {
    const ids = new Set<string>()
    const add = begin()
    repeated = []
    return (items) => {
      const arrived = now().getTime() / 1000
      const onPage: string[] = []
      for (const item of items) {
        const projectId = textIn(item, "tenant_id", refuse)
        let sum = 0
        for (const entry of listIn(item, "server_usages", refuse)) {
          const id = textIn(entry, "instance_id", refuse)
          onPage.push(id)
          const server = readServerUsage(entry, hours, refuse)
          sum += server.hours
          if (ids.has(id)) {
            repeated.push(id)
            continue
          }
          ids.add(id)
          add(projectId, id, server)
          const present = presentAt(entry, server)
          if (present !== undefined) clockLead = present - arrived
        }
        const { total_hours: total } = item
        if (isFinite(total) && Math.abs(total - sum) > TOLERANCE_HOURS)
          throw refuse(`project ${projectId}: its servers have ${sum} hours, and total_hours is ${total}`)
      }
      return onPage
    }
  })
  const date = api.dateOf("compute")
  if (date !== undefined) clockLead ??= date - now().getTime() / 1000
  return { clockLead, present: date, repeated }
}

/** Nova takes dates as UTC, and refuses them with a zone. */
const withoutZone = (date: Date): string => date.toISOString().replace("Z", "")

/** Nova counts whole seconds and microseconds apart. */
const TOLERANCE_HOURS = 2 / 3600

/**
 * Reads an entry of `server_usages` (https://docs.openstack.org/api-ref/compute/#usage-reports-os-simple-tenant-usage).
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

/** Nova's present at its response, in Unix time, as it follows from the uptime of a living server. */
const presentAt = ({ uptime }: Item, { startedAt, endedAt }: Server): number | undefined =>
  endedAt === Infinity && typeof uptime === "number" ? startedAt + uptime : undefined

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
