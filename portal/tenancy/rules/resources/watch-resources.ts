import { type Closable, closeAll } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"
import { type Change, type Watched, watchObjects } from "#core/kubernetes/watch-objects.ts"
import type { Logger } from "#core/log/logger.ts"
import { OPEN_METRICS_RULES } from "../../tenants/open-metrics-rule.ts"
import { DIRECTION, FORCE_DELETE, hasFinalizer, type RuleResource } from "./rule-resource.ts"
import type { ResourceSnapshot, ResourceSource } from "./source.ts"
import { isStatusLost } from "./status.ts"

/** Namespaces by name, all of them, or those with labels. */
export type NamespaceScope = readonly string[] | "all" | { readonly labelSelector: string }

export const RULE_RESOURCES: Resource<RuleResource> = OPEN_METRICS_RULES
const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" }

export interface WatchedResources extends ResourceSource, Closable {
  /** Whether its resources are read. */
  isWatched(namespace: string): boolean
  /** Resolves when every watch has its first list, or a problem. Never rejects. */
  readonly first: Promise<void>
}

/** Keeps the resources of the scope up to date until closed, through every failure. */
export function watchResources(api: KubernetesApi, scope: NamespaceScope, log: Logger): WatchedResources {
  const listeners = new Set<() => void>()
  let snapshot: ResourceSnapshot | undefined
  const notify = (): void => {
    snapshot = undefined
    for (const listener of listeners) listener()
  }

  const watches = new Map<string, Watched<RuleResource>>()
  const watchRules = (namespace: string | undefined): void => {
    let isOutdated = false
    watches.set(
      namespace ?? "",
      watchObjects(api, {
        resource: RULE_RESOURCES,
        namespace,
        log,
        keep,
        changed(change) {
          snapshot = undefined
          isOutdated ||= isRelevant(change)
        },
        listed: () => (isOutdated = true),
        confirmed() {
          if (isOutdated) notify()
          isOutdated = false
        },
        problemChanged: notify,
      }),
    )
  }
  let namespaces: Watched<true> | undefined
  if (typeof scope === "string" || "labelSelector" in scope) watchRules(undefined)
  else for (const namespace of scope) watchRules(namespace)
  if (typeof scope !== "string" && "labelSelector" in scope) {
    let isOutdated = false
    namespaces = watchObjects(api, {
      resource: NAMESPACES,
      labelSelector: scope.labelSelector,
      log,
      keep: (): true => true,
      changed: () => (isOutdated = true),
      listed: () => (isOutdated = true),
      confirmed() {
        if (isOutdated) notify()
        isOutdated = false
      },
      problemChanged: notify,
    })
  }

  const read = (): ResourceSnapshot => {
    const incomplete = new Map<string, string>()
    const note = (namespace: string, watched: Watched<unknown>): void => {
      const reason = watched.problem()
      if (reason !== undefined) incomplete.set(namespace, explain(reason))
      else if (watched.objects() === undefined) incomplete.set(namespace, "its resources are being listed")
    }
    const [resources, outside] = [new Map<string, RuleResource>(), new Map<string, RuleResource>()]
    const left = new Map<string, RuleResource[]>()
    for (const [namespace, watched] of watches) {
      note(namespace, watched)
      for (const [key, resource] of watched.objects() ?? []) {
        const { namespace: of = "", deletionTimestamp } = resource.metadata
        if (isWatched(of)) resources.set(key, resource)
        else if (hasFinalizer(resource)) {
          const guarded = left.get(of) ?? []
          left.set(of, guarded)
          guarded.push(resource)
          if (deletionTimestamp !== undefined) outside.set(key, resource)
        }
      }
    }
    if (namespaces !== undefined) note("", namespaces)
    return { resources, incomplete, outside, left }
  }
  const isWatched = (namespace: string): boolean => {
    if (namespaces !== undefined) return namespaces.objects()?.has(`/${namespace}`) === true
    return watches.has("") || watches.has(namespace)
  }
  const all = [...watches.values(), ...(namespaces === undefined ? [] : [namespaces])]
  return {
    snapshot: () => (snapshot ??= read()),
    isWatched,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    first: Promise.all(all.map(({ first }) => first)).then(() => undefined),
    close: () => closeAll(all),
  }
}

/** What is read of it: the rest, such as managedFields and the last applied configuration, can be as large as all else. */
function keep({ metadata, spec, status }: RuleResource): RuleResource {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = metadata
  const { finalizers, annotations = {} } = metadata
  const kept = Object.entries(annotations).filter(([key]) => key.startsWith(OWN))
  return {
    metadata: {
      ...{ name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, finalizers },
      annotations: Object.fromEntries(kept),
    } as KubernetesObject["metadata"],
    ...(spec && { spec }),
    ...(status && { status }),
  }
}

const OWN = "fedstack.dev/"

/** Whether a change can change what is to be done: those of the status, which are mostly our own, cannot, but its removal. */
function isRelevant(change: Change<RuleResource>): boolean {
  if (change.type !== "modified") return true
  const { before, after } = change
  return fingerprint(before) !== fingerprint(after) || isStatusLost(before.status, after.status)
}

function fingerprint({ metadata }: RuleResource): string {
  const { uid, generation, deletionTimestamp, annotations } = metadata
  return JSON.stringify([uid, generation, deletionTimestamp, annotations?.[DIRECTION], annotations?.[FORCE_DELETE]])
}
