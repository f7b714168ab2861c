import { closeAll } from "#core/closable.ts"
import type { Logger } from "#core/log/logger.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import type { Resource } from "#core/kubernetes/resource.ts"
import { watchObjects } from "#core/kubernetes/watch-objects.ts"
import { pause } from "#core/retry/backoff.ts"
import type { Collector } from "../../collector.ts"
import { createExposition } from "./exposition.ts"
import { createFilled, namespacesOf, type Scope } from "./scope.ts"
import { type KindState, missingOf, statusText } from "./status.ts"
import { discoverTargets, type Target } from "./targets.ts"

/** Seconds between two looks at which kinds are served. */
const DISCOVER_EVERY = 30

/** Lists every kind once and then follows its changes. What is rendered is kept until it changes. */
export function collectOnWatch(api: KubernetesApi, scope: Scope, log: Logger) {
  const ending = new AbortController()
  const { signal } = ending
  const exposition = createExposition()
  const watches = new Map<string, Watching>()
  let targets: readonly Target[] | undefined
  let again = Promise.withResolvers<void>()

  const reconcile = async (): Promise<void> => {
    const found = await discoverTargets(api, scope.kinds, signal)
    // a group that cannot be asked about keeps what it has
    const known = new Map(targets?.map((target) => [idOf(target), target]))
    targets = found.map((target) =>
      target.problem === undefined ? target : { ...(known.get(idOf(target)) ?? target), problem: target.problem },
    )
    for (const target of targets) {
      const [id, watching] = [idOf(target), watches.get(idOf(target))]
      if (watching?.version === target.resource?.version) continue
      watches.delete(id)
      await watching?.close()
      if (target.resource !== undefined) watches.set(id, watch(api, scope, target, target.resource, gone, log))
    }
  }
  /** A kind may be gone. */
  const gone = (): void => again.resolve()
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await reconcile().catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      await Promise.race([pause(DISCOVER_EVERY, signal), again.promise])
      again = Promise.withResolvers()
    }
  }
  const running = run()
  const states = (): readonly KindState[] =>
    (targets ?? []).map((target) => {
      const watching = watches.get(idOf(target))
      return {
        target,
        stores: watching?.sources().map(({ store }) => store) ?? [],
        problem: target.problem ?? watching?.problem(),
      }
    })

  return {
    collect: (() => {
      const current = states()
      const sources = (targets ?? []).flatMap((target) => watches.get(idOf(target))?.sources() ?? [])
      return { families: exposition(sources, statusText(current)), missing: missingOf(current) }
    }) satisfies Collector["collect"],
    /** Until every list was read or failed once, there is no saying what is missing. */
    notReady: (): string | undefined =>
      targets === undefined || [...watches.values()].some((watching) => !watching.tried())
        ? "The first lists are still under way."
        : undefined,
    async close(): Promise<void> {
      ending.abort()
      await running
      await closeAll([...watches.values()])
    },
  }
}

type Watching = ReturnType<typeof watch>

const idOf = ({ kind, group }: Target): string => `${kind.plural}.${group}`

/** Follows one kind, in all namespaces that are wanted. */
function watch(api: KubernetesApi, scope: Scope, target: Target, resource: Resource, gone: () => void, log: Logger) {
  const all = namespacesOf(scope, target).map((namespace) => {
    const filled = createFilled(target, resource.version, scope)
    const watched = watchObjects(api, {
      resource,
      namespace,
      keep: filled.put,
      changed: (change) => {
        if (change.type === "deleted") filled.store.delete(change.key)
      },
      problemChanged: () => {
        if (watched.problem()?.statusCode === 404) gone()
      },
      log,
    })
    return { filled, watched }
  })
  return {
    version: resource.version,
    /** Of the lists that are complete. */
    sources: () => all.filter(({ watched }) => watched.objects() !== undefined).map(({ filled }) => filled),
    problem: () => all.map(({ watched }) => watched.problem()).find((problem) => problem !== undefined),
    /** Whether each list was read, or failed, once. */
    tried: () => all.every(({ watched }) => watched.objects() !== undefined || watched.problem() !== undefined),
    close: () => closeAll(all.map(({ watched }) => watched)),
  }
}
