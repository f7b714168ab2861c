import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import type { KubernetesApi } from "./api.ts"
import { KubernetesError } from "./errors.ts"
import { listObjects, type ListScope } from "./list.ts"
import { keyOf, type KubernetesObject } from "./resource.ts"
import { watchSince } from "./watch.ts"

export interface WatchOptions<T extends KubernetesObject, K> extends ListScope<T> {
  /** What is remembered of an object: a large cluster's objects as a whole need not stay in memory. */
  readonly keep: (object: T) => K
  /** Called with each whole list, in which what was kept of lists that broke off may no longer stand. */
  readonly listed?: (objects: ReadonlyMap<string, K>) => void
  /** Called after each whole list, event and bookmark: `objects` are up to date as of now. */
  readonly confirmed?: () => void
  /** Called once for each change of `objects`, after it; it should do little. */
  readonly changed?: (change: Change<K>) => void
  /** Called after `problem` changed. */
  readonly problemChanged?: () => void
  readonly log: Logger
  /** Seconds without a byte after which a watch begins anew; the API sends a bookmark each 60 s. */
  readonly silence?: number
}

/** What became of one object, which may be several changes in one. */
export type Change<K> =
  | { readonly type: "added"; readonly key: string; readonly after: K }
  | { readonly type: "modified"; readonly key: string; readonly before: K; readonly after: K }
  | { readonly type: "deleted"; readonly key: string; readonly before: K }

export interface Watched<K> extends Closable {
  /** By namespace/name, whole as of some moment; undefined before the first list is complete. */
  objects(): ReadonlyMap<string, K> | undefined
  /** Why `objects` may be outdated or missing; undefined while a watch is open. */
  problem(): KubernetesError | undefined
  /** Resolves when `objects` is there for the first time, or `problem` is why not. Never rejects. */
  readonly first: Promise<void>
}

/** Failures in a row after which a watch is not tried again before everything is listed anew. */
const LIST_AFTER = 3
/** Milliseconds: a watch that is open for less is no success, so that one that ends at once is not begun at once. */
const SHORT = 1000

/** Keeps the objects of a list up to date by a watch until closed, through restarts of the API and every failure. */
export function watchObjects<T extends KubernetesObject, K>(
  api: KubernetesApi,
  options: WatchOptions<T, K>,
): Watched<K> {
  const { keep, listed, confirmed, changed, problemChanged, log, silence = 150 } = options
  const ending = new AbortController()
  const { signal } = ending
  const { promise: first, resolve: resolveFirst } = Promise.withResolvers<void>()
  let objects: Map<string, K> | undefined
  /** Of each object, by the keys of `objects`. */
  let versions = new Map<string, string>()
  let version: string | undefined
  let problem: KubernetesError | undefined
  let failures = 0
  let since = Number.POSITIVE_INFINITY

  const { plural } = options.resource
  const logProblem = logChanges((reason?: string) => {
    if (reason === undefined) log.info(`watching ${plural} works again`)
    else log.warn({ reason }, `watching ${plural} failed, retrying until it succeeds`)
  })
  const report = (next: KubernetesError | undefined): void => {
    const before = problem
    problem = next
    logProblem(next && explain(next))
    if (next !== before) problemChanged?.()
    if (next !== undefined) resolveFirst()
  }
  const list = async (): Promise<string> => {
    const [found, foundVersions] = [new Map<string, K>(), new Map<string, string>()]
    const each = (object: T): void => {
      found.set(keyOf(object), keep(object))
      foundVersions.set(keyOf(object), object.metadata.resourceVersion ?? "")
    }
    const at = await listObjects(api, options, each, signal)
    const [before, versionsBefore] = [objects, versions]
    objects = found // whole or not at all
    versions = foundVersions
    listed?.(found)
    confirmed?.()
    for (const [key, after] of found) {
      if (versionsBefore.get(key) !== versions.get(key)) changed?.(changeOf(before, key, after))
    }
    for (const [key, gone] of before ?? []) {
      if (!found.has(key)) changed?.({ type: "deleted", key, before: gone })
    }
    resolveFirst()
    return at
  }
  const apply = (kept: Map<string, K>, type: "ADDED" | "MODIFIED" | "DELETED", object: T): void => {
    const key = keyOf(object)
    if (type !== "DELETED") {
      const change = changeOf(kept, key, keep(object))
      kept.set(key, change.after)
      versions.set(key, object.metadata.resourceVersion ?? "")
      changed?.(change)
    } else if (kept.has(key)) {
      const before = kept.get(key) as K
      kept.delete(key)
      versions.delete(key)
      changed?.({ type: "deleted", key, before })
    }
  }
  const follow = async (): Promise<void> => {
    version ??= await list()
    const opened = (): void => {
      since = performance.now()
      report(undefined)
    }
    for await (const { type, object } of watchSince(api, options, version, signal, { opened, silence })) {
      version = object.metadata.resourceVersion ?? version
      if (type !== "BOOKMARK" && objects !== undefined) apply(objects, type, object)
      confirmed?.()
    }
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      let wait = 0
      since = Number.POSITIVE_INFINITY
      try {
        await follow()
        failures = performance.now() - since > SHORT ? 0 : failures + 1
        wait = failures === 0 ? 0 : backoff(failures)
      } catch (error) {
        if (signal.aborted) return
        failures = performance.now() - since > SHORT ? 1 : failures + 1
        const known = error instanceof KubernetesError ? error : new KubernetesError(explain(error), 0)
        // forgotten, or may list but not watch, or no way on from there, as after a backup of the API was restored
        if (known.statusCode === 410 || known.statusCode === 403 || failures >= LIST_AFTER) version = undefined
        if (known.statusCode !== 410 || failures > 1) report(known)
        wait = waitAfter(known, failures)
      }
      await pause(wait, signal)
    }
  }
  const running = run()
  return {
    objects: () => objects,
    problem: () => problem,
    first,
    async close() {
      ending.abort()
      resolveFirst()
      await running
    },
  }
}

function changeOf<K>(known: ReadonlyMap<string, K> | undefined, key: string, after: K) {
  return known?.has(key) === true
    ? ({ type: "modified", key, before: known.get(key) as K, after } as const)
    : ({ type: "added", key, after } as const)
}

/**
 * Seconds. A version that was forgotten is at once listed anew, unless that happens again. Missing rights are waited for
 * like all else: an API that begins knows no roles yet.
 */
function waitAfter({ statusCode, retryAfter }: KubernetesError, failures: number): number {
  return statusCode === 410 && failures === 1 ? 0 : backoff(failures, { retryAfter })
}
