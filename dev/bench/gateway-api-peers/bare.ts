import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { listObjects } from "#core/kubernetes/list.ts"
import { watchSince } from "#core/kubernetes/watch.ts"
import type { Resource } from "#core/kubernetes/resource.ts"

/**
 * What reading costs alone: the same requests, whose objects are parsed and dropped. It lists once and then on each request,
 * to which it responds with the milliseconds; with "watch" as second argument it also follows all changes.
 */
const [, , kubeconfig = "", mode] = process.argv
const KINDS = [
  ["httproutes", "HTTPRoute"],
  ["gateways", "Gateway"],
] as const

const api = await openKubernetes({ kubeconfig, env: {} })
const { signal } = new AbortController()
let events = 0

async function list(): Promise<readonly string[]> {
  return Promise.all(KINDS.map(([plural, kind]) => listObjects(api, scopeOf(plural, kind), () => undefined, signal)))
}

function scopeOf(plural: string, kind: string): { readonly resource: Resource } {
  return { resource: { group: "gateway.networking.k8s.io", version: "v1", plural, kind } }
}

async function follow([plural, kind]: (typeof KINDS)[number], version: string): Promise<void> {
  const options = { opened: () => undefined, silence: 600 }
  for await (const { type } of watchSince(api, scopeOf(plural, kind), version, signal, options)) {
    if (type !== "BOOKMARK") events++
  }
}

const versions = await list()
if (mode === "watch") KINDS.forEach((kind, index) => void follow(kind, versions[index] ?? ""))

const server = createServer((request, response) => {
  if (request.url === "/events") return void response.end(String(events))
  const begin = performance.now()
  return void list().then(() => response.end(String(performance.now() - begin)))
}).listen(0, "127.0.0.1", () => process.stdout.write(`listed, port ${(server.address() as AddressInfo).port}\n`))
process.once("SIGTERM", () => process.exit())
