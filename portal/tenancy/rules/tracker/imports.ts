import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { KubernetesObject, ObjectAddress, Resource } from "#core/kubernetes/resource.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { importsFull, importsUnreadable } from "./errors.ts"
import type { Origin } from "./origin.ts"

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

export const CONFIG_MAPS: Resource<ConfigMap> = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" }

/** Tenants by group, of each namespace of Kubernetes. */
type Known = Map<string, Map<string, Set<TenantId>>>

/** Bytes: the API takes 1 MiB. */
const LARGEST = 1_000_000

/**
 * Which groups Kubernetes has had, so that none is imported again after its resource was deleted. A ConfigMap with a line of
 * JSON for each group, `["group","tenant",…]`, below its namespace: people can read it, and remove what is to be imported anew.
 */
export function openImports(api: KubernetesApi, address: ObjectAddress) {
  const objects = objectsOf(api, CONFIG_MAPS)
  let stored: ConfigMap | undefined
  let known: Known = new Map()
  let queue: Promise<unknown> = Promise.resolve()

  return {
    /** Reads it anew. Throws KubernetesError, and IMPORTS_UNREADABLE. */
    async load(signal: AbortSignal): Promise<void> {
      stored = await objects.get(address, signal)
      known = parse(stored?.data ?? {}, address)
    },
    has: (namespace: string, { tenant, group }: Origin): boolean =>
      known.get(namespace)?.get(group)?.has(tenant) === true,
    /** Adds groups by namespaces of Kubernetes; writes only where one is new. Throws 409 where it was changed since `load`. */
    add(groups: Iterable<readonly [namespace: string, origin: Origin]>, signal: AbortSignal): Promise<void> {
      const adding = queue.then(() => add(groups, signal))
      queue = adding.catch(() => undefined)
      return adding
    },
  }

  async function add(
    groups: Iterable<readonly [namespace: string, origin: Origin]>,
    signal: AbortSignal,
  ): Promise<void> {
    const next = copy(known)
    let isNew = false
    for (const [namespace, { tenant, group }] of groups) {
      const ofNamespace = next.get(namespace) ?? new Map<string, Set<TenantId>>()
      const tenants = ofNamespace.get(group) ?? new Set()
      isNew ||= !tenants.has(tenant)
      next.set(namespace, ofNamespace.set(group, tenants.add(tenant)))
    }
    if (!isNew) return
    const data = Object.fromEntries([...next].map(([namespace, ofNamespace]) => [namespace, print(ofNamespace)]))
    if (Buffer.byteLength(JSON.stringify(data)) > LARGEST) throw importsFull({ name: address.name })
    const { name, namespace = "" } = address
    stored =
      stored === undefined
        ? await objects.create({ metadata: { name, namespace }, data }, signal)
        : await objects.update({ ...stored, data }, signal)
    known = next
  }
}

export type Imports = ReturnType<typeof openImports>

const copy = (known: Known): Known =>
  new Map([...known].map(([namespace, groups]) => [namespace, new Map([...groups].map(([g, t]) => [g, new Set(t)]))]))

const print = (groups: ReadonlyMap<string, ReadonlySet<TenantId>>): string =>
  [...groups]
    .map(([group, tenants]) => `${JSON.stringify([group, ...[...tenants].toSorted()])}\n`)
    .toSorted()
    .join("")

function parse(data: Readonly<Record<string, string>>, { name }: ObjectAddress): Known {
  const known: Known = new Map()
  for (const [namespace, text] of Object.entries(data)) {
    const groups = new Map<string, Set<TenantId>>()
    known.set(namespace, groups)
    for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
      const [group, ...tenants] = textsOf(line) ?? []
      if (group === undefined) throw importsUnreadable({ name, namespace, line: line.slice(0, 60) })
      groups.set(group, new Set(tenants as TenantId[]))
    }
  }
  return known
}

function textsOf(line: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) && value.every((part) => typeof part === "string") ? value : undefined
  } catch {
    return undefined
  }
}
