import type { IncomingMessage, ServerResponse } from "node:http"
import type { TestContext } from "node:test"
import { text } from "node:stream/consumers"
import { serveApi } from "#core/kubernetes/testing.ts"
import { keyOf, type KubernetesObject } from "#core/kubernetes/resource.ts"
import { type Body, plain } from "../../body.ts"
import { KINDS } from "./kinds/all.ts"
import type { Scope } from "./scope.ts"

export interface FakeObject extends KubernetesObject {
  readonly [field: string]: unknown
}

/** The plurals that each version of each group serves: `{"gateway.networking.k8s.io": {v1: ["gateways"]}}`. */
export type Serves = Record<string, Record<string, readonly string[]>>

/** Handles a request in place of the cluster, or returns false. */
type Intercept = (
  request: { readonly path: string; readonly query: URLSearchParams },
  response: ServerResponse,
) => boolean

/** A cluster by hand, for what a real one cannot be made to do at will. */
export async function fakeCluster(t: TestContext, serves: Serves, user?: object) {
  const objects = new Map<string, Map<string, FakeObject>>()
  const watches = new Set<{ readonly path: string; readonly response: ServerResponse }>()
  const requests: string[] = []
  const served = { ...serves }
  const open = new Set<ServerResponse>()
  const hooks: { intercept: Intercept } = { intercept: () => false }
  let version = 10

  const send = (plural: string, event: object, object: FakeObject): void => {
    for (const { path, response } of watches) {
      const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? []
      if (path.split("/").at(-1) !== plural || (namespace ?? object.metadata.namespace) !== object.metadata.namespace)
        continue
      response.write(`${JSON.stringify({ ...event, object })}\n`)
    }
  }
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "", "http://api")
    requests.push(`${query.has("watch") ? "watch" : "get"} ${path}`)
    open.add(response)
    response.once("close", () => open.delete(response))
    if (hooks.intercept({ path, query }, response)) return
    const [, , group = "", groupVersion, ...rest] = path.split("/")
    const json = (status: number, value: object): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
    const versions = served[group] ?? {}
    const plural = rest.at(-1)
    if (groupVersion === undefined) {
      const all = Object.keys(versions).map((each) => ({ version: each }))
      if (all.length === 0) return json(404, { kind: "Status", message: "not found" })
      return json(200, { versions: all, preferredVersion: all[0] })
    }
    if (plural === undefined)
      return json(200, {
        resources: (versions[groupVersion] ?? []).map((name) => ({ name, kind: name, namespaced: true })),
      })
    if (versions[groupVersion]?.includes(plural) !== true)
      return json(404, { kind: "Status", message: "the server could not find the requested resource" })
    if (query.has("watch")) {
      response.flushHeaders()
      const watch = { path, response }
      watches.add(watch)
      response.once("close", () => watches.delete(watch))
      return undefined
    }
    const namespace = rest[0] === "namespaces" ? rest[1] : undefined
    const items = [...(objects.get(plural) ?? new Map<string, FakeObject>())]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
    return json(200, { metadata: { resourceVersion: String(version) }, items })
  }
  const api = await serveApi(t, respond, user)

  return {
    api,
    requests,
    served,
    /** How many watches are open. */
    watching: () => watches.size,
    intercept: (intercept: Intercept) => void (hooks.intercept = intercept),
    put(plural: string, given: FakeObject): void {
      const object = { ...given, metadata: { ...given.metadata, resourceVersion: String(++version) } }
      const all = objects.get(plural) ?? new Map<string, FakeObject>()
      const type = all.has(keyOf(object)) ? "MODIFIED" : "ADDED"
      objects.set(plural, all.set(keyOf(object), object))
      send(plural, { type }, object)
    },
    remove(plural: string, key: string): void {
      const object = objects.get(plural)?.get(key)
      objects.get(plural)?.delete(key)
      if (object !== undefined) send(plural, { type: "DELETED" }, object)
    },
    bookmark(plural: string): void {
      send(plural, { type: "BOOKMARK" }, { metadata: { name: "", resourceVersion: String(++version) } })
    },
    /** Ends every request that has no response yet. */
    dropConnections(): void {
      for (const response of open) if (!response.headersSent) response.destroy()
    },
    /** Ends every watch, as an API does that stops. */
    endWatches(): void {
      for (const { response } of watches) response.destroy()
    },
  }
}

/** An exposition without the metrics of the exporter itself, of which modes have different ones. */
export async function objectsIn(collected: { readonly families: Body }): Promise<string> {
  const lines = (await exposed(collected)).split(/(?<=\n)/)
  return lines.filter((line) => !/^(?:# \w+ )?gateway_metrics_/.test(line)).join("")
}

export function exposed({ families }: { readonly families: Body }): Promise<string> {
  return text(plain(families, Buffer.alloc(0)))
}

export function gateway(name: string, accepted: string, namespace = "infra"): FakeObject {
  const condition = {
    type: "Accepted",
    status: accepted,
    reason: "Accepted",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  }
  return { metadata: { name, namespace }, spec: { gatewayClassName: "c" }, status: { conditions: [condition] } }
}

/** Everything of the kinds that such a cluster serves. */
export function scopeOfAll(serves: Serves): Scope {
  const served = Object.values(serves).flatMap((versions) => Object.values(versions).flat())
  return {
    kinds: KINDS.filter(({ plural }) => served.includes(plural)),
    namespaces: [],
    labelAllowed: () => true,
    isOurs: () => true,
    versionLabel: (_, version) => version,
  }
}
