import type { Period, Server } from "../cloud.ts"
import type { Api } from "./api.ts"
import { listIn, strangeAnswers, textIn } from "./answer.ts"
import { PAGE, readPages } from "./pages.ts"
import { answeredAt, readServerUsage } from "./server-usage.ts"

const PATH = "/os-simple-tenant-usage"
const MS_PER_HOUR = 3_600_000

export interface UsageList {
  /** By project, in the order of the list, which is that of a project's own usage. */
  readonly projects: ReadonlyMap<string, readonly Server[]>
  /** Nova's clock minus ours in seconds, as living servers tell, else the date of the last answer. */
  readonly clockLead: number | undefined
  /** Nova's present when it answered last, or less than a second earlier, in Unix time. */
  readonly present: number | undefined
  /** Servers that were listed more than once. They count once, as they were listed first. */
  readonly twice: readonly string[]
}

export interface ListOptions {
  readonly now: () => Date
  readonly signal: AbortSignal
  /** What the list does not say of a server. */
  readonly metadataOf?: (projectId: string, serverId: string) => Server["metadata"]
  /** Servers on a page. */
  readonly limit?: number
}

const NO_METADATA = {}

/**
 * All usage of a cloud in the period, in as many requests as there are pages of servers. A project can lie on several
 * pages. Throws if anything in it can't be used: see readServerUsage.
 */
export async function listUsage(
  api: Api,
  { start, end }: Period,
  { now, signal, metadataOf = () => NO_METADATA, limit = PAGE }: ListOptions,
): Promise<UsageList> {
  const hours = (end.getTime() - start.getTime()) / MS_PER_HOUR
  const refuse = strangeAnswers("compute", PATH)
  const query = { detailed: "1", start: withoutZone(start), end: withoutZone(end) }
  let projects = new Map<string, Server[]>()
  let ids = new Set<string>()
  let twice: string[] = []
  let clockLead: number | undefined
  await readPages(api, { service: "compute", path: PATH, query, key: "tenant_usages", limit }, signal, () => {
    ;[projects, ids, twice] = [new Map(), new Set(), []]
    return (items) => {
      const arrived = now().getTime() / 1000
      for (const item of items) {
        const projectId = textIn(item, "tenant_id", refuse)
        const servers = serversOf(projects, projectId)
        for (const entry of listIn(item, "server_usages", refuse)) {
          const id = textIn(entry, "instance_id", refuse)
          if (ids.has(id)) {
            twice.push(id)
            continue
          }
          ids.add(id)
          const server = readServerUsage(entry, hours, metadataOf(projectId, id), refuse)
          servers.push(server)
          const present = answeredAt(entry, server)
          if (present !== undefined) clockLead = present - arrived
        }
      }
    }
  })
  const date = api.dateOf("compute")
  if (date === undefined) return { projects, clockLead, present: undefined, twice }
  return { projects, clockLead: clockLead ?? date - now().getTime() / 1000, present: date, twice }
}

function serversOf(projects: Map<string, Server[]>, id: string): Server[] {
  const known = projects.get(id)
  if (known !== undefined) return known
  const fresh: Server[] = []
  projects.set(id, fresh)
  return fresh
}

/** Nova takes dates as UTC, and refuses them with a zone. */
function withoutZone(date: Date): string {
  return date.toISOString().replace("Z", "")
}
