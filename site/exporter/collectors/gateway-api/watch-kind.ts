import { closeAll } from "#core/closable.ts"
import type { Logger } from "#core/log/logger.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import type { Resource } from "#core/kubernetes/resource.ts"
import { watchObjects } from "#core/kubernetes/watch-objects.ts"
import { createFilled, type Filled, namespacesOf, type Scope } from "./scope.ts"
import type { KindState, WatchState } from "./status.ts"
import type { Target } from "./targets.ts"

export interface WatchContext {
  readonly api: KubernetesApi
  readonly scope: Scope
  readonly now: () => Date
  readonly log: Logger
}

export type WatchedKind = ReturnType<typeof watchKind>

/**
 * Follows one kind, in all namespaces that are wanted. `gone` is called where it may no longer be served. `before` is
 * exported until it is listed: what another version of it left.
 */
export function watchKind(
  context: WatchContext,
  target: Target,
  resource: Resource,
  gone: () => void,
  before: readonly Filled[],
) {
  const all = namespacesOf(context.scope, target).map((namespace) =>
    watchNamespace(context, target, resource, namespace, gone),
  )
  let left = before
  return {
    version: resource.version,
    /** Of the lists that are complete. */
    sources(): readonly Filled[] {
      const own = all.filter(({ watched }) => watched.objects() !== undefined).map(({ filled }) => filled)
      if (own.length > 0) left = []
      return own.length > 0 ? own : left
    },
    state(): Pick<KindState, "problem"> & { readonly watch: WatchState } {
      const problem =
        all.map(({ watched }) => watched.problem()).find((each) => each !== undefined) ??
        (all.every(({ watched }) => watched.objects() !== undefined) ? undefined : notYet())
      const isOpen = problem === undefined
      const times = all.map(({ confirmed }) => confirmed()).filter((time) => time !== undefined)
      const confirmed = times.length === all.length ? Math.min(...times) : undefined
      const [changed, read] = [sum(all.map(({ changes }) => changes())), sum(all.map(({ reads }) => reads()))]
      return { problem, watch: { isOpen, confirmed, changed, unchanged: read - changed } }
    },
    /** Whether each list was read, or failed, once. */
    tried: () => all.every(({ watched }) => watched.objects() !== undefined || watched.problem() !== undefined),
    close: () => closeAll(all.map(({ watched }) => watched)),
  }
}

function watchNamespace(
  { api, scope, now, log }: WatchContext,
  target: Target,
  resource: Resource,
  namespace: string | undefined,
  gone: () => void,
) {
  const filled = createFilled(target, resource.version, scope)
  let [changes, reads] = [0, 0]
  let confirmed: number | undefined
  const watched = watchObjects(api, {
    resource,
    namespace,
    keep: (object) => {
      reads++
      if (filled.put(object)) changes++
    },
    listed: (objects) => filled.store.retain((key) => objects.has(key)),
    confirmed: () => (confirmed = now().getTime() / 1000),
    changed: (change) => {
      if (change.type === "deleted") filled.store.delete(change.key)
    },
    problemChanged: () => {
      if (watched.problem()?.statusCode === 404) gone()
    },
    log,
  })
  return { filled, watched, confirmed: () => confirmed, changes: () => changes, reads: () => reads }
}

/** Nothing is known of a kind before the first response. */
export function notYet(): KubernetesError {
  return new KubernetesError("the first response is still to come", 0)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
