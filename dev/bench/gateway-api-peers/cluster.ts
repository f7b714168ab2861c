import { setTimeout as wait } from "node:timers/promises"
import { type KubernetesApi, openKubernetes } from "#core/kubernetes/api.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"

/** Objects of a large cluster, as the generator of kube-state-metrics' figures made them: seven series of a route, eleven of a Gateway. */
export const ROUTES_PER_GATEWAY = 100

const resource = (plural: string, kind: string): Resource => ({
  group: "gateway.networking.k8s.io",
  version: "v1",
  plural,
  kind,
})
const HTTP_ROUTES = resource("httproutes", "HTTPRoute")
const GATEWAYS = resource("gateways", "Gateway")
const CONTROLLER = "gateway.example.org/controller"
const AT_ONCE = 16

export const routeName = (index: number): string => `route-${String(index).padStart(6, "0")}`

function condition(type: string, status: string, at: Date, observedGeneration: number) {
  const times = { lastTransitionTime: at.toISOString().replace(/\.\d+/, ""), observedGeneration }
  return { type, status, reason: type, message: `${type} as of now`, ...times }
}

/** The status that a controller writes; `accepted` changes a sample, `at` only the object. */
export function routeStatus(index: number, accepted: boolean, at = new Date(0), reversed = false) {
  const conditions = [
    condition("Accepted", accepted ? "True" : "False", at, 1),
    condition("ResolvedRefs", "True", at, 1),
  ]
  const parentRef = { group: HTTP_ROUTES.group, kind: "Gateway", name: gatewayOf(index), namespace: "default" }
  return {
    parents: [{ controllerName: CONTROLLER, parentRef, conditions: reversed ? conditions.toReversed() : conditions }],
  }
}

const gatewayOf = (index: number): string => `gateway-${Math.floor(index / ROUTES_PER_GATEWAY)}`

export function route(index: number): KubernetesObject & Record<string, unknown> {
  const name = routeName(index)
  return {
    metadata: { name, namespace: "default", labels: { app: name, team: `team-${index % 20}` } },
    spec: {
      parentRefs: [{ group: HTTP_ROUTES.group, kind: "Gateway", name: gatewayOf(index), namespace: "default" }],
      hostnames: [`${name}.example.com`, `${name}.example.org`],
      rules: [{ backendRefs: [{ name: `service-${index}`, port: 8080 }] }],
    },
  }
}

export function gateway(index: number): KubernetesObject & Record<string, unknown> {
  const listener = (name: string, port: number, protocol: string) => ({
    name,
    port,
    protocol,
    hostname: `*.gateway-${index}.example.com`,
    allowedRoutes: { namespaces: { from: "All" } },
  })
  return {
    metadata: { name: `gateway-${index}`, namespace: "default", labels: { team: `team-${index % 20}` } },
    spec: { gatewayClassName: "example", listeners: [listener("http", 80, "HTTP"), listener("http-2", 8080, "HTTP")] },
  }
}

export function gatewayStatus() {
  const conditions = ["Accepted", "Programmed"].map((type) => condition(type, "True", new Date(0), 1))
  const listeners = ["http", "http-2"].map((name) => ({ name, attachedRoutes: 100, supportedKinds: [], conditions }))
  return { addresses: [{ type: "IPAddress", value: "192.0.2.1" }], conditions, listeners }
}

/** Makes so many routes and the Gateways that they are attached to, with statuses. Those that exist stay as they are. */
export async function fillCluster(kubeconfig: string, routes: number, signal: AbortSignal): Promise<void> {
  const api = await openKubernetes({ kubeconfig, env: {} })
  try {
    const gateways = Math.ceil(routes / ROUTES_PER_GATEWAY)
    await each(gateways, (index) => make(api, GATEWAYS, gateway(index), gatewayStatus(), signal))
    await each(routes, (index) => make(api, HTTP_ROUTES, route(index), routeStatus(index, true), signal))
  } finally {
    await api.close()
  }
}

async function make(
  api: KubernetesApi,
  kind: Resource,
  object: KubernetesObject,
  status: object,
  signal: AbortSignal,
): Promise<void> {
  const objects = objectsOf(api, kind)
  const { name, namespace } = object.metadata
  await objects.create(object, signal).catch(ignoreExisting)
  await objects.patch({ name, namespace }, { type: "merge", value: { status } }, signal, { subresource: "status" })
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && /AlreadyExists|exists already/.test(error.message))) throw error
}

/** A few at a time. */
async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Writes statuses at a rate: each of another route, in turns. Resolves with how many were written when `signal` is aborted. */
export async function writeStatuses(
  kubeconfig: string,
  routes: number,
  perSecond: number,
  statusOf: (index: number, round: number) => object,
  signal: AbortSignal,
): Promise<number> {
  const api = await openKubernetes({ kubeconfig, env: {} })
  const objects = objectsOf(api, HTTP_ROUTES)
  let written = 0
  const begin = performance.now()
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      const [index, round] = [written % routes, Math.floor(written / routes)]
      const due = begin + (written++ / perSecond) * 1000
      await wait(Math.max(0, due - performance.now()))
      const value = { status: statusOf(index, round) }
      const address = { name: routeName(index), namespace: "default" }
      await objects
        .patch(address, { type: "merge", value }, signal, { subresource: "status" })
        .catch((error: unknown) => {
          if (!signal.aborted) throw error
        })
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return written
  } finally {
    await api.close()
  }
}
