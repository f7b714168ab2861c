import { statusReason } from "#core/http/status.ts"
import type { Api } from "./api.ts"
import { ServiceError } from "./errors.ts"

/** A server as Nova's database has it; moments in milliseconds of Unix time. */
export interface FakeServer {
  readonly id: string
  readonly project: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly launchedAt: number
  readonly endedAt?: number
  readonly metadata?: Readonly<Record<string, string>>
}

export interface FakeProject {
  readonly id: string
  readonly name: string
  readonly domain: string
  readonly more?: Readonly<Record<string, unknown>>
}

/** What stands in the databases of a cloud. Mutable: tests change it between and within updates. */
export interface FakeState {
  now: number
  domains: readonly { readonly id: string; readonly name: string }[]
  projects: readonly FakeProject[]
  servers: readonly FakeServer[]
  /** Nova's largest page. */
  maxLimit: number
  /** Those that the token names. */
  ownDomains: readonly { readonly id: string; readonly name: string }[]
}

export interface RecordedRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly microversion: string | undefined
  /** That is signed in to for it, where it is not what the credentials say. */
  readonly domain?: string
}

export interface FakeCloud extends Api {
  readonly state: FakeState
  readonly requests: RecordedRequest[]
  /** Called before each response; what it returns or throws takes its place, unless it is undefined. */
  intercept: (request: RecordedRequest) => unknown
}

/** A Nova and a Keystone that list, page and count as the real ones do, without HTTP. */
export function fakeCloud(
  state: Partial<FakeState> = {},
  { cloud, region = "RegionOne" }: { readonly cloud?: string; readonly region?: string } = {},
): FakeCloud {
  const domains = [{ id: "d", name: "elixir" }]
  const fake: FakeCloud = {
    cloud,
    region,
    state: {
      now: Date.UTC(2026, 2, 10, 12),
      domains,
      projects: [],
      servers: [],
      maxLimit: 1000,
      ownDomains: domains,
      ...state,
    },
    requests: [],
    ownDomains: () => Promise.resolve(fake.state.ownDomains),
    dateOf: () => Math.floor(fake.state.now / 1000),
    intercept: () => undefined,
    async get(service, path, { query = {}, microversion, domain, signal }) {
      await Promise.resolve()
      signal.throwIfAborted()
      const request = { path, query, microversion, ...(domain === undefined ? {} : { domain }) }
      fake.requests.push(request)
      const instead = fake.intercept(request)
      if (instead !== undefined) return instead
      const [, id] = /^\/domains\/(.+)$/.exec(path) ?? []
      if (id === undefined) return responses[`${service} ${path}`]?.(fake.state, query)
      const found = fake.state.domains.find((one) => one.id === decodeURIComponent(id))
      if (found === undefined) throw refused(404)
      return { domain: found }
    },
  }
  return fake
}

/** As the session reports what a service refused. */
export function refused(status: number, message?: string): Error {
  const said = message === undefined ? "" : `: ${message}`
  return new ServiceError(statusReason(status), `responded with ${status}${said}`, { responseStatus: status })
}

const responses: Readonly<Record<string, (state: FakeState, query: Readonly<Record<string, string>>) => unknown>> = {
  "identity /domains": ({ domains }) => ({ domains, links: { next: null } }),
  "identity /projects": ({ projects }, { domain_id: only }) => ({
    projects: projects
      .filter(({ domain }) => only === undefined || domain === only)
      .map(({ id, name, domain, more }) => ({ id, name, domain_id: domain, enabled: true, ...more })),
    links: { next: null },
  }),
  "compute /os-simple-tenant-usage": listUsage,
  "compute /servers/detail": (state, query) => {
    const alive = state.servers.filter(({ project, endedAt }) => project === query.project_id && endedAt === undefined)
    const { page, links } = pageOf(alive, query, state.maxLimit)
    const servers = page.map(({ id, project, metadata = {} }) => ({ id, tenant_id: project, metadata }))
    return { servers, ...(links.length > 0 ? { servers_links: links } : {}) }
  },
}

function listUsage(state: FakeState, query: Readonly<Record<string, string>>): unknown {
  const [start, end] = [Date.parse(`${query.start}Z`), Date.parse(`${query.end}Z`)]
  if (!(start < end) || start > state.now) throw refused(400)
  const active = state.servers.filter(
    ({ launchedAt, endedAt = Infinity }) => launchedAt < Math.min(end, state.now) && endedAt > start,
  )
  const sorted = active.toSorted((a, b) => compare(a.project, b.project) || compare(a.id, b.id))
  const { page, links } = pageOf(sorted, query, state.maxLimit)
  const usages = [...Map.groupBy(page, ({ project }) => project)].map(([tenant_id, servers]) => ({
    tenant_id,
    server_usages: servers.map((server) => usageOf(server, start, end, state.now)),
    total_hours: servers.reduce((sum, server) => sum + usageOf(server, start, end, state.now).hours, 0),
  }))
  return { tenant_usages: usages, ...(links.length > 0 ? { tenant_usages_links: links } : {}) }
}

function usageOf(server: FakeServer, start: number, end: number, now: number) {
  const { id, project, vcpus, memoryMb, launchedAt, endedAt } = server
  const stop = Math.min(endedAt ?? Infinity, end, now)
  return {
    instance_id: id,
    tenant_id: project,
    name: id,
    hours: (stop - Math.max(start, launchedAt)) / 3_600_000,
    vcpus,
    memory_mb: memoryMb,
    local_gb: 20,
    started_at: dateOf(launchedAt),
    ended_at: endedAt === undefined ? null : dateOf(endedAt),
    state: endedAt === undefined ? "active" : "terminated",
    uptime: Math.floor(((endedAt ?? now) - launchedAt) / 1000),
  }
}

function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  query: Readonly<Record<string, string>>,
  maxLimit: number,
): { readonly page: readonly T[]; readonly links: readonly unknown[] } {
  const { marker } = query
  const after = marker === undefined ? 0 : all.findIndex(({ id }) => id === marker) + 1
  if (marker !== undefined && after === 0) throw refused(400)
  const limit = Math.min(maxLimit, Number(query.limit ?? maxLimit))
  const page = all.slice(after, after + limit)
  const last = page.at(-1)
  // a full page has a next one, even where that is empty; the address is one that must not be used
  const href = `https://behind.proxy.invalid/other?limit=${limit}&marker=${last?.id}&more=1`
  return { page, links: page.length === limit && last !== undefined ? [{ rel: "next", href }] : [] }
}

const dateOf = (moment: number): string => new Date(moment).toISOString().replace("Z", "000")
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
