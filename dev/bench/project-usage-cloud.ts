import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A Keystone and a Nova that list many projects with five servers each, page by page. Prints its port. */
const projects = Number(process.argv[2])
const SERVERS = 5
const PAGE = 1000
const START = Date.UTC(2025, 0, 1)
const HOUR = 3_600_000
const idOf = (project: number): string => project.toString(16).padStart(32, "0")
const serverOf = (index: number): string => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`
const dateOf = (moment: number): string => new Date(moment).toISOString().replace("Z", "000")

function usagePage(query: URLSearchParams): unknown {
  const marker = query.get("marker")
  const first = marker === null ? 0 : Number.parseInt(marker.slice(-12), 16) + 1
  const last = Math.min(projects * SERVERS, first + PAGE)
  const [start, end] = [Date.parse(`${query.get("start")}Z`), Date.parse(`${query.get("end")}Z`)]
  const usages = new Map<number, unknown[]>()
  for (let index = first; index < last; index += 1) {
    const project = Math.trunc(index / SERVERS)
    const launched = START + (index % 700) * HOUR
    const servers = usages.get(project) ?? []
    usages.set(project, servers)
    servers.push({
      instance_id: serverOf(index),
      tenant_id: idOf(project),
      name: `group-${project}-server-${index % SERVERS}`,
      flavor: "medium",
      hours: (end - Math.max(start, launched)) / HOUR,
      vcpus: 2 ** (index % 6),
      memory_mb: 4096 * 2 ** (index % 6),
      local_gb: 20,
      started_at: dateOf(launched),
      ended_at: null,
      state: "active",
      uptime: Math.floor((Date.now() - launched) / 1000),
    })
  }
  const href = `http://localhost/os-simple-tenant-usage?limit=${PAGE}&marker=${serverOf(last - 1)}`
  return {
    tenant_usages: [...usages].map(([project, server_usages]) => ({ tenant_id: idOf(project), server_usages })),
    ...(last - first === PAGE ? { tenant_usages_links: [{ rel: "next", href }] } : {}),
  }
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "", `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const endpoint = (path: string) => [{ interface: "public", region_id: "RegionOne", url: `${url.origin}${path}` }]
  const send = (body: unknown): void =>
    void response.setHeader("content-type", "application/json").end(JSON.stringify(body))
  if (url.pathname === "/v3/auth/tokens") {
    response.writeHead(201, { "x-subject-token": "a-token", "content-type": "application/json" })
    const catalog = [
      { type: "identity", endpoints: endpoint("/v3") },
      { type: "compute", endpoints: endpoint("/v2.1") },
    ]
    const [issued_at, expires_at] = [Date.now(), Date.now() + HOUR].map((at) => new Date(at).toISOString())
    response.end(JSON.stringify({ token: { issued_at, expires_at, catalog } }))
  } else if (url.pathname === "/v3/domains") {
    send({ domains: [{ id: "d", name: "elixir" }], links: { next: null } })
  } else if (url.pathname === "/v3/projects") {
    const list = Array.from({ length: projects }, (_, index) => ({
      id: idOf(index),
      name: `group-${index}`,
      domain_id: "d",
      description: "",
      enabled: true,
      parent_id: "d",
      is_domain: false,
      tags: [],
      options: {},
    }))
    send({ projects: list, links: { next: null } })
  } else {
    response.setHeader("openstack-api-version", String(request.headers["openstack-api-version"]))
    send(usagePage(url.searchParams))
  }
})
server.listen(0, "127.0.0.1", () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`))
