import { keyOf, type KubernetesObject } from "#core/kubernetes/resource.ts"
import type { Choice } from "./family.ts"
import type { Kind } from "./kind.ts"
import { type Exported, renderer } from "./render.ts"
import { createStore, type Store } from "./store.ts"
import type { Target } from "./targets.ts"

/** What of the cluster is exported. */
export interface Scope extends Choice {
  readonly kinds: readonly Kind[]
  /** None: all of them, and one request for them. */
  readonly namespaces: readonly string[]
  /** Whether this replica exports the object. */
  readonly isOurs: (key: string) => boolean
  /** The label `customresource_version`, where it is to be another one than that of the request. */
  readonly versionLabel: (kind: string, served: string) => string
}

/** One list or watch for each of these; undefined is all namespaces, or none for kinds without. */
export function namespacesOf({ namespaces }: Scope, { namespaced }: Target): readonly (string | undefined)[] {
  return namespaced && namespaces.length > 0 ? namespaces : [undefined]
}

export interface Filled {
  readonly exported: Exported
  readonly store: Store
  /** Renders an object and puts it in. Whether anything changed by that. */
  readonly put: (object: KubernetesObject) => boolean
}

/** An empty store for the objects of a kind. */
export function createFilled({ kind, group }: Target, version: string, scope: Scope): Filled {
  const exported = { kind, group, families: kind.families, version: scope.versionLabel(kind.kind, version) }
  const [store, render] = [createStore(kind.families.length), renderer(exported, scope)]
  return {
    exported,
    store,
    put(object) {
      const key = keyOf(object)
      return scope.isOurs(key) && store.put(key, render(object))
    },
  }
}
