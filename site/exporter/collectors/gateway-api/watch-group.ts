import { closeAll } from "#core/closable.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import type { Filled } from "./scope.ts"
import type { KindState } from "./status.ts"
import { discoverTargets, idOf, type Target } from "./targets.ts"
import { notYet, type WatchContext, type WatchedKind, watchKind } from "./watch-kind.ts"

/** Seconds between two looks at which kinds are served: CRDs are installed and removed by people. */
const DISCOVER_EVERY = 30

export interface FollowedKind {
  readonly state: KindState
  readonly filled: readonly Filled[]
}

/** Follows the kinds of a group that are served, which may become others at any time. */
export function watchGroup(context: WatchContext, group: string) {
  const { api, scope } = context
  const ending = new AbortController()
  const { signal } = ending
  const watches = new Map<string, WatchedKind>()
  let [targets, discovered] = [kindsWithout(context, group), false]
  let again = Promise.withResolvers<void>()
  /** A kind may be gone. */
  const gone = (): void => again.resolve()

  const follow = async (target: Target): Promise<void> => {
    const { resource } = target
    const [id, known] = [idOf(target), watches.get(idOf(target))]
    if (known?.version === resource?.version) return
    watches.delete(id)
    if (resource !== undefined) watches.set(id, watchKind(context, target, resource, gone, known?.sources() ?? []))
    await known?.close()
  }
  /** Why it is not known what is served. */
  const reconcile = async (): Promise<Target["problem"]> => {
    const found = await discoverTargets(api, scope.kinds, group, signal)
    // a group that cannot be discovered keeps what it has
    const known = new Map(targets.map((target) => [idOf(target), target]))
    targets = found.map((target) =>
      target.problem === undefined ? target : { ...(known.get(idOf(target)) ?? target), problem: target.problem },
    )
    for (const target of targets) await follow(target)
    discovered = true
    return found.find(({ problem }) => problem !== undefined)?.problem
  }
  const run = async (): Promise<void> => {
    let failures = 0
    while (!signal.aborted) {
      again = Promise.withResolvers()
      const problem = await reconcile().catch((error: unknown) => {
        if (!signal.aborted) throw error
        return undefined
      })
      failures = problem === undefined ? 0 : failures + 1
      const wait = problem === undefined ? DISCOVER_EVERY : backoff(failures, { retryAfter: problem.retryAfter })
      await Promise.race([pause(wait, signal), again.promise])
    }
  }
  const running = run()

  return {
    kinds: (): readonly FollowedKind[] =>
      targets.map((target) => {
        const watched = watches.get(idOf(target))
        const [filled, followed] = [watched?.sources() ?? [], watched?.state()]
        const problem = target.problem ?? followed?.problem
        const stores = filled.map(({ store }) => store)
        return { filled, state: { ...followed, target, stores, problem } }
      }),
    /** Whether each list was read, or failed, once. */
    tried: () => discovered && [...watches.values()].every((watched) => watched.tried()),
    async close(): Promise<void> {
      ending.abort()
      await running
      await closeAll([...watches.values()])
    },
  }
}

function kindsWithout({ scope }: WatchContext, group: string): readonly Target[] {
  return scope.kinds
    .filter(({ groups }) => groups.includes(group))
    .map((kind) => ({ kind, group, resource: undefined, namespaced: true, problem: notYet() }))
}
