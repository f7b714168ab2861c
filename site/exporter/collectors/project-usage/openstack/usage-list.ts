import type { Period } from "../cloud.ts"
import type { Server } from "../usage.ts"
import type { Api } from "./api.ts"
import { listIn, unexpectedResponse, textIn } from "./response.ts"
import { PAGE, readPages } from "./pages.ts"
import { answeredAt, readServerUsage } from "./server-usage.ts"

const PATH = "/os-simple-tenant-usage"
const MS_PER_HOUR = 3_600_000

export interface UsageList {
  /** Nova's clock minus ours in seconds, by living servers, else by the date of the last response. */
  readonly clockLead: number | undefined
  /** Nova's present at its last response, or less than a second earlier, in Unix time. */
  readonly present: number | undefined
  /** Servers that were listed more than once. They count once, as they were listed first. */
  readonly repeated: readonly string[]
}

export interface ListOptions {
  readonly now: () => Date
  readonly signal: AbortSignal
  /** Servers on a page. */
  readonly limit?: number
}

/**
 * Lists all usage of a cloud in the period, in as many requests as there are pages of servers. Servers are handed on in
 * the order of the list, which is that of a project's own usage; a project can lie on several pages. `begin` is called
 * when the list begins, each time. Throws if anything in it cannot be used: see readServerUsage.
 */
export async function listUsage(
  api: Api,
  { start, end }: Period,
  { now, signal, limit = PAGE }: ListOptions,
  begin: () => (projectId: string, serverId: string, server: Server) => void,
): Promise<UsageList> {
  const hours = (end.getTime() - start.getTime()) / MS_PER_HOUR
  const refuse = unexpectedResponse("compute", PATH)
  const query = { detailed: "1", start: withoutZone(start), end: withoutZone(end) }
  let repeated: string[] = []
  let clockLead: number | undefined
  await readPages(api, { service: "compute", path: PATH, query, key: "tenant_usages", limit }, signal, () => {
    const ids = new Set<string>()
    const add = begin()
    repeated = []
    return (items) => {
      const arrived = now().getTime() / 1000
      for (const item of items) {
        const projectId = textIn(item, "tenant_id", refuse)
        for (const entry of listIn(item, "server_usages", refuse)) {
          const id = textIn(entry, "instance_id", refuse)
          if (ids.has(id)) {
            repeated.push(id)
            continue
          }
          ids.add(id)
          const server = readServerUsage(entry, hours, refuse)
          add(projectId, id, server)
          const present = answeredAt(entry, server)
          if (present !== undefined) clockLead = present - arrived
        }
      }
    }
  })
  const date = api.dateOf("compute")
  if (date === undefined) return { clockLead, present: undefined, repeated }
  return { clockLead: clockLead ?? date - now().getTime() / 1000, present: date, repeated }
}

/** Nova takes dates as UTC, and refuses them with a zone. */
function withoutZone(date: Date): string {
  return date.toISOString().replace("Z", "")
}
