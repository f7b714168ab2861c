import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Closable } from "#core/closable.ts"

const SERIES = 20

/** Simulated sites on one port, each below a path of its own. */
export interface Sites extends Closable {
  /** The entries of sites.yaml: as many as there are. */
  readonly yaml: string
  /** Sites that respond with 403 from now on, by index; and those that do not respond. */
  readonly broken: Set<number>
  readonly hanging: Set<number>
}

export async function startSites(count: number): Promise<Sites> {
  const [broken, hanging] = [new Set<number>(), new Set<number>()]
  const respond = (index: number, response: ServerResponse): void => {
    if (hanging.has(index)) return
    const type = { "content-type": "text/plain; version=0.0.4; charset=utf-8" }
    if (broken.has(index)) response.writeHead(403, type).end("The selector is not shared with portal.\n")
    else response.writeHead(200, type).end(exposition())
  }
  const server = createServer((request, response) => {
    respond(Number(/^\/s(\d+)\//.exec(request.url ?? "")?.[1] ?? -1), response)
  }).listen(0, "127.0.0.1")
  server.keepAliveTimeout = 120_000
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const entry = (_: unknown, index: number): string =>
    `  - {name: site-${index}, url: "http://127.0.0.1:${port}/s${index}", labels: {location: city-${index}}, interval: 10s, timeout: 5s, token: {file: token}}\n`
  return {
    yaml: `sites:\n${Array.from({ length: count }, entry).join("")}`,
    broken,
    hanging,
    async close() {
      server.closeAllConnections()
      await once(server.close(), "close")
    },
  }
}

function exposition(): string {
  const at = Date.now()
  const line = (_: unknown, index: number): string =>
    `project_vcpu_usage{job="project_usages",instance="",project_name="p${index}"} ${index} ${at}\n`
  return Array.from({ length: SERIES }, line).join("")
}
