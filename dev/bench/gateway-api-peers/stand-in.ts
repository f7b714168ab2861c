import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gateway, gatewayStatus, route, ROUTES_PER_GATEWAY, routeStatus } from "./cluster.ts"

/**
 * A stand-in for an API with so many routes and their Gateways, which makes each page as it is requested: a real one takes an
 * hour to fill with 100,000, and cannot be made to send 500 changes a second beside what measures it. Its objects have the
 * fields and so the size of a real one's. `GET /storm?perSecond=N&change=timestamp|order|value` sends changes to all watches.
 */
const routes = Number(process.argv[2])
const GROUP = "gateway.networking.k8s.io"
const VERSION = 1_000_000

const watches = new Set<ServerResponse>()
let sent = 0
let storm: NodeJS.Timeout | undefined

const managed = (fields: object, subresource?: string) => ({
  apiVersion: `${GROUP}/v1`,
  fieldsType: "FieldsV1",
  fieldsV1: fields,
  manager: "fedstack",
  operation: "Update",
  ...(subresource === undefined ? {} : { subresource }),
  time: "2026-11-30T06:25:34Z",
})

function objectOf(kind: string, index: number, version: number, status: object): string {
  const { metadata, spec } = kind === "Gateway" ? gateway(index) : route(index)
  return JSON.stringify({
    apiVersion: `${GROUP}/v1`,
    kind,
    metadata: {
      creationTimestamp: "2026-11-30T06:25:34Z",
      generation: 1,
      labels: metadata.labels,
      managedFields: [
        managed({
          "f:metadata": { "f:labels": { ".": {}, "f:app": {}, "f:team": {} } },
          "f:spec": { ".": {}, "f:hostnames": {}, "f:parentRefs": {}, "f:rules": {} },
        }),
        managed({ "f:status": { ".": {}, "f:parents": {} } }, "status"),
      ],
      name: metadata.name,
      namespace: metadata.namespace,
      resourceVersion: String(version),
      uid: `a41fef8f-c5c7-43d4-8c08-${String(index).padStart(12, "0")}`,
    },
    spec,
    status,
  })
}

/** In the order of the keys in etcd, as a real API lists them. */
const gatewayOrder = Array.from({ length: Math.ceil(routes / ROUTES_PER_GATEWAY) }, (_, index) => index).toSorted(
  (a, b) => (`gateway-${a}` < `gateway-${b}` ? -1 : 1),
)

function page(plural: string, from: number, limit: number): string {
  const all = plural === "gateways" ? gatewayOrder.length : plural === "httproutes" ? routes : 0
  const indexes = Array.from({ length: Math.min(limit, all - from) }, (_, at) => from + at)
  const items = indexes.map((index) => {
    if (plural === "httproutes") return objectOf("HTTPRoute", index, index, routeStatus(index, true))
    return objectOf("Gateway", gatewayOrder[index] ?? 0, index, gatewayStatus())
  })
  const next = from + limit < all ? `,"continue":"${from + limit}"` : ""
  return `{"apiVersion":"${GROUP}/v1","items":[${items.join()}],"kind":"List","metadata":{"resourceVersion":"${VERSION}"${next}}}`
}

const STATUSES = {
  timestamp: (index: number, round: number) => routeStatus(index, true, new Date(round * 1000)),
  order: (index: number, round: number) => routeStatus(index, true, new Date(0), round % 2 === 0),
  value: (index: number, round: number) => routeStatus(index, round % 2 === 1),
}

function begin(perSecond: number, statusOf: (index: number, round: number) => object): void {
  clearInterval(storm)
  const [at, before] = [performance.now(), sent]
  if (perSecond === 0) return
  storm = setInterval(() => {
    const due = before + Math.floor(((performance.now() - at) / 1000) * perSecond)
    for (; sent < due; sent++) {
      // 7919 is prime to the sizes: changes are spread over all routes, as those of controllers are
      const [index, round] = [(sent * 7919) % routes, Math.floor(sent / routes)]
      const line = `{"type":"MODIFIED","object":${objectOf("HTTPRoute", index, VERSION + sent, statusOf(index, round))}}\n`
      for (const response of watches) response.write(line)
    }
  }, 20)
}

const server = createServer((request, response) => {
  const { pathname, searchParams: query } = new URL(request.url ?? "", "http://api")
  const json = (text: string, status = 200): void =>
    void response.writeHead(status, { "content-type": "application/json" }).end(text)
  if (pathname === "/storm") {
    begin(Number(query.get("perSecond")), STATUSES[query.get("change") as keyof typeof STATUSES])
    return json(String(sent))
  }
  const [, , group, version, plural = ""] = pathname.split("/")
  if (group !== GROUP) return json('{"kind":"Status","message":"not found"}', 404)
  if (version === undefined) return json('{"versions":[{"version":"v1"}],"preferredVersion":{"version":"v1"}}')
  if (plural === "") {
    const kinds = { gateways: "Gateway", httproutes: "HTTPRoute" }
    return json(
      JSON.stringify({ resources: Object.entries(kinds).map(([name, kind]) => ({ name, kind, namespaced: true })) }),
    )
  }
  if (!query.has("watch")) return json(page(plural, Number(query.get("continue") ?? 0), Number(query.get("limit"))))
  response.flushHeaders()
  if (plural !== "httproutes") return undefined
  watches.add(response)
  response.once("close", () => watches.delete(response))
  return undefined
}).listen(0, "127.0.0.1", () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`))
process.once("SIGTERM", () => process.exit())
