import type { OpaTarget } from "../target.ts"
import type { Port, Slice } from "./slice.ts"

/** Of two addresses of a pod the first in this order is used. */
const ADDRESS_TYPES = ["IPv4", "IPv6", "FQDN"]

/**
 * Every pod of each service once, though slices overlap while they are rewritten, and a pod of two address families is
 * in two of them. A pod is ready if it is in any slice: where a name is used again, that is the newer pod. Services with
 * pods that lack the port `wanted` are the faults.
 */
export function podsIn(slices: readonly Slice[], namespace: string, wanted: string | undefined) {
  const pods = new Map<string, OpaTarget>()
  const lacking: Slice[] = []
  for (const slice of inOrder(slices)) {
    const { service, ports, endpoints } = slice
    const port = choose(ports, wanted)
    if (port === undefined) {
      lacking.push(slice)
      continue
    }
    for (const { address, pod = address, node, ready } of endpoints) {
      const key = `${service}/${pod}`
      const before = pods.get(key)
      if (before !== undefined && (before.ready || !ready)) continue
      const found = { pod, node, namespace, service, address, port: port.port, scheme: schemeOf(port), path: "", ready }
      pods.set(key, found)
    }
  }
  const targets = [...pods.values()].toSorted(byNames)
  const unread = lacking.filter(({ service, endpoints }) =>
    endpoints.some(({ address, pod = address }) => !pods.has(`${service}/${pod}`)),
  )
  const faults = [...Map.groupBy(unread, ({ service }) => service)].map(([service, without]) => {
    const some = targets.some((target) => target.service === service) ? " for some of its pods" : ""
    if (wanted === undefined) return `The service ${service} has no port${some}: name one by its number.`
    const ports = without.flatMap((slice) => slice.ports)
    const has = new Set(ports.map(({ name, port }) => (name === "" ? String(port) : `${name} (${port})`)))
    return `The service ${service} has no port ${wanted}${some}; it has: ${[...has].join(", ") || "none"}.`
  })
  return { targets, faults }
}

function inOrder(slices: readonly Slice[]): readonly Slice[] {
  return slices.toSorted((a, b) => ADDRESS_TYPES.indexOf(a.addressType) - ADDRESS_TYPES.indexOf(b.addressType))
}

function byNames(a: OpaTarget, b: OpaTarget): number {
  return compare(a.service, b.service) || compare(a.pod, b.pod)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A number need not be among the ports of the service: pods may listen on others too. */
function choose(ports: readonly Port[], wanted: string | undefined): Port | undefined {
  if (wanted === undefined) return ports[0]
  const named = ports.find(({ name }) => name === wanted)
  if (named !== undefined || !/^\d+$/.test(wanted)) return named
  const port = Number(wanted)
  return ports.find((one) => one.port === port) ?? { name: "", port, appProtocol: "" }
}

/** From appProtocol or else the port's name: `https`, `https-opa`. */
function schemeOf({ appProtocol, name }: Port): OpaTarget["scheme"] {
  const [, scheme] = /^(https?)(?:-|$)/i.exec(appProtocol === "" ? name : appProtocol) ?? []
  return scheme === undefined ? undefined : scheme.toLowerCase() === "https" ? "https" : "http"
}
