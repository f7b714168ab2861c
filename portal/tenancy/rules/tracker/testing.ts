import { createHash } from "node:crypto"
import { Wrong } from "#core/config/settings.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import type { JsonOperation } from "#core/kubernetes/objects.ts"
import { keyOf, type KubernetesObject, type KubernetesRequest } from "#core/kubernetes/resource.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSource } from "../resources/source.ts"
import { parseNamespaceTemplate } from "../updater/namespace-template.ts"
import type { World } from "../updater/world.testing.ts"
import { createCycle, type CycleOptions } from "./cycle.ts"
import { parseDirection } from "./directions.ts"
import { openImports } from "./imports.ts"
import { inverseOf } from "./kubernetes-namespace.ts"
import { createWriter } from "./write.ts"

/** Of what it holds, so that it differs after every change. */
const versionOf = (object: object): string => createHash("sha1").update(JSON.stringify(object)).digest("hex")

const withVersion = <T extends KubernetesObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: versionOf(object) },
})

type Written = KubernetesObject & { readonly spec?: object; readonly data?: object }

/** The Kubernetes API of a world, as the tracker uses it. */
export class FakeKubernetes {
  readonly world: World
  readonly namespaces = new Set(["x", "y", "own"])
  readonly configMaps = new Map<string, KubernetesObject>()
  /** Verb, kind and key of each write that was done. */
  readonly writes: string[] = []
  /** Asked at each request: whether it fails, before or after it was done. */
  happens: () => "before" | "after" | undefined = () => undefined
  #created = 0

  constructor(world: World) {
    this.world = world
  }

  source(): ResourceSource {
    const inner = this.world.source()
    return {
      ...inner,
      snapshot: () => {
        const { resources, incomplete } = inner.snapshot()
        return { resources: new Map([...resources].map(([key, one]) => [key, withVersion(one)])), incomplete }
      },
    }
  }

  readonly api: KubernetesApi = {
    namespace: "own",
    send: async (request) => {
      await Promise.resolve()
      const happening = this.happens()
      if (happening === "before") throw new KubernetesError("the API is away", 0)
      const result = this.#respond(request)
      this.world.deliver()
      if (happening === "after") throw new KubernetesError("the response was lost", 0)
      return withVersion(result)
    },
    stream: () => Promise.reject(new Error("no watches here")),
    close: () => Promise.resolve(),
  }

  /** What a person does to a resource. */
  edit(key: string, spec: NonNullable<RuleResource["spec"]>): void {
    const resource = this.world.resources.get(key)
    if (resource === undefined) return
    const metadata = { ...resource.metadata, generation: (resource.metadata.generation ?? 0) + 1 }
    this.world.resources.set(key, { ...resource, metadata, spec })
    this.world.deliver()
  }

  #respond({ verb, path, body }: KubernetesRequest): KubernetesObject {
    const [, namespace = "", plural = "", last] = /\/namespaces\/([^/]+)\/([^/]+)(?:\/(.+))?$/.exec(path) ?? []
    const stored: Map<string, KubernetesObject> = plural === "configmaps" ? this.configMaps : this.world.resources
    const given = (body?.value ?? {}) as Written
    const name = last ?? given.metadata.name
    const key = `${namespace}/${name}`
    const before = stored.get(key)
    if (verb === "create") {
      if (!this.namespaces.has(namespace))
        throw new KubernetesError(`no namespace ${namespace}`, 404, { details: { name: namespace } })
      if (before !== undefined) throw new KubernetesError("exists", 409, { reason: "AlreadyExists" })
      this.#created += 1
      const created = { uid: `tracker-${this.#created}`, generation: 1, creationTimestamp: `2030-${this.#created}` }
      return this.#store(stored, verb, { ...given, metadata: { ...given.metadata, ...created } })
    }
    if (before === undefined) throw new KubernetesError("not found", 404, { details: { name } })
    if (verb === "get") return before
    if (Array.isArray(body?.value)) return this.#patch(key, before, body.value as readonly JsonOperation[])
    const { uid, resourceVersion } =
      verb === "delete"
        ? (given as unknown as { preconditions: KubernetesObject["metadata"] }).preconditions
        : given.metadata
    if ((uid ?? before.metadata.uid) !== before.metadata.uid || resourceVersion !== versionOf(before))
      throw new KubernetesError("conflict", 409, { reason: "Conflict" })
    if (verb === "delete") {
      this.writes.push(`delete ${key}`)
      this.world.delete(key)
      return before
    }
    if (verb === "update") return this.#store(stored, verb, { ...given, metadata: before.metadata })
    const annotations = Object.entries({ ...before.metadata.annotations, ...given.metadata.annotations })
    const kept = Object.fromEntries(annotations.filter(([, value]) => (value as string | null) !== null))
    const isEdit = given.spec !== undefined && versionOf(given.spec) !== versionOf((before as Written).spec ?? {})
    const generation = (before.metadata.generation ?? 1) + (isEdit ? 1 : 0)
    const changed = given.spec === undefined ? {} : { spec: given.spec }
    const metadata = { ...before.metadata, annotations: kept, generation }
    return this.#store(stored, verb, { ...before, ...changed, metadata })
  }

  /** Of finalizers alone. */
  #patch(key: string, { metadata }: KubernetesObject, operations: readonly JsonOperation[]): KubernetesObject {
    const { path = "" } = operations.find(({ op }) => op === "remove") ?? {}
    const finalizers = (metadata.finalizers ?? []).filter((_, index) => path !== `/metadata/finalizers/${index}`)
    const next = { ...this.world.resources.get(key), metadata: { ...metadata, finalizers } }
    this.writes.push(`patch ${key}`)
    this.world.resources.set(key, next)
    if (finalizers.length === 0 && metadata.deletionTimestamp !== undefined) this.world.resources.delete(key)
    return next
  }

  #store(stored: Map<string, KubernetesObject>, verb: string, object: KubernetesObject): KubernetesObject {
    stored.set(keyOf(object), structuredClone(object))
    this.writes.push(`${verb} ${keyOf(object)}`)
    return object
  }
}

export const directions = (...texts: readonly string[]) =>
  texts.map((text) => {
    const direction = parseDirection(text)
    if (direction instanceof Wrong) throw new Error(direction.reason)
    return direction
  })

/** A cycle of a process that has just begun. */
export function cycleIn(kubernetes: FakeKubernetes, of: readonly string[], options: Partial<CycleOptions> = {}) {
  const { world, api } = kubernetes
  const template = parseNamespaceTemplate("{namespace}")
  const namespaceOf = template instanceof Wrong ? undefined : inverseOf(template)
  if (template instanceof Wrong || namespaceOf === undefined) throw new Error("the template")
  const run = createCycle({
    ...{ template, namespaceOf, maxDeletes: 50 },
    directions: directions(...of),
    rulers: world.rulers.map((name) => world.ruler(name)),
    source: kubernetes.source(),
    isWatched: (namespace) => namespace !== "unwatched",
    imports: openImports(api, { namespace: "own", name: "imports" }),
    writer: createWriter(api, true),
    wrote: () => undefined,
    saw: () => undefined,
    ...options,
  })
  return () => run(new AbortController().signal)
}

/** The groups of all resources. */
export const shown = (world: World): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...world.resources].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, one.spec?.groups]),
  )
